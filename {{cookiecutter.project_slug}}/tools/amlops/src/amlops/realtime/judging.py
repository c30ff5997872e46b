"""Whether a deployment with a part of the traffic keeps its bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amlops.realtime.figures import TIMEOUT, Sample, percentile
from amlops.workspace.online import Served

TRAFFIC, PROBES = "traffic", "probes"


@dataclass(frozen=True)
class Bounds:
    """What a new deployment must keep.

    Attributes:
        max_error_rate: per cent of its requests that it may fail to serve.
        max_p95_ms: milliseconds in which 95 of 100 must be answered.
        min_requests: of fewer, nothing is concluded about latency, and a stage does not end well.
    """

    max_error_rate: float
    max_p95_ms: float
    min_requests: int = 20


@dataclass(frozen=True)
class Seen:
    """What a deployment has done in a stage, from one source. Latencies are milliseconds."""

    source: str
    requests: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None

    @property
    def error_rate(self) -> float:
        """Per cent."""
        return 100 * self.errors / self.requests if self.requests else 0.0

    def record(self) -> dict[str, Any]:
        """For JSON."""
        values = {name: round(value, 3) if isinstance(value, float) else value for name, value in vars(self).items()}
        return {**values, "error_rate": round(self.error_rate, 3)}


def fault(seen: Seen, bounds: Bounds, *, ended: bool) -> str | None:
    """Why the deployment is outside its bounds; None while it is inside.

    Args:
        ended: the stage is over. While it runs, few errors are judged as if there were as many requests as it takes to
            meet the bound with one error (100 for 1 %): one unlucky request is no verdict.
    """
    enough = math.ceil(100 / bounds.max_error_rate) if bounds.max_error_rate else 0
    requests = max(seen.requests, 1 if ended else enough, 1)
    if 100 * seen.errors / requests > bounds.max_error_rate:
        failed = f"{seen.errors} of {seen.requests} requests failed ({seen.source})"
        return f"{failed}; the bound is {bounds.max_error_rate:g} %"
    if seen.requests >= bounds.min_requests and seen.p95_ms is not None and seen.p95_ms > bounds.max_p95_ms:
        return (
            f"p95 is {seen.p95_ms:.4g} ms of {seen.requests} requests ({seen.source}); "
            f"the bound is {bounds.max_p95_ms:g} ms"
        )
    return None


def from_counters(before: Served, now: Served) -> Seen:
    """What happened between two readings of the endpoint's counters."""
    if now.requests < before.requests:  # its servers were deployed anew
        before = Served()
    steps = {most: number - before.latencies.get(most, 0) for most, number in now.latencies.items()}
    return Seen(
        TRAFFIC,
        now.requests - before.requests,
        now.errors - before.errors,
        _from_steps(steps, 0.50),
        _from_steps(steps, 0.95),
        _from_steps(steps, 0.99),
    )


def from_samples(samples: Sequence[Sample], waiting: Sequence[float], deployment: str) -> Seen:
    """What our own requests say about a deployment.

    Those count that it answered, that it failed to serve before another one did, that were sent to it directly, and
    failures that name nobody. Latency is counted from the moment a request left: how late our own process sent it is
    no fault of the deployment.

    Args:
        waiting: seconds that requests to it have been waiting for longer than the bound.
    """
    its = [one for one in samples if _is_of(one, deployment)]
    times = sorted([(one.ended - one.sent) * 1000 for one in its if one.ok or one.error == TIMEOUT])
    times += sorted(1000 * seconds for seconds in waiting)
    times.sort()
    return Seen(
        PROBES,
        len(its) + len(waiting),
        sum(not one.ok or one.unserved_by == deployment for one in its),
        percentile(times, 0.50) if times else None,
        percentile(times, 0.95) if times else None,
        percentile(times, 0.99) if times else None,
    )


def _is_of(sample: Sample, deployment: str) -> bool:
    if sample.direct or deployment in (sample.deployment, sample.unserved_by):
        return True
    return not sample.ok and sample.deployment is None


def _from_steps(steps: Mapping[float, int], share: float) -> float | None:
    total = sum(steps.values())
    seen = 0
    for most in sorted(steps):
        seen += steps[most]
        if total and seen >= math.ceil(share * total):
            return most
    return None
