"""What roles allow, as Azure evaluates it.

learn.microsoft.com/azure/role-based-access-control/role-definitions: a role allows what matches one of its `actions`
and none of its `notActions`; `*` stands for any text, case does not matter. Roles add up: what one role leaves out,
another may give. An assignment holds for its scope and everything below it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from amlplatform.rbac import conditions
from amlplatform.rbac.conditions import Facts


@functools.cache
def _pattern(wildcard: str) -> re.Pattern[str]:
    parts = [".*".join(map(re.escape, part.split("*"))) for part in wildcard.split("/*/")]
    return re.compile("/(?:.*/)?".join(parts), re.IGNORECASE)


def matches(wildcard: str, action: str) -> bool:
    """Whether `action` is one of those that `wildcard` means, for example "Microsoft.Storage/*/read".

    `/*/` may also stand for a single slash. Microsoft's roles are written so: Managed Identity Operator assigns
    identities by `…/userAssignedIdentities/*/assign/action`, AzureML Data Scientist makes no compute because of the
    exception `…/computes/*/write`.
    """
    return _pattern(wildcard).fullmatch(action) is not None


@dataclass(frozen=True)
class Permission:
    """One block of a role definition. `condition` is "" for most."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    condition: str = ""

    def allows(self, action: str, *, data: bool = False) -> bool:
        """Whether this block allows the action, conditions aside. `data`: it is an action on data."""
        allowed, excepted = (self.data_actions, self.not_data_actions) if data else (self.actions, self.not_actions)
        return any(matches(wildcard, action) for wildcard in allowed) and not any(
            matches(wildcard, action) for wildcard in excepted
        )


@dataclass(frozen=True)
class RoleDefinition:
    """A built-in or custom role. `role_id` is the GUID in lower case."""

    role_id: str
    name: str
    permissions: tuple[Permission, ...]

    def allows(self, action: str, *, data: bool = False, facts: Facts | None = None) -> bool:
        """Whether the role allows the action. `facts` are what conditions of the role itself are held against."""
        return any(
            permission.allows(action, data=data)
            and (not permission.condition or conditions.holds(permission.condition, facts or Facts(action)))
            for permission in self.permissions
        )


def definition(role_id: str, name: str, permissions: Iterable[Mapping[str, Any]]) -> RoleDefinition:
    """A role from the form that Azure's API gives it."""
    return RoleDefinition(
        role_id.lower(),
        name,
        tuple(
            Permission(
                tuple(permission.get("actions") or ()),
                tuple(permission.get("notActions") or ()),
                tuple(permission.get("dataActions") or ()),
                tuple(permission.get("notDataActions") or ()),
                permission.get("condition") or "",
            )
            for permission in permissions
        ),
    )


@functools.cache
def built_in() -> Mapping[str, RoleDefinition]:
    """The built-in roles in the pack, by id."""
    packed = json.loads(resources.files("amlplatform.rbac").joinpath("roles.json").read_text(encoding="utf-8"))
    return {role["name"]: definition(role["name"], role["roleName"], role["permissions"]) for role in packed["roles"]}


@dataclass(frozen=True)
class Assignment:
    """A role that a principal has on a scope."""

    scope: str
    role: RoleDefinition
    principal_id: str
    condition: str = ""
    details: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """Whatever the caller wants to find again, for example the id of the assignment."""

    def covers(self, scope: str) -> bool:
        """Whether it holds on `scope`: the same one, or one above it."""
        own, asked = self.scope.rstrip("/").lower(), scope.rstrip("/").lower()
        return asked == own or asked.startswith(f"{own}/")

    def allows(self, action: str, scope: str, *, data: bool = False, facts: Facts | None = None) -> bool:
        return (
            self.covers(scope)
            and self.role.allows(action, data=data, facts=facts)
            and (not self.condition or conditions.holds(self.condition, facts or Facts(action)))
        )


def role_guid(role_definition_id: str) -> str:
    """The GUID of a role definition's id, which may be written with a subscription before it or without."""
    return role_definition_id.rstrip("/").rsplit("/", 1)[-1].lower()


def allowing(
    assignments: Iterable[Assignment], action: str, scope: str, *, data: bool = False, facts: Facts | None = None
) -> list[Assignment]:
    """The assignments that allow `action` on `scope`. None: it is denied."""
    return [entry for entry in assignments if entry.allows(action, scope, data=data, facts=facts)]
