"""Databricks: a premium workspace without public addresses, and a connector that reads the lake with an identity.

It is not attached to Azure ML: that takes a personal access token, a secret. Jobs are started through Databricks' own
API with Entra tokens (docs/options-compute.md). Sources: learn.microsoft.com/azure/databricks, "Deploy Azure Databricks
in your Azure virtual network", "Azure Private Link concepts", "Use Azure managed identities in Unity Catalog".
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import databricks, managedidentity

from amlplatform import endpoints, roles
from amlplatform.components.context import Context, Part
from amlplatform.request.options import Databricks as Asked

_NAME = "databricks"
# Making a workspace with its network takes ten minutes and more.
_TIMEOUT = "60m"


class Databricks(pulumi.ComponentResource):
    """A workspace, a connector, and the identity with which clusters read and write the lake."""

    workspace: databricks.Workspace

    def __init__(self, name: str, context: Context, _asked: Asked, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("amlplatform:databricks:Databricks", name, None, opts)
        self._context, self._settings = context, context.settings
        self._child = pulumi.ResourceOptions(parent=self)
        identity = self._connector()
        context.principals[_NAME] = identity.principal_id
        context.assign_of(roles.option(_NAME), "databricks-access", self._child)
        self.workspace = self._workspace()
        context.scopes[_NAME] = self.workspace.id
        context.parts.append(
            Part(
                _NAME,
                self.workspace,
                endpoints=endpoints.OPTIONS[_NAME].inbound,
                diagnostics=("",),
                holds_data=True,
            )
        )
        self.register_outputs({"url": self.workspace.workspace_url})

    def _connector(self) -> managedidentity.UserAssignedIdentity:
        """What Unity Catalog takes as a storage credential: no key and no secret."""
        settings, group = self._settings, self._context.resource_group
        identity = managedidentity.UserAssignedIdentity(
            "databricks-identity",
            resource_name_=settings.names.databricks_identity,
            resource_group_name=group,
            location=settings.location,
            tags=settings.tags,
            opts=self._child,
        )
        databricks.AccessConnector(
            "databricks-connector",
            connector_name=settings.names.databricks_connector,
            resource_group_name=group,
            location=settings.location,
            identity=databricks.ManagedServiceIdentityArgs(
                type=databricks.ManagedServiceIdentityType.USER_ASSIGNED, user_assigned_identities=[identity.id]
            ),
            tags=settings.tags,
            opts=self._child,
        )
        return identity

    def _workspace(self) -> databricks.Workspace:
        settings, network = self._settings, self._settings.network
        return databricks.Workspace(
            "databricks",
            workspace_name=settings.names.databricks,
            resource_group_name=self._context.resource_group,
            location=settings.location,
            # Only premium has roles, private endpoints and logs.
            sku=databricks.SkuArgs(name="premium"),
            compute_mode=databricks.ComputeMode.HYBRID,
            managed_resource_group_id=pulumi.Output.concat(
                "/subscriptions/",
                self._context.subscription_id,
                "/resourceGroups/",
                settings.names.databricks_managed,
            ),
            parameters=self._parameters(),
            public_network_access=network.public_network_access,
            # Clusters reach the control plane by private endpoint where there is one, over the internet otherwise.
            required_nsg_rules=(
                databricks.RequiredNsgRules.NO_AZURE_DATABRICKS_RULES
                if network.private
                else databricks.RequiredNsgRules.ALL_RULES
            ),
            default_catalog=databricks.DefaultCatalogPropertiesArgs(initial_type=databricks.InitialType.UNITY_CATALOG),
            tags=settings.tags,
            opts=settings.holds_data(
                self,
                pulumi.ResourceOptions(
                    custom_timeouts=pulumi.CustomTimeouts(create=_TIMEOUT, update=_TIMEOUT, delete=_TIMEOUT),
                ),
            ),
        )

    def _parameters(self) -> databricks.WorkspaceCustomParametersArgs:
        settings, subnets = self._settings, self._context.asked.subnets
        own = settings.network.own_network and subnets.databricks_public and subnets.databricks_private
        network, _, public = subnets.databricks_public.partition("/subnets/")
        private = subnets.databricks_private.rpartition("/")[2]
        return databricks.WorkspaceCustomParametersArgs(
            enable_no_public_ip=databricks.WorkspaceNoPublicIPBooleanParameterArgs(value=True),
            require_infrastructure_encryption=databricks.WorkspaceCustomBooleanParameterArgs(
                value=settings.profile.infrastructure_encryption
            ),
            storage_account_sku_name=_text(settings.profile.storage_sku(settings.region)),
            custom_virtual_network_id=_text(network) if own else None,
            custom_public_subnet_name=_text(public) if own else None,
            custom_private_subnet_name=_text(private) if own else None,
        )


def _text(value: str) -> databricks.WorkspaceCustomStringParameterArgs:
    return databricks.WorkspaceCustomStringParameterArgs(value=value)
