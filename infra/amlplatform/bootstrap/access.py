"""Which rights the identities of a product's environment stack get, as data: what they act on, which role, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

from amlplatform import roles
from amlplatform.request import Request

JOIN_ROLE = "join"
"""Key of the custom role that lets private endpoints and nodes into a network, and nothing else there."""

LOG_SENDER_ROLE = "log-sender"
"""Key of the custom role that sends logs to a central Log Analytics workspace."""

CUSTOM_ROLES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    JOIN_ROLE: (
        "Private Network Joiner",
        "Puts private endpoints and nodes into subnets and their names into private DNS zones; changes neither",
        (
            "Microsoft.Network/virtualNetworks/read",
            "Microsoft.Network/virtualNetworks/subnets/read",
            "Microsoft.Network/virtualNetworks/subnets/join/action",
            "Microsoft.Network/virtualNetworks/join/action",
            "Microsoft.Network/privateDnsZones/read",
            "Microsoft.Network/privateDnsZones/join/action",
        ),
    ),
    LOG_SENDER_ROLE: (
        "Diagnostic Log Sender",
        "Points diagnostic settings and Application Insights at a Log Analytics workspace; reads no logs",
        (
            "Microsoft.OperationalInsights/workspaces/read",
            "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
        ),
    ),
    "consumer": (
        "Online Endpoint Consumer",
        "Calls online endpoints of Azure Machine Learning that take Entra tokens; sees nothing else",
        ("Microsoft.MachineLearningServices/workspaces/onlineEndpoints/score/action",),
    ),
}
"""Roles that Azure does not have, by key: name, description, actions."""


@dataclass(frozen=True)
class Right:
    """One role of the identity that brings an environment up (`infra`) or previews it (`plan`).

    `scope`: "resource_group", "state", "key", or the id of a resource that exists already. `role`: a built-in role's
    name, or a key of CUSTOM_ROLES. `delegated`: the role gives roles, and only those that the environment needs.
    """

    identity: str
    scope: str
    role: str
    why: str
    delegated: bool = False


_ADMINISTRATOR = "Role Based Access Control Administrator"
_GIVES = "gives the environment's roles on it, and no others"

ALWAYS: tuple[Right, ...] = (
    Right("infra", "resource_group", "Contributor", "makes and changes what the environment consists of"),
    Right("infra", "resource_group", _ADMINISTRATOR, _GIVES, delegated=True),
    Right("infra", "state", "Storage Blob Data Contributor", "keeps the stack's state"),
    Right("infra", "key", "Key Vault Crypto User", "encrypts and decrypts the secrets in the state"),
    Right("plan", "resource_group", "Reader", "compares the environment with what would be built"),
    Right("plan", "state", "Storage Blob Data Reader", "reads the stack's state"),
    Right("plan", "key", "Key Vault Crypto User", "decrypts the secrets in the state"),
)
WITH_LOCKS = Right("infra", "resource_group", "Locks Contributor", "locks what holds data")
ON_SUBNETS = Right("infra", "subnets of the request", JOIN_ROLE, "puts private endpoints and nodes into the subnet")
ON_DNS_ZONES = Right("infra", "dns_zones of the request", JOIN_ROLE, "registers private endpoints in the zones")
ON_LOGS = Right("infra", "central Log Analytics", LOG_SENDER_ROLE, "sends diagnostic logs there")
ON_CENTRAL = Right("infra", "central resources", _ADMINISTRATOR, _GIVES, delegated=True)
EVERY_RIGHT = (*ALWAYS, WITH_LOCKS, ON_SUBNETS, ON_DNS_ZONES, ON_LOGS, ON_CENTRAL)
"""All that an environment may bring; the scope of the last ones is the id that the request gives."""


def rights(request: Request, environment: str) -> list[Right]:
    """What the two identities of this environment need."""
    asked, found = request.environments[environment], [*ALWAYS]
    if request.profile(environment).locks:
        found.append(WITH_LOCKS)
    subnets = dict.fromkeys(value for value in asked.subnets.model_dump().values() if value)
    found += [replace(ON_SUBNETS, scope=subnet) for subnet in subnets]
    central = asked.central
    for right, scopes in (
        (ON_DNS_ZONES, [asked.dns_zones]),
        (ON_LOGS, [central.log_analytics]),
        (ON_CENTRAL, [central.log_analytics, central.container_registry, central.lake.account, central.ml_registry]),
        # The control plane of Kubernetes gets its role on the subnet.
        (ON_CENTRAL, [asked.subnets.kubernetes if roles.KUBERNETES_SUBNET in asked.conditions else ""]),
    ):
        found += [replace(right, scope=scope) for scope in scopes if scope]
    return found


def delegated_roles(request: Request, environment: str) -> list[str]:
    """Ids of the roles that may be given in this environment: those of every option, so that one can be added later."""
    profile = request.profile(environment)
    rows = [*roles.GRANTS, *(row for purpose in roles.EXCEPTIONS.values() for row in purpose.grants)]
    return sorted(
        {roles.ROLES[row.role].role_id for row in rows if profile.people or row.principal != "data_scientists"}
    )


def delegated_groups(request: Request, environment: str) -> list[str]:
    """Object ids of the groups that may get roles: where people work, and exceptions. Nobody else."""
    asked = request.environments[environment]
    groups = {entry.group for entry in asked.access_exceptions}
    if request.profile(environment).people and request.groups.data_scientists:
        groups.add(request.groups.data_scientists)
    return sorted(groups)
