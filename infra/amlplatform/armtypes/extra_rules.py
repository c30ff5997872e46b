"""What Azure refuses although its published types allow it, for the resources that the platform makes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Body = Mapping[str, Any]

# ISO 8601, as .NET's XmlConvert.ToTimeSpan reads it: the types say "string" and Azure answers 400 to "120".
_DURATION = re.compile(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
_DURATION_PROPERTIES = frozenset({"nodeIdleTimeBeforeScaleDown", "idleTimeBeforeShutdown"})
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def check(arm_type: str, body: Body, unknown: str) -> list[str]:
    """One line per fault of a PUT body. Values equal to `unknown` pass."""
    faults = list(_durations(body, "", unknown))
    rule = _RULES.get(arm_type)
    if rule is not None and body.get("properties") != unknown:
        faults += rule(_mapping(body.get("properties")), body, unknown)
    return faults


def _mapping(value: Any) -> Body:
    """The value if it is an object. What it should have been otherwise is for the types to say."""
    return value if isinstance(value, Mapping) else {}


def _durations(value: Any, path: str, unknown: str) -> list[str]:
    faults: list[str] = []
    if isinstance(value, Mapping):
        for name, inner in value.items():
            where = f"{path}.{name}" if path else name
            if name in _DURATION_PROPERTIES and inner != unknown and not _DURATION.fullmatch(str(inner)):
                faults.append(f"{where}: {inner!r} must be an ISO 8601 duration, for example 'PT120S'")
            faults += _durations(inner, where, unknown)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            faults += _durations(inner, f"{path}[{index}]", unknown)
    return faults


def _workspace(properties: Body, body: Body, unknown: str) -> list[str]:
    # The types leave them open because workspaces of kind Project inherit theirs; kind Default cannot be made without.
    faults = [
        f"properties.{name}: required for a workspace of kind Default"
        for name in ("storageAccount", "keyVault", "applicationInsights")
        if not properties.get(name)
    ]
    primary = properties.get("primaryUserAssignedIdentity")
    identity = body.get("identity")
    identities = _mapping(identity).get("userAssignedIdentities", {})
    known = unknown not in (primary, identity, identities) and unknown not in identities
    if primary and known and primary not in identities:
        faults.append("properties.primaryUserAssignedIdentity: not among identity.userAssignedIdentities")
    return faults + _outbound_rules(_mapping(properties.get("managedNetwork")))


def _outbound_rules(network: Body) -> list[str]:
    """What is let out anyway needs no rule, and Azure takes none: azure-ai-foundry/foundry-samples#961."""
    if network.get("isolationMode") != "AllowInternetOutbound":
        return []
    kinds = {name: _mapping(rule).get("type") for name, rule in _mapping(network.get("outboundRules")).items()}
    return [
        f"properties.managedNetwork.outboundRules.{name}: {kind!r} does not go with isolationMode "
        "AllowInternetOutbound, only PrivateEndpoint does"
        for name, kind in kinds.items()
        if kind != "PrivateEndpoint"
    ]


def _compute(properties: Body, _body: Body, unknown: str) -> list[str]:
    scale = _mapping(_mapping(properties.get("properties")).get("scaleSettings"))
    low, high = scale.get("minNodeCount", 0), scale.get("maxNodeCount", 0)
    if unknown not in (low, high) and isinstance(low, int) and isinstance(high, int) and low > high:
        return [f"properties.properties.scaleSettings.minNodeCount: {low} is more than maxNodeCount {high}"]
    return []


def _vault(properties: Body, _body: Body, unknown: str) -> list[str]:
    faults: list[str] = []
    # Key Vault's API: "enablePurgeProtection" may be true or absent; false is answered with 400.
    if properties.get("enablePurgeProtection") is False:
        faults.append("properties.enablePurgeProtection: must be true or left out, Azure refuses false")
    # The type says any text; what is not "Disabled" counts as open.
    access = properties.get("publicNetworkAccess")
    if access not in (None, unknown, "Enabled", "Disabled"):
        faults.append(f"properties.publicNetworkAccess: {access!r} is none of Enabled, Disabled")
    days = properties.get("softDeleteRetentionInDays")
    if isinstance(days, int) and not 7 <= days <= 90:
        faults.append(f"properties.softDeleteRetentionInDays: {days} is not between 7 and 90")
    return faults


def _registry(properties: Body, body: Body, unknown: str) -> list[str]:
    faults: list[str] = []
    tier = _mapping(body.get("sku")).get("name", unknown)
    access = properties.get("publicNetworkAccess")
    # learn.microsoft.com, "Azure Container Registry SKU features and limits": only Premium has zones and private
    # endpoints.
    if unknown not in (tier, body.get("sku")) and tier != "Premium":
        for name, value, refused in (
            ("zoneRedundancy", properties.get("zoneRedundancy"), "Enabled"),
            ("publicNetworkAccess", access, "Disabled"),
        ):
            if value == refused:
                faults.append(f"properties.{name}: {refused!r} needs a registry of tier Premium, not {tier}")
    # learn.microsoft.com, "Disable export of artifacts": public access goes first. It is enabled where nothing is said.
    export = _mapping(_mapping(properties.get("policies")).get("exportPolicy")).get("status")
    if export == "disabled" and access in (None, "Enabled"):
        faults.append(
            "properties.policies.exportPolicy.status: 'disabled' needs properties.publicNetworkAccess 'Disabled'"
        )
    return faults


def _role_assignment(properties: Body, _body: Body, unknown: str) -> list[str]:
    faults: list[str] = []
    if not properties.get("principalType"):
        # Without it Azure looks the principal up in Entra, which does not know an identity made seconds ago
        # (PrincipalNotFound).
        faults.append("properties.principalType: must be set, for example 'ServicePrincipal'")
    principal = properties.get("principalId")
    if principal != unknown and not _GUID.fullmatch(str(principal)):
        faults.append(f"properties.principalId: {principal!r} must be an object id (a GUID)")
    role = properties.get("roleDefinitionId")
    if role != unknown and "/providers/Microsoft.Authorization/roleDefinitions/" not in str(role):
        faults.append(f"properties.roleDefinitionId: {role!r} must be the resource id of a role definition")
    return faults


def _budget(properties: Body, _body: Body, unknown: str) -> list[str]:
    start = _mapping(properties.get("timePeriod")).get("startDate", unknown)
    if start != unknown and not re.match(r"\d{4}-\d{2}-01", str(start)):
        return [f"properties.timePeriod.startDate: {start!r} must be the first day of a month"]
    return []


_RULES: dict[str, Callable[[Body, Body, str], list[str]]] = {
    "Microsoft.MachineLearningServices/workspaces": _workspace,
    "Microsoft.MachineLearningServices/workspaces/computes": _compute,
    "Microsoft.KeyVault/vaults": _vault,
    "Microsoft.ContainerRegistry/registries": _registry,
    "Microsoft.Authorization/roleAssignments": _role_assignment,
    "Microsoft.Consumption/budgets": _budget,
}
