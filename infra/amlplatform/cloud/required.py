"""Which right a request needs: the action, the scope, and what Resource Manager checks on other resources beside it.

The rule for the action is Azure's own: the type, and `read`, `write`, `delete` or the name of what is POSTed
(learn.microsoft.com/azure/role-based-access-control/resource-provider-operations). `_LINKED` are the checks that Azure
documents for ids in a body, each with its page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amlplatform.cloud import arm_ids

_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"


@dataclass(frozen=True)
class Right:
    """An action on a scope."""

    action: str
    scope: str


def for_request(method: str, path: str) -> Right:
    """The right that the request itself needs. `path`: the id of a resource, a list, or a resource and an action."""
    segments = path.strip("/").split("/")
    folded = [segment.lower() for segment in segments]
    if "providers" not in folded:
        return _outside_providers(method, segments)
    start = len(folded) - 1 - folded[::-1].index("providers")
    namespace, rest = segments[start + 1], segments[start + 2 :]
    arm_type = "/".join([namespace, *rest[::2]])
    if method == "POST":
        return Right(f"{arm_type}/action", _path(segments[:-1]))
    if len(rest) % 2:
        # A list: of what hangs on a scope or lies in it, or of the children of a resource.
        return Right(f"{arm_type}/{_VERBS[method]}", _path(segments[:-1] if len(rest) > 1 else segments[:start]))
    return Right(f"{arm_type}/{_VERBS[method]}", _path(segments))


def _outside_providers(method: str, segments: list[str]) -> Right:
    """Subscriptions, resource groups, and the list of all resources in one of them."""
    *owner, last = segments
    if last.lower() == "resources":
        place = _GROUPS if "resourcegroups" in map(str.lower, owner) else "Microsoft.Resources/subscriptions"
        return Right(f"{place}/resources/read", _path(owner))
    if last.lower() == "resourcegroups":
        return Right(f"{_GROUPS}/read", _path(owner))
    arm_type = _GROUPS if len(segments) > 2 else "Microsoft.Resources/subscriptions"
    return Right(f"{arm_type}/{_VERBS.get(method, 'action')}", _path(segments))


def _path(segments: list[str]) -> str:
    return "/" + "/".join(segments)


# --- Linked scopes ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Link:
    """`target`: the type of an id in the body; `place`: a part of the path at which it stands, "" anywhere; `of`: the
    type that is written, "" any; `action`: what is needed there."""

    target: str
    action: str
    place: str = ""
    of: str = ""
    applies: Callable[[str, str], bool] = lambda _arm_id, _target: True


def _other_subscription(arm_id: str, target: str) -> bool:
    return arm_id.split("/")[2].lower() != target.split("/")[2].lower()


_LOGS = "Microsoft.OperationalInsights/workspaces"
_SUBNET = "Microsoft.Network/virtualNetworks/subnets"
_DIAGNOSTICS = "Microsoft.Insights/diagnosticSettings"
_LINKED: tuple[_Link, ...] = (
    # learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-assign-access-azure-resource; the
    # words of the refusal: Azure/aad-pod-identity#613.
    _Link(
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
        place="identity.userAssignedIdentities",
    ),
    # learn.microsoft.com/azure/virtual-network/virtual-network-manage-subnet, "Permissions".
    _Link(_SUBNET, f"{_SUBNET}/joinViaServiceEndpoint/action", place="virtualNetworkRules"),
    _Link(_SUBNET, f"{_SUBNET}/join/action"),
    _Link("Microsoft.Network/virtualNetworks", "Microsoft.Network/virtualNetworks/join/action"),
    _Link("Microsoft.Network/networkSecurityGroups", "Microsoft.Network/networkSecurityGroups/join/action"),
    _Link("Microsoft.Network/routeTables", "Microsoft.Network/routeTables/join/action"),
    # learn.microsoft.com/azure/private-link/rbac-permissions, dns-private-zone-integration.
    _Link("Microsoft.Network/privateDnsZones", "Microsoft.Network/privateDnsZones/join/action"),
    # learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings; the words: JimGBritt/AzurePolicy#17.
    _Link(_LOGS, f"{_LOGS}/sharedKeys/action", of=_DIAGNOSTICS),
    _Link("Microsoft.Storage/storageAccounts", "Microsoft.Storage/storageAccounts/listKeys/action", of=_DIAGNOSTICS),
    _Link(
        "Microsoft.EventHub/namespaces/authorizationRules",
        "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action",
        of=_DIAGNOSTICS,
    ),
    # learn.microsoft.com/azure/azure-monitor/app/create-workspace-resource: asked for across subscriptions only.
    _Link(_LOGS, f"{_LOGS}/sharedKeys/action", of="Microsoft.Insights/components", applies=_other_subscription),
    # learn.microsoft.com/azure/machine-learning/how-to-assign-roles, note 2: attaching needs the cluster's admin role.
    _Link(
        "Microsoft.ContainerService/managedClusters",
        "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action",
        of="Microsoft.MachineLearningServices/workspaces/computes",
    ),
)
_PRIVATE_ENDPOINT = "microsoft.network/privateendpoints"


def linked(arm_id: str, body: Mapping[str, Any]) -> list[Right]:
    """The rights on other resources that a PUT of `body` needs, each once, in the order of the body."""
    found: dict[tuple[str, str], Right] = {}
    own_type = arm_ids.arm_type(arm_id).lower()
    for place, target in _ids(body):
        if arm_ids.key(target) == arm_ids.key(arm_id):
            continue
        action = _action(arm_id, own_type, place, target)
        if action:
            found.setdefault((action.lower(), arm_ids.key(target)), Right(action, target))
    return list(found.values())


def _action(arm_id: str, own_type: str, place: str, target: str) -> str | None:
    target_type = arm_ids.arm_type(target)
    # learn.microsoft.com/azure/private-link/private-endpoint-overview: without it somebody else has to approve.
    if own_type == _PRIVATE_ENDPOINT and place.endswith("privateLinkServiceId"):
        return f"{target_type}/privateEndpointConnectionsApproval/action"
    for link in _LINKED:
        if (
            link.target.lower() == target_type.lower()
            and link.place in place
            and link.of.lower() in ("", own_type)
            and link.applies(arm_id, target)
        ):
            return link.action
    return None


def _ids(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every ARM id in a body, also where it is a key, with the path at which it stands."""
    if isinstance(value, str) and arm_ids.is_arm_id(value):
        yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if arm_ids.is_arm_id(key):
                yield place, key
            else:
                yield from _ids(inner, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _ids(inner, place)
