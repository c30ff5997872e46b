"""The address of an endpoint: who may call, which deployment answers, copies for mirrors, and orders.

Requests are shared out by turn, not by chance: of 100 requests at 90/10, exactly ten go to the second.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import web

from amlops.local.online.credentials import Credentials
from amlops.local.online.pool import Answer, Call, Pool
from amlops.local.online.records import EndpointFolder
from amlops.local.online.servers import ServerPlan, StartFailed
from amlops.workspace.online import DEPLOYMENT_HEADER, UNSERVED_HEADER

CONTROL_HEADER = "x-amlops-control"
CONTROL = "/.amlops"
_LARGEST_BODY = 16 * 1024 * 1024
_MOST_MIRRORED_AT_ONCE = 64
_UNAUTHORIZED = "Authorization: 'Bearer KEY' is needed, with a key or token of the endpoint"
log = logging.getLogger("amlops.online")


class Turns:
    """Whose turn it is, by per cent: each gains its share, who has most pays one round."""

    def __init__(self, shares: Mapping[str, int]) -> None:
        self.shares = {name: share for name, share in shares.items() if share > 0}
        self._credit = dict.fromkeys(self.shares, 0)

    def next(self) -> str | None:
        if not self.shares:
            return None
        for name, share in self.shares.items():
            self._credit[name] += share
        chosen = max(self._credit, key=lambda name: self._credit[name])
        self._credit[chosen] -= sum(self.shares.values())
        return chosen


class Router:
    """The endpoint while its process lives."""

    def __init__(self, folder: EndpointFolder, session: aiohttp.ClientSession, stop: asyncio.Event) -> None:
        self._folder = folder
        self._session = session
        self._stop = stop
        self._credentials = Credentials.read(folder.root)
        self._pools: dict[str, Pool] = {}
        self._background: set[asyncio.Task[Any]] = set()
        self._mirrored = 0
        self._apply()

    def application(self) -> web.Application:
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_get("/", self._health)
        application.router.add_post(CONTROL + "/{order}", self._control)
        application.router.add_route("*", "/score", self._score)
        application.router.add_get("/swagger.json", self._score)
        return application

    def start(self) -> None:
        """Start what has been deployed."""
        for record in self._folder.deployments():
            pool = self._pool(record)
            self._pools[pool.name] = pool
            pool.start_in_background()

    async def end(self) -> None:
        """Let the requests end, then the servers."""
        await asyncio.gather(*(pool.drain() for pool in self._pools.values()))

    async def _health(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return web.Response(text="Healthy")

    async def _score(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        scheme, _, key = given.partition(" ")
        if scheme.lower() != "bearer" or not self._credentials.accepts(key.strip(), self._auth_mode):
            return _response(Answer.message(401, _UNAUTHORIZED))
        asked = request.headers.get(DEPLOYMENT_HEADER)
        # As the traffic is now: what it becomes while the request is under way must not cost the request its fallback.
        name, fallback = asked or self._turns.next(), self._fallback
        pool = self._pools.get(name or "")
        if pool is None:
            text = f"the endpoint has no deployment '{name}'" if name else "no deployment of the endpoint has traffic"
            return _response(Answer.message(404, text))
        call = Call(request.method, request.rel_url.raw_path_qs, dict(request.headers), await request.read())
        if not asked and request.path == "/score":
            self._mirror(call)
        answer = await pool.serve(call)
        if answer.unserved and fallback and not asked:
            other = self._other(pool.name)
            if other is not None:
                log.warning("'%s' did not serve a request (%d); '%s' gets it", pool.name, answer.status, other.name)
                answer = await other.serve(call)
                answer.headers[UNSERVED_HEADER] = pool.name
        return _response(answer)

    def _other(self, name: str) -> Pool | None:
        """The deployment with most traffic among the others that are up; one with 0 per cent is asked last."""
        shares = {other: share for other, share in self._traffic.items() if other != name}
        ready = [other for other in shares if other in self._pools and self._pools[other].ready]
        return self._pools[max(ready, key=lambda other: shares[other])] if ready else None

    def _mirror(self, call: Call) -> None:
        name = self._mirror_turns.next()
        pool = self._pools.get(name or "")
        if pool is None or self._mirrored >= _MOST_MIRRORED_AT_ONCE:
            return
        self._mirrored += 1
        task = self._later(pool.serve(call))
        task.add_done_callback(lambda _: setattr(self, "_mirrored", self._mirrored - 1))

    async def _control(self, request: web.Request) -> web.Response:
        given = request.headers.get(CONTROL_HEADER, "")
        if not hmac.compare_digest(given.encode(), self._credentials.control.encode()):
            return web.json_response({"message": "not found"}, status=404)
        order = request.match_info["order"]
        if order == "deploy":
            return await self._deploy(await request.json())
        if order == "withdraw":
            name = (await request.json())["name"]
            self._folder.delete_deployment(name)
            pool = self._pools.pop(name, None)
            if pool is not None:
                await pool.drain()
        elif order == "apply":
            self._apply()
        elif order == "stop":
            self._stop.set()
        elif order != "status":
            return web.json_response({"message": f"there is no order '{order}'"}, status=404)
        return web.json_response(self._status())

    async def _deploy(self, record: dict[str, Any]) -> web.Response:
        """Start a deployment beside the one of that name, if there is one, and let it take that one's place."""
        pool = self._pool(record)
        try:
            await pool.start()
        except (StartFailed, OSError) as error:
            return web.json_response({"message": str(error)}, status=409)
        self._folder.save_deployment(record)
        old = self._pools.get(pool.name)
        self._pools[pool.name] = pool
        log.info("'%s' is deployed", pool.name)
        if old is not None:
            self._later(old.drain())
        return web.json_response(self._status())

    def _apply(self) -> None:
        """Read traffic and authentication anew."""
        endpoint = self._folder.endpoint()
        self._auth_mode = endpoint["auth_mode"]
        self._fallback = bool(endpoint.get("fallback"))
        self._traffic: dict[str, int] = endpoint["traffic"]
        self._turns = Turns(self._traffic)
        mirror = endpoint["mirror_traffic"]
        self._mirror_turns = Turns({**mirror, "": 100 - sum(mirror.values())} if mirror else {})

    def _status(self) -> dict[str, Any]:
        return {
            name: {
                "ready": pool.ready,
                "served": pool.counters.record(),
                "instances": [
                    {"pid": server.pid, "ready": server.ready, "restarts": server.restarts, "address": server.address}
                    for server in pool.servers
                ],
            }
            for name, pool in self._pools.items()
        }

    def _pool(self, record: dict[str, Any]) -> Pool:
        return Pool(record, ServerPlan.of(record, self._folder.log(record["name"])), self._session)

    def _later(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
