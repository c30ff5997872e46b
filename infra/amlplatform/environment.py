"""One environment of one product: puts the components together. One program for all environments and networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi_azure_native import authorization, resources

from amlplatform import names, options, roles
from amlplatform.components.alerts import ActionGroup, Alerts, Watched
from amlplatform.components.budget import Budget
from amlplatform.components.compute import Clusters, ComputeInstances
from amlplatform.components.context import Context, Part
from amlplatform.components.diagnostics import Diagnostics
from amlplatform.components.guard import guarded
from amlplatform.components.identity import Identities
from amlplatform.components.keyvault import KeyVault
from amlplatform.components.locks import Locks
from amlplatform.components.monitoring import Monitoring
from amlplatform.components.registry import ContainerRegistry, Registry
from amlplatform.components.registry import central as central_registry
from amlplatform.components.settings import Settings
from amlplatform.components.storage import Lake, LakeStorage, WorkspaceStorage, central_lake
from amlplatform.components.workspace import Datastores, Workspace, WorkspaceParts
from amlplatform.endpoints import CORE
from amlplatform.regions import REGIONS
from amlplatform.request import Request
from amlplatform.request.federation import federated_subject
from amlplatform.request.network import CentralLake
from amlplatform.roles import grants

if TYPE_CHECKING:
    from amlplatform.components.private_endpoints import PrivateEndpoints


def settings_of(request: Request, environment: str) -> Settings:
    """What the components are told about this environment of the request."""
    tags = {
        "product": request.product,
        "environment": environment,
        "owner": request.owner.email,
        "costCentre": request.cost_centre,
        "description": request.description,
        "managedBy": "amlplatform",
    }
    if request.ci.repository:
        tags["repository"] = request.ci.repository
    return Settings(
        names=request.names(environment),
        profile=request.profile(environment),
        network=request.environments[environment].network_profile,
        region=REGIONS[request.region],
        tags=tags,
    )


class Environment(pulumi.ComponentResource):
    """Everything that an environment consists of, in one resource group."""

    context: Context
    workspace: Workspace

    def __init__(
        self,
        request: Request,
        environment: str,
        subscription_id: pulumi.Input[str],
        tenant_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
        *,
        group_exists: bool = False,
    ) -> None:
        """`subscription_id`: where the stack deploys to; `tenant_id`: the Entra tenant that the subscription trusts.

        `group_exists`: the resource group is made by the bootstrap stack, and not here.
        """
        super().__init__("amlplatform:environment:Environment", environment, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._group_name, self._group_id = self._group(settings_of(request, environment), subscription_id, group_exists)
        self.context = self._foundation(request, environment, subscription_id, tenant_id)
        options.build(self.context, before_workspace=True, opts=self._child)
        self._access_and_workspace()
        self._compute()
        options.build(self.context, before_workspace=False, opts=self._child)
        self._around()
        self.register_outputs({"workspace": self.workspace.workspace.name})

    def _group(
        self, settings: Settings, subscription_id: pulumi.Input[str], exists: bool
    ) -> tuple[pulumi.Input[str], pulumi.Input[str]]:
        """Name and id of the resource group, which is made here unless the bootstrap stack has made it."""
        name = settings.names.resource_group
        if exists:
            return name, pulumi.Output.concat("/subscriptions/", subscription_id, "/resourceGroups/", name)
        group = resources.ResourceGroup(
            "resource-group",
            resource_group_name=name,
            location=settings.location,
            tags=settings.tags,
            opts=settings.holds_data(self),
        )
        return group.name, group.id

    def _foundation(
        self, request: Request, environment: str, subscription_id: pulumi.Input[str], tenant_id: pulumi.Input[str]
    ) -> Context:
        """What a workspace needs before it can be made."""
        settings, child = settings_of(request, environment), self._child
        asked = request.environments[environment]
        group = self._group_name
        subject = federated_subject(request, environment)
        ci = (request.ci.provider, subject) if subject else None
        identities = Identities("identities", settings, group, ci, child)
        context = Context(
            settings=settings,
            request=request,
            asked=asked,
            resource_group=group,
            resource_group_id=self._group_id,
            subscription_id=subscription_id,
            tenant_id=tenant_id,
            identities=identities,
            core=WorkspaceParts(
                storage=WorkspaceStorage("workspace-storage", settings, group, child),
                lake=self._lake(settings, asked.central.lake, subscription_id),
                vault=KeyVault("vault", settings, group, tenant_id, child),
                registry=self._registry(settings, asked.central.container_registry),
                monitoring=Monitoring("monitoring", settings, group, asked.central.log_analytics, child),
            ),
            rows=tuple(grants(settings.profile, asked.conditions, asked.purposes)),
        )
        context.principals |= _principals(context)
        context.scopes |= _scopes(context)
        context.parts += _parts(context.core)
        return context

    def _lake(self, settings: Settings, central: CentralLake, subscription_id: pulumi.Input[str]) -> Lake:
        if central.account:
            containers = {"raw": central.raw, "curated": central.curated, "output": central.output}
            return central_lake(central.account, containers)
        return LakeStorage("lake-storage", settings, self._group_name, self._child).as_lake(settings, subscription_id)

    def _registry(self, settings: Settings, central: str) -> Registry:
        if central:
            return central_registry(central)
        return ContainerRegistry("registry", settings, self._group_name, self._child).as_registry()

    def _access_and_workspace(self) -> None:
        """The workspace, after the roles that its identity needs, and before those that are given on it."""
        context, child = self.context, self._child
        rows = [row for row in context.rows if row.scope in context.scopes]
        access = context.assign("access", rows, child)
        self.workspace = context.workspace = Workspace(
            "azure-ml",
            context.settings,
            context.resource_group,
            identities=context.identities,
            parts=context.core,
            description=context.request.description,
            outbound=_outbound(context),
            subnet=_compute_subnet(context),
            after=access.of("workspace"),
            opts=child,
        )
        context.scopes["workspace"] = self.workspace.workspace.id
        context.parts.append(
            Part(
                "workspace",
                self.workspace.workspace,
                endpoints=CORE["workspace"].inbound,
                diagnostics=("",),
            )
        )
        rows = [row for row in context.rows if row.scope == "workspace"]
        workspace_access = context.assign("workspace-access", rows, child)
        self._cluster_roles = [*access.of("cluster"), *workspace_access.of("cluster")]
        Datastores(
            "datastores",
            context.resource_group,
            workspace=self.workspace,
            lake=context.core.lake,
            opts=child,
        )

    def _compute(self) -> None:
        context, asked = self.context, self.context.asked
        subnet = _compute_subnet(context)
        clusters = Clusters(
            "clusters",
            context.settings,
            context.resource_group,
            workspace=self.workspace,
            identities=context.identities,
            cpu=asked.cpu_cluster,
            gpu=asked.gpu_cluster,
            subnet=subnet,
            after=self._cluster_roles,
            opts=self._child,
        )
        if asked.compute_instances:
            ComputeInstances(
                "compute-instances",
                context.settings,
                context.resource_group,
                tenant_id=context.tenant_id,
                workspace=self.workspace,
                instances=asked.compute_instances,
                subnet=subnet,
                after=[clusters.cpu],
                opts=self._child,
            )

    def _around(self) -> None:
        """What hangs on the resources that are there by now: see `Part`."""
        context, settings = self.context, self.context.settings
        diagnostics = Diagnostics(
            "diagnostics", settings, parts=context.parts, logs_id=context.core.monitoring.logs_id, opts=self._child
        )
        context.hanging.append(diagnostics)
        if roles.PRIVATE_ENDPOINTS in context.asked.conditions:
            context.hanging.append(self._private_endpoints())
        self._watch()
        Locks("locks", settings, parts=context.parts, after=context.hanging, opts=self._child)

    def _private_endpoints(self) -> PrivateEndpoints:
        # Only where they are asked for: the SDK's module of networks takes most of a second to load.
        from amlplatform.components.private_endpoints import PrivateEndpoints  # noqa: PLC0415

        context, asked = self.context, self.context.asked
        made = PrivateEndpoints(
            "private-endpoints",
            context.settings,
            context.resource_group,
            parts=context.parts,
            subnet=asked.subnets.endpoints,
            dns_zones=asked.dns_zones,
            opts=self._child,
        )
        context.scopes |= {
            f"storage_{sub_resource}_endpoint": made.endpoints["storage", sub_resource].id
            for sub_resource in ("blob", "file")
        }
        context.assign_of(roles.PRIVATE_ENDPOINTS, "endpoint-access", self._child)
        return made

    def _watch(self) -> None:
        """Alerts and the budget, and who is told of them."""
        context, asked = self.context, self.context.asked
        email = context.request.owner.email
        action_group = ActionGroup(
            "alert-receivers", context.settings, context.resource_group, email=email, opts=self._child
        )
        clusters = {names.CPU_CLUSTER: asked.cpu_cluster, names.GPU_CLUSTER: asked.gpu_cluster}
        Alerts(
            "alerts",
            context.settings,
            context.resource_group,
            watched=Watched(
                parts=context.parts,
                clusters={name: cluster.max_nodes for name, cluster in clusters.items() if cluster},
                resource_group_id=context.resource_group_id,
                logs=context.core.monitoring.logs,
            ),
            action_group=action_group.id,
            opts=self._child,
        )
        Budget(
            "costs",
            context.settings,
            scope=context.resource_group_id,
            amount=asked.monthly_budget,
            start=asked.budget_start,
            email=email,
            action_group=action_group.id,
            opts=self._child,
        )

    def exports(self) -> dict[str, pulumi.Input[object]]:
        """What the hand-over and the project's `.cloud/environments` need. No secrets."""
        context = self.context
        return {
            "subscription_id": context.subscription_id,
            "tenant_id": context.tenant_id,
            "location": context.settings.location,
            "resource_group": context.resource_group,
            "workspace": self.workspace.workspace.name,
            "registry": context.core.registry.name,
            "storage_account": context.core.storage.account.name,
            "lake_account": context.core.lake.account_name,
            "cluster_identity_id": context.identities.cluster.id,
            "endpoint_identity_id": context.identities.endpoint.id,
            "deploy_client_id": context.identities.deploy.client_id,
            **context.outputs,
        }


