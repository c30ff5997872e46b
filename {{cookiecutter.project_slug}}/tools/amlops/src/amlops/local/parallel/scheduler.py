"""Hands mini-batches to workers until all are done: retries, timeouts, replaced workers.

Facts (Azure ML: reference of parallel jobs, batch deployment YAML, troubleshooting of batch endpoints and of
ParallelRunStep; the driver's behaviour of 2020 where they say nothing):
- A mini-batch whose `run()` raises, takes too long, returns something that cannot be counted, or whose worker dies goes
  back to the end of the queue at once. Any worker may take it.
- The timeout is for `run()` alone; reading a table has one of its own (`--task_overhead_timeout`). The worker is killed
  and another takes its place, which calls `init()` again.
- A process in which more than ten attempts have failed is replaced.
- `init()` that takes longer than 3 x timeout + 30 s fails the job. One that raises or dies is tried again; a node stops
  after 3 failures per process, the job when no node is left.
- No finished mini-batch in `--progress_update_timeout` seconds: the job fails.
"""

from __future__ import annotations

import queue
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from amlops.local.parallel.inline import run_inline
from amlops.local.parallel.minibatches import MiniBatch
from amlops.local.parallel.outcome import Failure, Ledger, MiniBatchResult, Outcome, Rules
from amlops.local.parallel.processes import Event, WorkerProcess, WorkerSpec, stop_all
from amlops.local.parallel.worklogs import WorkLogs

__all__ = ["Failure", "MiniBatchResult", "Outcome", "Rules", "Scheduler", "init_timeout"]

# How long shutdown() of the scripts may take, all workers together.
SHUTDOWN_SECONDS = 10.0
# A node is given up when init() fails this often per worker of it with none getting ready in between.
INIT_ATTEMPTS_PER_WORKER = 3
# A process with more failed attempts than this is replaced.
FAILURES_PER_PROCESS = 10
_TICK_SECONDS = 0.25
_BACKLOG_SECONDS = 0.5


