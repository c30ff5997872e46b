"""Values of a body as people read them: durations in words, ids without their beginning, parts of a list by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MISSING = object()
"""Stands for a value that is not there."""
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_UNITS = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
# In the id of a resource, type and name come last; subscription and group say nothing to people.
_ID = re.compile(r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+/(.+)", re.IGNORECASE)
_TRUTH = {"True": "yes", "False": "no"}
_POOL = {"name", "vmSize", "minCount", "maxCount"}


def text(value: Any) -> str:
    """The value in words."""
    if value is MISSING:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, list):
        separator = "; " if any(isinstance(inner, Mapping) for inner in value) else ", "
        return separator.join(text(inner) for inner in value) or "none"
    return _TRUTH.get(str(value)) or _duration(str(value)) or _without_beginning(str(value))


def _mapping(value: Mapping[str, Any]) -> str:
    if value.keys() >= _POOL:
        zones = text(value.get("availabilityZones") or [])
        return f"{value['name']}: {value['minCount']} to {value['maxCount']} nodes of {value['vmSize']}, zones {zones}"
    logs = value.get("category") or value.get("categoryGroup")
    if logs:
        return str(logs) if value.get("enabled") else f"{logs} off"
    if "name" in value and all(isinstance(inner, Mapping) for key, inner in value.items() if key != "name"):
        return str(value["name"])
    parts = (key if isinstance(inner, Mapping) else f"{key} {text(inner)}" for key, inner in value.items())
    return ", ".join(parts) or "none"


def _duration(value: str) -> str:
    """`PT15M` as "15 minutes", in the largest unit that fits; "" for what is no duration of ISO 8601."""
    match = _DURATION.fullmatch(value)
    if match is None or not any(match.groups()):
        return ""
    seconds = sum(int(count or 0) * size for count, size in zip(match.groups(), _UNITS.values(), strict=True))
    unit, size = next(((unit, size) for unit, size in _UNITS.items() if seconds % size == 0))
    count = seconds // size
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _without_beginning(value: str) -> str:
    match = _ID.fullmatch(value)
    return match[1] if match else value