def _principals(context: Context) -> dict[str, pulumi.Input[str]]:
    identities = context.identities
    principals: dict[str, pulumi.Input[str]] = {
        "workspace": identities.workspace.principal_id,
        "cluster": identities.cluster.principal_id,
        "endpoint": identities.endpoint.principal_id,
        "deploy": identities.deploy.principal_id,
        **{entry.purpose: entry.group for entry in context.asked.access_exceptions},
    }
    if context.request.groups.data_scientists:
        principals["data_scientists"] = context.request.groups.data_scientists
    return principals


def _scopes(context: Context) -> dict[str, pulumi.Input[str]]:
    core = context.core
    return {
        "resource_group": context.resource_group_id,
        "storage": core.storage.account.id,
        **{f"lake_{purpose}": container_id for purpose, container_id in core.lake.container_ids.items()},
        "key_vault": core.vault.vault.id,
        "container_registry": core.registry.id,
        "application_insights": core.monitoring.insights.id,
        "log_analytics": core.monitoring.logs_id,
        "cluster_identity": context.identities.cluster.id,
        "endpoint_identity": context.identities.endpoint.id,
        **({"ml_registry": context.asked.central.ml_registry} if context.asked.central.ml_registry else {}),
    }


def _parts(core: WorkspaceParts) -> list[Part]:
    """What a workspace is made of, as far as it is made here."""
    parts = [
        Part(
            "storage",
            core.storage.account,
            endpoints=CORE["storage"].inbound,
            outbound=CORE["storage"].outbound,
            diagnostics=("", "/blobServices/default", "/fileServices/default"),
            holds_data=True,
        ),
        Part("key-vault", core.vault.vault, endpoints=CORE["key-vault"].inbound, diagnostics=("",), holds_data=True),
        Part("application-insights", core.monitoring.insights, diagnostics=("",)),
    ]
    if core.lake.made:
        parts.append(
            Part(
                "lake",
                core.lake.made,
                endpoints=CORE["lake"].inbound,
                diagnostics=("", "/blobServices/default"),
                holds_data=True,
            )
        )
    if core.registry.made:
        parts.append(
            Part(
                "container-registry",
                core.registry.made,
                endpoints=CORE["container-registry"].inbound,
                diagnostics=("",),
                holds_data=True,
            )
        )
    if core.monitoring.logs:
        parts.append(Part("log-analytics", core.monitoring.logs, diagnostics=("",), holds_data=True))
    return parts


