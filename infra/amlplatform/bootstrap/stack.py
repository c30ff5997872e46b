"""The bootstrap stack of one subscription."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pulumi
from pulumi_azure_native import authorization, managedidentity, resources

from amlplatform import delegation, names
from amlplatform.bootstrap.access import CUSTOM_ROLES, Right, delegated_groups, delegated_roles, rights
from amlplatform.bootstrap.model import Bootstrap, Product
from amlplatform.bootstrap.state import StateStore
from amlplatform.components.guard import guarded
from amlplatform.components.identity import trust
from amlplatform.components.settings import Settings
from amlplatform.environment import settings_of
from amlplatform.profiles import ENVIRONMENT_PROFILES, NETWORK_PROFILES
from amlplatform.regions import REGIONS
from amlplatform.request import Request
from amlplatform.request.federation import GITHUB_ISSUER, FederatedSubject, github_prefix
from amlplatform.roles import ROLES


def settings_of_platform(bootstrap: Bootstrap) -> Settings:
    """The state of every environment is kept as carefully as prod's data, and reached by who may sign in."""
    profile = dataclasses.replace(
        ENVIRONMENT_PROFILES[bootstrap.environment],
        protect_data=True,
        purge_protection=True,
        infrastructure_encryption=True,
        vault_retention=90,
        geo_redundant=True,
    )
    return Settings(
        names=bootstrap.names,
        profile=profile,
        network=NETWORK_PROFILES["public-dev"],
        region=REGIONS[bootstrap.region],
        tags={
            "product": "platform",
            "environment": bootstrap.environment,
            "owner": bootstrap.owner.email,
            "costCentre": bootstrap.cost_centre,
            "managedBy": "amlplatform",
        },
    )


