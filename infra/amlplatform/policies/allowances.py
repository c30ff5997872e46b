"""Exceptions from the rules: typed, each with a reason and a last day."""

from __future__ import annotations

import datetime
from dataclasses import dataclass


@dataclass(frozen=True)
class Allowance:
    """One rule that one resource may break. `resource`: its name in the program; `until`: the last day."""

    rule: str
    resource: str
    reason: str
    until: datetime.date

    def covers(self, rule: str, resource: str, today: datetime.date) -> bool:
        return (self.rule, self.resource) == (rule, resource) and today <= self.until


SQL_ADMINISTRATOR = "sql-administrator"
"""In the place of a role's id: a group that administers a SQL server. Azure has no role for that."""


@dataclass(frozen=True)
class PersonAllowance:
    """A group (or the person) that may have these roles where people otherwise have none.

    `object_id`: in Entra ID; `roles`: ids of role definitions (GUIDs), each with the ARM type of what it may be given
    on, and no others are accepted; `purpose` names what for, for example "log-reader".
    """

    object_id: str
    roles: frozenset[tuple[str, str]]
    purpose: str
    reason: str
    until: datetime.date

    def covers(self, object_id: str, role_id: str, on: str | None, today: datetime.date) -> bool:
        """`on`: the ARM type of the scope; None while that is not known."""
        fits = any(role.lower() == role_id.lower() and on in (None, arm_type) for role, arm_type in self.roles)
        return fits and object_id.lower() == self.object_id.lower() and today <= self.until
