"""Jobs that other processes run, or have run: followed, canceled, copied out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from amlops.errors import JobFailed, UserError
from amlops.local import cancellation
from amlops.local.jobrecords import FINISHED, JobRecords
from amlops.local.jobs.progress import LogTail

Record = dict[str, Any]
_POLL_SECONDS = 0.2
# Stopping a step takes at most some seconds: it is asked first, then ended.
_CANCEL_SECONDS = 60.0
# What workers of a parallel job print, below its logs.
_WORKER_LOGS = ("user/stdout/*/*.txt", "user/stderr/*/*.txt")


def cancel(records: JobRecords, folder: Path, name: str) -> Record:
    """Stop a job and wait for its end.

    Raises:
        UserError: there is no such job, it has ended already, or it does not end.
    """
    status = records.show(name)["status"]
    if status in FINISHED:
        raise UserError(f"--name: job '{name}' has ended already: {status}")
    cancellation.request(folder)
    until = time.monotonic() + _CANCEL_SECONDS
    while (record := records.show(name))["status"] not in FINISHED:
        if time.monotonic() > until:
            raise UserError(
                f"--name: job '{name}' was asked to stop and still runs; `amlops job show -n {name}` shows it"
            )
        time.sleep(_POLL_SECONDS)
    return record


def stream(records: JobRecords, name: str, write: Callable[[str], None]) -> Record:
    """Write the lines of a job's logs, those that are there and those that come, until its end.

    Raises:
        UserError: there is no such job.
        JobFailed: the job has failed, or was canceled.
    """
    follower = _Follower(write)
    while (record := records.show(name))["status"] not in FINISHED:
        follower.look(record)
        time.sleep(_POLL_SECONDS)
    follower.look(record, last=True)
    return _ended_well(record)


def wait(
    records: JobRecords, name: str, timeout_minutes: float | None = None, tell: Callable[[str], None] | None = None
) -> Record:
    """Wait for a job's end; see `amlops.workspace.Jobs.wait`.

    Raises:
        UserError: there is no such job, or the time is over.
        JobFailed: the job has failed, or was canceled.
    """
    until = None if timeout_minutes is None else time.monotonic() + timeout_minutes * 60
    seen = ""
    while True:
        record = records.show(name)
        status = record["status"]
        if status != seen and tell is not None:
            tell(f"job '{name}': {status}")
        seen = status
        if status in FINISHED:
            return _ended_well(record)
        if until is not None and time.monotonic() + _POLL_SECONDS > until:
            raise UserError(
                f"--timeout: job '{name}' is {status} after {timeout_minutes:g} minutes and goes on; "
                f"amlops job wait -n {name}"
            )
        time.sleep(_POLL_SECONDS)


def _ended_well(record: Record) -> Record:
    """The record of a job that has ended, when it is completed. Raises JobFailed otherwise."""
    if record["status"] != "Completed":
        word = "failed" if record["status"] == "Failed" else "was canceled"
        raise JobFailed(f"job '{record['name']}' {word}: {record.get('error', 'it says no reason')}", record)
    return record


class _Follower:
    """The logs of one job, each read from where it was left."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._tails: dict[Path, LogTail] = {}
        self._statuses: dict[str, str] = {}

    def look(self, record: Record, *, last: bool = False) -> None:
        """Write what is new; `last` for a job that has ended."""
        for label, path in _logs(record):
            tail = self._tails.setdefault(path, LogTail(path))
            for line in tail.lines(last=last):
                self._write(f"{label} | {line}")
        for name, step in (record.get("steps") or {}).items():
            if step["status"] != self._statuses.get(name, "NotStarted"):
                self._statuses[name] = step["status"]
                self._write(f"{name}: {step['status']}{_why(step)}")


def _why(step: Record) -> str:
    return f": {step['reason']}" if step.get("reason") else ""


def _logs(record: Record) -> Iterator[tuple[str, Path]]:
    """Every log of a job that is there, with what to call it."""
    for name, step in (record.get("steps") or {}).items():
        yield name, Path(step["log"])
        if step.get("logs"):
            yield from _worker_logs(Path(step["logs"]), f"{name}/")
    if record.get("logs"):
        yield from _worker_logs(Path(record["logs"]), "")


def _worker_logs(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for pattern in _WORKER_LOGS:
        for file in sorted(folder.glob(pattern)):
            yield f"{prefix}{file.parent.name}/{file.name.partition('.')[0]}", file
