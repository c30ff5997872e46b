"""Our own requests while a rollout goes on, sent from a thread of their own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from amlops.realtime.figures import Sample
from amlops.realtime.load import Sender, generate, sender
from amlops.workspace.online import ScoringTarget

# So many of the probes go to the new deployment directly, so that a small share of the traffic is judged too.
_DIRECT_SHARE = 0.2


class Probes:
    """Requests at a fixed rate, most by the traffic's shares and some to one deployment, until `end`.

    Args:
        by_traffic: where requests go by the traffic's shares.
        direct: where all go to the deployment that is judged.
        rate: requests per second, both together.
        timeout: seconds after which an answer is given up.
    """

    def __init__(
        self, by_traffic: ScoringTarget, direct: ScoringTarget, payloads: Sequence[bytes], rate: float, timeout: float
    ) -> None:
        self._targets = {False: by_traffic, True: direct}
        self._rates = {False: rate * (1 - _DIRECT_SHARE), True: rate * _DIRECT_SHARE}
        self._payloads = payloads
        self._timeout = timeout
        self._samples: list[Sample] = []
        self._direct: Sender | None = None
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="probes", daemon=True)

    def start(self) -> None:
        """Start to send."""
        self._thread.start()
        self._ready.wait()

    def end(self) -> None:
        """Send no more."""
        if self._loop is not None and self._stop is not None:
            with suppress(RuntimeError):  # the thread has ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)

    def join(self) -> None:
        """Wait for the answers that are under way. Raises what went wrong in the thread."""
        self._thread.join()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def samples(self) -> list[Sample]:
        """The requests that have ended."""
        with self._lock:
            return list(self._samples)

    def waiting(self, longer_than: float) -> list[float]:
        """Seconds that direct requests have been waiting, where that is longer than so many seconds."""
        found, now = self._direct, time.monotonic()
        if found is None:
            return []
        return [now - moment for moment in list(found.under_way.values()) if now - moment > longer_than]

    def _run(self) -> None:
        try:
            asyncio.run(self._send())
        except Exception as error:  # raised again by `join`
            self._failure = error
        finally:
            self._ready.set()

    async def _send(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await asyncio.gather(*(self._send_to(direct, self._stop) for direct in self._targets))

    async def _send_to(self, direct: bool, stop: asyncio.Event) -> None:
        async with sender(self._targets[direct], self._timeout, direct=direct) as found:
            if direct:
                self._direct = found
            await generate(found, self._payloads, self._rates[direct], self._take, stop=stop)

    def _take(self, index: int, sample: Sample) -> None:  # noqa: ARG002
        with self._lock:
            self._samples.append(sample)
