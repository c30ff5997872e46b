"""Kubernetes for real-time endpoints: a cluster, Azure ML's extension in it, and the workspace's hold on it.

Sources: learn.microsoft.com/azure/machine-learning, how-to-deploy-kubernetes-extension (settings of the extension),
how-to-attach-kubernetes-to-workspace (roles, namespace), how-to-secure-kubernetes-inferencing-environment (private
clusters); learn.microsoft.com/azure/aks, trusted-access-feature: how Azure ML reaches a cluster that is private and has
no local accounts.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import containerservice as aks
from pulumi_azure_native import kubernetesconfiguration, managedidentity
from pulumi_azure_native import machinelearningservices as ml

from amlplatform import names, roles
from amlplatform.components.access import Access
from amlplatform.components.context import Context, Part
from amlplatform.components.options.kubernetes_body import cluster_body
from amlplatform.components.options.kubernetes_logs import container_logs
from amlplatform.request.options import Kubernetes as Asked

EXTENSION = "azureml"
"""The name of Azure ML's extension, and of the namespace that it runs in."""
CERTIFICATE_SECRET = "endpoint-certificate"  # noqa: S105 (a name)
"""The Kubernetes secret with the endpoints' certificate: `cert.pem` and `key.pem`, in the extension's namespace."""
INSTANCE_TYPE = "defaultinstancetype"
# Making a cluster takes minutes, its extension up to half an hour.
_TIMEOUT = "60m"


