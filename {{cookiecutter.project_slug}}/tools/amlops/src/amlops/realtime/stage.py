"""One stage of a rollout: the new deployment is watched for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from amlops.realtime.interruption import Interruption
from amlops.realtime.judging import Bounds, Seen, fault, from_counters, from_samples
from amlops.realtime.probes import Probes
from amlops.workspace import OnlineEndpoints
from amlops.workspace.online import Served

_LOOK_SECONDS = 0.25
_TELL_SECONDS = 5.0
_SHORTEST_TIMEOUT, _LONGEST_TIMEOUT = 5.0, 60.0
_MOST_WAITED = 4


class OutsideBounds(Exception):
    """The deployment is outside its bounds; the message says how."""


class Interrupted(Exception):
    """Somebody wants the rollout to end."""


@dataclass(frozen=True)
class Watched:
    """What is watched, and how.

    Attributes:
        endpoint: name of the endpoint.
        to: the deployment that is judged.
        hold: seconds of a stage. One without enough requests is held up to four times as long.
        payloads: our own requests; None for none.
        rate: of these, per second.
    """

    endpoint: str
    to: str
    hold: float
    bounds: Bounds
    payloads: Sequence[bytes] | None
    rate: float


class Stage:
    """Watches a deployment from the moment it is made."""

    def __init__(
        self, endpoints: OnlineEndpoints, watched: Watched, interruption: Interruption, tell: Callable[[str], None]
    ) -> None:
        self._endpoints = endpoints
        self._watched = watched
        self._interruption = interruption
        self._tell = tell
        self._before = self._counters()
        self._probes = self._made_probes()
        self._started = time.monotonic()

    def watch(self, label: str) -> list[Seen]:
        """What was seen, when the stage ends well.

        Raises:
            OutsideBounds: the deployment is outside its bounds, or got too few requests to judge it.
            Interrupted: somebody wants the end.
        """
        if self._probes:
            self._probes.start()
        told = self._started
        try:
            while not self._is_over():
                if self._interruption.wait(_LOOK_SECONDS):
                    raise Interrupted
                seen = self.seen()
                self._judge(seen, ended=False)
                if time.monotonic() - told >= min(_TELL_SECONDS, self._watched.hold / 2):
                    told = time.monotonic()
                    self._tell(f"{label}: {told - self._started:.0f} s of {self._watched.hold:g} s: {_told(seen)}")
        finally:
            if self._probes:
                self._probes.end()
        self.join()
        seen = self.seen()
        self._judge(seen, ended=True)
        return seen

    def seen(self) -> list[Seen]:
        """What the deployment has done until now, by source."""
        found: list[Seen] = []
        now = self._counters()
        if self._before is not None and now is not None:
            found.append(from_counters(self._before, now))
        if self._probes:
            late = self._probes.waiting(self._watched.bounds.max_p95_ms / 1000)
            found.append(from_samples(self._probes.samples(), late, self._watched.to))
        return found

    def join(self) -> None:
        """Wait for the answers to our own requests."""
        if self._probes:
            self._probes.join()

    def _is_over(self) -> bool:
        """Time is up, and there were enough requests, or there never will be."""
        passed = time.monotonic() - self._started
        if passed < self._watched.hold:
            return False
        enough = max((one.requests for one in self.seen()), default=0) >= self._watched.bounds.min_requests
        return enough or passed >= _MOST_WAITED * self._watched.hold

    def _judge(self, seen: Sequence[Seen], *, ended: bool) -> None:
        bounds = self._watched.bounds
        reason = next((told for one in seen if (told := fault(one, bounds, ended=ended))), None)
        most = max((one.requests for one in seen), default=0)
        if reason is None and ended and most < bounds.min_requests:
            reason = (
                f"{most} requests are too few to judge it; at least {bounds.min_requests}, see --requests and --rate"
            )
        if reason is not None:
            raise OutsideBounds(f"{self._watched.to}: {reason}")

    def _counters(self) -> Served | None:
        served = self._endpoints.served(self._watched.endpoint)
        # None, too, when the endpoint's process had no time to answer.
        return None if not served else served.get(self._watched.to)

    def _made_probes(self) -> Probes | None:
        watched = self._watched
        if watched.payloads is None:
            return None
        timeout = min(max(10 * watched.bounds.max_p95_ms / 1000, _SHORTEST_TIMEOUT), _LONGEST_TIMEOUT)
        # Asked for anew in each stage: a token ends after an hour.
        by_traffic = self._endpoints.target(watched.endpoint)
        direct = self._endpoints.target(watched.endpoint, watched.to)
        return Probes(by_traffic, direct, watched.payloads, watched.rate, timeout)


def _told(seen: Sequence[Seen]) -> str:
    parts = []
    for one in seen:
        p95 = "" if one.p95_ms is None else f", p95 {one.p95_ms:.4g} ms"
        parts.append(f"{one.source} {one.requests} requests, {one.errors} errors{p95}")
    return "; ".join(parts) or "nothing yet"
