"""Changes of single values in planned bodies: every boolean inverted, every choice made otherwise, values taken out.

What is changed: each property of `SECURITY_PROPERTIES`, and each boolean and each choice that Microsoft's types know,
save those in `NEUTRAL`. A change that no rule and no type stops must be in `HARMLESS`, with its reason.
"""

from __future__ import annotations

import copy
import dataclasses
import fnmatch
import re
from collections.abc import Iterator, Mapping
from typing import Any

from amlplatform.armtypes import validator
from amlplatform.plan import PlannedResource
from amlplatform.policies import arm
from amlplatform.policies.security_properties import properties_of

REMOVED = "(removed)"
A_WEEK = "P7D"
"""In the place of every duration: no idle time is as long."""

_PRICE = "decides what is paid, not who gets in"
_MEASURED = "what an alert measures; tests of the alerts say what that is"
_STRICTER = "stricter than what was planned"
_IN_DEV = "dev may be made anew, and its cost is what counts"
_PRINCIPAL = "Azure refuses a type that is not the principal's (UnmatchedPrincipalType)"

NEUTRAL: dict[tuple[str, str], str] = {
    (arm.STORAGE, "properties.accessTier"): _PRICE,
    (arm.LOG_ANALYTICS, "properties.sku.name"): _PRICE,
    (arm.VAULT, "properties.sku.*"): "the tier premium keeps keys in hardware, and there are no keys",
    (arm.APP_INSIGHTS, "properties.Application_Type"): "how the portal shows telemetry",
    (arm.ML_WORKSPACE, "sku.tier"): "Azure ML has one tier",
    (arm.ML_WORKSPACE, "properties.managedNetwork.enableNetworkMonitor"): "shows traffic, and stops none",
    (arm.ML_WORKSPACE, "properties.managedNetwork.outboundRules.*.category"): "who made the rule, for the portal",
    (arm.ML_WORKSPACE, "properties.managedNetwork.outboundRules.*.sparkEnabled"): "whether Spark may use the way, too",
    (arm.BLOB_SERVICE, "properties.lastAccessTimeTrackingPolicy.*"): _PRICE,
    (arm.LIFECYCLE, "properties.policy.*"): _PRICE,
    (arm.ACTION_GROUP, "properties.*.useCommonAlertSchema"): "the form of a message",
    (arm.METRIC_ALERT, "properties.autoMitigate"): _MEASURED,
    (arm.METRIC_ALERT, "properties.criteria.*"): _MEASURED,
    (arm.QUERY_ALERT, "kind"): _MEASURED,
    (arm.QUERY_ALERT, "properties.autoMitigate"): _MEASURED,
    (arm.QUERY_ALERT, "properties.criteria.*"): _MEASURED,
    (arm.QUERY_ALERT, "properties.checkWorkspaceAlertsStorageConfigured"): "whose storage keeps queries",
    (arm.QUERY_ALERT, "properties.skipQueryValidation"): "tables are there only once something was logged",
    (arm.SQL_SERVER, "properties.isIPv6Enabled"): "another protocol through the same firewall",
    (arm.SQL_DATABASE, "properties.isLedgerOn"): "proof against tampering, for tables that ask for it",
    (arm.EVENT_HUBS, "properties.kafkaEnabled"): "another protocol with the same identities",
    (arm.EVENT_HUBS, "properties.isAutoInflateEnabled"): _PRICE,
    (arm.EVENT_HUB, "properties.retentionDescription.cleanupPolicy"): "which readings are kept for a replay",
    **dict.fromkeys(
        (
            (arm.STREAM_ANALYTICS, f"properties.{name}")
            for name in (
                "compatibilityLevel",
                "contentStoragePolicy",
                "eventsOutOfOrderPolicy",
                "jobType",
                "outputErrorPolicy",
                "*.serialization.*",
            )
        ),
        "how the job works: tests of its query say what it does",
    ),
    (arm.AKS, "sku.name"): "who runs the nodes: the rules look at what they are",
    (arm.AKS, "properties.supportPlan"): _PRICE,
    (arm.AKS, "properties.agentPoolProfiles.*.mode"): "what runs in the pool",
    (arm.AKS, "properties.agentPoolProfiles.*.osSKU"): "which Linux; Azure refuses Windows with osType Linux",
    (arm.AKS_MAINTENANCE, "*"): "when updates are made",
    ("Microsoft.Insights/dataCollectionRules", "kind"): "for which systems it is: it lets nobody in",
    (arm.AKS_NAMESPACE, "properties.deletePolicy"): "what becomes of the namespace with the environment",
    (arm.AKS_NAMESPACE, "properties.defaultNetworkPolicy.*"): "a start, which policies in the namespace make narrower",
    (arm.PIPELINE, "properties.*"): "what the pipeline does: tests of its file say what that is",
    (arm.TRIGGER, "properties.typeProperties.*"): "what starts the pipeline",
    (arm.SPARK_POOL, "properties.nodeSize*"): _PRICE,
    (arm.SPARK_POOL, "properties.isComputeIsolationEnabled"): _PRICE,
    (arm.SPARK_POOL, "properties.isAutotuneEnabled"): "how fast queries are",
    (arm.SPARK_POOL, "properties.dynamicExecutorAllocation.enabled"): "how executors are shared out",
    (arm.BUDGET, "properties.notifications.*.locale"): "the language of a mail",
    (arm.BUDGET, "properties.notifications.*.operator"): "at 80 per cent, or just above",
}
"""Booleans and choices that decide nothing about security, by ARM type and path (patterns of fnmatch)."""

