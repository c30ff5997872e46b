"""What a deployment has answered since its servers started, for whoever watches it."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

# Eight steps for each doubling: a percentile read from them is at most 9 % too high.
_STEPS = 8
_SMALLEST_MS = 0.1


class Counters:
    """Requests, those that were not served, and how long they took."""

    def __init__(self) -> None:
        self._requests = 0
        self._errors = 0
        self._steps: Counter[int] = Counter()

    def add(self, seconds: float, *, unserved: bool) -> None:
        """One request has been answered, or given up."""
        self._requests += 1
        self._errors += unserved
        milliseconds = max(seconds * 1000, _SMALLEST_MS)
        self._steps[math.ceil(_STEPS * math.log2(milliseconds))] += 1

    def record(self) -> dict[str, Any]:
        """For JSON: `latencies` is pairs of milliseconds that were not exceeded, and of how many requests."""
        latencies = [[2 ** (step / _STEPS), number] for step, number in sorted(self._steps.items())]
        return {"requests": self._requests, "errors": self._errors, "latencies": latencies}
