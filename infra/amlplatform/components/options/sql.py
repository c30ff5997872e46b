"""SQL: a database for results. Entra logins only, and a managed identity is the administrator.

Users are made inside the database, which Resource Manager cannot do: `amlplatform sql-users` prints the statements.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import managedidentity, sql

from amlplatform import endpoints
from amlplatform.components.context import Context, Part
from amlplatform.components.settings import Settings
from amlplatform.request.options import Sql as Asked

_NAME = "sql"
_AUDIT_DAYS = 90


class Sql(pulumi.ComponentResource):
    """A logical server with one database, and the identity that administers it."""

    server: sql.Server
    database: sql.Database
    administrator: managedidentity.UserAssignedIdentity

    def __init__(self, name: str, context: Context, _asked: Asked, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("amlplatform:sql:Sql", name, None, opts)
        self._context, self._child = context, pulumi.ResourceOptions(parent=self)
        settings = context.settings
        self.administrator = managedidentity.UserAssignedIdentity(
            "sql-identity",
            resource_name_=settings.names.sql_identity,
            resource_group_name=context.resource_group,
            location=settings.location,
            tags=settings.tags,
            opts=self._child,
        )
        self.server = self._server()
        self._audit()
        self.database = self._database()
        ways = endpoints.OPTIONS[_NAME]
        context.parts += [
            # The audit log is that of the server's own database.
            Part(
                "sql",
                self.server,
                endpoints=ways.inbound,
                outbound=ways.outbound,
                diagnostics=("/databases/master",),
            ),
            Part("sql-database", self.database, diagnostics=("",), holds_data=True),
        ]
        self.register_outputs({"server": self.server.name})

    def _server(self) -> sql.Server:
        context, settings = self._context, self._context.settings
        return sql.Server(
            "sql-server",
            server_name=settings.names.sql_server,
            resource_group_name=context.resource_group,
            location=settings.location,
            version="12.0",
            identity=sql.ResourceIdentityArgs(
                type=sql.IdentityType.USER_ASSIGNED, user_assigned_identities=[self.administrator.id]
            ),
            primary_user_assigned_identity_id=self.administrator.id,
            administrators=sql.ServerExternalAdministratorArgs(
                administrator_type=sql.AdministratorType.ACTIVE_DIRECTORY,
                azure_ad_only_authentication=True,
                principal_type=sql.PrincipalType.APPLICATION,
                login=settings.names.sql_identity,
                # The object id, for an identity too: avm/res/sql/server, example "vnet" and others.
                sid=self.administrator.principal_id,
                tenant_id=context.tenant_id,
            ),
            minimal_tls_version=sql.MinimalTlsVersion.MINIMAL_TLS_VERSION_1_2,
            public_network_access=settings.network.public_network_access,
            restrict_outbound_network_access=sql.ServerNetworkAccessFlag.ENABLED,
            is_i_pv6_enabled=sql.ServerNetworkAccessFlag.DISABLED,
            tags=settings.tags,
            opts=settings.holds_data(self),
        )

    def _audit(self) -> None:
        """What was done in the database is written to Log Analytics, with the server's diagnostic settings."""
        sql.ServerBlobAuditingPolicy(
            "sql-auditing",
            blob_auditing_policy_name="default",
            server_name=self.server.name,
            resource_group_name=self._context.resource_group,
            state=sql.BlobAuditingPolicyState.ENABLED,
            is_azure_monitor_target_enabled=True,
            is_devops_audit_enabled=True,
            retention_days=_AUDIT_DAYS,
            opts=self._child,
        )

    def _database(self) -> sql.Database:
        settings, options = self._context.settings, self._context.settings.profile.options
        serverless = options.sql_pause_after is not None
        zones = settings.profile.geo_redundant and settings.region.zones
        return sql.Database(
            "sql-database",
            database_name=settings.names.sql_database,
            server_name=self.server.name,
            resource_group_name=self._context.resource_group,
            location=settings.location,
            sku=sql.SkuArgs(
                name="GP_S_Gen5" if serverless else "GP_Gen5",
                tier="GeneralPurpose",
                family="Gen5",
                capacity=options.sql_vcores,
            ),
            auto_pause_delay=options.sql_pause_after,
            min_capacity=0.5 if serverless else None,
            zone_redundant=zones,
            requested_backup_storage_redundancy=_backups(settings),
            is_ledger_on=False,
            tags=settings.tags,
            opts=settings.holds_data(self),
        )


def _backups(settings: Settings) -> sql.BackupStorageRedundancy:
    """As far away as the region allows."""
    if not settings.profile.geo_redundant:
        return sql.BackupStorageRedundancy.LOCAL
    return {
        (True, True): sql.BackupStorageRedundancy.GEO_ZONE,
        (True, False): sql.BackupStorageRedundancy.ZONE,
        (False, True): sql.BackupStorageRedundancy.GEO,
        (False, False): sql.BackupStorageRedundancy.LOCAL,
    }[settings.region.zones, settings.region.paired]
