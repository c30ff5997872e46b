"""What a parallel job comes to: the results of its mini-batches, counted and held against the thresholds.

Facts (Azure ML: references of parallel jobs and batch deployments):
- Fewer elements than items: the difference has failed, and is not tried again; the mini-batch counts as failed for
  `mini_batch_error_threshold`. More elements than items: as many as there are items.
- A mini-batch whose attempts all failed: all its items have failed.
- The job fails when more items have failed than `error_threshold`, more mini-batches than
  `mini_batch_error_threshold` (-1: never), or more percent of them than `allowed_failed_percent`, which is judged when
  all mini-batches have been handed out. Each counts by itself; the first that is exceeded ends the job.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amlops.local.parallel.minibatches import MiniBatch
from amlops.local.parallel.processes import WorkerPlace
from amlops.local.parallel.settings import ParallelSettings

# Failures have tracebacks, and a job may have very many.
FAILURES_KEPT = 1000


@dataclass(frozen=True)
class Failure:
    """One failed attempt. `mini_batch` is None when `init()` failed, `worker` when that was in an earlier start."""

    worker: WorkerPlace | None
    type: str
    message: str
    traceback: str
    mini_batch: int | None = None
    attempt: int = 0
    at: float = field(default_factory=time.time)


@dataclass(slots=True)
class MiniBatchResult:
    """What became of one mini-batch.

    Attributes:
        status: "succeeded", "failed" (all attempts failed) or "pending" (the job stopped before).
        succeeded: items that count as scored; the others have failed, unless the status is pending.
        returned: elements that `run()` returned; more than there are items is possible.
        attempts: calls of `run()`.
        seconds: spent in `run()`, all attempts together.
        not_named: items whose name does not stand in a result that is too short.
        part: the rows as text; `rows` the same with their types (see `amlops_worker.returned`). None for summary_only.
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

    @property
    def counts_as_failed(self) -> bool:
        """True when the mini-batch counts for the thresholds of mini-batches: one of its items has failed."""
        return self.status == "failed" or self.failed > 0

    @property
    def rows(self) -> Path | None:
        """The rows with their types; None for summary_only."""
        return self.part.with_suffix(".rows") if self.part else None


@dataclass(frozen=True)
class Rules:
    """The settings that the scheduler acts on; see `settings.ParallelSettings`. Times are in seconds.

    `nodes` names the node of each worker; without any, the calling process does the work. `progress_timeout` None: no
    limit.
    """

    nodes: Sequence[str]
    attempts: int
    timeout: float
    error_threshold: int = -1
    mini_batch_error_threshold: int = -1
    allowed_failed_percent: float = 100.0
    task_overhead_timeout: float = 30.0
    progress_timeout: float | None = None
    short_results: str = "counted"

    @classmethod
    def of(cls, settings: ParallelSettings, nodes: Sequence[str]) -> Rules:
        """The rules of a job."""
        return cls(
            nodes=nodes,
            attempts=settings.attempts,
            timeout=settings.timeout,
            error_threshold=settings.error_threshold,
            mini_batch_error_threshold=settings.mini_batch_error_threshold,
            allowed_failed_percent=settings.allowed_failed_percent,
            task_overhead_timeout=settings.overhead_timeout,
            progress_timeout=settings.progress_timeout,
            short_results=settings.disputed.short_results,
        )


@dataclass
class Outcome:
    """What a run of the scheduler came to.

    `stopped` says in one line why the job stopped before its end, `stopped_by` which setting did it (error_threshold,
    mini_batch_error_threshold, allowed_failed_percent, progress_update_timeout, init); both "" when all was done.
    `failures` are the first failed attempts, all of them if there are few.
    `succeeded`, `failed` count items, `failed_mini_batches` mini-batches with a failed item. Seconds are sums over the
    workers.
    """

    results: list[MiniBatchResult]
    failures: list[Failure] = field(default_factory=list)
    stopped: str = ""
    stopped_by: str = ""
    succeeded: int = 0
    failed: int = 0
    failed_mini_batches: int = 0
    workers_started: int = 0
    init_seconds: float = 0.0
    run_seconds: float = 0.0

    def stop(self, by: str, reason: str) -> None:
        """The job ends here. The first reason is the one that is kept."""
        if not self.stopped:
            self.stopped, self.stopped_by = reason, by

    def count(self, result: MiniBatchResult, rules: Rules) -> None:
        """Add a final result to the sums."""
        self.succeeded += result.succeeded
        self.failed += result.failed
        ignored = rules.short_results == "ignored" and rules.error_threshold < 0
        self.failed_mini_batches += result.status == "failed" or (result.counts_as_failed and not ignored)


