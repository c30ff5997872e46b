"""Runs the steps of a job: each when what it depends on is done, independent ones side by side, as many as there are
cores.

A step that fails stops the steps that depend on it. The others go on, unless the pipeline says
`continue_on_step_failure: false`; then those that run are stopped and the rest is not started. (Azure ML, pipeline
job YAML reference: the default is true.)
"""

from __future__ import annotations

import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from amlops.jobspec import JobSpec, Step
from amlops.local.jobrecords import utc_now
from amlops.local.jobs import process

NOT_STARTED, RUNNING, COMPLETED, FAILED, CANCELED = "NotStarted", "Running", "Completed", "Failed", "Canceled"
_POLL_SECONDS = 0.1


@dataclass
class StepRun:
    """What happened to one step so far."""

    name: str
    log: Path
    status: str = NOT_STARTED
    started_at: str | None = None
    ended_at: str | None = None
    duration_s: float | None = None
    exit_code: int | None = None
    reason: str | None = None
    remark: str = ""  # what a step that completed says all the same, such as items that failed
    started: float = 0.0

    @property
    def seconds(self) -> float:
        """How long the step has run, or ran."""
        return self.duration_s if self.duration_s is not None else time.monotonic() - self.started

    def as_record(self) -> dict[str, Any]:
        """The step in the job's record."""
        record = {
            "status": self.status,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "duration_s": self.duration_s,
            "exit_code": self.exit_code,
            "log": str(self.log),
        }
        return record | ({"reason": self.reason} if self.reason else {})


class Watcher(Protocol):
    """Is told what happens; shows it to the user."""

    def started(self, run: StepRun) -> None:
        """A step has started."""
        ...

    def ended(self, run: StepRun) -> None:
        """A step has ended, or will not be started."""
        ...

    def tick(self) -> None:
        """Some time has passed."""
        ...


class Runner:
    """Runs one job once.

    Args:
        launch: starts the process of a step.
        changed: is told after every change of a step, with all steps; writes the job's record.
    """

    def __init__(
        self,
        spec: JobSpec,
        logs: Mapping[str, Path],
        cores: int,
        launch: Callable[[Step], subprocess.Popen[bytes]],
        changed: Callable[[StepRun, Mapping[str, StepRun]], None],
        watcher: Watcher,
    ) -> None:
        self._spec = spec
        self._cores = cores
        self._launch = launch
        self._changed = changed
        self._watcher = watcher
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.runs = {name: StepRun(name, logs[name]) for name in spec.steps}

    def run(self) -> dict[str, StepRun]:
        """Run to the end and return what happened to each step.

        On KeyboardInterrupt everything is stopped, then it is raised.
        """
        try:
            while self._start_ready() or self._running:
                self._wait()
        except BaseException:
            self._cancel_all("the job was canceled")
            raise
        return self.runs

    def _start_ready(self) -> bool:
        """Start what can be started; cancel what never can. True when something is running."""
        for name, step in self._spec.steps.items():
            run = self.runs[name]
            if run.status != NOT_STARTED:
                continue
            needed = [self.runs[other] for other in sorted(step.depends_on)]
            missing = [other.name for other in needed if other.status in (FAILED, CANCELED)]
            if missing:
                self._skip(run, f"needs '{missing[0]}', which did not complete")
            elif len(self._running) < self._cores and all(other.status == COMPLETED for other in needed):
                self._start(step, run)
        return bool(self._running)

    def _start(self, step: Step, run: StepRun) -> None:
        run.status, run.started_at, run.started = RUNNING, utc_now(), time.monotonic()
        try:
            child = self._launch(step)
        except OSError as error:
            run.reason = f"cannot be started: {error}"
            self._finish(run, FAILED)
            return
        self._running[step.name] = child
        threading.Thread(target=self._await, args=(step.name, child), daemon=True).start()
        self._changed(run, self.runs)
        self._watcher.started(run)

    def _await(self, name: str, child: subprocess.Popen[bytes]) -> None:
        child.wait()
        self._ended.put(name)

    def _wait(self) -> None:
        """Wait until a step ends, or for a moment."""
        try:
            name = self._ended.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            self._check_timeouts()
            self._watcher.tick()
            return
        child = self._running.pop(name, None)
        run = self.runs[name]
        if child is None or run.status != RUNNING:
            return
        run.exit_code = child.returncode
        if run.reason is None and child.returncode != 0:
            run.reason = _reason(child.returncode)
        self._finish(run, FAILED if run.reason else COMPLETED)

    def _check_timeouts(self) -> None:
        for name, child in self._running.items():
            limit = self._spec.steps[name].timeout
            run = self.runs[name]
            if limit is not None and run.reason is None and time.monotonic() - run.started > limit:
                run.reason = f"stopped after {limit:g} s (limits.timeout)"
                process.stop([child])

    def _finish(self, run: StepRun, status: str) -> None:
        run.status, run.ended_at = status, utc_now()
        run.duration_s = round(time.monotonic() - run.started, 3)
        self._changed(run, self.runs)
        self._watcher.ended(run)
        if status == FAILED and not self._spec.continue_on_step_failure:
            self._cancel_all(f"stopped because '{run.name}' failed (continue_on_step_failure: false)")

    def _skip(self, run: StepRun, reason: str) -> None:
        run.status, run.reason = CANCELED, reason
        self._changed(run, self.runs)
        self._watcher.ended(run)

    def _cancel_all(self, reason: str) -> None:
        """Stop what runs, and start nothing more."""
        running = dict(self._running)
        self._running.clear()
        process.stop(list(running.values()))
        for run in self.runs.values():
            if run.name in running:
                run.exit_code, run.reason = running[run.name].returncode, reason
                self._finish(run, CANCELED)
            elif run.status == NOT_STARTED:
                self._skip(run, reason)


def _reason(code: int) -> str:
    if code < 0:
        return f"was ended by signal {-code}" + (" (out of memory?)" if code == -9 else "")
    return f"ended with exit code {code}"
