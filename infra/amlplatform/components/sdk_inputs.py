"""Inputs of a resource as a program gives them to the SDK, looked at by ARM's paths.

They are typed arguments, mappings and outputs, with names in Python's spelling, and without ARM's inner `properties`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import pulumi

from amlplatform.armtypes.resource_types import ResourceType

_MISSING = object()


def value_at(kind: ResourceType, props: Mapping[str, Any], path: str) -> Any:
    """The value at this path of the ARM body, None when there is none or it cannot be looked into (an output).

    The path `name` is the resource's own name. A list of values where `[*]` stands in the path.
    """
    return _walk(props, _parts(kind, path))


def _walk(value: Any, parts: list[str]) -> Any:
    if not parts:
        return value.value if isinstance(value, Enum) else value
    first, *rest = parts
    inner = _member(value, first.removesuffix("[*]"))
    if inner is _MISSING:
        return _walk(value, rest) if first == "properties" else None
    if first.endswith("[*]"):
        return [_walk(item, rest) for item in inner] if isinstance(inner, list | tuple) else None
    return _walk(inner, rest)


def path_of(kind: ResourceType, props: Mapping[str, Any], path: str) -> str:
    """The same path in Pulumi's terms, for the options of a resource."""
    value: Any = props
    found: list[str] = []
    for part in _parts(kind, path):
        name = part.removesuffix("[*]")
        inner = _member(value, name)
        if inner is _MISSING and part == "properties":
            continue
        found.append(part)
        value = inner[0] if part.endswith("[*]") and isinstance(inner, list | tuple) and inner else inner
    return ".".join(found)


def is_plain(value: Any) -> bool:
    """Whether the program states the value: it waits for nothing."""
    if isinstance(value, list):
        return all(is_plain(item) for item in value)
    return isinstance(value, str | bool | int | float)


def _parts(kind: ResourceType, path: str) -> list[str]:
    if path == "name":
        return [kind.name_input]
    parts = path.split(".")
    sdk_names = {arm: sdk for sdk, arm in kind.renames.items()}
    return [*(sdk_names.get(part, part) for part in parts[:2]), *parts[2:]]


def _member(value: Any, name: str) -> Any:
    if isinstance(value, pulumi.Output):
        return _MISSING
    fields = value if isinstance(value, Mapping) else getattr(value, "__dict__", {})
    wanted = _folded(name)
    found = next((inner for key, inner in fields.items() if _folded(key) == wanted), _MISSING)
    return _MISSING if found is None else found


def _folded(key: str) -> str:
    return key.replace("_", "").lower()
