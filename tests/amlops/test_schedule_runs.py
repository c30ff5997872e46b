"""When a schedule runs: the counting behind `amlops schedule preview` and the next run of `amlops status`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amlops.errors import UserError
from amlops.scheduling import cron
from amlops.scheduling.runs import per_month, runs
from amlops.scheduling.timezones import TIME_ZONES
from amlops.scheduling.trigger import WEEK_DAYS, trigger_of

BERLIN = "W. Europe Standard Time"
MADE = datetime(2026, 1, 1, tzinfo=UTC)


def times(data: dict[str, Any], since: str, count: int) -> list[str]:
    """The next runs, on the clocks of the schedule's zone."""
    trigger = trigger_of(data, MADE)
    found = islice(runs(trigger, datetime.fromisoformat(since)), count)
    return [moment.astimezone(trigger.zone).strftime("%m-%d %H:%M %z") for moment in found]


def cron_of(expression: str, **more: Any) -> dict[str, Any]:
    return {"type": "cron", "expression": expression, "time_zone": BERLIN, **more}


def recurrence(frequency: str, interval: int = 1, **more: Any) -> dict[str, Any]:
    pattern = {key: more.pop(key) for key in ("hours", "minutes", "week_days", "month_days") if key in more}
    return {
        "type": "recurrence",
        "frequency": frequency,
        "interval": interval,
        "time_zone": BERLIN,
        **({"schedule": pattern} if pattern else {}),
        **more,
    }


def test_a_daily_time_keeps_to_the_clock_through_summer_time() -> None:
    for data in (cron_of("0 6 * * *"), recurrence("day", hours=[6], minutes=[0])):
        assert times(data, "2026-03-28T00:00Z", 2) == ["03-28 06:00 +0100", "03-29 06:00 +0200"]
        assert times(data, "2026-10-24T00:00Z", 2) == ["10-24 06:00 +0200", "10-25 06:00 +0100"]


def test_a_time_that_the_clock_leaves_out_is_run_later_and_one_that_it_shows_twice_once() -> None:
    data = cron_of("30 2 * * *")
    assert times(data, "2026-03-28T12:00Z", 2) == ["03-29 03:30 +0200", "03-30 02:30 +0200"]
    assert times(data, "2026-10-24T12:00Z", 2) == ["10-25 02:30 +0200", "10-26 02:30 +0100"]
    both = cron_of("30 2,3 * * *")
    assert times(both, "2026-03-28T12:00Z", 2) == ["03-29 03:30 +0200", "03-30 02:30 +0200"]


def test_every_hour_is_every_hour_when_clocks_change() -> None:
    spring = ["03-29 01:15 +0100", "03-29 03:15 +0200", "03-29 04:15 +0200"]
    autumn = ["10-25 02:15 +0200", "10-25 02:15 +0100", "10-25 03:15 +0100"]
    for data in (cron_of("15 * * * *"), recurrence("hour", start_time="2026-01-01T00:15:00")):
        assert times(data, "2026-03-29T00:00Z", 3) == spring
        assert times(data, "2026-10-25T00:00Z", 3) == autumn


def test_days_and_months_of_a_cron_expression_count_as_any() -> None:
    data = cron_of("0 6 1 1 1-5")
    assert times(data, "2026-11-27T00:00Z", 2) == ["11-27 06:00 +0100", "11-30 06:00 +0100"]
    notes = trigger_of(data, MADE).notes
    assert any("reads the days and months of '0 6 1 1 1-5' as *" in note for note in notes)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (recurrence("day", 2, hours=[6], minutes=[0], start_time="2026-05-01"), ["05-01 06:00", "05-03 06:00"]),
        (recurrence("week", 2, hours=[6], minutes=[0], week_days=["friday"], start_time="2026-05-01"),
         ["05-01 06:00", "05-15 06:00"]),
        (recurrence("week", start_time="2026-05-01T07:30:00"), ["05-01 07:30", "05-08 07:30"]),
        (recurrence("month", hours=3, minutes=15, month_days=[1, 15], start_time="2026-05-01"),
         ["05-01 03:15", "05-15 03:15"]),
        (recurrence("month", start_time="2026-05-31T04:00:00"), ["05-31 04:00", "07-31 04:00"]),
        (recurrence("month", hours=3, minutes=0, week_days="monday", start_time="2026-05-01"),
         ["05-04 03:00", "05-11 03:00"]),
        (recurrence("minute", 90, start_time="2026-05-01T00:00:00"), ["05-01 00:00", "05-01 01:30"]),
        (recurrence("day", hours=[6], minutes=[0], start_time="2026-05-01", end_time="2026-05-01T06:00:00"),
         ["05-01 06:00"]),
        (recurrence("day", hours=[6], minutes=[0], end_time="2026-01-01T00:00:00"), []),
        (recurrence("day", month_days=[31], hours=[0], minutes=[0], start_time="9999-01-01"), []),
        (cron_of("0 6 * * *", end_time="9999-12-31T23:59:59"), ["05-01 06:00", "05-02 06:00"]),
    ],
)  # fmt: skip
def test_patterns(data: dict[str, Any], found: list[str]) -> None:
    assert [text[:-6] for text in times(data, "2026-04-30T22:00Z", 2)] == found


