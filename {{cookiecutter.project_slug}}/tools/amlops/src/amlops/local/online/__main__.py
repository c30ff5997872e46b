"""The process of one endpoint: `python -m amlops.local.online FOLDER`. It lives until the endpoint is deleted."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from pathlib import Path

import aiohttp
from aiohttp import web

from amlops.files import read_json, write_json
from amlops.local.locks import HeldLock
from amlops.local.online.records import EndpointFolder
from amlops.local.online.router import Router

_STANDING = 3
_LOCK_ATTEMPTS = 20


async def serve(folder: EndpointFolder) -> None:
    """Answer until somebody says stop."""
    stop = asyncio.Event()
    if sys.platform != "win32":
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # The servers' own limits are kept by their pools.
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session:
        router = Router(folder, session, stop)
        runner = web.AppRunner(router.application(), access_log=None)
        await runner.setup()
        port = await _listen(runner, _last_port(folder))
        write_json(folder.router_file, {"pid": os.getpid(), "port": port})
        router.start()
        await stop.wait()
        await router.end()
        await runner.cleanup()


async def _listen(runner: web.AppRunner, wanted: int) -> int:
    """The port; the one from last time if it is free, so that the address stays."""
    for port in (wanted, 0):
        site = web.TCPSite(runner, "127.0.0.1", port)
        try:
            await site.start()
        except OSError:
            continue
        return int(runner.addresses[0][1])
    raise OSError("no port of 127.0.0.1 is free")


def _last_port(folder: EndpointFolder) -> int:
    try:
        return int(read_json(folder.router_file)["port"])
    except (OSError, ValueError, KeyError):
        return 0


def main() -> int:
    folder = EndpointFolder(Path(sys.argv[1]))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    lock = _only_one(folder)
    if lock is None:
        return _STANDING
    asyncio.run(serve(folder))
    lock.release()
    return 0


def _only_one(folder: EndpointFolder) -> HeldLock | None:
    """The endpoint's lock; None when another process has it. Whoever only looks holds it for a moment, too."""
    for _ in range(_LOCK_ATTEMPTS):
        try:
            return HeldLock(folder.lock)
        except BlockingIOError:
            time.sleep(0.05)
    return None


if __name__ == "__main__":
    sys.exit(main())
