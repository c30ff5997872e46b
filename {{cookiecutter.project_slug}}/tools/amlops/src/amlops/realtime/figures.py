"""What a load has shown, in numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

TIMEOUT = "timeout"
# The generator is itself at fault when requests leave later than this after their moment (95 of 100 leave earlier).
LATE_SECONDS = 0.010
_KEPT_SHARE = 0.98
# Of the answers the first and the last hundredth do not count for the rate: one straggler would stretch it.
_TRIM = 0.01


@dataclass(frozen=True, slots=True)
class Sample:
    """One request of a load. Times are seconds on one monotonic clock.

    Attributes:
        due: the moment it was scheduled for.
        sent: the moment it left.
        ended: the moment its answer was complete, or it failed.
        status: of the answer; None when there was none.
        error: why there was no answer; None when there was one.
        deployment: who answered, where the endpoint says so.
        unserved_by: the deployment that failed to serve it before another one did.
        script_status: what the script answered, where the endpoint puts a status of its own in its place.
        direct: it was sent to one deployment, whatever the traffic says.
    """

    due: float
    sent: float
    ended: float
    status: int | None = None
    error: str | None = None
    deployment: str | None = None
    unserved_by: str | None = None
    script_status: str | None = None
    direct: bool = False

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def kind(self) -> str | None:
        """What went wrong: the status or the reason; None when nothing did."""
        if self.ok or self.error:
            return self.error
        script = f" (script: {self.script_status})" if self.script_status not in (None, str(self.status)) else ""
        return f"{self.status}{script}"


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of values in ascending order: `share` (0 to 1) of them are not above it.

    Raises ValueError when there are no values.
    """
    if not values:
        raise ValueError("there are no values")
    return values[max(0, math.ceil(share * len(values)) - 1)]


@dataclass(frozen=True)
class LoadFigures:
    """A load with a fixed rate, measured. Latencies are milliseconds from the scheduled moment to the whole answer.

    They are those of requests that were answered with 2xx, and of those that were given up after the timeout: these
    waited at least so long. Errors that came fast do not make the percentiles look better.

    Attributes:
        asked_rate: requests per second that were scheduled.
        sent_rate: requests per second that left.
        achieved_rate: answers with 2xx per second, between the first and the last hundredth of them.
        errors: how many, by status or reason.
        generator_late_ms: how late 95 of 100 requests left at most; the generator's own fault.
        generator_kept_rate: False when the generator could not keep the rate, and the figures say little.
    """

    asked_rate: float
    sent: int
    answered: int
    errors: dict[str, int]
    statuses: dict[str, int]
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    sent_rate: float
    achieved_rate: float
    generator_late_ms: float
    generator_kept_rate: bool

    @property
    def error_rate(self) -> float:
        """Per cent of the requests that were sent."""
        return 100 * sum(self.errors.values()) / self.sent if self.sent else 0.0

    def record(self) -> dict[str, Any]:
        """For JSON."""
        record = {name: _rounded(value) for name, value in vars(self).items()}
        return {**record, "error_rate": round(self.error_rate, 3)}


def load_figures(samples: Sequence[Sample], rate: float) -> LoadFigures:
    """The figures of a load.

    Args:
        samples: its requests without those that warmed up.
        rate: requests per second that were asked for.
    """
    waited = sorted((one.ended - one.due) * 1000 for one in samples if one.ok or one.error == TIMEOUT)
    late = sorted(one.sent - one.due for one in samples)
    kept_95 = percentile(late, 0.95) if late else 0.0
    sent_rate = rate_of([one.sent for one in samples], rate)
    return LoadFigures(
        asked_rate=rate,
        sent=len(samples),
        answered=sum(one.status is not None for one in samples),
        errors=dict(Counter(one.kind for one in samples if one.kind is not None)),
        statuses=dict(Counter(str(one.status) for one in samples if one.status is not None)),
        p50_ms=percentile(waited, 0.50) if waited else None,
        p95_ms=percentile(waited, 0.95) if waited else None,
        p99_ms=percentile(waited, 0.99) if waited else None,
        max_ms=waited[-1] if waited else None,
        sent_rate=sent_rate,
        achieved_rate=rate_of([one.ended for one in samples if one.ok], rate),
        generator_late_ms=kept_95 * 1000,
        generator_kept_rate=kept_95 <= LATE_SECONDS and sent_rate >= _KEPT_SHARE * rate,
    )


def rate_of(moments: list[float], few: float) -> float:
    """Events per second between the first and the last hundredth of them; 0 for none, `few` for one."""
    if len(moments) < 2:
        return few if moments else 0.0
    moments = sorted(moments)
    cut = int(len(moments) * _TRIM)
    inner = moments[cut : len(moments) - cut]
    seconds = inner[-1] - inner[0]
    return (len(inner) - 1) / seconds if seconds > 0 else few


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value
