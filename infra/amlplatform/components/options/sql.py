"""SQL: a database for results. Entra logins only, and a managed identity is the administrator.

Users are made inside the database, which Resource Manager cannot do: `amlplatform sql-users` prints the statements.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import managedidentity, sql

from amlplatform import endpoints
from amlplatform.components.context import Context, Part
from amlplatform.components.identity import trust
from amlplatform.components.settings import Settings
from amlplatform.request.federation import federated_subject
from amlplatform.request.options import Sql as Asked

_NAME = "sql"
_AUDIT_DAYS = 90
_LARGEST_BYTES = 32 * 1024**3
"""The size up to which the database grows. What it holds is charged, not this."""
_AZURE_ADDRESSES = ("AllowAllWindowsAzureIps", "0.0.0.0")  # noqa: S104 (no address: what Azure calls its own ones)
"""The rule that lets addresses of Azure in, of whatever organisation: learn.microsoft.com/azure/azure-sql/database,
"IP firewall rules", connections from inside Azure."""


class Sql(pulumi.ComponentResource):
    """A logical server with one database, and the identity that administers it."""

    server: sql.Server
    database: sql.Database
    administrator: managedidentity.UserAssignedIdentity

    def __init__(self, name: str, context: Context, asked: Asked, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("amlplatform:sql:Sql", name, None, opts)
        self._context, self._child = context, pulumi.ResourceOptions(parent=self)
        self.administrator = self._administrator()
        self.server = self._server()
        self._audit()
        self._firewall(asked)
        self.database = self._database()
        self._inside_the_database()
        ways = endpoints.OPTIONS[_NAME]
        context.parts += [
            # The audit log is that of the server's own database.
            Part(
                "sql",
                self.server,
                endpoints=ways.inbound,
                outbound=ways.outbound,
                diagnostics=("/databases/master",),
                holds_data=True,
            ),
            # The lock of the server is that of its databases, too.
            Part("sql-database", self.database, diagnostics=("",)),
        ]
        context.outputs |= {
            "sql_server": self.server.fully_qualified_domain_name,
            "sql_database": self.database.name,
            "sql_client_id": self.administrator.client_id,
            "cluster_client_id": context.identities.cluster.client_id,
            "endpoint_client_id": context.identities.endpoint.client_id,
        }
        self.register_outputs({"server": self.server.name})

    def _administrator(self) -> managedidentity.UserAssignedIdentity:
        """CI may act as it, to make the users: nobody else can log in before there are any."""
        context, settings = self._context, self._context.settings
        identity = managedidentity.UserAssignedIdentity(
            "sql-identity",
            resource_name_=settings.names.sql_identity,
            resource_group_name=context.resource_group,
            location=settings.location,
            tags=settings.tags,
            opts=self._child,
        )
        subject = federated_subject(context.request, settings.names.environment)
        if subject:
            trust("sql", identity, context.resource_group, [(context.request.ci.provider, subject)], self)
        return identity

    def _server(self) -> sql.Server:
        context, settings = self._context, self._context.settings
        return sql.Server(
            "sql-server",
            server_name=settings.names.sql_server,
            resource_group_name=context.resource_group,
            location=settings.location,
            version="12.0",
            # Its own, and without a role: users are made by their ids, so that the server asks Entra for nobody.
            identity=sql.ResourceIdentityArgs(type=sql.IdentityType.SYSTEM_ASSIGNED),
            administrators=sql.ServerExternalAdministratorArgs(
                administrator_type=sql.AdministratorType.ACTIVE_DIRECTORY,
                azure_ad_only_authentication=True,
                principal_type=sql.PrincipalType.APPLICATION,
                login=settings.names.sql_identity,
                # The client id, for an application: an object id is taken as well, and nobody can log in then.
                # learn.microsoft.com/azure/azure-sql/database/authentication-azure-ad-only-authentication-create-server
                sid=self.administrator.client_id,
                tenant_id=context.tenant_id,
            ),
            minimal_tls_version=sql.MinimalTlsVersion.MINIMAL_TLS_VERSION_1_2,
            public_network_access=settings.network.public_network_access,
            restrict_outbound_network_access=sql.ServerNetworkAccessFlag.ENABLED,
            is_i_pv6_enabled=sql.ServerNetworkAccessFlag.DISABLED,
            tags=settings.tags,
            opts=settings.holds_data(
                self,
                # Azure takes the administrator only when the server is made, and does not return it without being
                # asked (`$expand`), which after a refresh looks like a change that needs a new server.
                pulumi.ResourceOptions(ignore_changes=["administrators"]),
            ),
        )

    def _audit(self) -> None:
        """What was done in the database is written to Log Analytics, by the diagnostic settings of `master`."""
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

    def _firewall(self, asked: Asked) -> None:
        """Who comes in over the internet, where the network profile is open: nobody, unless a rule says so."""
        rules = {f"address-{address.replace('.', '-')}": address for address in asked.addresses}
        if self._context.settings.network.azure_addresses:
            rule, address = _AZURE_ADDRESSES
            rules[rule] = address
        for rule, address in rules.items():
            sql.FirewallRule(
                f"sql-firewall-{rule.lower()}",
                firewall_rule_name=rule,
                server_name=self.server.name,
                resource_group_name=self._context.resource_group,
                start_ip_address=address,
                end_ip_address=address,
                opts=self._child,
            )

    def _database(self) -> sql.Database:
        settings, options = self._context.settings, self._context.settings.profile.options
        serverless = options.sql_pause_after is not None
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
            max_size_bytes=_LARGEST_BYTES,
            zone_redundant=settings.profile.geo_redundant and settings.region.zones,
            requested_backup_storage_redundancy=_backups(settings),
            is_ledger_on=False,
            tags=settings.tags,
            opts=settings.holds_data(self),
        )

    def _inside_the_database(self) -> None:
        """Encryption at rest, backups, and who is told when somebody attacks the database."""
        context, profile = self._context, self._context.settings.profile
        below = {
            "server_name": self.server.name,
            "database_name": self.database.name,
            "resource_group_name": context.resource_group,
            "opts": self._child,
        }
        sql.TransparentDataEncryption(
            "sql-encryption", tde_name="current", state=sql.TransparentDataEncryptionState.ENABLED, **below
        )
        sql.BackupShortTermRetentionPolicy(
            "sql-backups",
            policy_name="default",
            retention_days=profile.blob_retention,
            diff_backup_interval_in_hours=24,
            **below,
        )
        if profile.options.sql_threat_alerts:
            sql.DatabaseSecurityAlertPolicy(
                "sql-alerts",
                security_alert_policy_name="default",
                state=sql.SecurityAlertsPolicyState.ENABLED,
                disabled_alerts=[],
                email_addresses=[context.request.owner.email],
                email_account_admins=True,
                **below,
            )


def _backups(settings: Settings) -> sql.BackupStorageRedundancy:
    """As far away as Azure offers for the tier General Purpose: learn.microsoft.com, "Automated backups in Azure SQL
    Database" (a copy that is both in zones and in a partner region is for the tier Hyperscale)."""
    region = settings.region
    if not settings.profile.geo_redundant or not (region.paired or region.zones):
        return sql.BackupStorageRedundancy.LOCAL
    return sql.BackupStorageRedundancy.GEO if region.paired else sql.BackupStorageRedundancy.ZONE
