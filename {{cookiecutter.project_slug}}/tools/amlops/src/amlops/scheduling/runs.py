"""The moments at which a schedule runs.

    for moment in runs(trigger, since): ...      # UTC, rising, without end unless the schedule has one

A pattern is about the clocks of the schedule's time zone. A time that a clock leaves out in spring is run at the same
distance from midnight, 02:30 at 03:30; one that it shows twice in autumn is run the first time, unless the pattern has
every hour. Frequencies of minutes and hours count the time that goes by, weeks begin on Monday. Azure ML does not
document any of this: these rules are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from amlops.scheduling.trigger import Cron, Trigger

_DAY = timedelta(days=1)
_EVERY_HOUR = 24
# A schedule that has not run for so long never does: the 31st of a month that has 30 days.
_LONGEST_WAIT = timedelta(days=100 * 366)
_LAST = datetime(9000, 1, 1)
# Clocks that are put forward move a time of one day into the next, and over the date line over a whole one.
_OVERLAP = timedelta(days=2)
_MONTHS_COUNTED = 48
_DAYS_COUNTED = 1461
_MONTH = timedelta(days=_DAYS_COUNTED / _MONTHS_COUNTED)


def runs(trigger: Trigger, since: datetime) -> Iterator[datetime]:
    """The runs from `since` on, in UTC, rising."""
    begin, end = _utc(trigger.start, trigger), _end(trigger)
    if begin is None:
        return
    step = _step(trigger)
    found = _by_clock(trigger, max(since, begin)) if step is None else _elapsed(step, begin, since)
    for moment in found:
        if end is not None and moment > end:
            return
        if moment >= max(since, begin):
            yield moment


def per_month(trigger: Trigger) -> float:
    """How many runs a month has, on average of four years."""
    step = _step(trigger)
    if step is not None:
        return round(_MONTH / step, 1)
    first = trigger.start.date()
    if first.year > _LAST.year - 10:
        return 0.0
    days = sum(_is_day(trigger, first + number * _DAY) for number in range(_DAYS_COUNTED))
    return round(days * len(_times(trigger)) / _MONTHS_COUNTED, 1)


def _step(trigger: Trigger) -> timedelta | None:
    """The time from run to run where the pattern is no more than that; None for one that looks at clocks."""
    pattern = trigger.pattern
    if isinstance(pattern, Cron) or not pattern.is_elapsed:
        return None
    return timedelta(**{f"{pattern.frequency}s": pattern.interval})


def _elapsed(step: timedelta, begin: datetime, since: datetime) -> Iterator[datetime]:
    moment = begin + step * max(0, -((begin - since) // step))
    while moment.year < _LAST.year:
        yield moment
        moment += step


def _by_clock(trigger: Trigger, since: datetime) -> Iterator[datetime]:
    """Runs at times of the day, from about `since` on."""
    times = _times(trigger)
    twice = len({moment.hour for moment in times}) == _EVERY_HOUR
    day = max(since.astimezone(trigger.zone).date() - _OVERLAP, date(1900, 1, 1))
    last = min(day + _LONGEST_WAIT, _LAST.date())
    waiting: set[datetime] = set()
    while day < last:
        if _is_day(trigger, day):
            waiting.update(_moments(day, times, trigger, twice=twice))
        day += _DAY
        if waiting:
            passed = _utc(datetime.combine(day, time()), trigger)
            ready = sorted(moment for moment in waiting if passed and moment < passed - _OVERLAP)
            yield from ready
            waiting.difference_update(ready)
    yield from sorted(waiting)


def _moments(day: date, times: list[time], trigger: Trigger, *, twice: bool) -> Iterator[datetime]:
    for clock in times:
        wall = datetime.combine(day, clock, tzinfo=trigger.zone)
        first = wall.astimezone(UTC)
        yield first
        if twice:
            second = wall.replace(fold=1).astimezone(UTC)
            if second > first:  # the clock shows it twice
                yield second


def _times(trigger: Trigger) -> list[time]:
    """The times of a day at which it runs; what a recurrence does not say is that of the start."""
    pattern, start = trigger.pattern, trigger.start
    hours, minutes = pattern.hours or {start.hour}, pattern.minutes or {start.minute}
    is_said = bool(pattern.hours or pattern.minutes)
    return sorted(time(hour, minute, 0 if is_said else start.second) for hour in hours for minute in minutes)


def _is_day(trigger: Trigger, day: date) -> bool:
    pattern, start = trigger.pattern, trigger.start.date()
    if isinstance(pattern, Cron):
        return day.weekday() in pattern.week_days
    if day < start:
        return False
    week_days, month_days = pattern.week_days, pattern.month_days
    if pattern.frequency == "day":
        passed = (day - start).days
    elif pattern.frequency == "week":
        passed = (_monday(day) - _monday(start)).days // 7
        week_days = week_days or {start.weekday()}
    else:
        passed = (day.year - start.year) * 12 + day.month - start.month
        month_days = month_days if month_days or week_days else {start.day}
    is_turn = passed % pattern.interval == 0
    return is_turn and day.weekday() in (week_days or {day.weekday()}) and day.day in (month_days or {day.day})


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _utc(wall: datetime, trigger: Trigger) -> datetime | None:
    """A time on the schedule's clocks in UTC; None for one that is too far away to count."""
    if not 1900 <= wall.year < _LAST.year:
        return datetime(1900, 1, 1, tzinfo=UTC) if wall.year < 1900 else None
    return wall.replace(tzinfo=trigger.zone).astimezone(UTC)


def _end(trigger: Trigger) -> datetime | None:
    return None if trigger.end is None else _utc(trigger.end, trigger)
