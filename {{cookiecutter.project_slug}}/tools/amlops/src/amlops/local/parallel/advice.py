"""What mini_batch_size and timeout should be, from what was measured. The rules:

- `mini_batch_size`: so large that what a mini-batch costs beside its items is less than 5 % of its time; so small that
  each worker gets at least four (else some wait for the last) and that one which has to be run again costs at most a
  minute. Where these exclude each other, the even share goes first.
- `timeout`: at least three times what 99 of 100 calls of `run()` took (the slowest, below 100 calls), and 10 s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from amlops.local.parallel.minibatches import number_of_bytes
from amlops.local.parallel.settings import ParallelSettings
from amlops.local.parallel.timeline import Run, Times

OVERHEAD_SHARE = 0.05
BATCHES_PER_WORKER = 4
LOSS_SECONDS = 60.0
TIMEOUT_FACTOR = 3
SHORTEST_TIMEOUT = 10
LONGEST_TIMEOUT = 259_200
_STEPS = (1, 2, 5)
_TIMEOUTS = (10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 450, 600, 900, 1200, 1800, 2700, 3600, 7200, 14_400, 28_800)


@dataclass(frozen=True)
class Measured:
    """What the rules start from, in seconds.

    Attributes:
        per_item: mean time of an item in `run()`.
        fixed: what a call of `run()` costs whatever its items, where mini-batches of different sizes show it.
        overhead: what a mini-batch costs beside `run()`.
        slowest: the longest time per item of 99 of 100 mini-batches.
        calls: how many calls of `run()` this comes from.
    """

    per_item: float
    fixed: float
    overhead: float
    slowest: float
    calls: int

    @classmethod
    def of(cls, times: Times) -> Measured:
        """The figures of a job."""
        runs = [run for run in times.clean if run.items]
        fixed, per_item = _line(runs)
        slowest = percentile([max(0.0, run.seconds - fixed) / run.items for run in runs], 0.99)
        return cls(per_item, fixed, times.overhead, slowest, len(runs))

    def item_seconds(self, runs: Sequence[Run]) -> list[float]:
        """The time of each item, as far as the time of its mini-batch tells."""
        return [max(0.0, run.seconds - self.fixed) / run.items for run in runs for _ in range(run.items)]


@dataclass(frozen=True)
class Advice:
    """A suggestion. `size` is in items; `mini_batch_size` as the setting has it, None where the size plays no part."""

    size: int
    mini_batch_size: int | str | None
    timeout: int
    reasons: Sequence[str]


def advise(measured: Measured, settings: ParallelSettings, items: int, mini_batches: int, workers: int) -> Advice:
    """What the settings of a job with so many items, mini-batches and workers should be."""
    now = max(1, round(items / max(1, mini_batches)))
    if settings.partition_keys:
        size, reason = now, "partition_keys decide what is in a mini-batch; mini_batch_size plays no part"
    else:
        size, reason = _size(measured, items, max(1, workers), now)
    run = measured.slowest * size + measured.fixed
    timeout = _timeout(TIMEOUT_FACTOR * run)
    why = (
        f"timeout {timeout} s: {TIMEOUT_FACTOR} x {run:.3g} s, what run() takes for {size} item(s) at the 99th "
        f"percentile of {measured.calls} call(s), at least {SHORTEST_TIMEOUT} s; it is {settings.timeout} s now"
    )
    return Advice(size, _as_setting(size, now, settings), timeout, [reason, why])


def _size(measured: Measured, items: int, workers: int, now: int) -> tuple[int, str]:
    beside = measured.overhead + measured.fixed
    cost = max(measured.per_item, 1e-9)
    low = max(1, math.ceil(beside * (1 - OVERHEAD_SHARE) / OVERHEAD_SHARE / cost))
    even = max(1, items // (BATCHES_PER_WORKER * workers))
    loss = max(1, math.floor(LOSS_SECONDS / cost))
    high = min(even, loss)
    bounds = (
        f"at least {low} so that {beside * 1000:.2g} ms beside the items are less than {OVERHEAD_SHARE:.0%}, at most "
        f"{even} so that each of {workers} worker(s) gets {BATCHES_PER_WORKER}, at most {loss} so that one run again "
        f"costs no more than {LOSS_SECONDS:g} s"
    )
    if low > high:
        evenly = f"each of {workers} worker(s) gets {BATCHES_PER_WORKER}"
        limit = evenly if even <= loss else f"one run again costs no more than {LOSS_SECONDS:g} s"
        return high, (
            f"{high} items in a mini-batch, so that {limit}; more would have less overhead: of {low} items the "
            f"{beside * 1000:.2g} ms beside them would be less than {OVERHEAD_SHARE:.0%}"
        )
    if low <= now <= high:
        return now, f"{now} items in a mini-batch, as now: {bounds}"
    size = high if now > high else min(_round_up(low), high)
    return size, f"{size} items in a mini-batch instead of {now}: {bounds}"


def _as_setting(size: int, now: int, settings: ParallelSettings) -> int | str | None:
    if settings.partition_keys:
        return None
    if str(settings.mini_batch_size).isdecimal():
        return size
    kilobytes = number_of_bytes(settings.mini_batch_size) * size / now / 1024
    return f"{max(1, round(kilobytes))}kb"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed; 0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def _line(runs: Sequence[Run]) -> tuple[float, float]:
    """Seconds = fixed + items x per_item, by least squares; fixed is 0 where the sizes do not differ enough to tell."""
    items = sum(run.items for run in runs)
    if not items:
        return 0.0, 0.0
    mean = sum(run.seconds for run in runs) / items
    sizes = [run.items for run in runs]
    if len(runs) < 8 or max(sizes) < 2 * min(sizes):
        return 0.0, mean
    middle, center = items / len(runs), sum(run.seconds for run in runs) / len(runs)
    spread = sum((run.items - middle) ** 2 for run in runs)
    slope = sum((run.items - middle) * (run.seconds - center) for run in runs) / spread
    fixed = center - slope * middle
    return (fixed, slope) if slope > 0 and fixed > 0 else (0.0, mean)


def _round_up(value: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50, …"""
    power = 10 ** (len(str(value)) - 1)
    return next(step * power for step in (*_STEPS, 10) if step * power >= value)


def _timeout(seconds: float) -> int:
    whole = max(SHORTEST_TIMEOUT, math.ceil(seconds))
    return next((each for each in _TIMEOUTS if each >= whole), min(whole, LONGEST_TIMEOUT))
