"""Compute: clusters that have no nodes at rest, and instances for single persons."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import machinelearningservices as ml

from amlplatform import names
from amlplatform.components.identity import Identities
from amlplatform.components.settings import Settings
from amlplatform.components.workspace import Workspace
from amlplatform.request import Cluster, ComputeInstance


class Clusters(pulumi.ComponentResource):
    """cpu-cluster, and gpu-cluster if asked for. Called the same everywhere, so that jobs run in each workspace."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        resource_group: pulumi.Input[str],
        *,
        workspace: Workspace,
        identities: Identities,
        cpu: Cluster,
        gpu: Cluster | None,
        subnet: str,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`subnet`: where nodes stand, "" without a network of one's own.

        `after`: the roles of the clusters' identity, so that the first job finds them.
        """
        super().__init__("amlplatform:compute:Clusters", name, None, opts)

        def cluster(azure_name: str, size: Cluster, wait_for: Sequence[pulumi.Resource]) -> ml.Compute:
            return ml.Compute(
                azure_name,
                compute_name=azure_name,
                resource_group_name=resource_group,
                workspace_name=workspace.workspace.name,
                location=settings.location,
                identity=ml.ManagedServiceIdentityArgs(
                    type=ml.ManagedServiceIdentityType.USER_ASSIGNED, user_assigned_identities=[identities.cluster.id]
                ),
                properties=_cluster_properties(settings, size, subnet),
                tags=settings.tags,
                opts=pulumi.ResourceOptions(parent=self, depends_on=list(wait_for)),
            )

        self.cpu = cluster(names.CPU_CLUSTER, cpu, after)
        # One after the other: in a managed network the first compute waits for the network, and two at once fail.
        self.gpu = cluster(names.GPU_CLUSTER, gpu, [*after, self.cpu]) if gpu else None
        self.register_outputs({})


def _cluster_properties(settings: Settings, size: Cluster, subnet: str) -> ml.AmlComputeArgs:
    # Typed arguments, not dicts: for this union the SDK would send a dict's snake_case keys as they are.
    return ml.AmlComputeArgs(
        compute_type="AmlCompute",
        compute_location=settings.location,
        disable_local_auth=True,
        properties=ml.AmlComputePropertiesArgs(
            os_type=ml.OsType.LINUX,
            vm_size=size.vm_size,
            vm_priority=ml.VmPriority.LOW_PRIORITY if size.low_priority else ml.VmPriority.DEDICATED,
            subnet=ml.ResourceIdArgs(id=subnet) if subnet else None,
            enable_node_public_ip=settings.network.node_public_ip,
            remote_login_port_public_access=ml.RemoteLoginPortPublicAccess.DISABLED,
            scale_settings=ml.ScaleSettingsArgs(
                min_node_count=0,
                max_node_count=size.max_nodes,
                node_idle_time_before_scale_down=settings.profile.cluster_idle_time,
            ),
        ),
    )


class ComputeInstances(pulumi.ComponentResource):
    """A machine each for the persons that the request names. Never in an environment without people."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        resource_group: pulumi.Input[str],
        *,
        tenant_id: pulumi.Input[str],
        workspace: Workspace,
        instances: Sequence[ComputeInstance],
        subnet: str,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("amlplatform:compute:ComputeInstances", name, None, opts)
        for instance in instances:
            azure_name = settings.names.compute_instance(instance.object_id)
            ml.Compute(
                azure_name,
                compute_name=azure_name,
                resource_group_name=resource_group,
                workspace_name=workspace.workspace.name,
                location=settings.location,
                properties=_instance_properties(settings, instance, tenant_id, subnet),
                tags=settings.tags,
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=list(after),
                    # A PUT on an existing instance does not change these, and a replaced machine loses its disk.
                    ignore_changes=["properties.properties.idleTimeBeforeShutdown", "properties.properties.schedules"],
                ),
            )
        self.register_outputs({})


def _instance_properties(
    settings: Settings, instance: ComputeInstance, tenant_id: pulumi.Input[str], subnet: str
) -> ml.ComputeInstanceArgs:
    # No managed identity: an instance with one never counts as idle unless the identity may manage the workspace.
    return ml.ComputeInstanceArgs(
        compute_type="ComputeInstance",
        compute_location=settings.location,
        disable_local_auth=True,
        properties=ml.ComputeInstancePropertiesArgs(
            vm_size=instance.vm_size,
            subnet=ml.ResourceIdArgs(id=subnet) if subnet else None,
            application_sharing_policy=ml.ApplicationSharingPolicy.PERSONAL,
            compute_instance_authorization_type=ml.ComputeInstanceAuthorizationType.PERSONAL,
            personal_compute_instance_settings=ml.PersonalComputeInstanceSettingsArgs(
                assigned_user=ml.AssignedUserArgs(object_id=instance.object_id, tenant_id=tenant_id)
            ),
            ssh_settings=ml.ComputeInstanceSshSettingsArgs(ssh_public_access=ml.SshPublicAccess.DISABLED),
            enable_node_public_ip=settings.network.node_public_ip,
            enable_sso=True,
            idle_time_before_shutdown=settings.profile.instance_idle_time,
        ),
    )
