"""Whether a caller may make a request: by the roles in the state, as Resource Manager decides it.

Codes and wordings are Azure's: learn.microsoft.com/azure/role-based-access-control/troubleshooting (an ABAC condition
that is not fulfilled), Azure/aad-pod-identity#613 (linked scopes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from amlplatform.cloud import arm_ids
from amlplatform.cloud.callers import Caller
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.required import Right
from amlplatform.cloud.state import CloudState
from amlplatform.rbac import conditions, permissions
from amlplatform.rbac.permissions import Assignment, RoleDefinition

_ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
_DEFINITION = "Microsoft.Authorization/roleDefinitions"
_IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"


def roles(state: CloudState) -> dict[str, RoleDefinition]:
    """Microsoft's roles that are used, and the custom ones in the state, by id."""
    custom = {
        arm_ids.name(document["id"]).lower(): permissions.definition(
            arm_ids.name(document["id"]),
            str((document.get("properties") or {}).get("roleName")),
            (document.get("properties") or {}).get("permissions") or (),
        )
        for document in state.of_type(_DEFINITION)
    }
    return {**permissions.built_in(), **custom}


def assignments(principal_id: str, state: CloudState, settled_s: float = 0) -> list[Assignment]:
    """The roles of a principal, as far as they were given at least `settled_s` seconds ago."""
    known = roles(state)
    found: list[Assignment] = []
    for document in state.of_type(_ASSIGNMENT):
        properties = document.get("properties") or {}
        role = known.get(permissions.role_guid(str(properties.get("roleDefinitionId"))))
        if role is None or str(properties.get("principalId")).lower() != principal_id.lower():
            continue
        if state.age(document["id"]) >= settled_s:
            scope, condition = arm_ids.parent(document["id"]), str(properties.get("condition") or "")
            found.append(Assignment(scope, role, principal_id, condition, {"id": document["id"]}))
    return found


def is_allowed(principal_id: str, right: Right, state: CloudState, settled_s: float = 0) -> bool:
    """Whether a principal has a right that no condition is about."""
    return bool(permissions.allowing(assignments(principal_id, state, settled_s), right.action, right.scope))


def require(
    caller: Caller, rights: Sequence[Right], body: Mapping[str, Any], state: CloudState, settled_s: float = 0
) -> None:
    """Raise AzureError (403) unless the caller has all `rights`: that of the request first, then linked ones.

    `body`: of the request, for conditions on role assignments.
    """
    if caller.may_everything:
        return
    own = assignments(caller.object_id, state, settled_s)
    main, *linked = rights
    who = f"The client '{caller.client_id}' with object id '{caller.object_id}'"
    _require_main(own, main, body, state, who)
    missing = [right for right in linked if not permissions.allowing(own, right.action, right.scope)]
    if missing:
        actions = ",".join(dict.fromkeys(right.action for right in missing))
        scopes = ",".join(right.scope for right in missing)
        raise AzureError(
            403,
            "LinkedAuthorizationFailed",
            f"{who} has permission to perform action '{main.action}' on scope '{main.scope}'; however, it does not "
            f"have permission to perform action(s) '{actions}' on the linked scope(s) '{scopes}' (respectively) or the "
            "linked scope(s) are invalid.",
        )


def _require_main(
    own: Sequence[Assignment], right: Right, body: Mapping[str, Any], state: CloudState, who: str
) -> None:
    facts = _facts(right, body, state)
    if permissions.allowing(own, right.action, right.scope, facts=facts):
        return
    unconditional = any(entry.covers(right.scope) and entry.role.allows(right.action) for entry in own)
    reason = "authorization or an ABAC condition not fulfilled" if unconditional else "authorization"
    raise AzureError(
        403,
        "AuthorizationFailed",
        f"{who} does not have {reason} to perform action '{right.action}' over scope '{right.scope}' or the scope is "
        "invalid. If access was recently granted, please refresh your credentials.",
    )


def _facts(right: Right, body: Mapping[str, Any], state: CloudState) -> conditions.Facts:
    """What conditions may ask: which role is given or taken, and whose it is."""
    if not right.action.lower().startswith(f"{_ASSIGNMENT.lower()}/"):
        return conditions.Facts(right.action)
    source, document = ("Request", body) if right.action.endswith("/write") else ("Resource", state.get(right.scope))
    properties = (document or {}).get("properties") or {}
    principal = str(properties.get("principalId") or "")
    kind = properties.get("principalType") or _kind_of(principal, state)
    values = {
        "RoleDefinitionId": permissions.role_guid(str(properties.get("roleDefinitionId") or "")),
        "PrincipalId": principal,
        "PrincipalType": kind,
    }
    return conditions.role_assignment_facts(
        right.action, source, {name: value for name, value in values.items() if value}
    )


def _kind_of(principal_id: str, state: CloudState) -> str:
    """The type of a principal that a request leaves out: the directory knows that of managed identities."""
    known = {str(document["properties"].get("principalId")).lower() for document in state.of_type(_IDENTITY)}
    return "ServicePrincipal" if principal_id.lower() in known else ""
