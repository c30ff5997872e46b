"""How the items of a job were counted, and how much of each error budget was used: the arithmetic, in words.

Azure ML counts and says nothing of it; people ask (MachineLearningNotebooks#1309, #1448, #1652).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amlops.local.parallel.outcome import MiniBatchResult, Outcome
from amlops.local.parallel.settings import ParallelSettings


@dataclass(frozen=True)
class Budget:
    """One error budget: the job stops when more than `limit` are used.

    `limit` None: failures are ignored, because the setting has the value `off`.
    """

    name: str
    used: float
    limit: float | None
    unit: str
    off: float = -1

    @property
    def text(self) -> str:
        """In words."""
        if self.limit is None:
            return f"{self.name}: {self.used:g} {self.unit} failed; none is too many ({self.off:g})"
        state = "exceeded" if self.used > self.limit else "kept"
        return f"{self.name}: {self.used:g} of {self.limit:g} {self.unit} used, {state}"


def budgets(outcome: Outcome, settings: ParallelSettings) -> list[Budget]:
    """The error budgets of the job and how much of each was used."""

    def limit(value: float) -> float | None:
        return None if value < 0 else value

    total = max(1, len(outcome.results))
    percent = round(100 * outcome.failed_mini_batches / total, 3)
    allowed = settings.allowed_failed_percent
    return [
        Budget("error_threshold", outcome.failed, limit(settings.error_threshold), "items"),
        Budget(
            "mini_batch_error_threshold",
            outcome.failed_mini_batches,
            limit(settings.mini_batch_error_threshold),
            "mini-batches",
        ),
        Budget(
            "allowed_failed_percent", percent, None if allowed >= 100 else allowed, "% of the mini-batches", off=100
        ),
    ]


def arithmetic(outcome: Outcome, settings: ParallelSettings) -> list[str]:
    """The lines of the sum."""
    done = [result for result in outcome.results if result.status == "succeeded"]
    lost = [result for result in outcome.results if result.status == "failed"]
    left = [result for result in outcome.results if result.status == "pending"]
    short = [result for result in done if result.failed]
    capped = [result for result in done if result.returned > len(result.batch.items)]
    lines = [
        f"{_items(outcome.results)} items in {len(outcome.results)} mini-batches",
        f"  {outcome.succeeded:>7} scored: of each of {len(done)} mini-batches as many as run() returned elements, "
        "at most its items",
        f"  {sum(result.failed for result in short):>7} failed: missing from the results of {len(short)} "
        "mini-batch(es); they are not tried again",
        *_counted_as_failed(outcome.failed_mini_batches - len(lost)),
        f"  {_items(lost):>7} failed: all items of {len(lost)} mini-batch(es) whose {settings.attempts} attempt(s) "
        "failed",
    ]
    if left:
        lines.append(f"  {_items(left):>7} not tried: {len(left)} mini-batch(es) that the job did not get to")
    if capped:
        more = sum(result.returned - len(result.batch.items) for result in capped)
        lines.append(f"  {more} element(s) more than items in {len(capped)} mini-batch(es): written, not counted")
    reading = settings.disputed.max_retries
    lines.append(
        f"attempts per mini-batch: {settings.attempts} (max_retries {settings.max_retries}, read as {reading})"
    )
    retried = [result for result in outcome.results if result.attempts > 1]
    if retried:
        lines.append(f"{len(retried)} mini-batch(es) were tried more than once")
    return [*lines, *(budget.text for budget in budgets(outcome, settings))]


def _counted_as_failed(count: int) -> list[str]:
    if not count:
        return []
    return [f"  {'':>7} {count} of these mini-batch(es) count as failed where the thresholds count mini-batches"]


def _items(results: Sequence[MiniBatchResult]) -> int:
    return sum(len(result.batch.items) for result in results)
