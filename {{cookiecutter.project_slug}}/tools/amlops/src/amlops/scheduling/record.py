"""What verbs print of a schedule, and of a preview."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from amlops.errors import UserError
from amlops.scheduling.runs import per_month, runs
from amlops.scheduling.trigger import Trigger, several, trigger_of
from amlops.workspace.record import Record

_PATTERN = ("hours", "minutes", "week_days", "month_days")


def record_of(
    data: Mapping[str, Any],
    *,
    id: str,
    is_enabled: bool,
    create_job: Mapping[str, Any] | None,
    provisioning_state: str | None,
    created_at: str | None,
    type: str = "job",
) -> Record:
    """The record of a schedule. `data` has the other keys as the YAML names them."""
    record: Record = {
        "id": id,
        "name": data["name"],
        "type": type,
        "display_name": data.get("display_name") or "",
        "description": data.get("description") or "",
        "tags": _texts(data.get("tags")),
        "properties": _texts(data.get("properties")),
        "is_enabled": is_enabled,
        "trigger": _trigger(data.get("trigger") or {}),
        "create_job": None if create_job is None else dict(create_job),
        "provisioning_state": provisioning_state,
        "created_at": created_at,
    }
    return current(record)


def current(record: Record) -> Record:
    """The record with the next run as it is now."""
    return {**record, "next_run": next_run(record, datetime.now(UTC))}


def _texts(data: Mapping[str, Any] | None) -> dict[str, str]:
    return {key: str(value) for key, value in (data or {}).items()}


def job_of(
    *,
    type: str,
    display_name: str | None,
    experiment_name: str | None,
    inputs: Mapping[str, Any],
    steps: list[str],
    compute: str | None,
    file: str | None,
    job: str | None,
) -> Record:
    """`create_job` of a record: `job` is the one that is created again, `file` is known to the laptop only.

    The steps are sorted: Azure keeps no order of them.
    """
    return {
        "type": type,
        "display_name": display_name or "",
        "experiment_name": experiment_name or "",
        "compute": (compute or "").removeprefix("azureml:").rpartition("/")[2],
        "inputs": dict(inputs),
        "steps": sorted(steps),
        "file": file,
        "job": job,
    }


def _trigger(data: Mapping[str, Any]) -> Record:
    """A trigger with the keys of its kind, lists where one value may stand for a list."""
    times = {key: data.get(key) or None for key in ("start_time", "end_time")}
    last = {**times, "time_zone": data.get("time_zone") or "UTC"}
    if str(data.get("type")).lower() == "cron":
        return {"type": "cron", "expression": data.get("expression"), **last}
    given = data.get("schedule") or {}
    pattern = {key: _list(given.get(key)) for key in _PATTERN}
    return {
        "type": "recurrence",
        "frequency": str(data.get("frequency") or "").lower(),
        "interval": data.get("interval"),
        "schedule": pattern if any(pattern.values()) else None,
        **last,
    }


def _list(value: Any) -> list[Any]:
    return [one.lower() if isinstance(one, str) else one for one in several(value)]


def next_run(record: Mapping[str, Any], now: datetime) -> str | None:
    """When a schedule runs next, in UTC; None for one that is disabled, over, or that cannot be counted with."""
    if not record["is_enabled"]:
        return None
    try:
        found = next(runs(_counted(record, now), now), None)
    except UserError:
        return None
    return None if found is None else _utc(found)


def preview(record: Mapping[str, Any], count: int, since: datetime) -> Record:
    """The next runs from `since` on, how many a month has, and what Azure reads otherwise than a person would.

    Raises:
        UserError: a value in the trigger that cannot be counted with.
    """
    trigger = _counted(record, since)
    found = [
        {"utc": _utc(moment), "local": moment.astimezone(trigger.zone).isoformat(timespec="seconds")}
        for moment in islice(runs(trigger, since), count)
    ]
    notes = [*trigger.notes]
    if not record["is_enabled"]:
        notes.append("is_enabled: is false, so nothing runs before `amlops schedule enable`")
    if not found:
        notes.append(f"trigger: it never runs from {_utc(since)} on")
    return {
        "name": record["name"],
        "is_enabled": record["is_enabled"],
        "time_zone": trigger.zone_name,
        "runs": found,
        "runs_per_month": per_month(trigger),
        "notes": notes,
    }


def _counted(record: Mapping[str, Any], now: datetime) -> Trigger:
    made = record.get("created_at")
    return trigger_of(record["trigger"], datetime.fromisoformat(str(made)) if made else now)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
