"""Hands mini-batches to workers until all are done: retries, timeouts, replaced workers, the error threshold.

Facts (Azure ML: reference of parallel jobs, batch deployment YAML, troubleshooting of batch endpoints):
- A mini-batch whose `run()` raises, takes too long, returns something that cannot be counted, or whose worker dies goes
  back to the end of the queue at once. Any worker may take it. It is tried `max(1, max_retries)` times in all; then all
  its items have failed.
- The timeout is for `run()` alone. The worker is killed and another takes its place, which calls `init()` again.
- Fewer elements than items: the difference has failed, and is not tried again. More elements than items: as many as
  there are items.
- The job stops when more items have failed than `error_threshold` (-1: never).
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from amlops.local.parallel.inputs import MiniBatch
from amlops.local.parallel.processes import Event, WorkerProcess, WorkerSpec, stop_all

# How long shutdown() of the scripts may take, all workers together.
SHUTDOWN_SECONDS = 10.0
# The job fails when init() fails this often per worker with none getting ready in between; Azure's runner gives up a
# node after as many failures.
INIT_ATTEMPTS_PER_WORKER = 3
_TICK_SECONDS = 0.25


@dataclass(frozen=True)
class Failure:
    """One failed attempt. `mini_batch` is None when `init()` failed, `worker` when that was in an earlier start."""

    worker: WorkerProcess | None
    type: str
    message: str
    traceback: str
    mini_batch: int | None = None
    attempt: int = 0
    at: float = field(default_factory=time.time)


@dataclass
class MiniBatchResult:
    """What became of one mini-batch.

    Attributes:
        status: "succeeded", "failed" (all attempts failed) or "pending" (the job stopped before).
        succeeded: items that count as scored; the others have failed, unless the status is pending.
        returned: elements that `run()` returned; more than there are items is possible.
        attempts: calls of `run()`.
        not_named: items whose name does not stand in a result that is too short.
    """

    batch: MiniBatch
    status: str = "pending"
    succeeded: int = 0
    returned: int = 0
    attempts: int = 0
    seconds: float = 0.0
    worker: str = ""
    part: Path | None = None
    not_named: list[str] = field(default_factory=list)
    error: Failure | None = None

    @property
    def failed(self) -> int:
        """Items that have failed."""
        return 0 if self.status == "pending" else len(self.batch.items) - self.succeeded


@dataclass(frozen=True)
class Rules:
    """The settings of the deployment that this module acts on.

    `timeout` is in seconds; -1 as threshold ignores all failures.
    """

    nodes: Sequence[str]
    attempts: int
    timeout: float
    error_threshold: int


@dataclass
class Outcome:
    """How the work stands. `succeeded` and `failed` count items.

    `stopped` says in words why it ended early; it is empty when all mini-batches were done. The seconds are sums over
    the workers.
    """

    results: list[MiniBatchResult]
    failures: list[Failure] = field(default_factory=list)
    stopped: str = ""
    succeeded: int = 0
    failed: int = 0
    workers_started: int = 0
    init_seconds: float = 0.0
    run_seconds: float = 0.0


class Scheduler:
    """Runs the mini-batches of one job.

    `rules.nodes` names the node of each worker; its length is the number of workers. `on_change` is told each result
    when it is final. `finished` are results of an earlier start of the job: they count, and are not run again.
    """

    def __init__(
        self,
        batches: Sequence[MiniBatch],
        spec: WorkerSpec,
        rules: Rules,
        on_change: Callable[[Outcome, MiniBatchResult], None] = lambda *_: None,
        on_failure: Callable[[Failure], None] = lambda _: None,
        finished: Sequence[MiniBatchResult] = (),
    ) -> None:
        self._spec = spec
        self._rules = rules
        self._on_change = on_change
        self._on_failure = on_failure
        self._outcome = Outcome([MiniBatchResult(batch) for batch in batches])
        for result in finished:
            self._outcome.results[result.batch.index] = result
            self._outcome.succeeded += result.succeeded
            self._outcome.failed += result.failed
        pending = [result.batch for result in self._outcome.results if result.status == "pending"]
        self._waiting = deque((batch.index, 1) for batch in pending)
        self._open = len(self._waiting)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._workers: list[WorkerProcess] = []
        self._started: dict[str, int] = {}
        self._init_failures = 0
        self._init_raised = 0
        self._any_ready = False

    def run(self) -> Outcome:
        """Do the work. Whatever happens, no worker is left when this returns or raises."""
        try:
            self._fill()
            while self._open and not self._outcome.stopped:
                self._handle_next()
                self._kill_overdue()
            if not self._outcome.stopped:
                stop_all([worker for worker in self._workers if worker.state != "ended"], SHUTDOWN_SECONDS)
        finally:
            for worker in self._workers:
                worker.kill()
        self._outcome.run_seconds = sum(worker.run_seconds for worker in self._workers)
        self._outcome.init_seconds = sum(worker.init_seconds for worker in self._workers)
        return self._outcome

    def _fill(self) -> None:
        """Start workers until there are as many as asked for, or as there are mini-batches left."""
        alive = [worker for worker in self._workers if worker.state != "ended"]
        nodes = list(self._rules.nodes)
        for worker in alive:
            nodes.remove(worker.node)
        for node in nodes[: max(0, self._open - len(alive))]:
            number = self._started.get(node, 0)
            self._started[node] = number + 1
            worker = WorkerProcess(node, number, self._spec, self._events)
            worker.deadline = time.monotonic() + init_timeout(self._rules.timeout)
            self._workers.append(worker)
            self._outcome.workers_started += 1

    def _handle_next(self) -> None:
        deadlines = [worker.deadline for worker in self._workers if worker.state != "ended" and worker.deadline]
        wait = min([_TICK_SECONDS, *(deadline - time.monotonic() for deadline in deadlines)])
        try:
            event = self._events.get(timeout=max(0.0, wait))
        except queue.Empty:
            for worker in self._workers:
                # A process that the script forked can hold the pipe open, so that the end of the worker is not seen
                # there.
                if worker.state != "ended" and worker.has_exited():
                    self._events.put(Event(worker, None))
            return
        if event.worker.state == "ended":
            return
        if event.message is None:
            self._worker_died(event.worker)
        else:
            self._HANDLERS[event.message["event"]](self, event.worker, event.message)

    def _ready(self, worker: WorkerProcess, message: dict[str, Any]) -> None:
        self._any_ready = True
        self._init_failures = 0
        worker.init_seconds = message["seconds"]
        self._give_work(worker)

    def _done(self, worker: WorkerProcess, message: dict[str, Any]) -> None:
        result = self._outcome.results[message["mini_batch"]]
        items = len(result.batch.items)
        result.status = "succeeded"
        result.returned = message["returned"]
        result.succeeded = min(items, result.returned)
        result.not_named = message["not_named"]
        result.part = self._part(result.batch.index, message["attempt"]) if self._spec.append_row else None
        self._note_attempt(worker, result, message["attempt"], message["seconds"])
        self._close(result)
        self._give_work(worker)

    def _failed(self, worker: WorkerProcess, message: dict[str, Any]) -> None:
        self._attempt_failed(worker, message["error"], message["seconds"])
        self._give_work(worker)

    def _init_failed(self, worker: WorkerProcess, message: dict[str, Any]) -> None:
        worker.init_seconds = message["seconds"]
        self._replace_after_init(worker, message["error"], raised=True)
        self._continue()

    _HANDLERS: ClassVar[dict[str, Callable[[Scheduler, WorkerProcess, dict[str, Any]], None]]] = {
        "ready": _ready,
        "done": _done,
        "failed": _failed,
        "init_failed": _init_failed,
    }

    def _worker_died(self, worker: WorkerProcess) -> None:
        if not worker.has_exited():
            worker.wait(1.0)
        running, ready = worker.state == "running", worker.state != "init"
        worker.kill()
        error = {"type": "WorkerDied", "message": worker.exit_reason(), "traceback": ""}
        if running:
            self._attempt_failed(worker, error, time.monotonic() - worker.since)
        elif not ready:
            self._replace_after_init(worker, error)
        self._continue()

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        for worker in [worker for worker in self._workers if worker.state != "ended" and worker.deadline]:
            if worker.deadline is None or worker.deadline > now:
                continue
            running = worker.state == "running"
            worker.kill()
            if running:
                seconds = self._rules.timeout
                message = (
                    f"run() took longer than {seconds:g} s (settings.retry_settings.timeout); the worker was ended"
                )
                self._attempt_failed(worker, {"type": "Timeout", "message": message, "traceback": ""}, seconds)
            else:
                seconds = init_timeout(self._rules.timeout)
                message = f"init() took longer than {seconds:g} s (3 x timeout + 30 s); the worker was ended"
                self._replace_after_init(worker, {"type": "Timeout", "message": message, "traceback": ""})
            self._continue()

    def _replace_after_init(self, worker: WorkerProcess, error: dict[str, str], *, raised: bool = False) -> None:
        """A worker ended before it was ready. The job fails when that goes on happening.

        It fails at once when the script raised an exception in all of the first workers (`raised`): it would again.
        """
        worker.kill()
        self._fail(Failure(worker, error["type"], error["message"], error["traceback"]))
        self._init_failures += 1
        self._init_raised += raised
        workers = len(self._rules.nodes)
        hopeless = not self._any_ready and self._init_raised >= min(workers, self._outcome.workers_started)
        if hopeless or self._init_failures >= INIT_ATTEMPTS_PER_WORKER * workers:
            self._outcome.stopped = f"init() failed in {self._init_failures} worker process(es)"

    def _attempt_failed(self, worker: WorkerProcess, error: dict[str, str], seconds: float) -> None:
        index, attempt = worker.mini_batch
        result = self._outcome.results[index]
        failure = Failure(worker, error["type"], error["message"], error["traceback"], index, attempt)
        self._fail(failure)
        self._note_attempt(worker, result, attempt, seconds)
        if attempt < self._rules.attempts:
            self._waiting.append((index, attempt + 1))
            return
        result.status = "failed"
        result.error = failure
        self._close(result)

    def _fail(self, failure: Failure) -> None:
        self._outcome.failures.append(failure)
        self._on_failure(failure)

    def _note_attempt(self, worker: WorkerProcess, result: MiniBatchResult, attempt: int, seconds: float) -> None:
        result.attempts = attempt
        result.seconds += seconds
        result.worker = worker.label
        worker.run_seconds += seconds
        worker.deadline = None

    def _close(self, result: MiniBatchResult) -> None:
        """A mini-batch is finished, for better or worse."""
        self._open -= 1
        self._outcome.succeeded += result.succeeded
        self._outcome.failed += result.failed
        limit = self._rules.error_threshold
        if result.failed and 0 <= limit < self._outcome.failed:
            self._outcome.stopped = (
                f"{self._outcome.failed} item(s) failed, more than the error_threshold of {limit} allows"
            )
        self._on_change(self._outcome, result)

    def _continue(self) -> None:
        """A worker has gone: others take its place and its work."""
        if self._outcome.stopped:
            return
        for worker in self._workers:
            if worker.state == "idle":
                self._give_work(worker)
        self._fill()

    def _give_work(self, worker: WorkerProcess) -> None:
        worker.state, worker.deadline = "idle", None
        if self._outcome.stopped or not self._waiting:
            return
        index, attempt = self._waiting.popleft()
        worker.state, worker.mini_batch = "running", (index, attempt)
        worker.since = time.monotonic()
        worker.deadline = worker.since + self._rules.timeout
        worker.send(
            {
                "mini_batch": index,
                "attempt": attempt,
                "items": self._outcome.results[index].batch.items,
                "part": str(self._part(index, attempt)),
            }
        )

    def _part(self, index: int, attempt: int) -> Path:
        return self._spec.parts / f"{index:06d}.{attempt}.part"


def init_timeout(timeout: float) -> float:
    """Seconds that `init()` may take: three times the timeout of `run()` and 30 s more, as in Azure's runner."""
    return 3 * timeout + 30
