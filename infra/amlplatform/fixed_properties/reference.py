"""The table for people: sections of docs/platform.md."""

from __future__ import annotations

from collections.abc import Iterable

from amlplatform.fixed_properties import CREATIONS, Fixed


def refused() -> str:
    """What a preview refuses to change, besides name and region; what holds data first."""
    rows = [
        (
            f"`{arm_type}`",
            _names(creation.properties) or "-",
            creation.loses,
            "yes" if creation.holds_data else "",
        )
        for arm_type, creation in sorted(CREATIONS.items(), key=lambda row: (not row[1].holds_data, row[0]))
        if creation.loses
    ]
    return _table(("kind of resource", "stays as it was made", "a new one would lose", "protected in prod"), rows)


def replaced() -> str:
    """What makes a new resource."""
    rows = [
        (f"`{arm_type}`", _names(creation.properties))
        for arm_type, creation in sorted(CREATIONS.items())
        if creation.properties and not creation.loses
    ]
    return _table(("kind of resource", "another value makes a new one"), rows)


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _names(properties: Iterable[Fixed]) -> str:
    return ", ".join(_name(fixed) for fixed in properties)


def _name(fixed: Fixed) -> str:
    """The property without the boxes that ARM keeps it in, and which changes pass."""
    name = ".".join(part for part in fixed.path.split(".") if part not in ("properties", "value"))
    name = name.rpartition("[*].")[2] if name.count("[*]") > 1 else name
    if fixed.forwards:
        order = " → ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in fixed.forwards)
        return f"`{name}` (only {order})"
    return f"`{name}` ({fixed.note})" if fixed.note else f"`{name}`"
