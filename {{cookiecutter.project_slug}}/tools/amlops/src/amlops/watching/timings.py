"""How long the parts of a job took: its steps, and the mini-batches of those that score in parallel."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import datetime
from statistics import median
from typing import Any

from amlops.workspace.jobs import LogFile
from amlops.workspace.record import Record

_MINI_BATCHES = "sys/job_report/processed_mini-batches.csv"
_SLOWEST = 5


def timings(job: Record, files: Iterable[LogFile]) -> Record:
    """Seconds of the job, of each step and of the mini-batches (all of them, and the slowest)."""
    return {
        "job": job["name"],
        "status": job.get("status"),
        "seconds": job.get("duration_s"),
        "steps": [_step(name, step, job) for name, step in (job.get("steps") or {}).items()],
        "mini_batches": [
            found for file in files if file.path.endswith(_MINI_BATCHES) and (found := _mini_batches(file)) is not None
        ],
    }


def _step(name: str, step: Record, job: Record) -> Record:
    return {
        "step": name,
        "status": step.get("status"),
        "waited_s": _between(job.get("created_at"), step.get("started_at")),
        "seconds": step.get("duration_s"),
    }


def _between(earlier: str | None, later: str | None) -> float | None:
    """Seconds between two times as records have them (ISO 8601)."""
    if not earlier or not later:
        return None
    start, end = (datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (earlier, later))
    return round((end - start).total_seconds(), 3)


def _mini_batches(file: LogFile) -> dict[str, Any] | None:
    """None where the table has no times: that of Azure ML is not documented, ours has them."""
    rows = [row for row in csv.DictReader(file.lines()) if row.get("seconds")]
    if not rows:
        return None
    seconds = [float(row["seconds"]) for row in rows]
    slowest = sorted(rows, key=lambda row: float(row["seconds"]), reverse=True)[:_SLOWEST]
    return {
        "step": file.step,
        "count": len(rows),
        "seconds": round(sum(seconds), 6),
        "median_s": round(median(seconds), 6),
        "max_s": max(seconds),
        "slowest": [
            {key: row.get(key) for key in ("mini_batch", "status", "items", "attempts", "seconds", "worker")}
            for row in slowest
        ],
    }
