"""Dataclasses as JSON and back, as the files of a parallel job hold them.

    to_json(plan)  ->  {"source": {"$class": "BatchInput", …}, "cores": 4, …}       from_json(ParallelPlan, data)

Paths become strings. Names of files that are not UTF-8 survive: JSON escapes the bytes that Python put into them.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_KIND = "$class"


def to_json(value: Any) -> Any:
    """What `json.dumps` takes. A dataclass becomes a mapping that names its class under `$class`."""
    if is_dataclass(value) and not isinstance(value, type):
        kept = {field.name: to_json(getattr(value, field.name)) for field in fields(value) if field.init}
        return {_KIND: type(value).__name__, **kept}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_json(each) for each in value]
    return value


def from_json(kind: Any, data: Any) -> Any:
    """The value of type `kind` that `to_json` made `data` of.

    Raises:
        KeyError, TypeError: `data` is of another version of the class.
    """
    if data is None:
        return None
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return from_json(_member(arguments, data), data)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        return kind(**{key: from_json(hints[key], each) for key, each in data.items() if key != _KIND})
    if kind is Path:
        return Path(data)
    return _plain(origin, arguments, data)


def _plain(origin: Any, arguments: Sequence[Any], data: Any) -> Any:
    """A mapping, a sequence, or a value that JSON has itself."""
    if isinstance(data, dict):
        value_kind = arguments[1] if len(arguments) == 2 else Any
        return {key: from_json(value_kind, each) for key, each in data.items()}
    if isinstance(data, list):
        values = [from_json(arguments[0] if arguments else Any, each) for each in data]
        return tuple(values) if origin is tuple else values
    return data


@lru_cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _member(kinds: Sequence[Any], data: Any) -> Any:
    """The member of a union that `data` is of; of classes, the one that its `$class` names."""
    if isinstance(data, dict) and _KIND in data:
        return next(kind for kind in kinds if getattr(kind, "__name__", "") == data[_KIND])
    return next(kind for kind in kinds if kind is not type(None))