class BootstrapStack(pulumi.ComponentResource):
    """Resource groups, identities with credentials and roles, state store and keys."""

    def __init__(
        self,
        bootstrap: Bootstrap,
        requests: Mapping[str, Request],
        subscription_id: pulumi.Input[str],
        tenant_id: pulumi.Input[str],
    ) -> None:
        super().__init__("amlplatform:bootstrap:BootstrapStack", bootstrap.environment)
        self.bootstrap, self._subscription_id = bootstrap, subscription_id
        self.settings = settings_of_platform(bootstrap)
        self._child = pulumi.ResourceOptions(parent=self)
        self.group = resources.ResourceGroup(
            "resource-group",
            resource_group_name=self.settings.names.resource_group,
            location=self.settings.location,
            tags=self.settings.tags,
            opts=self.settings.holds_data(self),
        )
        self.store = StateStore(
            "state-store",
            self.settings,
            self.group.name,
            tenant_id=tenant_id,
            products=list(requests),
            ip_ranges=bootstrap.runner_ip_ranges,
            opts=self._child,
        )
        self.custom_roles = {key: self._custom_role(key, requests) for key in CUSTOM_ROLES}
        self.outputs: dict[str, pulumi.Output[object]] = {}
        for entry in bootstrap.products:
            self._product(entry, requests[entry.product])
        self.register_outputs({})

    def _custom_role(self, key: str, requests: Mapping[str, Request]) -> authorization.RoleDefinition:
        title, description, actions = CUSTOM_ROLES[key]
        title = f"{title} ({self.bootstrap.environment} {self.bootstrap.name_suffix})"
        own = pulumi.Output.concat("/subscriptions/", self._subscription_id)
        others = sorted(
            {
                "/".join(right.scope.split("/")[:3])
                for request in requests.values()
                for right in rights(request, self.bootstrap.environment)
                if right.role == key
            }
        )
        return authorization.RoleDefinition(
            f"role-{key}",
            role_definition_id=names.role_definition(title),
            scope=own,
            role_name=title,
            role_type="CustomRole",
            description=description,
            permissions=[
                authorization.PermissionArgs(
                    actions=list(actions), not_actions=[], data_actions=[], not_data_actions=[]
                )
            ],
            # The subscription itself, and those of the networks that environments join.
            assignable_scopes=own.apply(lambda scope: [scope, *(other for other in others if other != scope)]),
            opts=self._child,
        )

    def _product(self, entry: Product, request: Request) -> None:
        environment, product = self.bootstrap.environment, entry.product
        settings = settings_of(request, environment)
        group = resources.ResourceGroup(
            f"{product}-resource-group",
            resource_group_name=settings.names.resource_group,
            location=settings.location,
            tags=settings.tags,
            opts=self.settings.holds_data(self),
        )
        scopes = {
            "resource_group": group.id,
            "state": self.store.containers[product].id,
            "key": self.store.keys[product].id,
        }
        identities = {role: self._identity(role, entry, settings) for role in ("infra", "plan")}
        for right in rights(request, environment):
            self._give(right, product, identities[right.identity], scopes.get(right.scope, right.scope), request)
        for role, identity in identities.items():
            self.outputs[f"{settings.names.stack}_{role}_client_id"] = identity.client_id
        self.outputs[f"{settings.names.stack}_backend"] = pulumi.Output.concat(
            "azblob://", self.store.containers[product].name, "?storage_account=", self.store.account.name
        )
        self.outputs[f"{settings.names.stack}_secrets_provider"] = pulumi.Output.concat(
            "azurekeyvault://", self.settings.names.key_vault, ".vault.azure.net/keys/", self.store.keys[product].name
        )

    def _identity(self, role: str, entry: Product, settings: Settings) -> managedidentity.UserAssignedIdentity:
        """Kept in the platform's own group: an environment's identity must not change its own credentials."""
        identity = managedidentity.UserAssignedIdentity(
            f"{entry.product}-{role}-identity",
            resource_name_=f"id-{settings.names.stack}-{role}",
            resource_group_name=self.group.name,
            location=self.settings.location,
            tags=settings.tags,
            opts=self._child,
        )
        subject = _subject(self.bootstrap, entry, role, settings.names.stack)
        if subject:
            trust(f"{entry.product}-{role}", identity, self.group.name, [(self.bootstrap.ci.provider, subject)], self)
        return identity

    def _give(
        self,
        right: Right,
        product: str,
        identity: managedidentity.UserAssignedIdentity,
        scope: pulumi.Input[str],
        request: Request,
    ) -> None:
        environment = self.bootstrap.environment
        role_id: pulumi.Input[str] = (
            self.custom_roles[right.role].id
            if right.role in CUSTOM_ROLES
            else pulumi.Output.concat(
                "/subscriptions/",
                self._subscription_id,
                "/providers/Microsoft.Authorization/roleDefinitions/",
                ROLES[right.role].role_id,
            )
        )
        limits = (
            delegation.condition(delegated_roles(request, environment), delegated_groups(request, environment))
            if right.delegated
            else None
        )
        authorization.RoleAssignment(
            f"{product}-{right.identity}-{_short(right)}",
            role_assignment_name=pulumi.Output.all(scope, identity.principal_id, role_id).apply(
                lambda values: names.role_assignment(values[0], values[1], values[2].rsplit("/", 1)[-1])
            ),
            scope=scope,
            principal_id=identity.principal_id,
            principal_type="ServicePrincipal",
            role_definition_id=role_id,
            description=right.why,
            condition=limits,
            condition_version=delegation.VERSION if limits else None,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )


def _short(right: Right) -> str:
    """A name in the program: the end of the scope and the role, without signs."""
    # Two segments of an id: subnets of two networks may have the same name.
    text = f"{' '.join(right.scope.split('/')[-3::2])} {right.role}".lower()
    return "-".join("".join(sign if sign.isalnum() else " " for sign in text).split())


def _subject(bootstrap: Bootstrap, entry: Product, role: str, stack: str) -> FederatedSubject | None:
    """Whose jobs act as the identity.

    `infra`: the deployment of this stack, after its approval; `plan`: every pull request.
    """
    if bootstrap.ci.provider == "azure-devops":
        connection = getattr(entry, role)
        return FederatedSubject(connection.issuer, connection.subject) if connection.issuer else None
    prefix = github_prefix(bootstrap.ci)
    if not prefix:
        return None
    context = {"infra": f"environment:{stack}", "plan": "pull_request"}[role]
    return FederatedSubject(GITHUB_ISSUER, f"{prefix}:{context}")


@guarded
def build_bootstrap(bootstrap: Bootstrap, requests: Mapping[str, Request]) -> BootstrapStack:
    """Declare the stack in the current Pulumi program and export what CI needs."""
    client = authorization.get_client_config_output()
    built = BootstrapStack(bootstrap, requests, client.subscription_id, client.tenant_id)
    for name, value in built.outputs.items():
        pulumi.export(name, value)
    return built
