"""Azure Resource Manager, offline: GET, PUT and DELETE on documents, with Azure's refusals.

Neither door is known here. A request is a kind of resource, an id and a body, as they would travel over HTTPS.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from amlplatform.armtypes import catalogue
from amlplatform.armtypes.catalogue import ResourceType
from amlplatform.cloud import arm_ids, computed, locks, preconditions
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.state import CloudState, Document

Method = Literal["GET", "PUT", "DELETE", "POST"]


@dataclass(frozen=True)
class Call:
    """One request as it arrives."""

    method: Method
    arm_id: str
    body: Mapping[str, Any] = field(default_factory=dict)


Hindrance = Callable[[Call, CloudState], None]
"""One way in which Azure is slow to agree: roles that have not spread yet, names that are soft-deleted, quota of zero.

Called before each request, inside its transaction. It may keep records of its own in the state, and raises AzureError
to refuse the request.
"""


class ResourceManager:
    """The requests that both doors make."""

    def __init__(self, state: CloudState, hindrances: Sequence[Hindrance] = ()) -> None:
        self.state = state
        self.hindrances = tuple(hindrances)

    def get(self, arm_id: str) -> Document:
        """Raises AzureError (404 ResourceNotFound or ResourceGroupNotFound)."""
        with self.state.transaction():
            self._arrive(Call("GET", arm_id))
            document = self.state.get(arm_id)
        if document is None:
            raise preconditions.not_found(arm_id)
        return document

    def put(self, kind: ResourceType, arm_id: str, body: Mapping[str, Any]) -> Document:
        """Create the resource, or replace it with `body`. Returns it with what Azure computes. Raises AzureError."""
        with self.state.transaction():
            self._arrive(Call("PUT", arm_id, body))
            previous = self.state.get(arm_id)
            preconditions.check(preconditions.Put(kind, arm_id, body, previous), self.state)
            _check_content(kind, arm_id, body)
            document = _document(kind, arm_id, body, previous)
            computed.complete(document, previous, self.state)
            self.state.put(document)
        return document

    def delete(self, arm_id: str) -> None:
        """Delete the resource with everything below it. What is not there is deleted already, as in Azure (204). Raises
        AzureError, for example 409 ScopeLocked.

        A service of an account (`…/blobServices/default`) lives as long as the account: it only loses its settings.
        """
        with self.state.transaction():
            self._arrive(Call("DELETE", arm_id))
            locks.refuse_deletion(arm_id, self.state)
            self.state.delete(arm_id, below=not arm_ids.is_singleton(arm_id))

    def arrive(self, call: Call) -> None:
        """A request that is none of the above: a list (GET of a collection), an action (POST). Raises AzureError."""
        with self.state.transaction():
            self._arrive(call)

    def _arrive(self, call: Call) -> None:
        for hindrance in self.hindrances:
            hindrance(call, self.state)


def _check_content(kind: ResourceType, arm_id: str, body: Mapping[str, Any]) -> None:
    faults = [
        *catalogue.check_name(kind.token, arm_ids.name(arm_id)),
        *catalogue.check_body(kind.token, body),
    ]
    if faults:
        message = f"The request content was invalid and could not be deserialized: {'; '.join(faults)}"
        raise AzureError(400, "InvalidRequestContent", message)


def _document(kind: ResourceType, arm_id: str, body: Mapping[str, Any], previous: Document | None) -> Document:
    # A resource keeps the spelling of the id under which it was made.
    canonical = previous["id"] if previous else arm_id
    address = {"id": canonical, "name": arm_ids.name(canonical), "type": kind.arm_type}
    return {**copy.deepcopy(dict(body)), **address}