class Kubernetes(pulumi.ComponentResource):
    """A cluster of the environment's own, with one namespace for the product."""

    cluster: aks.ManagedCluster

    def __init__(self, name: str, context: Context, asked: Asked, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("amlplatform:kubernetes:Kubernetes", name, None, opts)
        self._context, self._settings, self._asked = context, context.settings, asked
        self._child = pulumi.ResourceOptions(parent=self)
        self._control_plane = self._identity("kubernetes", context.settings.names.kubernetes_identity)
        self._nodes = self._identity("kubernetes-nodes", context.settings.names.kubernetes_nodes_identity)
        self.cluster = self._cluster(self._access_of_identities())
        context.scopes["kubernetes"] = self.cluster.id
        context.parts.append(Part("kubernetes", self.cluster, diagnostics=("",)))
        container_logs(
            context.settings,
            context.resource_group,
            cluster=self.cluster,
            logs_id=context.core.monitoring.logs_id,
            parent=self,
        )
        self._maintenance()
        namespace = self._namespace()
        access = context.assign_of(roles.option("kubernetes"), "kubernetes-access", self._child)
        if asked.endpoint_host:
            self._attach(namespace, access)
        self.register_outputs({"id": self.cluster.id})

    def _identity(self, role: str, azure_name: str) -> managedidentity.UserAssignedIdentity:
        return managedidentity.UserAssignedIdentity(
            f"{role}-identity",
            resource_name_=azure_name,
            resource_group_name=self._context.resource_group,
            location=self._settings.location,
            tags=self._settings.tags,
            opts=self._child,
        )

    def _access_of_identities(self) -> Access:
        """What the cluster's two identities may do: the cluster cannot be made without it."""
        context = self._context
        context.principals |= {
            "kubernetes": self._control_plane.principal_id,
            "kubernetes_nodes": self._nodes.principal_id,
        }
        context.scopes |= {
            "kubernetes_nodes_identity": self._nodes.id,
            "kubernetes_subnet": context.asked.subnets.kubernetes,
        }
        rows = [row for row in context.rows if row.principal in ("kubernetes", "kubernetes_nodes")]
        return context.assign("kubernetes-identities-access", rows, self._child)

    def _cluster(self, access: Access) -> aks.ManagedCluster:
        settings = self._settings
        return aks.ManagedCluster(
            "kubernetes",
            resource_name_=settings.names.kubernetes,
            resource_group_name=self._context.resource_group,
            location=settings.location,
            identity=aks.ManagedClusterIdentityArgs(
                type=aks.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[self._control_plane.id]
            ),
            identity_profile={
                "kubeletidentity": aks.UserAssignedIdentityArgs(
                    resource_id=self._nodes.id, client_id=self._nodes.client_id, object_id=self._nodes.principal_id
                )
            },
            **cluster_body(
                settings,
                self._asked,
                tenant_id=self._context.tenant_id,
                logs_id=self._context.core.monitoring.logs_id,
                subnet=self._context.asked.subnets.kubernetes,
            ),
            tags=settings.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(access.assignments.values()),
                # The autoscaler says how many nodes there are.
                ignore_changes=["agentPoolProfiles[*].count"],
                custom_timeouts=pulumi.CustomTimeouts(create=_TIMEOUT, update=_TIMEOUT, delete=_TIMEOUT),
            ),
        )

    def _maintenance(self) -> None:
        """Upgrades of Kubernetes and of the nodes come on Sundays, one after the other."""
        for what, azure_name, start in (
            ("upgrades", "aksManagedAutoUpgradeSchedule", "00:00"),
            ("node-images", "aksManagedNodeOSUpgradeSchedule", "06:00"),
        ):
            aks.MaintenanceConfiguration(
                f"kubernetes-{what}",
                config_name=azure_name,
                resource_name_=self.cluster.name,
                resource_group_name=self._context.resource_group,
                maintenance_window=aks.MaintenanceWindowArgs(
                    duration_hours=4,
                    start_time=start,
                    utc_offset="+00:00",
                    schedule=aks.ScheduleArgs(
                        weekly=aks.WeeklyScheduleArgs(day_of_week=aks.WeekDay.SUNDAY, interval_weeks=1)
                    ),
                ),
                opts=self._child,
            )

    def _namespace(self) -> aks.ManagedNamespace:
        """The product's namespace: attaching a cluster names one, and does not make it."""
        settings = self._settings
        return aks.ManagedNamespace(
            "kubernetes-namespace",
            managed_namespace_name=settings.names.kubernetes_namespace,
            resource_name_=self.cluster.name,
            resource_group_name=self._context.resource_group,
            location=settings.location,
            properties=aks.NamespacePropertiesArgs(
                adoption_policy=aks.AdoptionPolicy.IF_IDENTICAL,
                delete_policy=aks.DeletePolicy.DELETE,
                # The routers that answer for the endpoints stand in the extension's namespace, and pods report to Azure
                # ML: the cluster is the product's own, and nothing else runs in it.
                default_network_policy=aks.NetworkPoliciesArgs(
                    ingress=aks.PolicyRule.ALLOW_ALL, egress=aks.PolicyRule.ALLOW_ALL
                ),
                labels={"product": settings.names.product, "environment": settings.names.environment},
            ),
            tags=settings.tags,
            opts=self._child,
        )

    def _attach(self, namespace: aks.ManagedNamespace, access: Access) -> None:
        """Azure ML's extension, which finds its certificate in the cluster, and the attached compute."""
        context, settings = self._context, self._settings
        assert context.workspace is not None, "the workspace is made before this option"
        trust = aks.TrustedAccessRoleBinding(
            "kubernetes-trusted-access",
            trusted_access_role_binding_name="azure-ml",
            resource_name_=self.cluster.name,
            resource_group_name=context.resource_group,
            source_resource_id=context.workspace.workspace.id,
            roles=["Microsoft.MachineLearningServices/workspaces/mlworkload"],
            opts=self._child,
        )
        ml.Compute(
            "kubernetes-compute",
            compute_name=names.KUBERNETES_COMPUTE,
            resource_group_name=context.resource_group,
            workspace_name=context.workspace.workspace.name,
            location=settings.location,
            # Endpoints on the cluster act as those that Azure ML hosts.
            identity=ml.ManagedServiceIdentityArgs(
                type=ml.ManagedServiceIdentityType.USER_ASSIGNED,
                user_assigned_identities=[context.identities.endpoint.id],
            ),
            properties=ml.KubernetesArgs(
                compute_type="Kubernetes",
                compute_location=settings.location,
                resource_id=self.cluster.id,
                disable_local_auth=True,
                properties=ml.KubernetesPropertiesArgs(
                    namespace=namespace.name,
                    default_instance_type=INSTANCE_TYPE,
                    instance_types={INSTANCE_TYPE: _instance_type()},
                ),
            ),
            tags=settings.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[*access.assignments.values(), trust, self._extension(trust)],
                # Azure ML refuses to attach twice, so a change is a new compute in the place of the old one.
                delete_before_replace=True,
                replace_on_changes=["properties"],
                # Connection strings of the relay may be among them.
                additional_secret_outputs=["properties"],
                custom_timeouts=pulumi.CustomTimeouts(create=_TIMEOUT),
            ),
        )

    def _extension(self, trust: aks.TrustedAccessRoleBinding) -> kubernetesconfiguration.Extension:
        settings = self._settings
        values = {
            "enableInference": "True",
            "enableTraining": "False",
            "allowInsecureConnections": "False",
            "inferenceRouterServiceType": "LoadBalancer",
            "inferenceRouterHA": str(settings.profile.options.kubernetes_routers > 1),
            "sslSecret": CERTIFICATE_SECRET,
            "sslCname": self._asked.endpoint_host,
        }
        if settings.network.private:
            values["internalLoadBalancerProvider"] = "azure"
        return kubernetesconfiguration.Extension(
            "kubernetes-extension",
            extension_name=EXTENSION,
            resource_group_name=self._context.resource_group,
            cluster_rp="Microsoft.ContainerService",
            cluster_resource_name="managedClusters",
            cluster_name=self.cluster.name,
            extension_type="Microsoft.AzureML.Kubernetes",
            release_train="stable",
            auto_upgrade_minor_version=True,
            identity=kubernetesconfiguration.IdentityArgs(
                type=kubernetesconfiguration.ResourceIdentityType.SYSTEM_ASSIGNED
            ),
            scope=kubernetesconfiguration.ScopeArgs(
                cluster=kubernetesconfiguration.ScopeClusterArgs(release_namespace=EXTENSION)
            ),
            configuration_settings=values,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[trust],
                custom_timeouts=pulumi.CustomTimeouts(create=_TIMEOUT, update=_TIMEOUT, delete=_TIMEOUT),
            ),
        )


def _instance_type() -> ml.InstanceTypeSchemaArgs:
    """What a pod gets that asks for nothing: what Azure ML's own default type gives."""
    return ml.InstanceTypeSchemaArgs(
        resources=ml.InstanceTypeSchemaResourcesArgs(
            requests={"cpu": "100m", "memory": "2Gi"}, limits={"cpu": "2", "memory": "2Gi"}
        )
    )