def test_without_start_time_the_creation_counts_and_it_is_said() -> None:
    trigger = trigger_of(recurrence("day", 3, hours=[6], minutes=[0]), datetime(2026, 5, 1, 12, tzinfo=UTC))
    days = [moment.day for moment in islice(runs(trigger, datetime(2026, 5, 1, tzinfo=UTC)), 2)]
    assert days == [4, 7]
    assert any("at once when the schedule is created" in note for note in trigger.notes)


def test_the_offset_of_a_start_is_left_out_as_the_client_does() -> None:
    trigger = trigger_of(recurrence("day", start_time="2026-05-01T06:00:00+09:00"), MADE)
    assert next(runs(trigger, MADE)) == datetime(2026, 5, 1, 6, tzinfo=ZoneInfo("Europe/Berlin"))
    assert any("offset" in note for note in trigger.notes)


@pytest.mark.parametrize(
    ("data", "number"),
    [
        (cron_of("0 6 * * *"), 30.4),
        (cron_of("0 6 * * 1-5"), 21.7),
        (recurrence("minute", 30), 1461.0),
        (recurrence("week", 2, hours=[6, 18], minutes=[0], week_days=["monday"]), 4.3),
        (recurrence("month", 3, hours=[6], minutes=[0], month_days=[1]), 0.3),
    ],
)
def test_runs_of_a_month(data: dict[str, Any], number: float) -> None:
    assert per_month(trigger_of(data, MADE)) == pytest.approx(number, abs=0.06)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (recurrence("day", time_zone="Europe/Berlin"), "trigger.time_zone: 'Europe/Berlin'"),
        (recurrence("day", 0), "trigger.interval: '0'"),
        (recurrence("year"), "trigger.frequency: 'year'"),
        (recurrence("day", end_time="soon"), "trigger.end_time: 'soon'"),
        (cron_of("every hour"), "has 2 fields, not 5"),
        (cron_of("61 * * * *"), "'61' is not a value for minutes"),
    ],
)
def test_what_cannot_be_counted_with_is_told_by_its_field(data: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says.replace(".", r"\.")):
        trigger_of(data, MADE)


def test_every_windows_name_has_a_zone_on_this_machine() -> None:
    for name in TIME_ZONES:
        trigger_of(cron_of("0 0 * * *", time_zone=name), MADE)


NUMBERS = {
    "minutes": st.frozensets(st.integers(0, 59), min_size=1, max_size=3),
    "hours": st.frozensets(st.integers(0, 23), min_size=1, max_size=3),
    "week_days": st.frozensets(st.integers(0, 6), max_size=3),
    "month_days": st.frozensets(st.integers(1, 28), max_size=3),
}
ZONES = st.sampled_from(
    (BERLIN, "UTC", "Lord Howe Standard Time", "Samoa Standard Time", "Greenland Standard Time", "Cuba Standard Time")
)
MOMENTS = st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1)).map(lambda one: one.replace(microsecond=0))