class Ledger:
    """The mini-batches that wait, and what became of the others. `finished` are results of an earlier start."""

    def __init__(
        self,
        batches: Sequence[MiniBatch],
        rules: Rules,
        parts: Path | None,
        on_change: Callable[[Outcome, MiniBatchResult], None],
        on_failure: Callable[[Failure], None],
        finished: Sequence[MiniBatchResult] = (),
    ) -> None:
        self._rules = rules
        self._parts = parts
        self._on_change = on_change
        self._on_failure = on_failure
        self.outcome = Outcome([MiniBatchResult(batch) for batch in batches])
        for result in finished:
            self.outcome.results[result.batch.index] = result
            self.outcome.count(result, rules)
        pending = [result for result in self.outcome.results if result.status == "pending"]
        self.open = len(pending)
        # run() is not called for a mini-batch without rows.
        self._empty = [result for result in pending if not result.batch.items]
        self._waiting = deque((result.batch.index, 1) for result in pending if result.batch.items)

    def close_empty(self) -> None:
        """Mini-batches without items are done. What an earlier start left is held against the thresholds."""
        self._judge()
        for result in self._empty:
            result.status = "succeeded"
            self._close(result)

    @property
    def has_work(self) -> bool:
        """True when there is a mini-batch to hand out."""
        return bool(self._waiting) and not self.outcome.stopped

    def take(self) -> tuple[MiniBatch, int]:
        """The next mini-batch and which attempt it is."""
        index, attempt = self._waiting.popleft()
        return self.outcome.results[index].batch, attempt

    def command(self, batch: MiniBatch, attempt: int) -> dict[str, Any]:
        """What the process that runs the script is told."""
        table = batch.table
        return {
            "mini_batch": batch.index,
            "attempt": attempt,
            "files": batch.files,
            "table": table and table.as_message(),
            "partition": batch.partition,
            "part": str(self._part(batch.index, attempt) or ""),
        }

    def done(self, worker: WorkerPlace, answer: dict[str, Any]) -> None:
        """`run()` has returned something that can be counted."""
        result = self.outcome.results[answer["mini_batch"]]
        result.status = "succeeded"
        result.returned = answer["returned"]
        result.succeeded = min(len(result.batch.items), result.returned)
        result.not_named = answer["not_named"]
        result.part = self._part(result.batch.index, answer["attempt"])
        self._note_attempt(worker, result, answer["attempt"], answer["seconds"])
        self._close(result)

    def attempt_failed(
        self, worker: WorkerPlace, which: tuple[int, int], error: dict[str, str], seconds: float
    ) -> None:
        """The attempt `which` (mini-batch, attempt) failed: it goes to the end of the queue, or it has failed."""
        index, attempt = which
        result = self.outcome.results[index]
        failure = Failure(worker, error["type"], error["message"], error["traceback"], index, attempt)
        self.fail(failure)
        self._note_attempt(worker, result, attempt, seconds)
        if attempt < self._rules.attempts:
            self._waiting.append((index, attempt + 1))
            return
        result.status = "failed"
        result.error = failure
        self._close(result)

    def fail(self, failure: Failure) -> None:
        """Note a failure of any kind."""
        if failure.mini_batch is None or len(self.outcome.failures) < FAILURES_KEPT:
            self.outcome.failures.append(failure)
        self._on_failure(failure)

    @staticmethod
    def _note_attempt(worker: WorkerPlace, result: MiniBatchResult, attempt: int, seconds: float) -> None:
        result.attempts = attempt
        result.seconds += seconds
        result.worker = worker.label

    def _close(self, result: MiniBatchResult) -> None:
        """A mini-batch is finished, for better or worse."""
        self.open -= 1
        self.outcome.count(result, self._rules)
        self._judge()
        self._on_change(self.outcome, result)

    def _judge(self) -> None:
        outcome, rules = self.outcome, self._rules
        if 0 <= rules.error_threshold < outcome.failed:
            outcome.stop(
                "error_threshold",
                f"{outcome.failed} item(s) failed, more than the error_threshold of {rules.error_threshold} allows",
            )
        limit, failed = rules.mini_batch_error_threshold, outcome.failed_mini_batches
        if 0 <= limit < failed:
            outcome.stop(
                "mini_batch_error_threshold",
                f"{failed} mini-batch(es) failed, more than the mini_batch_error_threshold of {limit} allows"
                f"{self._hint()}",
            )
        percent = 100 * failed / max(1, len(outcome.results))
        if not self._waiting and percent > rules.allowed_failed_percent:
            outcome.stop(
                "allowed_failed_percent",
                f"{failed} of {len(outcome.results)} mini-batches failed ({percent:.3g} %), more than the "
                f"allowed_failed_percent of {rules.allowed_failed_percent:g}",
            )

    def _hint(self) -> str:
        """That nothing but short results failed, which may be meant: one row for each partition, for example."""
        if self._rules.error_threshold >= 0 or any(result.status == "failed" for result in self.outcome.results):
            return ""
        return (
            "; run() returned fewer elements than items in all of them; if that is meant, disputed.short_results: "
            "ignored in .cloud/environments/local.yml lets it pass where error_threshold is -1"
        )

    def _part(self, index: int, attempt: int) -> Path | None:
        return self._parts / f"{index:06d}.{attempt}.part" if self._parts else None
