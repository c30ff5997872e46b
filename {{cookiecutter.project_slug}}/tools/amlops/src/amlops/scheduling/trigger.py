"""When a schedule runs, as its record says it: `trigger:` of the YAML, with times and the zone ready to count with.

Facts: `time_zone` applies to `start_time` and `end_time`, and azure-ai-ml 1.35.2 leaves out the offset of a time that
has one; a schedule without `start_time` starts with its creation (Azure ML, schedule YAML reference).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from amlops.errors import UserError
from amlops.scheduling import cron
from amlops.scheduling.timezones import TIME_ZONES

WEEK_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FREQUENCIES = ("minute", "hour", "day", "week", "month")
_SINGLE = ("minute", "hour")


@dataclass(frozen=True)
class Cron:
    """Every minute whose parts are in these sets; week days count from Monday, 0."""

    minutes: frozenset[int]
    hours: frozenset[int]
    week_days: frozenset[int]


@dataclass(frozen=True)
class Recurrence:
    """Every `interval` of `frequency`, counted from the start; the sets are empty where the file says nothing."""

    frequency: str
    interval: int
    hours: frozenset[int] = frozenset()
    minutes: frozenset[int] = frozenset()
    week_days: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()

    @property
    def is_elapsed(self) -> bool:
        """True when it counts the time that goes by, whatever clocks do."""
        return self.frequency in _SINGLE


@dataclass(frozen=True)
class Trigger:
    """A schedule's trigger. `start` and `end` are on the clocks of `zone`, without an offset.

    Attributes:
        zone_name: as the file has it, a Windows name.
        notes: what Azure reads otherwise than a person would.
    """

    pattern: Cron | Recurrence
    start: datetime
    end: datetime | None
    zone: ZoneInfo
    zone_name: str
    notes: tuple[str, ...] = ()


def trigger_of(data: Mapping[str, Any], made: datetime) -> Trigger:
    """The trigger of a record, or of a file that has no fault.

    Args:
        made: when the schedule was created, or would be; counts where there is no `start_time`.

    Raises:
        UserError: a value that cannot be counted with.
    """
    name = str(data.get("time_zone") or "UTC")
    zone = _zone(name)
    notes: list[str] = []
    start = _moment(data, "start_time", name, notes)
    end = _moment(data, "end_time", name, notes)
    is_cron = str(data.get("type")).lower() == "cron"
    pattern = _cron(str(data.get("expression") or ""), notes) if is_cron else _recurrence(data, notes)
    if start is None:
        notes.append("start_time: is not given, so Azure also starts a run at once when the schedule is created")
        start = made.astimezone(zone).replace(tzinfo=None)
    return Trigger(pattern, start.replace(microsecond=0), end, zone, name, tuple(notes))


def _zone(name: str) -> ZoneInfo:
    if name not in TIME_ZONES:
        raise UserError(f"trigger.time_zone: '{name}' is not a time zone; for example 'W. Europe Standard Time'")
    try:
        return ZoneInfo(TIME_ZONES[name])
    except ZoneInfoNotFoundError:
        message = f"trigger.time_zone: this machine has no data on '{TIME_ZONES[name]}'; pip install tzdata"
        raise UserError(message) from None


def _moment(data: Mapping[str, Any], key: str, zone: str, notes: list[str]) -> datetime | None:
    value = data.get(key)
    if value in (None, ""):
        return None
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        message = f"trigger.{key}: '{value}' is not a date and time; for example 2026-01-31T06:00:00"
        raise UserError(message) from None
    if found.tzinfo is not None:
        notes.append(f"{key}: the offset of '{value}' is not sent to Azure; it is read as a time in {zone}")
    return found.replace(tzinfo=None)


def _cron(expression: str, notes: list[str]) -> Cron:
    found = cron.fields(expression)
    if len(found) != len(cron.FIELDS):
        raise UserError(f"trigger.expression: '{expression}' has {len(found)} fields, not 5; for example 15 * * * *")
    sets: dict[str, frozenset[int]] = {}
    ignored: list[str] = []
    for field, (name, low, high) in zip(found, cron.FIELDS, strict=True):
        numbers = cron.values(field, name, low, high)
        if numbers is None:
            raise UserError(f"trigger.expression: '{field}' is not a value for {name}; for example 15 * * * *")
        sets[name] = numbers
        if name in cron.IGNORED and field != "*":
            ignored.append(name)
    if ignored:
        notes.append(f"expression: Azure ML reads the {' and '.join(ignored)} of '{expression}' as *, and so does this")
    return Cron(sets["minutes"], sets["hours"], frozenset((day - 1) % 7 for day in sets["week days"]))


def _recurrence(data: Mapping[str, Any], notes: list[str]) -> Recurrence:
    frequency, interval = str(data.get("frequency")).lower(), data.get("interval")
    if frequency not in FREQUENCIES:
        raise UserError(f"trigger.frequency: '{frequency}' must be one of {', '.join(FREQUENCIES)}")
    if not isinstance(interval, int) or interval < 1:
        raise UserError(f"trigger.interval: '{interval}' must be a whole number from 1; for example 1")
    given = data.get("schedule") or {}
    sets = {key: frozenset(several(given.get(key))) for key in ("hours", "minutes", "week_days", "month_days")}
    if frequency in _SINGLE:
        if any(sets.values()):
            notes.append("schedule: Azure documents it for the frequencies day, week and month; it is not counted here")
        return Recurrence(frequency, interval)
    days = frozenset(WEEK_DAYS.index(str(day).lower()) for day in sets["week_days"])
    return Recurrence(frequency, interval, sets["hours"], sets["minutes"], days, sets["month_days"])


def several(value: Any) -> list[Any]:
    """One value, or several; Azure ML takes both."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