@st.composite
def patterns(draw: st.DrawFn) -> dict[str, Any]:
    """Triggers of every kind that look at clocks."""
    sets = {key: draw(values) for key, values in NUMBERS.items()}
    start = draw(MOMENTS)
    more = {
        "time_zone": draw(ZONES),
        "start_time": start.isoformat(),
        "end_time": (start + timedelta(days=draw(st.integers(0, 2000)))).isoformat(),
    }
    if draw(st.booleans()):
        week_days = ",".join(map(str, sorted(sets["week_days"]))) or "*"
        minutes, hours = (",".join(map(str, sorted(sets[key]))) for key in ("minutes", "hours"))
        return {"type": "cron", "expression": f"{minutes} {hours} * * {week_days}", **more}
    names = {
        "hours": sorted(sets["hours"]),
        "minutes": sorted(sets["minutes"]),
        "week_days": [WEEK_DAYS[day] for day in sets["week_days"]],
        "month_days": sorted(sets["month_days"]),
    }
    frequency = draw(st.sampled_from(("day", "week", "month")))
    return {**recurrence(frequency, draw(st.integers(1, 5)), **names), **more}


def wanted(data: dict[str, Any], wall: datetime) -> bool:
    """Whether a time on the clock is one of the pattern, written down apart from what is tested."""
    if data["type"] == "cron":
        minutes, hours, _, _, days = data["expression"].split()
        day = str((wall.weekday() + 1) % 7)
        return str(wall.minute) in minutes.split(",") and str(wall.hour) in hours.split(",") and (
            days == "*" or day in days.split(",")
        )  # fmt: skip
    pattern = data["schedule"]
    days = pattern["week_days"] or list(WEEK_DAYS)
    return (
        wall.hour in pattern["hours"]
        and wall.minute in pattern["minutes"]
        and (not pattern["week_days"] or WEEK_DAYS[wall.weekday()] in days)
        and (not pattern["month_days"] or wall.day in pattern["month_days"])
    )


def left_out(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether the clock does not show this time: it is put forward over it."""
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall


@settings(max_examples=200, deadline=None)
@given(patterns(), st.integers(-3, 300), st.integers(0, 24 * 60))
def test_runs_rise_within_the_window_and_fit_the_pattern(data: dict[str, Any], days: int, minutes: int) -> None:
    trigger = trigger_of(data, MADE)
    first = trigger.start.replace(tzinfo=UTC) + timedelta(days=days, minutes=minutes)
    found = list(islice(runs(trigger, first), 40))
    assert all(one < other for one, other in pairwise(found))
    start, end = (datetime.fromisoformat(data[key]).replace(tzinfo=trigger.zone) for key in ("start_time", "end_time"))
    assert all(max(first, start.astimezone(UTC)) <= moment <= end.astimezone(UTC) for moment in found)
    for moment in found:
        wall = moment.astimezone(trigger.zone).replace(tzinfo=None)
        # A time that was left out is run at the same distance from midnight: half an hour, an hour or a day later.
        before = [wall - timedelta(minutes=minutes) for minutes in (30, 60, 24 * 60)]
        assert wanted(data, wall) or any(left_out(one, trigger.zone) and wanted(data, one) for one in before)


@settings(max_examples=60, deadline=None)
@given(patterns(), MOMENTS)
def test_no_run_is_missed(data: dict[str, Any], since: datetime) -> None:
    """Every time on the clock of two weeks that the pattern wants, and that exists once, is a run: for interval 1."""
    data = {**data, "interval": 1, "start_time": since.isoformat(), "end_time": None}
    if data.get("frequency") == "week" and not data["schedule"]["week_days"]:
        return  # then the day of the start counts alone
    trigger = trigger_of(data, MADE)
    begin = since.replace(tzinfo=trigger.zone).astimezone(UTC)
    last = begin + timedelta(days=14)
    found = {moment for moment in islice(runs(trigger, begin), 400) if moment < last}
    for minutes in range(14 * 24 * 60):
        moment = begin.replace(second=0) + timedelta(minutes=minutes + 1)
        wall = moment.astimezone(trigger.zone)
        if moment < last and wall.fold == 0 and wanted(data, wall.replace(tzinfo=None)):
            no_day = data.get("frequency") == "month" and not any(
                data["schedule"][key] for key in NUMBERS if "d" in key
            )
            assert moment in found or (no_day and wall.day != since.day)


@given(st.text("0123456789*,-/abcsun ", max_size=20))
def test_any_text_is_a_cron_expression_or_is_refused(text: str) -> None:
    for name, low, high in cron.FIELDS:
        values = cron.values(text, name, low, high)
        assert values is None or (values and all(low <= number <= high for number in values))
