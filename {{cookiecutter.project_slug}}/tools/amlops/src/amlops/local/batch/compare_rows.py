"""Two results of the same input, item by item: which differ, and how.

A row belongs to an item; the rows of an item are compared in their order. Text, whole numbers, dates and booleans are
labels: they are equal or not. Other numbers differ when they are further apart than the tolerance. What a list gave as
text is compared word by word, so that "a.png cat 0.91" and "a.png cat 0.92" differ by 0.01.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LABEL, NUMBER = "label", "number"
ONLY_FIRST, ONLY_SECOND = "only in the first", "only in the second"
FAILED_FIRST, FAILED_SECOND = "failed in the first", "failed in the second"
KINDS = (LABEL, NUMBER, ONLY_FIRST, ONLY_SECOND, FAILED_FIRST, FAILED_SECOND)


@dataclass(frozen=True)
class Rows:
    """The rows of one result.

    Attributes:
        by_item: the rows of each item, each with the values of `columns`.
        columns: the script's own columns, in order.
        words: columns of text that is compared word by word.
        failed: items that the job counts as failed, with the reason.
    """

    by_item: Mapping[str, Sequence[Sequence[Any]]]
    columns: Sequence[str]
    words: frozenset[str] = frozenset()
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """One difference: `row` counts the rows of the item from 1; `first` and `second` are the two values."""

    item: str
    kind: str
    row: int = 0
    column: str = ""
    first: Any = None
    second: Any = None
    difference: float | None = None


@dataclass
class Comparison:
    """What two results have in common and what not. `notes` are for the user."""

    items: int = 0
    different: int = 0
    failed_in_both: int = 0
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def equal(self) -> int:
        """Items with the same result in both."""
        return self.items - self.different - self.failed_in_both

    @property
    def largest(self) -> Difference | None:
        """The difference of two numbers that is largest."""
        numbers = [each for each in self.differences if each.difference is not None]
        return max(numbers, key=lambda each: _size(each.difference), default=None)

    def items_with(self, kind: str) -> int:
        """How many items have a difference of this kind."""
        return len({each.item for each in self.differences if each.kind == kind})


def compared(first: Rows, second: Rows, tolerance: float) -> Comparison:
    """Compare two results."""
    result = Comparison()
    pairs, result.notes = _pairs(first, second)
    places = dict.fromkeys([*first.by_item, *second.by_item, *first.failed, *second.failed])
    for item in places:
        found = list(_of_item(item, first, second, pairs, tolerance))
        result.items += 1
        if found:
            result.different += 1
            result.differences += found
        elif item not in first.by_item:
            result.failed_in_both += 1
    return result


def _of_item(
    item: str, first: Rows, second: Rows, pairs: Sequence[tuple[int, int]], tolerance: float
) -> Iterator[Difference]:
    here, there = first.by_item.get(item, ()), second.by_item.get(item, ())
    if not here and not there:
        return
    if not here:
        kind = FAILED_FIRST if item in first.failed else ONLY_SECOND
        yield Difference(item, kind, second=first.failed.get(item))
        return
    if not there:
        kind = FAILED_SECOND if item in second.failed else ONLY_FIRST
        yield Difference(item, kind, first=second.failed.get(item))
        return
    for row, (mine, theirs) in enumerate(zip(here, there, strict=False), 1):
        for left, right in pairs:
            name = first.columns[left]
            words = name in first.words and second.columns[right] in second.words
            for each in _of_values(name, mine[left], theirs[right], tolerance, words=words):
                yield Difference(item, each[1], row, each[0], *each[2:])
    for row in range(min(len(here), len(there)), max(len(here), len(there))):
        yield Difference(item, ONLY_FIRST if len(here) > len(there) else ONLY_SECOND, row + 1)


_Value = tuple[str, str, Any, Any, float | None]


def _of_values(name: str, first: Any, second: Any, tolerance: float, *, words: bool) -> Iterator[_Value]:
    left, right = dict(_flat(name, first, words=words)), dict(_flat(name, second, words=words))
    if left.keys() != right.keys():
        yield name, LABEL, first, second, None
        return
    for key, value in left.items():
        other = right[key]
        if _is_number(value) and _is_number(other) and not (isinstance(value, int) and isinstance(other, int)):
            distance = _distance(float(value), float(other))
            if not distance <= tolerance:
                yield key, NUMBER, value, other, distance
        elif value != other:
            yield key, LABEL, value, other, None


def _flat(name: str, value: Any, *, words: bool) -> Iterator[tuple[str, Any]]:
    """A value as its single values, named by where they stand in it."""
    if words and isinstance(value, str) and len(parts := value.split()) > 1:
        for place, part in enumerate(parts, 1):
            yield f"{name}: word {place}", _number(part)
        return
    if isinstance(value, str) and value[:1] in ("[", "{"):
        value = _json(value)
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _flat(f"{name}.{key}", each, words=False)
    elif isinstance(value, list | tuple):
        for place, each in enumerate(value):
            yield from _flat(f"{name}[{place}]", each, words=False)
    else:
        yield name, _number(value) if words and isinstance(value, str) else value


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _number(text: str) -> Any:
    """A word as the number that it is, if it is one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _distance(first: float, second: float) -> float:
    """How far apart two numbers are; 0 for two that are both no number, infinite where only one is."""
    if math.isnan(first) or math.isnan(second) or math.isinf(first) or math.isinf(second):
        return 0.0 if first == second or (math.isnan(first) and math.isnan(second)) else math.inf
    return abs(first - second)


def _size(difference: float | None) -> float:
    return -1.0 if difference is None else difference


def _pairs(first: Rows, second: Rows) -> tuple[list[tuple[int, int]], list[str]]:
    """Which column of the first result is compared with which of the second, and what to say about it."""
    names, others = list(first.columns), list(second.columns)
    common = [name for name in names if name in others]
    if not names or not others or (len(common) < len(names) and len(names) == len(others)):
        note = f"columns are compared by their place: {', '.join(names)} with {', '.join(others)}"
        return list(zip(range(len(names)), range(len(others)), strict=False)), [note] if names and others else []
    notes = (
        [f"not compared, because only one of the two has them: {', '.join(alone)}"]
        if (alone := [name for name in [*names, *others] if name not in common])
        else []
    )
    return [(names.index(name), others.index(name)) for name in common], notes