HARMLESS: dict[tuple[str, str, str, str], str] = {
    ("*", arm.STORAGE, "properties.minimumTlsVersion", "TLS1_3"): _STRICTER,
    ("dev", arm.STORAGE, "properties.encryption.requireInfrastructureEncryption", "True"): _STRICTER,
    ("dev", arm.ML_WORKSPACE, "properties.hbiWorkspace", "True"): _STRICTER,
    ("*", arm.BUDGET, "properties.amount", "*"): "what a team may spend is decided when its request is reviewed",
    ("*", arm.BUDGET, "properties.notifications.*.thresholdType", "*"): "mails of both types remain",
    ("*", arm.COMPUTE, "*.maxNodeCount", "*"): "within the bounds, the request decides",
    ("dev", arm.COMPUTE, "*.vmPriority", "LowPriority"): _IN_DEV,
    ("test", arm.COMPUTE, "*.vmPriority", "LowPriority"): _IN_DEV,
    ("dev", arm.STORAGE, "sku.name", "*"): _IN_DEV,
    ("test", arm.STORAGE, "sku.name", "*"): _IN_DEV,
    ("*", arm.SQL_SERVER, "properties.minimalTlsVersion", "1.3"): _STRICTER,
    ("dev", arm.SQL_SERVER, "properties.administrators.principalType", "Group"): "in dev a group may administer",
    ("dev", arm.SQL_DATABASE, "*edundan*", "*"): _IN_DEV,
    ("test", arm.SQL_DATABASE, "*edundan*", "*"): _IN_DEV,
    ("dev", arm.EVENT_HUBS, "properties.zoneRedundant", "True"): _STRICTER,
    ("test", arm.EVENT_HUBS, "properties.zoneRedundant", "True"): _STRICTER,
    ("dev", arm.LOGIC_APP, "properties.state", "*"): "whether the schedule runs in dev",
    ("*", arm.AKS, "properties.autoUpgradeProfile.*", "patch"): "known holes are closed all the same",
    ("*", arm.AKS, "properties.autoUpgradeProfile.*", "SecurityPatch"): "known holes are closed all the same",
    ("*", arm.AKS, "sku.tier", "*"): _PRICE,
    ("*", arm.AKS_NAMESPACE, "properties.adoptionPolicy", "Never"): _STRICTER,
    ("dev", arm.AKS, "properties.networkProfile.outboundType", "*"): "how nodes of an open cluster go out",
    ("*", arm.ACCESS_CONNECTOR, "identity.type", "SystemAssigned,UserAssigned"): "a second identity, without any role",
    ("dev", arm.DATABRICKS, "properties.parameters.requireInfrastructureEncryption.value", "True"): _STRICTER,
    ("dev", arm.SPARK_POOL, "properties.sessionLevelPackagesEnabled", "True"): "in dev notebooks may load packages",
    ("*", arm.SPARK_POOL, "properties.autoPause.delayInMinutes", "*"): "within the bounds",
    ("prod", arm.STORAGE, "sku.name", "Standard_RAGZRS"): "the copy can be read as well, by the same roles",
    ("dev", arm.REGISTRY, "properties.zoneRedundancy", "Enabled"): _STRICTER,
    ("test", arm.REGISTRY, "properties.zoneRedundancy", "Enabled"): _STRICTER,
    ("dev", arm.ROLE_ASSIGNMENT, "properties.principalType", "*"): _PRINCIPAL,
    ("dev", arm.ML_WORKSPACE, "*.isolationMode", "AllowInternetOutbound"): "in dev jobs may load packages",
}
"""Changes that may pass, by environment, ARM type, path and new value (patterns of fnmatch)."""


