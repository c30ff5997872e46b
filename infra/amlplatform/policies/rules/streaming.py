"""Event Hubs, Stream Analytics, Event Grid and Logic Apps: identities instead of keys, bounded cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.policies import arm
from amlplatform.policies.checks import between, constant, each, equals, where
from amlplatform.policies.rule import EVERYWHERE, PROD, Context, Resource, ResourceRule, Rule
from amlplatform.policies.values import ABSENT, at, entries, is_known, items, shown
from amlplatform.regions import REGIONS

_MOST_THROUGHPUT_UNITS = 10
_MOST_STREAMING_UNITS = 66


def _sources(resource: Resource, _context: Context) -> Iterator[str]:
    for kind in ("inputs", "outputs"):
        for one in items(resource.body, f"properties.{kind}"):
            source = at(one, "properties.datasource")
            mode = at(source, "properties.authenticationMode")
            if source is not ABSENT and mode not in ("Msi", UNKNOWN):
                yield f"properties.{kind}: {shown(at(one, 'name'))} has authenticationMode {shown(mode)}, must be 'Msi'"
    if at(resource.body, "properties.jobStorageAccount.authenticationMode") not in ("Msi", ABSENT, UNKNOWN):
        yield "properties.jobStorageAccount.authenticationMode must be 'Msi'"


def _triggers(resource: Resource, _context: Context) -> Iterator[str]:
    for name, trigger in entries(resource.body, "properties.definition.triggers"):
        if at(trigger, "type") not in ("Recurrence", "SlidingWindow", UNKNOWN):
            kind = shown(at(trigger, "type"))
            yield f"the trigger {name} is of type {kind}, must be 'Recurrence': others answer calls"
    for name, action in _actions(at(resource.body, "properties.definition")):
        login = at(action, "inputs.authentication.type")
        if at(action, "type") == "Http" and login not in ("ManagedServiceIdentity", UNKNOWN):
            yield f"the action {name} calls without the app's identity"


def _actions(value: Any) -> Iterator[tuple[str, Any]]:
    """All actions, also those inside of others (conditions, loops)."""
    for name, action in entries(value, "actions"):
        yield name, action
        yield from _actions(action)
        yield from _actions(at(action, "else"))


def _subscription(resource: Resource, _context: Context) -> Iterator[str]:
    destination = at(resource.body, "properties.destination")
    if is_known(destination) and at(destination, "endpointType") == "WebHook":
        application = at(destination, "properties.azureActiveDirectoryApplicationIdOrUri")
        if application is ABSENT:
            yield "properties.destination is a webhook that anybody may call"


def _tier(resource: Resource, _context: Context) -> Iterator[str]:
    name, tier = at(resource.body, "sku.name"), at(resource.body, "sku.tier")
    if UNKNOWN not in (name, tier) and name != tier:
        yield f"sku.tier is {shown(tier)}, and sku.name {shown(name)}"


def _zones(resource: Resource, _context: Context) -> Iterator[str]:
    region = REGIONS.get(str(at(resource.body, "location")))
    value = at(resource.body, "properties.zoneRedundant")
    if region is not None and region.zones and value not in (True, UNKNOWN):
        yield f"properties.zoneRedundant is {shown(value)}, and {region.name} has zones"


RULES: tuple[Rule, ...] = (
    ResourceRule(
        name="event-hubs-no-keys",
        protects="Devices and jobs send and receive with identities: no connection string that anybody may copy",
        remedy="set disableLocalAuth to true and minimumTlsVersion to 1.2",
        severity=EVERYWHERE,
        sources=(
            "PSRule AZR-000102",
            "CKV_AZURE_223",
        ),
        types=(arm.EVENT_HUBS,),
        check=each(equals("properties.disableLocalAuth", True), equals("properties.minimumTlsVersion", "1.2", "1.3")),
    ),
    ResourceRule(
        name="event-hubs-tier",
        protects="Consumer groups, a firewall and private endpoints: the tier Basic has none of them",
        remedy="take the tier Standard or Premium, as name and as tier",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.EVENT_HUBS,),
        check=each(equals("sku.name", "Standard", "Premium"), _tier),
    ),
    ResourceRule(
        name="event-hubs-zone-redundant",
        protects="Messages arrive when a zone fails",
        remedy="set zoneRedundant to true; it is fixed when the namespace is made",
        severity=PROD,
        sources=("own",),
        types=(arm.EVENT_HUBS,),
        check=_zones,
    ),
    ResourceRule(
        name="event-hubs-growth-bounded",
        protects="A flood of messages does not become a flood of cost",
        remedy=f"set maximumThroughputUnits to at most {_MOST_THROUGHPUT_UNITS}",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.EVENT_HUBS,),
        check=where(
            "properties.isAutoInflateEnabled",
            True,
            then=between("properties.maximumThroughputUnits", constant(1), constant(_MOST_THROUGHPUT_UNITS)),
        ),
    ),
    ResourceRule(
        name="stream-analytics-acts-by-identity",
        protects="The job reads and writes with its identity: no key in its inputs and outputs",
        remedy="set a managed identity, and authenticationMode Msi everywhere",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.STREAM_ANALYTICS,),
        check=each(equals("identity.type", "SystemAssigned", "UserAssigned", "SystemAssigned,UserAssigned"), _sources),
    ),
    ResourceRule(
        name="stream-analytics-units-bounded",
        protects="The job costs no more than was asked for",
        remedy=f"set streamingUnits to 1 to {_MOST_STREAMING_UNITS}",
        severity=EVERYWHERE,
        sources=("DMZ Deny-StreamAnalytics-StreamingUnits",),
        types=(arm.STREAM_ANALYTICS,),
        check=between(
            "properties.transformation.properties.streamingUnits", constant(1), constant(_MOST_STREAMING_UNITS)
        ),
    ),
    ResourceRule(
        name="logic-app-acts-by-identity",
        protects="Nobody starts the app by an address, and what it calls, it calls with its identity",
        remedy="use a recurrence trigger, and ManagedServiceIdentity in each HTTP action",
        severity=EVERYWHERE,
        sources=("PSRule Azure.LogicApp.LimitHTTPTrigger",),
        types=(arm.LOGIC_APP,),
        check=each(equals("identity.type", "SystemAssigned", "UserAssigned"), _triggers),
    ),
    ResourceRule(
        name="event-subscription-not-public",
        protects="Events go to a destination that checks who sends them",
        remedy="use a destination in Azure, or a webhook with an Entra application",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.EVENT_SUBSCRIPTION,),
        check=_subscription,
    ),
)
