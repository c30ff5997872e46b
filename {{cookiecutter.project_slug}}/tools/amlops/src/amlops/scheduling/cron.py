"""Cron expressions as Azure ML reads them: minutes, hours, days, months, week days; days and months count as `*`.

Facts: Azure ML, "Schedule machine learning pipeline jobs": NCrontab with five fields, DAYS and MONTHS are not supported
and are read as `*`. Week days are 0 (Sunday) to 6.
"""

from __future__ import annotations

import re

# Name, lowest, highest.
FIELDS = (("minutes", 0, 59), ("hours", 0, 23), ("days", 1, 31), ("months", 1, 12), ("week days", 0, 6))
IGNORED = ("days", "months")
_NAMES = {
    "months": ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    "week days": ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}
_PART = re.compile(r"(\*|[0-9a-z]+)(?:-([0-9a-z]+))?(?:/([0-9]+))?")


def fields(expression: str) -> list[str]:
    """The fields of an expression; right ones are five."""
    return expression.lower().split()


def values(field: str, name: str, low: int, high: int) -> frozenset[int] | None:
    """The numbers that a field stands for, `0-30/10` for 0, 10, 20, 30; None for one that is malformed."""
    found: set[int] = set()
    for part in field.split(","):
        numbers = _numbers(part, name, low, high)
        if numbers is None:
            return None
        found.update(numbers)
    return frozenset(found)


def _numbers(part: str, name: str, low: int, high: int) -> range | None:
    match = _PART.fullmatch(part)
    if match is None:
        return None
    first, last, step = match.groups()
    if (step is not None and int(step) < 1) or (first == "*" and last is not None):
        return None
    start = low if first == "*" else _number(first, name)
    # `5/15`: from 5 on, every 15; `5` alone: 5.
    to_the_end = first == "*" or (last is None and step is not None)
    end = high if to_the_end else _number(last or first, name)
    if start is None or end is None or not low <= start <= end <= high:
        return None
    return range(start, end + 1, int(step or 1))


def _number(value: str, name: str) -> int | None:
    if value.isdigit():
        return int(value)
    names = _NAMES.get(name, ())
    return names.index(value) + (1 if name == "months" else 0) if value in names else None
