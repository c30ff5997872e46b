"""Open-loop load: requests leave on schedule, whatever the answers do, as those of many users would.

A load that waits for each answer slows down with the server and so hides that requests wait. Here the moment of each
request is fixed before it starts, and its latency is counted from that moment.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from amlops.errors import UserError
from amlops.realtime.connection import is_this_machine, tls_context
from amlops.realtime.figures import TIMEOUT, LoadFigures, Sample, load_figures
from amlops.workspace.online import DEPLOYMENT_HEADER, SCRIPT_STATUS_HEADER, UNSERVED_HEADER, ScoringTarget

if TYPE_CHECKING:
    import aiohttp

# Requests under way at once; more of them are not sent and count as errors. Below the usual limit of open files (1024).
MOST_OUTSTANDING = 900
_HIGHEST_RATE = 100_000
BACKLOG = f"not sent: {MOST_OUTSTANDING} requests were waiting for their answers"
# Shorter than servers keep a connection (gunicorn here 75 s): a request must not leave on one that is being closed.
_KEEP_ALIVE_SECONDS = 30.0
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Plan:
    """A load.

    Attributes:
        rate: requests per second.
        requests: how many are measured.
        warm_up: how many are sent before, at the same rate, and left out.
        timeout: seconds after which an answer is given up.
    """

    rate: float
    requests: int
    warm_up: int = 0
    timeout: float = 30.0

    @classmethod
    def lasting(cls, rate: float, seconds: float, warm_up_seconds: float = 0.0, timeout: float = 30.0) -> Plan:
        """A load that lasts so long, with at least one request."""
        return cls(rate, max(1, round(rate * seconds)), round(rate * warm_up_seconds), timeout)


@dataclass
class Sender:
    """Sends requests to one target over connections that stay open."""

    target: ScoringTarget
    session: aiohttp.ClientSession
    timeout: float
    direct: bool = False
    outstanding: set[asyncio.Task[None]] = field(default_factory=set)
    under_way: dict[int, float] = field(default_factory=dict)

    async def send(self, body: bytes, due: float) -> Sample:
        """One request, now; whatever happens there is a sample. `under_way` has the moment it left meanwhile."""
        sample = Sample(due, time.monotonic(), 0.0, direct=self.direct)
        self.under_way[id(sample)] = sample.sent
        try:
            return await self._send(body, sample)
        finally:
            del self.under_way[id(sample)]

    async def _send(self, body: bytes, sample: Sample) -> Sample:
        import aiohttp

        try:
            async with self.session.post(self.target.uri, data=body, headers=self._headers) as answer:
                await answer.read()
        except TimeoutError:
            return replace(sample, ended=time.monotonic(), error=TIMEOUT)
        except aiohttp.ClientConnectorCertificateError:  # a ClientConnectorError without its os_error
            return replace(sample, ended=time.monotonic(), error="not connected (certificate refused)")
        except aiohttp.ClientConnectorError as error:
            return replace(sample, ended=time.monotonic(), error=f"not connected ({_short(error.os_error)})")
        except (aiohttp.ClientError, OSError) as error:
            return replace(sample, ended=time.monotonic(), error=f"connection lost ({type(error).__name__})")
        return replace(
            sample,
            ended=time.monotonic(),
            status=answer.status,
            deployment=answer.headers.get(DEPLOYMENT_HEADER),
            unserved_by=answer.headers.get(UNSERVED_HEADER),
            script_status=answer.headers.get(SCRIPT_STATUS_HEADER),
        )

    @property
    def _headers(self) -> dict[str, str]:
        return {**self.target.headers, **_JSON}


@asynccontextmanager
async def sender(target: ScoringTarget, timeout: float, *, direct: bool = False) -> AsyncIterator[Sender]:
    """A sender; its connections are closed at the end of the block."""
    import aiohttp

    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS, ssl=tls_context(target) or True)
    # A proxy of the environment is used as by any other client, but never for this machine itself.
    trust = not is_this_machine(target)
    times = aiohttp.ClientTimeout(total=timeout)
    async with aiohttp.ClientSession(connector=connector, timeout=times, trust_env=trust) as session:
        yield Sender(target, session, timeout, direct)


async def generate(
    sender: Sender,
    payloads: Sequence[bytes],
    rate: float,
    sink: Callable[[int, Sample], None],
    *,
    number: int | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Send requests on schedule until `number` have left or `stop` is set, then wait for their answers.

    Args:
        payloads: sent in turn.
        rate: requests per second.
        sink: gets each request's number, from 0, and its sample, as they end.
    """
    start, tasks = time.monotonic(), sender.outstanding

    async def one(index: int, due: float) -> None:
        sink(index, await sender.send(payloads[index % len(payloads)], due))

    index = 0
    while (number is None or index < number) and not (stop and stop.is_set()):
        due = start + index / rate
        wait = due - time.monotonic()
        # Also when it is late: the answers have to be read meanwhile.
        await asyncio.sleep(max(0.0, wait))
        if len(tasks) >= MOST_OUTSTANDING:
            now = time.monotonic()
            sink(index, Sample(due, now, now, error=BACKLOG, direct=sender.direct))
        else:
            task = asyncio.create_task(one(index, due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        index += 1
    if tasks:
        await asyncio.gather(*tasks)


def measure(target: ScoringTarget, payloads: Sequence[bytes], plan: Plan) -> LoadFigures:
    """Send a load and return its figures; takes `(requests + warm_up) / rate` seconds and the last answer's time.

    Raises:
        UserError: the rate is not above 0, or aiohttp is not installed.
    """
    check_rate(plan.rate)
    require_aiohttp()
    return asyncio.run(_measured(target, payloads, plan))


async def _measured(target: ScoringTarget, payloads: Sequence[bytes], plan: Plan) -> LoadFigures:
    samples: list[Sample] = []

    def take(index: int, sample: Sample) -> None:
        if index >= plan.warm_up:
            samples.append(sample)

    async with sender(target, plan.timeout) as found:
        await generate(found, payloads, plan.rate, take, number=plan.warm_up + plan.requests)
    return load_figures(samples, plan.rate)


def check_rate(rate: float, option: str = "--rate") -> None:
    """Raises UserError for a rate that is not above 0, or that nobody can mean."""
    if not 0 < rate <= _HIGHEST_RATE:
        raise UserError(
            f"{option}: '{rate:g}' must be above 0 and at most {_HIGHEST_RATE}, in requests per second; for example 50"
        )


def require_aiohttp() -> None:
    """Raises UserError when aiohttp is not installed."""
    from importlib.util import find_spec

    if find_spec("aiohttp") is None:
        raise UserError('load needs the package aiohttp, which is not installed; pip install "amlops[realtime]"')


def _short(error: OSError) -> str:
    # Its own text has the address in it, which would make each error a kind of its own.
    number = error.errno or 0
    return os.strerror(number).lower() if number > 0 else error.strerror or type(error).__name__
