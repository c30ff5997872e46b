"""What a row of the table says, and how two bodies are compared by it. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fixed:
    """A property of the body that stays as it was made.

    `path`: in ARM's terms; `[*]` stands for every item of a list. `forwards`: values that may still follow one another,
    in this order and never back. `absent`: what Azure takes a missing value for; None: to leave it out changes nothing.
    `part`: what of the value is fixed, where it is not the whole, and `note` says it in words. `by_choice`: Azure would
    change it; the platform does not, because something else would break. `arm_id`: ids of other resources, which Azure
    may return in another casing.
    """

    path: str
    source: str
    forwards: tuple[Any, ...] = ()
    absent: Any = None
    part: Callable[[Any], Any] | None = None
    note: str = ""
    by_choice: bool = False
    arm_id: bool = False


@dataclass(frozen=True)
class Creation:
    """What is fixed at the creation of one kind of resource.

    `loses`: what a new resource in its place would lose; "" where it may be replaced. `holds_data`: protected from
    deletion where the environment's profile says so. `keeps_name`: after a deletion the name stays taken for a while.
    """

    properties: tuple[Fixed, ...] = ()
    loses: str = ""
    holds_data: bool = False
    keeps_name: bool = False


@dataclass(frozen=True)
class Change:
    """A change that Azure does not make. Values as they are shown to people."""

    path: str
    before: str
    after: str


def every(source: str, *paths: str) -> tuple[Fixed, ...]:
    """Properties that one source names."""
    return tuple(Fixed(path, source) for path in paths)


def every_id(source: str, *paths: str) -> tuple[Fixed, ...]:
    """As `every`, of ids of other resources."""
    return tuple(Fixed(path, source, arm_id=True) for path in paths)


def can_be_replaced(*properties: Fixed) -> Creation:
    """A kind of resource that the program makes anew, and nothing is lost."""
    return Creation(properties)


def facts(properties: Iterable[Fixed], body: Mapping[str, Any]) -> dict[str, Any]:
    """The values of these properties in a body, by path. What is missing is left out."""
    values = {fixed.path: value_at(body, fixed.path) for fixed in properties}
    return {path: value for path, value in values.items() if value is not None}


def changes(properties: Iterable[Fixed], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """The differences between two sets of facts that Azure does not make."""
    for fixed in properties:
        old, new = before.get(fixed.path, fixed.absent), after.get(fixed.path, fixed.absent)
        if old is not None and new is not None and not _may_follow(fixed, old, new):
            yield Change(fixed.path, _shown(old), _shown(new))


def value_at(value: Any, path: str) -> Any:
    """The value at this path, None when there is none. A list of values where `[*]` stands in the path."""
    first, _, rest = path.partition(".")
    inner = value.get(first.removesuffix("[*]")) if isinstance(value, Mapping) else None
    if not first.endswith("[*]"):
        return value_at(inner, rest) if rest else inner
    if not isinstance(inner, list | tuple):
        return None
    found = [value_at(item, rest) for item in inner]
    return None if all(one is None for one in found) else found


def _may_follow(fixed: Fixed, old: Any, new: Any) -> bool:
    if fixed.part is not None:
        old, new = fixed.part(old), fixed.part(new)
    old, new = folded(old), folded(new)
    if old == new:
        return True
    if "[*]" in fixed.path:
        return _same_items(old, new)
    order = [folded(value) for value in fixed.forwards]
    if not order:
        return False
    return not (old in order and new in order) or order.index(old) < order.index(new)


def _same_items(old: Any, new: Any) -> bool:
    """Whether the items that both lists have are alike. One more or one less changes none of the others."""
    if isinstance(old, list) and isinstance(new, list):
        return all(_same_items(*pair) for pair in zip(old, new, strict=False))
    return old is None or new is None or old == new


def folded(value: Any) -> Any:
    """Without case and blanks: Azure returns ids in another casing, and a region is "West Europe" and "westeurope"."""
    if isinstance(value, str):
        return value.replace(" ", "").lower()
    if isinstance(value, Mapping):
        return {key: folded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [folded(inner) for inner in value]
    return value


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    # Pulumi keeps every number as a float.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
