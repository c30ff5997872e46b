"""What verbs print of Azure's resources: the keys and the kinds of values that the laptop's records have.

A key that Azure cannot know is null. The laptop's own: `amlops.local.jobrecords`, `amlops.local.computes`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from amlops.workspace import Record

FINISHED = ("Completed", "Failed", "Canceled")
# Azure's names of fields whose plain form is another.
_COMPUTE_TYPES = {"amlcompute": "amlcompute", "computeinstance": "computeinstance", "kubernetes": "kubernetes"}
# As the service writes them -> as the YAML does.
AUTH_MODES = {"key": "key", "amltoken": "aml_token", "aadtoken": "aad_token"}
_TIERS = {"dedicated": "dedicated", "lowpriority": "low_priority"}
# Azure writes seven digits of a second; Python reads six.
_FRACTION = re.compile(r"\.(\d{1,6})\d*")
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def time_of(value: object) -> str | None:
    """A time of Azure as the laptop writes it: 2026-03-01T12:00:00.250Z. None for none."""
    moment = _moment(value)
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_between(start: object, end: object) -> float | None:
    """Seconds from one time of Azure to another; None where one is missing."""
    first, last = _moment(start), _moment(end)
    return None if first is None or last is None else round((last - first).total_seconds(), 3)


def _moment(value: object) -> datetime | None:
    if value in (None, ""):
        return None
    if not isinstance(value, datetime):
        try:
            value = datetime.fromisoformat(_FRACTION.sub(r".\1", str(value)))
        except ValueError:
            return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def seconds_of(duration: object) -> int | None:
    """PT2M -> 120; None for text that is no duration."""
    match = _DURATION.fullmatch(str(duration))
    if match is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return int(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def job(document: Mapping[str, Any], run: Any = None, steps: Record | None = None) -> Record:
    """A job.

    Args:
        document: as Resource Manager describes it.
        run: the same job in the run history, where that was asked: it knows when the job ran, and why it failed.
        steps: the steps of a pipeline, by name.
    """
    properties = document.get("properties") or {}
    created = time_of((document.get("systemData") or {}).get("createdAt"))
    start = getattr(run, "start_time_utc", None)
    end = getattr(run, "end_time_utc", None)
    error = error_of(run)
    return {
        "name": document["name"],
        "type": str(properties.get("jobType") or "").lower(),
        "status": properties.get("status"),
        "created_at": created,
        "display_name": properties.get("displayName") or document["name"],
        "experiment_name": properties.get("experimentName"),
        "description": properties.get("description") or "",
        "tags": dict(properties.get("tags") or {}),
        "file": None,
        "file_sha256": None,
        "inputs": inputs(properties),
        "outputs": {name: (value or {}).get("uri") or "" for name, value in (properties.get("outputs") or {}).items()},
        "steps": steps or {},
        "ended_at": time_of(end),
        "duration_s": seconds_between(start or created, end),
        "studio_url": ((properties.get("services") or {}).get("Studio") or {}).get("endpoint"),
        **({"error": error} if error else {}),
    }


def inputs(properties: Mapping[str, Any]) -> Record:
    """Values of a job's inputs by name, addresses of data."""
    return {name: _input(value) for name, value in (properties.get("inputs") or {}).items()}


def _input(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return value.get("uri", value.get("value"))


def error_of(run: Any) -> str:
    """Why a run failed, in one line; empty where it did not."""
    error = getattr(getattr(run, "error", None), "error", None)
    return " ".join(str(getattr(error, "message", "") or "").split())


def step(run: Any) -> Record:
    """A step of a pipeline, from the run history."""
    reason = error_of(run)
    record = {
        "status": run.status,
        "started_at": time_of(run.start_time_utc),
        "ended_at": time_of(run.end_time_utc),
        "duration_s": seconds_between(run.start_time_utc, run.end_time_utc),
        "exit_code": None,
        "log": None,
        "run_id": run.run_id,
    }
    return record | ({"reason": reason} if reason else {})


def identity_of(document: Mapping[str, Any]) -> str | None:
    """SystemAssigned or UserAssigned; None for a resource without an identity, which Azure calls "None"."""
    kind = (document.get("identity") or {}).get("type")
    return None if kind in (None, "", "None") else str(kind)


def compute(document: Mapping[str, Any]) -> Record:
    """A compute target."""
    properties = document.get("properties") or {}
    details = properties.get("properties") or {}
    scale = details.get("scaleSettings") or {}
    kind = str(properties.get("computeType") or "").lower()
    record: Record = {
        "id": document.get("id"),
        "name": document["name"],
        "type": _COMPUTE_TYPES.get(kind, kind),
        "size": details.get("vmSize"),
        "location": properties.get("computeLocation") or document.get("location"),
        "description": properties.get("description"),
        "tags": dict(document.get("tags") or {}),
        "provisioning_state": properties.get("provisioningState"),
        "identity": identity_of(document),
    }
    if kind == "amlcompute":
        tier = str(details.get("vmPriority") or "Dedicated")
        record |= {
            "min_instances": int(scale.get("minNodeCount") or 0),
            "max_instances": int(scale.get("maxNodeCount") or 0),
            "idle_time_before_scale_down": seconds_of(scale.get("nodeIdleTimeBeforeScaleDown")),
            "tier": _TIERS.get(tier.lower(), tier),
        }
    if kind == "computeinstance":
        record["state"] = details.get("state")
    return record
