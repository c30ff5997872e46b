"""Azure Resource Manager, offline: GET, PUT and DELETE on documents, with Azure's refusals.

Neither door is known here. A request is a kind of resource, an id and a body, as they would travel over HTTPS.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from amlplatform.armtypes import catalogue
from amlplatform.armtypes.catalogue import ResourceType
from amlplatform.cloud import arm_ids, authorization, calls, computed, locks, preconditions, project_rules, required
from amlplatform.cloud.callers import PERSON, Caller
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.required import Right
from amlplatform.cloud.state import CloudState, Document

Method = Literal["GET", "PUT", "DELETE", "POST"]
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Call:
    """One request as it arrives.

    `rights`: what it needs, that of the request itself first; `number`: its place in the record of calls. Both are
    filled in on arrival, as is the caller.
    """

    method: Method
    arm_id: str
    body: Mapping[str, Any] = field(default_factory=dict)
    api_version: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    caller: Caller = PERSON
    rights: tuple[Right, ...] = ()
    number: int = 0

    @property
    def arm_type(self) -> str:
        """The type of the resource, in lower case."""
        return arm_ids.arm_type(self.arm_id).lower()


Hindrance = Callable[[Call, CloudState], None]
"""One way in which Azure is slow to agree: roles that have not spread yet, names that are soft-deleted, quota of zero.

Called before each request, inside its transaction. It may keep records of its own in the state, and raises AzureError
to refuse the request.
"""


def _as_it_is(document: Document) -> Document:
    return document


def _at_once(_call: Call) -> float:
    return 0.0


@dataclass(frozen=True)
class Conduct:
    """How the offline Azure behaves beyond refusing; see `hindrances`. The default is prompt and plain.

    `role_spread_s`: how long a role assignment takes to count. `answer`: how documents look on their way out.
    `write_s`: how long a PUT or DELETE takes to be answered, in seconds, after its effect is there.
    """

    role_spread_s: float = 0.0
    answer: Callable[[Document], Document] = _as_it_is
    write_s: Callable[[Call], float] = _at_once


class ResourceManager:
    """The requests that both doors make, in the name of one caller."""

    def __init__(
        self,
        state: CloudState,
        hindrances: Sequence[Hindrance] = (),
        caller: Caller = PERSON,
        conduct: Conduct | None = None,
    ) -> None:
        self.state = state
        self.hindrances = tuple(hindrances)
        self.caller = caller
        self.conduct = conduct or Conduct()

    def acting_as(self, caller: Caller) -> ResourceManager:
        """The same Azure for another caller."""
        return ResourceManager(self.state, self.hindrances, caller, self.conduct)

    def get(self, arm_id: str) -> Document:
        """Raises AzureError (404 ResourceNotFound or ResourceGroupNotFound)."""
        with self._recorded(Call("GET", arm_id)) as call, self.state.transaction():
            self._arrive(call)
            document = self.state.get(arm_id)
            if document is None:
                raise preconditions.not_found(arm_id)
        return self.conduct.answer(document)

    def put(self, kind: ResourceType, arm_id: str, body: Mapping[str, Any]) -> Document:
        """Create the resource, or replace it with `body`. Returns it with what Azure computes. Raises AzureError."""
        with self._recorded(Call("PUT", arm_id, body, kind.api_version)) as call:
            with self.state.transaction():
                self._arrive(call)
                previous = self.state.get(arm_id)
                preconditions.check(preconditions.Put(kind, arm_id, body, previous), self.state)
                _check_content(kind, arm_id, body)
                document = _document(kind, arm_id, body, previous)
                computed.complete(document, previous, self.state)
                self.state.put(document)
            self._take_time(call)
        return self.conduct.answer(document)

    def delete(self, arm_id: str, query: Mapping[str, str] | None = None) -> None:
        """Delete the resource with everything below it. What is not there is deleted already, as in Azure (204). Raises
        AzureError, for example 409 ScopeLocked.

        A service of an account (`…/blobServices/default`) lives as long as the account: it only loses its settings.
        """
        with self._recorded(Call("DELETE", arm_id, query=query or {})) as call:
            with self.state.transaction():
                self._arrive(call)
                locks.refuse_deletion(arm_id, self.state)
                project_rules.check_delete(arm_id, self.state)
                self.state.delete(arm_id, below=not arm_ids.is_singleton(arm_id))
            self._take_time(call)

    def arrive(self, call: Call) -> None:
        """A request that is none of the above: a list (GET of a collection), an action (POST). Raises AzureError."""
        with self._recorded(call) as recorded, self.state.transaction():
            self._arrive(recorded)

    def act(self, arm_id: str, action: str, perform: Callable[[Document, CloudState], Answer]) -> Answer:
        """POST an action on a resource: `perform` gets the resource and gives the answer. Raises AzureError."""
        with self._recorded(Call("POST", f"{arm_id}/{action}")) as call, self.state.transaction():
            self._arrive(call)
            document = self.state.get(arm_id)
            if document is None:
                raise preconditions.not_found(arm_id)
            return perform(document, self.state)

    # --- What happens to every request ----------------------------------------------------------------

    @contextlib.contextmanager
    def _recorded(self, call: Call) -> Iterator[Call]:
        """The call with what is known once it has arrived. How it ends is recorded, too."""
        rights = (required.for_request(call.method, call.arm_id), *required.linked(call.arm_id, call.body))
        arrived = replace(call, caller=self.caller, rights=rights)
        with calls.recording(self.state, arrived) as number:
            yield replace(arrived, number=number)

    def _arrive(self, call: Call) -> None:
        authorization.require(call.caller, call.rights, call.body, self.state, self.conduct.role_spread_s)
        for hindrance in self.hindrances:
            hindrance(call, self.state)

    def _take_time(self, call: Call) -> None:
        """The effect is there, the answer is not: whoever dies now does not know what it has made."""
        seconds = self.conduct.write_s(call)
        if seconds > 0:
            self.state.afterwards(lambda: self.state.clock.sleep(seconds))


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
