"""What is closed to the internet has another way in; otherwise nobody can use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amlplatform.policies import arm
from amlplatform.policies.rule import (
    ADVISED,
    EVERYWHERE,
    IN_ENVIRONMENTS,
    Context,
    Resource,
    ResourceRule,
    Rule,
    Stack,
    StackRule,
)
from amlplatform.policies.rules.network import FIREWALLS, PUBLIC_ACCESS
from amlplatform.policies.values import at, entries, is_empty, items

_PARTS_OF_A_WORKSPACE = ("storageAccount", "keyVault", "containerRegistry")
# An Event Hubs namespace and its rule set share one private endpoint; a cluster's API server has one of its own.
_SERVICES = tuple(one for one in PUBLIC_ACCESS if one not in (arm.EVENT_HUBS_NETWORK, arm.AKS))


def _closed(resource: Resource) -> bool:
    if at(resource.body, "properties.publicNetworkAccess") == "Disabled":
        return True
    firewall = FIREWALLS.get(resource.arm_type)
    if firewall is None:
        return False
    rules = [*items(resource.body, f"{firewall}.ipRules"), *items(resource.body, f"{firewall}.virtualNetworkRules")]
    return at(resource.body, f"{firewall}.defaultAction") == "Deny" and not rules


def _targets(stack: Stack) -> Iterator[tuple[Resource, Any]]:
    """Whom a private way leads to: the resource that makes the way, and the id of its target."""
    for endpoint in stack.of(arm.PRIVATE_ENDPOINT):
        for kind in ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections"):
            for connection in items(endpoint.body, f"properties.{kind}"):
                yield endpoint, at(connection, "properties.privateLinkServiceId")
    for workspace in stack.of(arm.ML_WORKSPACE):
        for _, rule in entries(workspace.body, "properties.managedNetwork.outboundRules"):
            yield workspace, at(rule, "destination.serviceResourceId")
        if at(workspace.body, "properties.managedNetwork.isolationMode") not in ("Disabled", None):
            # Azure ML makes endpoints in its managed network to what the workspace is made of.
            for part in _PARTS_OF_A_WORKSPACE:
                yield workspace, at(workspace.body, f"properties.{part}")
    for rule in stack.of(arm.OUTBOUND_RULE):
        yield rule, at(rule.body, "properties.destination.serviceResourceId")


def _unreachable(stack: Stack, context: Context) -> Iterator[tuple[Resource, str]]:
    ways = list(_targets(stack))
    for service in stack.of(*_SERVICES):
        # The firewall of an Event Hubs namespace is a resource of its own.
        parts = [service, *(one for one in stack.of(arm.EVENT_HUBS_NETWORK) if stack.is_below(one, service))]
        if not any(map(_closed, parts)) or service.name in context.reached_otherwise:
            continue
        if not any(stack.points_at(source, target, service) for source, target in ways):
            yield service, "is closed to the internet, and no private endpoint or managed network leads to it"


def _groups(resource: Resource, _context: Context) -> Iterator[str]:
    connections = items(resource.body, "properties.privateLinkServiceConnections")
    if is_empty(resource.body, "properties.privateLinkServiceConnections"):
        yield "properties.privateLinkServiceConnections is empty: the endpoint leads nowhere"
    for connection in connections:
        if is_empty(connection, "properties.groupIds"):
            yield "properties.privateLinkServiceConnections: groupIds is empty, must name the part, for example blob"


def _names(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    groups = stack.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
    for endpoint in stack.of(arm.PRIVATE_ENDPOINT):
        if not any(stack.is_below(group, endpoint) for group in groups):
            yield endpoint, "registers no name in a private DNS zone"


RULES: tuple[Rule, ...] = (
    StackRule(
        name="closed-service-is-reachable",
        protects="Jobs, CI and people can use what is closed to the internet",
        remedy="give it a private endpoint or an outbound rule of the managed network, or open it",
        severity=IN_ENVIRONMENTS,
        sources=(
            "CKV_AZURE_243",
            "PSRule Azure.AI.PrivateEndpoints",
        ),
        types=_SERVICES,
        check=_unreachable,
    ),
    ResourceRule(
        name="private-endpoint-leads-somewhere",
        protects="A private endpoint names the service and the part of it that it leads to",
        remedy="set one connection with its group id",
        severity=EVERYWHERE,
        sources=("AML how-to-managed-network",),
        types=(arm.PRIVATE_ENDPOINT,),
        check=_groups,
    ),
    StackRule(
        name="private-endpoint-has-a-name",
        protects="Clients find the private address instead of the public one",
        remedy="give dns_zones in the request, or have a policy of the organisation register the names",
        severity=ADVISED,
        sources=("AML how-to-managed-network",),
        types=(arm.PRIVATE_ENDPOINT,),
        check=_names,
    ),
)
