"""One environment of one product: puts the components together. One program for all environments and networks."""

from __future__ import annotations

from pathlib import Path

import pulumi
from pulumi_azure_native import authorization, resources

from amlplatform.components.access import Access
from amlplatform.components.budget import Budget
from amlplatform.components.compute import Clusters, ComputeInstances
from amlplatform.components.identity import Identities
from amlplatform.components.keyvault import KeyVault
from amlplatform.components.monitoring import Monitoring
from amlplatform.components.registry import ContainerRegistry
from amlplatform.components.settings import Settings
from amlplatform.components.storage import LakeStorage, WorkspaceStorage
from amlplatform.components.workspace import Datastores, Workspace, WorkspaceParts
from amlplatform.regions import REGIONS
from amlplatform.request import Environment as EnvironmentRequest
from amlplatform.request import Request, RequestError, load_request
from amlplatform.roles import Principal, Scope, grants


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

    settings: Settings
    group: resources.ResourceGroup
    identities: Identities
    parts: WorkspaceParts
    access: Access
    workspace: Workspace
    workspace_access: Access

    def __init__(
        self,
        request: Request,
        environment: str,
        subscription_id: pulumi.Input[str],
        tenant_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`subscription_id`: where the stack deploys to; `tenant_id`: the Entra tenant that the subscription trusts."""
        super().__init__("amlplatform:environment:Environment", environment, None, opts)
        self.settings = settings_of(request, environment)
        self._subscription_id, self._tenant_id = subscription_id, tenant_id
        self._child = pulumi.ResourceOptions(parent=self)
        asked = request.environments[environment]
        self._foundation()
        self._access_and_workspace(request)
        self._compute(asked)
        Budget(
            "costs",
            self.settings,
            scope=self.group.id,
            amount=asked.monthly_budget,
            start=asked.budget_start,
            email=request.owner.email,
            opts=self._child,
        )
        self.register_outputs({"workspace": self.workspace.workspace.name})

    def _foundation(self) -> None:
        """The resource group, and what a workspace needs before it can be made."""
        settings, child = self.settings, self._child
        self.group = resources.ResourceGroup(
            "resource-group",
            resource_group_name=settings.names.resource_group,
            location=settings.location,
            tags=settings.tags,
            opts=settings.holds_data(self),
        )
        group = self.group.name
        self.identities = Identities("identities", settings, group, child)
        self.parts = WorkspaceParts(
            storage=WorkspaceStorage("workspace-storage", settings, group, child),
            lake=LakeStorage("lake-storage", settings, group, child),
            vault=KeyVault("vault", settings, group, self._tenant_id, child),
            registry=ContainerRegistry("registry", settings, group, child),
            monitoring=Monitoring("monitoring", settings, group, child),
        )

    def _access_and_workspace(self, request: Request) -> None:
        """The workspace, after the roles that its identity needs, and before those that are given on it."""
        settings, child, group = self.settings, self._child, self.group.name
        rows = list(grants(settings.profile, settings.network))
        principals = self._principals(request)
        self.access = Access(
            "access",
            grants=[row for row in rows if row.scope != "workspace"],
            principals=principals,
            scopes=self._scopes(),
            subscription_id=self._subscription_id,
            opts=child,
        )
        self.workspace = Workspace(
            "azure-ml",
            settings,
            group,
            identities=self.identities,
            parts=self.parts,
            description=request.description,
            after=self.access.of("workspace"),
            opts=child,
        )
        self.workspace_access = Access(
            "workspace-access",
            grants=[row for row in rows if row.scope == "workspace"],
            principals=principals,
            scopes={"workspace": self.workspace.workspace.id},
            subscription_id=self._subscription_id,
            opts=child,
        )
        Datastores(
            "datastores",
            settings,
            group,
            subscription_id=self._subscription_id,
            workspace=self.workspace,
            lake=self.parts.lake,
            opts=child,
        )

    def _principals(self, request: Request) -> dict[Principal, pulumi.Input[str]]:
        principals: dict[Principal, pulumi.Input[str]] = {
            "workspace": self.identities.workspace.principal_id,
            "cluster": self.identities.cluster.principal_id,
            "endpoint": self.identities.endpoint.principal_id,
            "deploy": self.identities.deploy.principal_id,
        }
        if request.groups.data_scientists:
            principals["data_scientists"] = request.groups.data_scientists
        return principals

    def _scopes(self) -> dict[Scope, pulumi.Input[str]]:
        parts = self.parts
        return {
            "resource_group": self.group.id,
            "storage": parts.storage.account.id,
            "lake": parts.lake.account.id,
            "lake_raw": parts.lake.containers["raw"].id,
            "lake_curated": parts.lake.containers["curated"].id,
            "lake_output": parts.lake.containers["output"].id,
            "key_vault": parts.vault.vault.id,
            "container_registry": parts.registry.registry.id,
            "application_insights": parts.monitoring.insights.id,
            "log_analytics": parts.monitoring.logs.id,
            "cluster_identity": self.identities.cluster.id,
            "endpoint_identity": self.identities.endpoint.id,
        }

    def _compute(self, asked: EnvironmentRequest) -> None:
        settings, child, group = self.settings, self._child, self.group.name
        clusters = Clusters(
            "clusters",
            settings,
            group,
            workspace=self.workspace,
            identities=self.identities,
            cpu=asked.cpu_cluster,
            gpu=asked.gpu_cluster,
            after=[*self.access.of("cluster"), *self.workspace_access.of("cluster")],
            opts=child,
        )
        if asked.compute_instances:
            ComputeInstances(
                "compute-instances",
                settings,
                group,
                tenant_id=self._tenant_id,
                workspace=self.workspace,
                instances=asked.compute_instances,
                after=[clusters.cpu],
                opts=child,
            )

    def exports(self) -> dict[str, pulumi.Input[object]]:
        """What the hand-over and the project's `.cloud/environments` need. No secrets."""
        return {
            "subscription_id": self._subscription_id,
            "tenant_id": self._tenant_id,
            "location": self.settings.location,
            "resource_group": self.group.name,
            "workspace": self.workspace.workspace.name,
            "registry": self.parts.registry.registry.name,
            "storage_account": self.parts.storage.account.name,
            "lake_account": self.parts.lake.account.name,
            "cluster_identity_id": self.identities.cluster.id,
            "endpoint_identity_id": self.identities.endpoint.id,
            "deploy_client_id": self.identities.deploy.client_id,
        }


def build_environment(request: Request, environment: str) -> Environment:
    """Declare one environment in the current Pulumi program and export what others need."""
    client = authorization.get_client_config_output()
    built = Environment(request, environment, client.subscription_id, client.tenant_id)
    for name, value in built.exports().items():
        pulumi.export(name, value)
    return built


def run() -> None:
    """The Pulumi program: reads which request the stack belongs to, and builds the stack's environment.

    Raises pulumi.RunError with one line for each reason when the stack's configuration or the request is wrong.
    """
    path = Path(pulumi.Config().require("request"))
    stack = pulumi.get_stack()
    root = Path.cwd().resolve()
    if path.is_absolute() or not (root / path).resolve().is_relative_to(root):
        raise pulumi.RunError(
            f"request: {str(path)!r} must be a path inside the live project; for example 'requests/churn.yaml'"
        )
    try:
        request = load_request(root / path)
    except RequestError as error:
        raise pulumi.RunError(str(error)) from error
    environment = stack.removeprefix(f"{request.product}-")
    if environment not in request.environments:
        stacks = ", ".join(f"{request.product}-{name}" for name in request.environments)
        raise pulumi.RunError(f"stack: {stack!r} does not belong to {path}; its stacks are {stacks}")
    build_environment(request, environment)
