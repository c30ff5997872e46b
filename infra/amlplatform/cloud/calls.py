"""The record of every request: who made it, which rights it needed, how it ended.

Kept in the state, table `calls`, in the order in which requests arrived. A call without a status was never answered:
its process was killed, or it is under way.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.required import Right
from amlplatform.cloud.state import CloudState

if TYPE_CHECKING:
    from amlplatform.cloud.resource_manager import Call

_OK = 200


@dataclass(frozen=True)
class Recorded:
    """One request.

    `time`: seconds since 1970; `caller`: the object id; `rights`: the first is that of the request itself, the others
    are those on resources that its body names. `status` is None while there is no answer, `code` Azure's code of a
    refusal.
    """

    number: int
    time: float
    method: str
    arm_id: str
    arm_type: str
    api_version: str
    caller: str
    rights: tuple[Right, ...]
    status: int | None
    code: str | None


@contextlib.contextmanager
def recording(state: CloudState, call: Call) -> Iterator[int]:
    """Record a request on arrival, and how it ends. Yields its number.

    Inside a transaction of the door nothing can be written that outlives a refusal: then the call is recorded when
    that is over, and its number is 0.
    """
    number = 0 if state.in_transaction else _begin(state, call)
    outcome: tuple[int, str | None] = (_OK, None)
    try:
        yield number
    except AzureError as error:
        outcome = (error.status, error.code)
        raise
    finally:
        state.afterwards(lambda: _end(state, number or _begin(state, call), *outcome))


def _begin(state: CloudState, call: Call) -> int:
    arm_type = call.rights[0].action.rpartition("/")[0]
    rights = json.dumps([[right.action, right.scope] for right in call.rights])
    row = (state.clock.now(), call.method, call.arm_id, arm_type, call.api_version, call.caller.object_id, rights)
    query = (
        "INSERT INTO calls (time, method, id, type, api_version, caller, rights) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "RETURNING number"
    )
    return state.rows(query, row)[0][0]


def _end(state: CloudState, number: int, status: int, code: str | None) -> None:
    state.rows("UPDATE calls SET status = ?, code = ? WHERE number = ?", (status, code, number))


def recorded(state: CloudState, after: int = 0) -> list[Recorded]:
    """The calls with a number above `after`, in their order."""
    query = (
        "SELECT number, time, method, id, type, api_version, caller, rights, status, code FROM calls "
        "WHERE number > ? ORDER BY number"
    )
    return [
        Recorded(
            number,
            at,
            method,
            arm_id,
            arm_type,
            version,
            caller,
            tuple(Right(*r) for r in json.loads(rights)),
            status,
            code,
        )
        for number, at, method, arm_id, arm_type, version, caller, rights, status, code in state.rows(query, (after,))
    ]


def last(state: CloudState) -> int:
    """The number of the latest call, 0 before the first."""
    return state.rows("SELECT coalesce(max(number), 0) FROM calls")[0][0]