def _compute_subnet(context: Context) -> str:
    """Where nodes of Azure ML's compute stand; "" where they stand in a network of Azure's."""
    return context.asked.subnets.compute if context.settings.network.own_network else ""


def _outbound(context: Context) -> dict[str, tuple[pulumi.Input[str], str]]:
    """Where jobs in a managed network may go besides the workspace's own parts: the lake, and options."""
    lake_id = context.core.lake.account_id
    rules: dict[str, tuple[pulumi.Input[str], str]] = {
        f"lake-{sub_resource}": (lake_id, sub_resource) for sub_resource in CORE["lake"].outbound
    }
    if context.asked.central.ml_registry:
        rules["ml-registry"] = (context.asked.central.ml_registry, "amlregistry")
    for part in context.parts:
        rules |= {f"{part.name}-{sub_resource}": (part.resource.id, sub_resource) for sub_resource in part.outbound}
    return rules


@guarded
def build_environment(request: Request, environment: str, *, group_exists: bool = False) -> Environment:
    """Declare one environment in the current Pulumi program and export what others need."""
    client = authorization.get_client_config_output()
    built = Environment(request, environment, client.subscription_id, client.tenant_id, group_exists=group_exists)
    for name, value in built.exports().items():
        pulumi.export(name, value)
    return built
