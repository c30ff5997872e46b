"""Who calls the offline Azure: the person who runs the command, or an identity that was made in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from amlplatform.cloud import arm_ids
from amlplatform.cloud.state import CLIENT_ID, OBJECT_ID, CloudState

_IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
_ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Caller:
    """Who makes a request: the object that roles are assigned to, and the application (client) that it stands for."""

    object_id: str
    client_id: str

    @property
    def may_everything(self) -> bool:
        """The person who runs the command is asked for no roles: somebody has to give the first one."""
        return self.object_id == OBJECT_ID


PERSON = Caller(OBJECT_ID, CLIENT_ID)
"""Whoever runs the command."""


class UnknownCaller(Exception):
    """An identity that the offline Azure does not have. The message is one line for the person."""


def find(name: str, state: CloudState) -> Caller:
    """The caller of this client id, object id or ARM id of a managed identity; "" is the person.

    A GUID that no identity has is a principal from outside when it has a role (a group, a service principal).
    Raises UnknownCaller.
    """
    if not name:
        return PERSON
    identities = {document["id"]: _caller(document["properties"]) for document in state.of_type(_IDENTITY)}
    for arm_id, caller in identities.items():
        if name.lower() in (caller.object_id, caller.client_id) or arm_ids.key(name) == arm_ids.key(arm_id):
            return caller
    if _GUID.fullmatch(name) and any(
        str((document.get("properties") or {}).get("principalId")).lower() == name.lower()
        for document in state.of_type(_ASSIGNMENT)
    ):
        return Caller(name.lower(), name.lower())
    there = ", ".join(sorted(arm_ids.name(arm_id) for arm_id in identities)) or "none"
    raise UnknownCaller(
        f"{name!r} is no identity of the offline Azure: give its ARM id, client id or object id; there are: {there}"
    )


def _caller(properties: dict[str, str]) -> Caller:
    return Caller(properties["principalId"].lower(), properties["clientId"].lower())
