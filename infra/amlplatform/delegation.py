"""Rights to give roles, limited to named roles and principals: the condition of a role assignment.

Whoever brings an environment up has to give roles. Without a condition that right would be as good as Owner. The form
is Azure's ABAC: learn.microsoft.com/azure/role-based-access-control, "Delegate Azure role assignment management to
others with conditions". Standard library only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

VERSION = "2.0"
_ATTRIBUTE = "Microsoft.Authorization/roleAssignments"


def condition(role_ids: Collection[str], groups: Collection[str] = ()) -> str:
    """Only these roles (by id) may be given or taken, to service identities and to these groups (object ids) alone.

    Raises ValueError when there is no role: an empty set would not be a condition that Azure accepts.
    """
    if not role_ids:
        raise ValueError("a delegation needs at least one role")
    return " AND ".join(
        f"((!(ActionMatches{{'{_ATTRIBUTE}/{action}'}})) OR ({_allowed(source, role_ids, groups)}))"
        for action, source in (("write", "Request"), ("delete", "Resource"))
    )


def _allowed(source: str, role_ids: Iterable[str], groups: Collection[str]) -> str:
    def attribute(name: str) -> str:
        return f"@{source}[{_ATTRIBUTE}:{name}]"

    roles = f"{attribute('RoleDefinitionId')} ForAnyOfAnyValues:GuidEquals {{{', '.join(sorted(role_ids))}}}"
    services = f"{attribute('PrincipalType')} ForAnyOfAnyValues:StringEqualsIgnoreCase {{'ServicePrincipal'}}"
    if not groups:
        return f"{roles} AND {services}"
    named = f"{attribute('PrincipalId')} ForAnyOfAnyValues:GuidEquals {{{', '.join(sorted(groups))}}}"
    return f"{roles} AND ({services} OR {named})"
