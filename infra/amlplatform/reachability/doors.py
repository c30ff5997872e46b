"""To whom a service answers at its public address, and to which Azure services although it is closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Flag, auto
from typing import Any

from amlplatform.policies import arm
from amlplatform.policies.values import at, items
from amlplatform.reachability.model import Planned
from amlplatform.reachability.world import Service, World

_FIREWALLS: dict[str, str] = {
    arm.STORAGE: "properties.networkAcls",
    arm.VAULT: "properties.networkAcls",
    arm.AI_SERVICES: "properties.networkAcls",
    arm.REGISTRY: "properties.networkRuleSet",
}
_DOORS: dict[str, str] = {
    arm.APP_INSIGHTS: "properties.publicNetworkAccessForIngestion",
    arm.LOG_ANALYTICS: "properties.publicNetworkAccessForQuery",
}
"""Where the door has another name than publicNetworkAccess."""
# These let nobody in until a rule names addresses: learn.microsoft.com/azure/azure-sql/database/firewall-configure,
# learn.microsoft.com/azure/synapse-analytics/security/synapse-workspace-ip-firewall.
_CLOSED_WITHOUT_RULES: dict[str, str] = {arm.SQL_SERVER: arm.SQL_FIREWALL, arm.SYNAPSE: arm.SYNAPSE_FIREWALL}
_AZURE = "0.0.0.0"  # noqa: S104 (an address to compare with: what firewall rules call all addresses of Azure)


class Open(Flag):
    """To whom a public address answers. Who may do what there, roles say."""

    AZURE = auto()
    """Addresses of Azure, also of other organisations."""
    NAMED = auto()
    """Addresses outside of Azure: those that the request names, or all."""


NOBODY = Open(0)
EVERYBODY = Open.AZURE | Open.NAMED


def open_to(service: Service, world: World) -> Open:
    """Who is answered at the service's public address."""
    body = service.body
    if body is None:
        return NOBODY
    if service.arm_type == arm.AKS:
        return _kubernetes_open_to(body)
    if at(body, _DOORS.get(service.arm_type, "properties.publicNetworkAccess")) == "Disabled":
        return NOBODY
    rules = _CLOSED_WITHOUT_RULES.get(service.arm_type)
    if rules:
        return _rules_open_to(world.below(service.arm_id, rules))
    return _firewall_open_to(service, body, world)


def _kubernetes_open_to(body: Mapping[str, Any]) -> Open:
    access = at(body, "properties.apiServerAccessProfile")
    if at(access, "enablePrivateCluster") is True:
        return NOBODY
    return Open.NAMED if items(access, "authorizedIPRanges") else EVERYBODY


def _rules_open_to(rules: Sequence[Planned]) -> Open:
    found = NOBODY
    for rule in rules:
        start, end = (at(rule.body, f"properties.{edge}IpAddress") for edge in ("start", "end"))
        found |= Open.AZURE if start == end == _AZURE else Open.NAMED
        if start == _AZURE and end == "255.255.255.255":
            found |= EVERYBODY
    return found


def _firewall_open_to(service: Service, body: Mapping[str, Any], world: World) -> Open:
    firewalls = [one.body for one in world.below(service.arm_id, arm.EVENT_HUBS_NETWORK)]
    path = "properties"
    if service.arm_type in _FIREWALLS:
        firewalls, path = [body], _FIREWALLS[service.arm_type]
    for firewall in firewalls:
        if at(firewall, f"{path}.defaultAction") == "Deny":
            return Open.NAMED if items(firewall, f"{path}.ipRules") else NOBODY
    return EVERYBODY


def _bypass(body: Mapping[str, Any]) -> bool:
    return "AzureServices" in str(at(body, "properties.networkAcls.bypass"))


def _registry_bypass(body: Mapping[str, Any]) -> bool:
    return at(body, "properties.networkRuleBypassOptions") == "AzureServices"


_BYPASSES: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    arm.STORAGE: _bypass,
    arm.VAULT: _bypass,
    arm.REGISTRY: _registry_bypass,
}
_TRUSTS: dict[str, frozenset[str]] = {
    # learn.microsoft.com/azure/machine-learning/how-to-managed-network, "Secured associated resources".
    "azure-ml": frozenset({arm.STORAGE, arm.VAULT, arm.REGISTRY, arm.AKS}),
    # learn.microsoft.com/azure/storage/common/storage-network-security-trusted-azure-services; the vault's list has
    # Data Factory and not the others: learn.microsoft.com/azure/key-vault/general/overview-vnet-service-endpoints.
    "data-factory-runs": frozenset({arm.STORAGE, arm.VAULT}),
    "synapse-pools": frozenset({arm.STORAGE}),
    "logic-app": frozenset({arm.STORAGE}),
    # learn.microsoft.com/azure/event-hubs/event-hubs-ip-filtering, "Trusted Microsoft services".
    "stream-analytics": frozenset({arm.STORAGE, arm.EVENT_HUBS}),
}
"""Consumers that pass a firewall as a trusted service, with their identity, and of what."""


def trusts(service: Service, consumer: str, world: World) -> bool:
    """Whether a closed service lets this consumer in as a trusted one.

    It does so also where public network access is off: "access to a storage account from trusted services takes the
    highest precedence over other network access restrictions" (learn.microsoft.com/azure/storage/common,
    storage-network-security-limitations).
    """
    if service.body is None or service.arm_type not in _TRUSTS.get(consumer, frozenset()):
        return False
    if service.arm_type == arm.AKS:
        return world.kubernetes_trusts_azure_ml
    if service.arm_type == arm.EVENT_HUBS:
        rule_sets = world.below(service.arm_id, arm.EVENT_HUBS_NETWORK)
        return any(at(one.body, "properties.trustedServiceAccessEnabled") is True for one in rule_sets)
    return _BYPASSES[service.arm_type](service.body)
