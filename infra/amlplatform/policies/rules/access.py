"""Who has access: no people in prod, no roles that give everything away, no local logins by another door."""

from __future__ import annotations

from collections.abc import Iterator

from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.policies import arm
from amlplatform.policies.rule import EVERYWHERE, Context, Resource, ResourceRule, Rule
from amlplatform.policies.values import ABSENT, at, is_known_id, items, shown

# learn.microsoft.com/azure/role-based-access-control/built-in-roles/privileged: each can give any role to anybody.
_UNLIMITED = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
}
_RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"


def _role_id(resource: Resource) -> str:
    """The GUID of the role, or "" when it is not known."""
    value = at(resource.body, "properties.roleDefinitionId")
    return "" if value in (ABSENT, UNKNOWN) else str(value).rpartition("/")[2].lower()


def _scope_type(resource: Resource) -> str | None:
    """The ARM type of what the role is given on; None while that is not known."""
    scope = resource.arm_id.rpartition(f"/providers/{arm.ROLE_ASSIGNMENT}/")[0]
    if not is_known_id(scope):
        return None
    below, _, address = scope.rpartition("/providers/")
    if not below:
        return arm.GROUP if "/resourceGroups/" in scope else ""
    parts = address.split("/")
    return "/".join([parts[0], *parts[1::2]])


def _people(resource: Resource, context: Context) -> Iterator[str]:
    kind = at(resource.body, "properties.principalType")
    if kind in ("ServicePrincipal", UNKNOWN):
        return
    if context.bounds.people and kind == "Group":
        return
    principal = at(resource.body, "properties.principalId")
    on = _scope_type(resource)
    if any(one.covers(str(principal), _role_id(resource), on, context.today) for one in context.people):
        return
    whom = "a service identity or a group" if context.bounds.people else "a service identity"
    yield f"properties.principalType is {shown(kind)} (object id {shown(principal)}), must be {whom}"


def _unlimited(resource: Resource, _context: Context) -> Iterator[str]:
    name = _UNLIMITED.get(_role_id(resource))
    if name:
        yield f"the role {name} can give any role to anybody"


def _condition(resource: Resource, _context: Context) -> Iterator[str]:
    if _role_id(resource) != _RBAC_ADMINISTRATOR:
        return
    condition = at(resource.body, "properties.condition")
    if condition != UNKNOWN and "roledefinitionid" not in str(condition).lower():
        yield "the role Role Based Access Control Administrator has no condition that limits the roles it may give"
    version = at(resource.body, "properties.conditionVersion")
    if version not in ("2.0", UNKNOWN):
        yield f"properties.conditionVersion is {shown(version)}, must be '2.0'"


def _wildcards(resource: Resource, _context: Context) -> Iterator[str]:
    for permission in items(resource.body, "properties.permissions"):
        for kind in ("actions", "dataActions"):
            for action in items(permission, kind):
                if "*" in str(action):
                    yield f"properties.permissions: {kind} has {shown(action)}, must name each action"


RULES: tuple[Rule, ...] = (
    ResourceRule(
        name="no-people",
        protects="Nobody changes prod by hand or reads its data: CI deploys it with service identities. "
        "In dev roles go to groups, so that joining and leaving a team is one change",
        remedy="give the role to a managed identity; where a group needs it, add an access exception with its reason "
        "to the request",
        severity=EVERYWHERE,
        sources=("CAF data-science-best-practices",),
        types=(arm.ROLE_ASSIGNMENT,),
        check=_people,
    ),
    ResourceRule(
        name="no-unlimited-role",
        protects="No identity of an environment can give itself or others any role",
        remedy="use a role with the actions that are needed",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.ROLE_ASSIGNMENT,),
        check=_unlimited,
    ),
    ResourceRule(
        name="delegation-needs-a-condition",
        protects="An identity that may assign roles may assign only the roles that environments use",
        remedy="add a condition of version 2.0 that lists the role ids (ABAC)",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.ROLE_ASSIGNMENT,),
        check=_condition,
    ),
    ResourceRule(
        name="custom-role-names-its-actions",
        protects="A custom role does not grow when Azure adds actions",
        remedy="list the actions one by one",
        severity=EVERYWHERE,
        sources=("CKV_AZURE_39",),
        types=(arm.ROLE_DEFINITION,),
        check=_wildcards,
    ),
)
