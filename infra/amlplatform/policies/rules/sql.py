"""SQL: Entra logins only, audited, no holes in the firewall."""

from __future__ import annotations

from collections.abc import Iterator

from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.policies import arm
from amlplatform.policies.allowances import SQL_ADMINISTRATOR
from amlplatform.policies.checks import absent, between, constant, each, equals, given
from amlplatform.policies.rule import (
    EVERYWHERE,
    PROD,
    Context,
    Resource,
    ResourceRule,
    Rule,
    Stack,
    StackRule,
)
from amlplatform.policies.values import ABSENT, at, shown
from amlplatform.regions import REGIONS

_ADMINISTRATORS = "properties.administrators"
# All of Azure, also other organisations. Where people work in the open: nodes and Stream Analytics have no fixed
# address, and whoever comes in needs an Entra identity that is a user of the database.
_AZURE_ADDRESSES = "0.0.0.0"  # noqa: S104 (an address to compare with)


def _administrator(resource: Resource, context: Context) -> Iterator[str]:
    kind, sid = at(resource.body, f"{_ADMINISTRATORS}.principalType"), at(resource.body, f"{_ADMINISTRATORS}.sid")
    if kind in ("Application", UNKNOWN) or (context.bounds.people and kind == "Group"):
        return
    if any(one.covers(str(sid), SQL_ADMINISTRATOR, arm.SQL_SERVER, context.today) for one in context.people):
        return
    yield f"{_ADMINISTRATORS}.principalType is {shown(kind)} (object id {shown(sid)}), must be 'Application'"


def _hole(resource: Resource, context: Context) -> Iterator[str]:
    start, end = (at(resource.body, f"properties.{name}IpAddress") for name in ("start", "end"))
    if UNKNOWN in (start, end) or (start == end == _AZURE_ADDRESSES and context.bounds.people):
        return
    if start != end or start in (_AZURE_ADDRESSES, ABSENT):
        yield f"lets {shown(start)} to {shown(end)} in; 0.0.0.0 means all of Azure, also of other organisations"
    elif not context.bounds.people:
        yield f"lets {shown(start)} in, and the server is closed to the internet"


