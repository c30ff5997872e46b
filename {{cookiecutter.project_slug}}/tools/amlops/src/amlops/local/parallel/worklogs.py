"""Logs that are written while the work runs, where Azure ML's runner has them.

logs/job_progress_overview.<start>.txt   how far the job is, now and then
logs/sys/master_role.txt                 the node that hands out the work
logs/sys/node/<node>/overview.txt        workers of a node: started, ended, and why
logs/perf/<node>/…                       see `resources`
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from amlops.local.parallel.outcome import Outcome
from amlops.local.parallel.processes import WorkerProcess, WorkerSpec
from amlops.local.parallel.resources import ResourceMonitor

_OVERVIEW_SECONDS = 10.0


class WorkLogs:
    """Writes the logs of one start of a job."""

    def __init__(self, spec: WorkerSpec, nodes: Sequence[str]) -> None:
        now = datetime.now(UTC)
        self._overview = spec.logs / f"job_progress_overview.{now:%Y%m%d%H%M%S}.txt"
        self._sys = spec.logs / "sys"
        self._monitor = ResourceMonitor(spec.logs / "perf", spec.monitor_interval)
        self._next = time.monotonic() + _OVERVIEW_SECONDS
        names = list(dict.fromkeys(nodes)) or ["node0"]
        _append(self._sys / "master_role.txt", f"{_now()} {names[0]} hands out the work; nodes: {', '.join(names)}")

    def started(self, worker: WorkerProcess) -> None:
        """A worker process runs."""
        self._node(worker, f"process{worker.number:03d} started, process id {worker.pid}")

    def ended(self, worker: WorkerProcess, reason: str) -> None:
        """A worker process has ended before the job did."""
        self._node(worker, f"process{worker.number:03d} ended: {reason}")

    def tick(self, outcome: Outcome, workers: Sequence[WorkerProcess]) -> None:
        """Called often; writes now and then."""
        self._monitor.tick([worker for worker in workers if worker.state != "ended"])
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _OVERVIEW_SECONDS
            self._write_overview(outcome)

    def close(self, outcome: Outcome) -> None:
        """The work has ended."""
        self._write_overview(outcome)

    def _node(self, worker: WorkerProcess, text: str) -> None:
        _append(self._sys / "node" / worker.node / "overview.txt", f"{_now()} {text}")

    def _write_overview(self, outcome: Outcome) -> None:
        done = sum(result.status != "pending" for result in outcome.results)
        _append(
            self._overview,
            f"{_now()} {done} of {len(outcome.results)} mini-batches done, {outcome.failed_mini_batches} with failed "
            f"items; items: {outcome.succeeded} succeeded, {outcome.failed} failed",
        )


def _append(file: Path, line: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8", newline="\n") as stream:
        stream.write(f"{line}\n")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