_DURATION = re.compile(r"P(T?\d+[DHMS])+")


@dataclasses.dataclass(frozen=True)
class Mutation:
    """One changed value. `keys` lead to it; `path` is the same for people."""

    resource: str
    arm_type: str
    keys: tuple[str | int, ...]
    old: Any
    new: Any

    @property
    def path(self) -> str:
        return ".".join(map(str, self.keys))

    @property
    def line(self) -> str:
        return f"{self.arm_type} {self.path}: {self.old!r} -> {self.new!r}"

    def applied(self, planned: PlannedResource) -> PlannedResource:
        body = copy.deepcopy(dict(planned.body))
        inner: Any = body
        for key in self.keys[:-1]:
            inner = inner[key]
        if self.new == REMOVED:
            del inner[self.keys[-1]]
        else:
            inner[self.keys[-1]] = self.new
        return dataclasses.replace(planned, body=body)


def of(planned: PlannedResource) -> Iterator[Mutation]:
    """Every mutation of one resource."""
    security = set(properties_of(planned.arm_type, planned.body))
    node = validator.resource_node(planned.arm_type, planned.api_version)
    fields = {name: spec for name, spec in node["properties"].items() if name in planned.body}
    for keys, value, choices in _leaves(planned.body, fields):
        path = ".".join(map(str, keys))
        if path not in security and (choices is None or reason(NEUTRAL, planned.arm_type, path)):
            continue
        for new in [*_others(value, choices), REMOVED]:
            yield Mutation(planned.name, planned.arm_type, keys, value, new)


used: set[tuple[str, ...]] = set()
"""Entries of the tables that were needed."""


def reason(table: Mapping[Any, str], *found: str) -> str | None:
    """The reason in the first entry that fits, or None."""
    for patterns, why in table.items():
        if all(map(fnmatch.fnmatchcase, found, patterns)):
            used.add(patterns)
            return why
    return None


def _others(value: Any, choices: list[Any] | None) -> list[Any]:
    if choices is not None:
        return [choice for choice in choices if choice != value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [other for other in (value // 2, value * 100 + 1) if other != value]
    if isinstance(value, str) and _DURATION.fullmatch(value):
        return [A_WEEK]
    if isinstance(value, list) and value:
        return [[]]
    return []


def _leaves(
    value: Mapping[str, Any], fields: Mapping[str, Any], keys: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any, list[Any] | None]]:
    """Keys, value and choices of everything in a body that is described by `fields`."""
    for name, inner in value.items():
        if name in fields:
            yield from _inside(inner, validator.type_node(fields[name]["type"]), (*keys, name))


def _inside(
    value: Any, node: Mapping[str, Any], keys: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], Any, list[Any] | None]]:
    kind = node["$type"]
    choices = _choices(node)
    if isinstance(value, bool):
        yield keys, value, [True, False]
    elif choices:
        yield keys, value, choices
    elif kind == "ArrayType" and isinstance(value, list):
        yield keys, value, None
        for index, item in enumerate(value):
            yield from _inside(item, validator.type_node(node["itemType"]), (*keys, index))
    elif isinstance(value, Mapping):
        yield keys, value, None
        yield from _leaves(value, _fields(value, node), keys)
    else:
        yield keys, value, None


def _choices(node: Mapping[str, Any]) -> list[str] | None:
    """The listed values, where there is more than one."""
    if node["$type"] != "UnionType":
        return None
    elements = [validator.type_node(index) for index in node["elements"]]
    listed = [one["value"] for one in elements if one["$type"] == "StringLiteralType"]
    return listed if len(listed) > 1 else None


def _fields(value: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, Any]:
    if node["$type"] == "DiscriminatedObjectType":
        variant = validator.type_node(node["elements"][value[node["discriminator"]]])
        return {**node["baseProperties"], **_fields(value, variant)}
    rest = node.get("additionalProperties")
    known = dict(node.get("properties") or {})
    if rest is not None:
        known |= {name: {"type": rest} for name in value if name not in known}
    return known
