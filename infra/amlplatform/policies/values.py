"""Reading values out of ARM bodies. A value that is known only after the deployment counts as right everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final, TypeGuard

from amlplatform.armtypes.catalogue import UNKNOWN

Body = Mapping[str, Any]


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT
"""What `at` returns for a property that is not there."""

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?")
_SECONDS = (86_400, 3_600, 60, 1)


def at(body: Any, path: str) -> Any:
    """The value at a path of keys with dots between them; ABSENT, or UNKNOWN when a part of the way is not known.

    A list with an item that is not known counts as not known as a whole.
    """
    value = _raw(body, path)
    return UNKNOWN if isinstance(value, list) and UNKNOWN in value else value


def _raw(body: Any, path: str) -> Any:
    value = body
    for key in path.split("."):
        if value == UNKNOWN:
            return UNKNOWN
        if not isinstance(value, Mapping) or key not in value:
            return ABSENT
        value = value[key]
    return ABSENT if value is None else value


def is_empty(body: Any, path: str) -> bool:
    """Whether a property is absent, or is there and holds nothing."""
    value = at(body, path)
    return value is ABSENT or value in ([], {}, "")


def is_known(value: Any) -> bool:
    """Whether the value is there and is known before the deployment."""
    return value is not ABSENT and value != UNKNOWN


def is_mapping(value: Any) -> TypeGuard[Body]:
    return isinstance(value, Mapping)


def items(body: Any, path: str) -> list[Any]:
    """The known items of a list; none when it is absent, not known or no list."""
    value = _raw(body, path)
    return [item for item in value if item != UNKNOWN] if isinstance(value, list) else []


def entries(body: Any, path: str) -> list[tuple[str, Any]]:
    """Keys and values of a mapping; none when it is absent, not known or no mapping."""
    value = _raw(body, path)
    return list(value.items()) if isinstance(value, Mapping) else []


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a value, keys of mappings included, each with the path to it."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            where = f"{path}.{key}" if path else str(key)
            yield where, str(key)
            yield from texts(inner, where)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts(inner, f"{path}[{index}]")
    elif isinstance(value, str) and value != UNKNOWN:
        yield path, value


def shown(value: Any) -> str:
    """A value as people read it in a line: true, 'Enabled', not set."""
    if value is ABSENT:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def seconds(duration: Any) -> int | None:
    """Length of an ISO 8601 duration such as PT120S; None when the value is no duration."""
    match = _DURATION.fullmatch(duration) if isinstance(duration, str) else None
    if match is None or not any(match.groups()):
        return None
    return sum(int(part or 0) * length for part, length in zip(match.groups(), _SECONDS, strict=True))


def same_id(one: Any, other: Any) -> bool:
    """Whether two ARM ids name the same resource. Azure ignores case in ids, and so do we the subscription.

    An id that is made before the deployment has a placeholder for the subscription.
    """
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    return is_known_id(one) and in_group(one) == in_group(other)


def is_known_id(arm_id: str) -> bool:
    """Whether the part of an id below the subscription is known."""
    return arm_id != "" and UNKNOWN not in in_group(arm_id)


def in_group(arm_id: str) -> str:
    """An id in lower case from `resourcegroups/` on."""
    lower = arm_id.lower().strip("/")
    return re.sub(r"^subscriptions/[^/]+/", "", lower)
