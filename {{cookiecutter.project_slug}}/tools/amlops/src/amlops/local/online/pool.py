"""One deployment as the router sees it: its servers, how many requests it takes at once, and how it is drained."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

from amlops.local.online.counters import Counters
from amlops.local.online.servers import Server, ServerPlan
from amlops.workspace.online import DEPLOYMENT_HEADER, SCRIPT_STATUS_HEADER

_DRAIN_SECONDS = 30.0
# Of a caller's headers these are not passed on: hop by hop (RFC 9110, 7.6.1), the key, and what is ours.
_KEPT_BACK = frozenset(
    {"host", "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"}
    | {"authorization", "proxy-authorization", "proxy-connection", "cookie", "azureml-model-deployment", "expect"}
)
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"})


@dataclass(frozen=True)
class Answer:
    """What the caller gets. `unserved`: the deployment did not serve the request; another one could."""

    status: int
    body: bytes
    headers: dict[str, str]
    unserved: bool = False

    @classmethod
    def message(cls, status: int, text: str, *, unserved: bool = False) -> Answer:
        return cls(status, json.dumps({"message": text}).encode(), {"Content-Type": "application/json"}, unserved)


@dataclass(frozen=True)
class Call:
    """A request on its way to a server."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def forwarded(self) -> dict[str, str]:
        return {name: value for name, value in self.headers.items() if name.lower() not in _KEPT_BACK}


class Pool:
    """The servers of a deployment.

    As many requests run at once as `max_concurrent_requests_per_instance` times the instances. As many again wait;
    more get 429. Azure ML, "troubleshooting online endpoints": at most 2 * max_concurrent_requests_per_instance *
    instance_count requests are processed in parallel.
    """

    def __init__(self, record: dict[str, Any], plan: ServerPlan, session: aiohttp.ClientSession) -> None:
        self.record = record
        self.name = plan.name
        self._plan = plan
        self._session = session
        self.counters = Counters()
        self.servers = [Server(plan, session) for _ in range(plan.instances)]
        room = plan.requests.max_concurrent_requests_per_instance * plan.instances
        self._room = asyncio.Semaphore(room)
        self._most = 2 * room
        self._inside = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def ready(self) -> bool:
        return any(server.ready for server in self.servers)

    async def start(self) -> None:
        """Start all servers; those that are up are ended again when one fails. Raises StartFailed."""
        results = await asyncio.gather(*(server.start() for server in self.servers), return_exceptions=True)
        failed = next((result for result in results if isinstance(result, BaseException)), None)
        if failed is not None:
            await self.stop()
            raise failed

    def start_in_background(self) -> None:
        for server in self.servers:
            server.start_in_background()

    async def stop(self) -> None:
        await asyncio.gather(*(server.stop() for server in self.servers))

    async def drain(self) -> None:
        """End it once its requests have been answered."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), _DRAIN_SECONDS)
        await self.stop()

    async def serve(self, call: Call) -> Answer:
        """The answer to a request, whatever happens."""
        started = time.monotonic()
        answer = await self._serve(call)
        self.counters.add(time.monotonic() - started, unserved=answer.unserved)
        return answer

    async def _serve(self, call: Call) -> Answer:
        if self._inside >= self._most:
            return Answer.message(
                429, f"the deployment '{self.name}' has {self._inside} requests; try again later", unserved=True
            )
        self._inside += 1
        self._empty.clear()
        try:
            async with asyncio.timeout(self._plan.requests.request_timeout_ms / 1000), self._room:
                return await self._send(call)
        except TimeoutError:
            took = self._plan.requests.request_timeout_ms
            return Answer.message(408, f"the deployment '{self.name}' did not answer in {took} ms", unserved=True)
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    async def _send(self, call: Call) -> Answer:
        ready = [server for server in self.servers if server.ready]
        if not ready:
            return Answer.message(503, f"no server of the deployment '{self.name}' is up", unserved=True)
        server = min(ready, key=lambda server: server.busy)
        server.busy += 1
        try:
            async with self._session.request(
                call.method, server.address + call.path, data=call.body, headers=call.forwarded(), allow_redirects=False
            ) as answer:
                body = await answer.read()
                headers = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
        except (aiohttp.ClientError, OSError) as error:
            text = f"the server of the deployment '{self.name}' died at this request ({type(error).__name__})"
            return Answer.message(502, text, unserved=True)
        finally:
            server.busy -= 1
        headers[DEPLOYMENT_HEADER] = self.name
        if answer.status >= 400:
            headers[SCRIPT_STATUS_HEADER] = str(answer.status)
        return Answer(answer.status, body, headers, unserved=answer.status >= 500)