def _without_audit(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    audits = stack.of(arm.SQL_AUDITING)
    for server in stack.of(arm.SQL_SERVER):
        if not any(stack.is_below(audit, server) for audit in audits):
            yield server, "has no auditing settings"


def _target(resource: Resource, _context: Context) -> Iterator[str]:
    to_monitor = at(resource.body, "properties.isAzureMonitorTargetEnabled")
    by_identity = at(resource.body, "properties.isManagedIdentityInUse")
    if to_monitor not in (True, UNKNOWN) and by_identity not in (True, UNKNOWN):
        yield "properties.isAzureMonitorTargetEnabled is not true: the log goes nowhere, or with a key"


def _zones(resource: Resource, _context: Context) -> Iterator[str]:
    region = REGIONS.get(str(at(resource.body, "location")))
    value = at(resource.body, "properties.zoneRedundant")
    if region is not None and region.zones and value not in (True, UNKNOWN):
        yield f"properties.zoneRedundant is {shown(value)}, and {region.name} has zones"


def _backups(resource: Resource, _context: Context) -> Iterator[str]:
    path = "properties.requestedBackupStorageRedundancy"
    value, region = at(resource.body, path), REGIONS.get(str(at(resource.body, "location")))
    if region is None or value == UNKNOWN:
        return
    # Both at once is for the tier Hyperscale: learn.microsoft.com, "Automated backups in Azure SQL Database".
    wanted = "Geo" if region.paired else "Zone" if region.zones else "Local"
    if value != wanted:
        yield f"{path} is {shown(value)}, must be {wanted!r} in {region.name}"


RULES: tuple[Rule, ...] = (
    ResourceRule(
        name="sql-entra-only",
        protects="No SQL login with a password exists; the administrator is a managed identity, or in dev a group",
        remedy="set administrators with azureADOnlyAuthentication true, and no administratorLogin",
        severity=EVERYWHERE,
        sources=(
            "CKV2_AZURE_27",
            "PSRule Azure.SQL.AADOnly",
        ),
        types=(arm.SQL_SERVER,),
        check=each(
            equals("identity.type", "UserAssigned", "SystemAssigned", "SystemAssigned,UserAssigned"),
            equals(f"{_ADMINISTRATORS}.azureADOnlyAuthentication", True),
            equals(f"{_ADMINISTRATORS}.administratorType", "ActiveDirectory"),
            given(f"{_ADMINISTRATORS}.sid"),
            absent("properties.administratorLogin"),
            absent("properties.administratorLoginPassword"),
            _administrator,
        ),
    ),
    ResourceRule(
        name="sql-transport-encrypted",
        protects="Queries and their results are not read on their way",
        remedy="set minimalTlsVersion to 1.2",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_52",
            "PSRule Azure.SQL.MinTLS",
        ),
        types=(arm.SQL_SERVER,),
        check=equals("properties.minimalTlsVersion", "1.2", "1.3"),
    ),
    ResourceRule(
        name="sql-no-hole-in-the-firewall",
        protects="Only named addresses reach the server, in dev those of Azure, and none where the server is closed",
        remedy="remove the rule, or name single addresses",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_11",
            "CKV2_AZURE_19",
            "PSRule Azure.SQL.FirewallIPRange",
        ),
        types=(arm.SQL_FIREWALL, arm.SYNAPSE_FIREWALL),
        check=_hole,
    ),
    StackRule(
        name="sql-has-auditing",
        protects="Who did what in the database can be looked up",
        remedy="add auditing settings",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_23",
            "PSRule Azure.SQL.Auditing",
        ),
        types=(arm.SQL_SERVER, arm.SQL_AUDITING),
        check=_without_audit,
    ),
    ResourceRule(
        name="sql-audit-kept",
        protects="The audit log is on, also for Microsoft's support, kept for 90 days, and written without a key",
        remedy="set state Enabled, retentionDays 90, isAzureMonitorTargetEnabled and isDevopsAuditEnabled true",
        severity=EVERYWHERE,
        sources=("CKV_AZURE_24",),
        types=(arm.SQL_AUDITING,),
        check=each(
            equals("properties.state", "Enabled"),
            # learn.microsoft.com, "Auditing for Azure SQL Database": 3,285 days are the most.
            between("properties.retentionDays", constant(90), constant(3_285)),
            equals("properties.isDevopsAuditEnabled", True),
            absent("properties.storageAccountAccessKey"),
            _target,
        ),
    ),
    ResourceRule(
        name="sql-outbound-restricted",
        protects="A query cannot copy data to a place outside",
        remedy="set restrictOutboundNetworkAccess to Enabled",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.SQL_SERVER,),
        check=equals("properties.restrictOutboundNetworkAccess", "Enabled"),
    ),
    ResourceRule(
        name="sql-zone-redundant",
        protects="The database of prod lives on when a zone fails",
        remedy="set zoneRedundant to true",
        severity=PROD,
        sources=("CKV_AZURE_229",),
        types=(arm.SQL_DATABASE,),
        check=_zones,
    ),
    ResourceRule(
        name="sql-backups-redundant",
        protects="The database comes back after the loss of a zone or a region, as far as the region has partners",
        remedy="take the redundancy that the region offers",
        severity=PROD,
        sources=("own",),
        types=(arm.SQL_DATABASE,),
        check=_backups,
    ),
    ResourceRule(
        name="sql-encrypted",
        protects="The database is encrypted where it is kept",
        remedy="set the state to Enabled",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.SQL_ENCRYPTION,),
        check=equals("properties.state", "Enabled"),
    ),
    ResourceRule(
        name="sql-threats-reported",
        protects="Attacks on the database are told to those who administer it",
        remedy="set state Enabled, emailAccountAdmins true, and leave disabledAlerts out",
        severity=EVERYWHERE,
        sources=("CKV_AZURE_25", "CKV_AZURE_26", "CKV_AZURE_27"),
        types=(arm.SQL_ALERTS,),
        check=each(
            equals("properties.state", "Enabled"),
            equals("properties.emailAccountAdmins", True),
            absent("properties.disabledAlerts"),
            absent("properties.storageAccountAccessKey"),
        ),
    ),
    ResourceRule(
        name="sql-can-be-restored",
        protects="The database can be set back to any moment of the last days",
        remedy="set retentionDays as the environment asks for, 35 at most",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.SQL_RESTORE,),
        check=between("properties.retentionDays", lambda bounds: bounds.blob_retention, constant(35)),
    ),
)