class Scheduler:
    """Runs the mini-batches of one job.

    `rules.nodes` names the node of each worker; its length is the number of workers. With none, the calling process
    runs the script itself. `on_change` is told each result when it is final. `finished` are results of an earlier start
    of the job: they count, and are not run again.
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
        self._ledger = Ledger(batches, rules, spec.parts if spec.append_row else None, on_change, on_failure, finished)
        self._outcome = self._ledger.outcome
        self._logs = WorkLogs(spec, rules.nodes)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._workers: list[WorkerProcess] = []
        self._started: Counter[str] = Counter()
        self._init_failures: Counter[str] = Counter()
        self._init_raised = 0
        self._any_ready = False
        self._progress_at: float | None = None

    def run(self) -> Outcome:
        """Do the work. Whatever happens, no worker is left when this returns or raises."""
        self._ledger.close_empty()
        try:
            if self._rules.nodes:
                self._run_workers()
            else:
                run_inline(self._ledger, self._spec)
        finally:
            for worker in self._workers:
                worker.kill()
            self._outcome.run_seconds += sum(worker.run_seconds for worker in self._workers)
            self._outcome.init_seconds += sum(worker.init_seconds for worker in self._workers)
            self._logs.close(self._outcome)
        return self._outcome

    def _run_workers(self) -> None:
        self._fill()
        while self._ledger.open and not self._outcome.stopped:
            self._handle_next()
            self._kill_overdue()
            self._check_progress()
            self._logs.tick(self._outcome, self._workers)
        if not self._outcome.stopped:
            stop_all([worker for worker in self._workers if worker.state != "ended"], SHUTDOWN_SECONDS)

    def _fill(self) -> None:
        """Start workers until there are as many as asked for, or as there are mini-batches left."""
        alive = [worker for worker in self._workers if worker.state != "ended"]
        nodes = list(self._rules.nodes)
        for worker in alive:
            nodes.remove(worker.node)
        nodes = [node for node in nodes if not self._given_up(node)]
        for node in nodes[: max(0, self._ledger.open - len(alive))]:
            taken = {worker.slot for worker in self._workers if worker.state != "ended" and worker.node == node}
            slot = next(slot for slot in range(len(self._workers) + 1) if slot not in taken)
            worker = WorkerProcess(node, self._started[node], self._spec, slot, self._events)
            worker.deadline = time.monotonic() + init_timeout(self._rules.timeout)
            self._started[node] += 1
            self._workers.append(worker)
            self._outcome.workers_started += 1
            self._logs.started(worker)

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
        self._init_failures[worker.node] = 0
        worker.init_seconds = message["seconds"]
        self._give_work(worker)

    def _loaded(self, worker: WorkerProcess, _: dict[str, Any]) -> None:
        worker.state, worker.since = "running", time.monotonic()
        worker.deadline = worker.since + self._rules.timeout

    def _done(self, worker: WorkerProcess, message: dict[str, Any]) -> None:
        worker.run_seconds += message["seconds"]
        self._ledger.done(worker, message)
        self._progress_at = time.monotonic()
        self._give_work(worker)

    def _failed(self, worker: WorkerProcess, message: dict[str, Any]) -> None:
        self._attempt_failed(worker, message["error"], message["seconds"])
        if message["leave"]:
            self._end(worker, "it ran out of memory")
            self._continue()
        elif worker.failures > FAILURES_PER_PROCESS:
            worker.state, worker.deadline = "leaving", time.monotonic() + SHUTDOWN_SECONDS
            worker.send({"shutdown": True})
        else:
            self._give_work(worker)

    def _init_failed(self, worker: WorkerProcess, message: dict[str, Any]) -> None:
        worker.init_seconds = message["seconds"]
        self._replace_after_init(worker, message["error"], raised=True)
        self._continue()

    _HANDLERS: ClassVar[dict[str, Callable[[Scheduler, WorkerProcess, dict[str, Any]], None]]] = {
        "ready": _ready,
        "loaded": _loaded,
        "done": _done,
        "failed": _failed,
        "init_failed": _init_failed,
    }

    def _worker_died(self, worker: WorkerProcess) -> None:
        if not worker.has_exited():
            worker.wait(1.0)
        state = worker.state
        worker.kill()
        reason = worker.exit_reason()
        self._logs.ended(worker, f"{worker.failures} attempts failed in it" if state == "leaving" else reason)
        error = {"type": "WorkerDied", "message": reason, "traceback": ""}
        if state in ("loading", "running"):
            self._attempt_failed(worker, error, time.monotonic() - worker.since)
        elif state == "init":
            self._replace_after_init(worker, error)
        self._continue()

    def _kill_overdue(self) -> None:
        # Where events wait, one of them may say that the worker is done: it gets a moment until that is read.
        now = time.monotonic() - (0.0 if self._events.empty() else _BACKLOG_SECONDS)
        for worker in [worker for worker in self._workers if worker.state != "ended" and worker.deadline]:
            if worker.deadline is None or worker.deadline > now:
                continue
            state, seconds = worker.state, self._rules.timeout
            if state == "leaving":
                self._end(worker, f"{worker.failures} attempts failed in it")
            elif state == "init":
                self._hung_in_init(worker)
            else:
                what = f"run() took longer than {seconds:g} s (retry_settings.timeout)"
                if state == "loading":
                    seconds = self._rules.task_overhead_timeout
                    what = f"reading the mini-batch took longer than {seconds:g} s (--task_overhead_timeout)"
                self._end(worker, what)
                error = {"type": "Timeout", "message": f"{what}; the worker was ended", "traceback": ""}
                self._attempt_failed(worker, error, seconds)
            self._continue()

    def _hung_in_init(self, worker: WorkerProcess) -> None:
        seconds = init_timeout(self._rules.timeout)
        reason = f"init() took longer than {seconds:g} s (3 x timeout + 30 s)"
        self._end(worker, reason)
        self._ledger.fail(Failure(worker, "Timeout", f"{reason}; the worker was ended", ""))
        self._outcome.stop("init", reason)

    def _check_progress(self) -> None:
        limit = self._rules.progress_timeout
        if limit is not None and self._progress_at is not None and time.monotonic() - self._progress_at > limit:
            self._outcome.stop(
                "progress_update_timeout", f"No progress update in {limit:g} seconds: no mini-batch was finished"
            )

    def _replace_after_init(self, worker: WorkerProcess, error: dict[str, str], *, raised: bool = False) -> None:
        """A worker ended before it was ready. The job fails when that goes on happening.

        It fails at once when the script raised an exception in all of the first workers (`raised`): it would again.
        """
        self._end(worker, f"init(): {error['type']}")
        self._ledger.fail(Failure(worker, error["type"], error["message"], error["traceback"]))
        self._init_failures[worker.node] += 1
        self._init_raised += raised
        workers = len(self._rules.nodes)
        hopeless = not self._any_ready and self._init_raised >= min(workers, self._outcome.workers_started)
        if hopeless or all(self._given_up(node) for node in self._rules.nodes):
            self._outcome.stop("init", f"init() failed in {self._init_failures.total()} worker process(es)")

    def _given_up(self, node: str) -> bool:
        return self._init_failures[node] >= INIT_ATTEMPTS_PER_WORKER * list(self._rules.nodes).count(node)

    def _end(self, worker: WorkerProcess, reason: str) -> None:
        if worker.state != "ended":
            worker.kill()
            self._logs.ended(worker, reason)

    def _attempt_failed(self, worker: WorkerProcess, error: dict[str, str], seconds: float) -> None:
        worker.deadline = None
        worker.failures += 1
        worker.run_seconds += seconds
        was_open = self._ledger.open
        self._ledger.attempt_failed(worker, worker.mini_batch, error, seconds)
        if self._ledger.open < was_open:
            self._progress_at = time.monotonic()

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
        if not self._ledger.has_work:
            return
        batch, attempt = self._ledger.take()
        worker.mini_batch, worker.since = (batch.index, attempt), time.monotonic()
        worker.state = "running" if batch.table is None else "loading"
        limit = self._rules.timeout if batch.table is None else self._rules.task_overhead_timeout
        worker.deadline = worker.since + limit
        self._progress_at = self._progress_at or worker.since
        worker.send(self._ledger.command(batch, attempt))


def init_timeout(timeout: float) -> float:
    """Seconds that `init()` may take: three times the timeout of `run()` and 30 s more, as in Azure's runner."""
    return 3 * timeout + 30
