"""Synapse: Spark in a managed network that lets no data out, with Entra logins only.

Sources: learn.microsoft.com/azure/synapse-analytics/security, synapse-workspace-managed-vnet,
workspace-data-exfiltration-protection (both fixed when the workspace is made), and
sql/active-directory-authentication (no SQL logins).
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import synapse

from amlplatform import endpoints, roles
from amlplatform.components.context import Context, Part
from amlplatform.components.identity import own_principal
from amlplatform.request.options import Synapse as Asked

_NAME = "synapse"
SPARK_POOL = "spark"
SPARK_VERSION = "3.5"
"""Azure has switched 3.4 off (2026-03)."""
_LEAST_NODES = 3
_TIMEOUT = "60m"


class Synapse(pulumi.ComponentResource):
    """A workspace on the environment's lake, and a Spark pool that pauses by itself."""

    workspace: synapse.Workspace
    pool: synapse.BigDataPool

    def __init__(self, name: str, context: Context, asked: Asked, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("amlplatform:synapse:Synapse", name, None, opts)
        self._context, self._settings, self._asked = context, context.settings, asked
        self._child = pulumi.ResourceOptions(parent=self)
        self.workspace = self._workspace()
        context.principals[_NAME] = own_principal(self.workspace.identity)
        context.scopes[_NAME] = self.workspace.id
        access = context.assign_of(roles.option(_NAME), "synapse-access", self._child)
        self.pool = self._pool(list(access.assignments.values()))
        if not context.settings.network.private:
            self._firewall()
        context.parts += [
            Part(
                _NAME,
                self.workspace,
                endpoints=endpoints.OPTIONS[_NAME].inbound,
                diagnostics=("",),
                holds_data=True,
            ),
            Part("synapse-spark", self.pool, diagnostics=("",)),
        ]
        self.register_outputs({"name": self.workspace.name})

    def _workspace(self) -> synapse.Workspace:
        settings, network, lake = self._settings, self._settings.network, self._context.core.lake
        return synapse.Workspace(
            _NAME,
            workspace_name=settings.names.synapse,
            resource_group_name=self._context.resource_group,
            location=settings.location,
            identity=synapse.ManagedIdentityArgs(type=synapse.ResourceIdentityType.SYSTEM_ASSIGNED),
            default_data_lake_storage=synapse.DataLakeStorageAccountDetailsArgs(
                account_url=f"https://{lake.account_name}.dfs.core.windows.net",
                resource_id=lake.account_id,
                filesystem=lake.containers["curated"],
                # Also to a lake that is open: Spark leaves its managed network by private endpoints alone.
                create_managed_private_endpoint=True,
            ),
            managed_virtual_network="default",
            managed_virtual_network_settings=synapse.ManagedVirtualNetworkSettingsArgs(
                prevent_data_exfiltration=True,
                linked_access_check_on_target_resource=True,
                allowed_aad_tenant_ids_for_linking=[self._context.tenant_id],
            ),
            # No SQL login, and therefore no password.
            azure_ad_only_authentication=True,
            public_network_access=network.public_network_access,
            trusted_service_bypass_enabled=False,
            managed_resource_group_name=settings.names.synapse_managed,
            tags=settings.tags,
            opts=settings.holds_data(
                self,
                pulumi.ResourceOptions(
                    custom_timeouts=pulumi.CustomTimeouts(create=_TIMEOUT, update=_TIMEOUT, delete=_TIMEOUT),
                ),
            ),
        )

    def _pool(self, after: list[pulumi.Resource]) -> synapse.BigDataPool:
        settings, most = self._settings, self._asked.max_nodes
        return synapse.BigDataPool(
            "synapse-spark",
            big_data_pool_name=SPARK_POOL,
            workspace_name=self.workspace.name,
            resource_group_name=self._context.resource_group,
            location=settings.location,
            spark_version=SPARK_VERSION,
            node_size=synapse.NodeSize(self._asked.node_size),
            node_size_family=synapse.NodeSizeFamily.MEMORY_OPTIMIZED,
            auto_pause=synapse.AutoPausePropertiesArgs(
                enabled=True, delay_in_minutes=settings.profile.options.spark_idle_minutes
            ),
            auto_scale=synapse.AutoScalePropertiesArgs(enabled=True, min_node_count=_LEAST_NODES, max_node_count=most),
            # One node is the driver's.
            dynamic_executor_allocation=synapse.DynamicExecutorAllocationArgs(
                enabled=True, min_executors=1, max_executors=most - 1
            ),
            # Packages come with the pool: the managed network reaches no package index.
            session_level_packages_enabled=False,
            is_compute_isolation_enabled=False,
            is_autotune_enabled=False,
            default_spark_log_folder="/logs",
            spark_events_folder="/events",
            tags=settings.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )

    def _firewall(self) -> None:
        """Who comes in over the internet: nobody but these addresses."""
        for index, address in enumerate(self._asked.addresses):
            synapse.IpFirewallRule(
                f"synapse-firewall-{index}",
                rule_name=f"address-{index}",
                workspace_name=self.workspace.name,
                resource_group_name=self._context.resource_group,
                start_ip_address=address,
                end_ip_address=address,
                opts=self._child,
            )
