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


@dataclass(frozen=True)
class PersonAllowance:
    """A group (or the person) that may have these roles where people otherwise have none.

    `object_id`: in Entra ID; `role_ids`: ids of role definitions (GUIDs), and no others are accepted; `purpose` names
    what for, for example "log-reader".
    """

    object_id: str
    role_ids: frozenset[str]
    purpose: str
    reason: str
    until: datetime.date

    def covers(self, object_id: str, role_id: str, today: datetime.date) -> bool:
        ids = {one.lower() for one in self.role_ids}
        return object_id.lower() == self.object_id.lower() and role_id.lower() in ids and today <= self.until
