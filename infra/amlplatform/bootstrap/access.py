"""Which rights the identities of a product's environment stack get, as data: what they act on, which role, and why."""

from __future__ import annotations

from dataclasses import dataclass

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


def rights(request: Request, environment: str) -> list[Right]:
    """What the two identities of this environment need."""
    asked = request.environments[environment]
    administrator = "Role Based Access Control Administrator"
    found = [
        Right("infra", "resource_group", "Contributor", "makes and changes what the environment consists of"),
        Right("infra", "resource_group", administrator, "gives the environment's roles, and no others", delegated=True),
        Right("infra", "state", "Storage Blob Data Contributor", "keeps the stack's state"),
        Right("infra", "key", "Key Vault Crypto User", "encrypts and decrypts the secrets in the state"),
        Right("plan", "resource_group", "Reader", "compares the environment with what would be built"),
        Right("plan", "state", "Storage Blob Data Reader", "reads the stack's state"),
        Right("plan", "key", "Key Vault Crypto User", "decrypts the secrets in the state"),
    ]
    if request.profile(environment).locks:
        found.append(Right("infra", "resource_group", "Locks Contributor", "locks what holds data"))
    subnets = dict.fromkeys(value for value in asked.subnets.model_dump().values() if value)
    found += [
        Right("infra", subnet, JOIN_ROLE, "puts private endpoints and nodes into the subnet") for subnet in subnets
    ]
    if asked.dns_zones:
        found.append(Right("infra", asked.dns_zones, JOIN_ROLE, "registers private endpoints in the zones"))
    central = asked.central
    if central.log_analytics:
        why = "sends diagnostic logs there"
        found.append(Right("infra", central.log_analytics, LOG_SENDER_ROLE, why))
    for scope in (central.log_analytics, central.container_registry, central.lake.account, central.ml_registry):
        if scope:
            found.append(Right("infra", scope, administrator, "gives roles on it to the environment", delegated=True))
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
