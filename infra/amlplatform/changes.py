"""What a proposed request changes against the one that was onboarded.

After onboarding, the platform's copy of a request (`requests/<product>.yaml` in the live project) is the one that
counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlplatform.request import Request, RequestError, load_request

# A change of one of these gives other names or another place: everything would be made anew, and data stays behind.
FIXED = ("name_suffix", "region")


@dataclass(frozen=True)
class Change:
    """One field that differs. Missing values are shown as "-"."""

    field: str
    before: str
    after: str


def since_onboarding(request: Request, live_project: Path) -> list[Change]:
    """The differences, or none when this folder is no live project or the product is new to it.

    Raises RequestError when the onboarded request cannot be read, or when a field differs that is fixed at onboarding.
    """
    onboarded_path = live_project / "requests" / f"{request.product}.yaml"
    if not (live_project / "Pulumi.yaml").is_file() or not onboarded_path.is_file():
        return []
    changes = list(_differences(load_request(onboarded_path).model_dump(), request.model_dump(), ""))
    fixed = [
        f"{change.field}: {change.after!r} differs from the onboarded request and cannot change; use {change.before!r}"
        for change in changes
        if change.field in FIXED
    ]
    if fixed:
        raise RequestError(fixed)
    return changes


def _differences(before: Any, after: Any, path: str) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            yield from _differences(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif before != after:
        yield Change(path, _shown(before), _shown(after))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        # What is off or empty was not asked for.
        value = {key: inner for key, inner in value.items() if inner not in (None, "", [], {}, False)}
    return "-" if value in (None, "", [], {}) else str(value)
