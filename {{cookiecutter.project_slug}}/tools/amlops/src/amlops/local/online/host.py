"""The process of an endpoint as the command line sees it: started when it is not there, and told what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any

from amlops.errors import UserError
from amlops.files import read_json
from amlops.local.locks import is_held
from amlops.local.online.credentials import Credentials
from amlops.local.online.records import EndpointFolder
from amlops.local.online.router import CONTROL, CONTROL_HEADER
from amlops.local.online.servers import tail

_START_SECONDS = 60.0
_DEPLOY_SECONDS = 900.0
_POLL_SECONDS = 0.05
# Loopback never goes through a proxy.
LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Host:
    """The process of one endpoint."""

    def __init__(self, folder: EndpointFolder) -> None:
        self._folder = folder

    @property
    def address(self) -> str | None:
        """Where the endpoint is, or was when its process lived; None before the first time."""
        try:
            return f"http://127.0.0.1:{read_json(self._folder.router_file)['port']}"
        except (OSError, ValueError, KeyError):
            return None

    @property
    def is_running(self) -> bool:
        return is_held(self._folder.lock)

    def ensure(self, *, ready: bool = False) -> str:
        """Its address; the process is started if it is not there.

        Args:
            ready: wait until the deployments that have traffic answer.

        Raises:
            UserError: it does not start.
        """
        if not self.is_running:
            self._start()
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            status = self._status_or_none()
            if status is not None and (not ready or self._all_ready(status)):
                return self.address or ""
            if status is None and not self.is_running and time.monotonic() > end - _START_SECONDS + 10:
                break
            time.sleep(_POLL_SECONDS)
        what = "does not start" if self._status_or_none() is None else "has no server that answers"
        raise UserError(f"the endpoint's process {what}: {tail(self._folder.router_log)}", file=self._folder.router_log)

    def status(self) -> dict[str, Any]:
        """The deployments' servers; empty when the process is not there."""
        return self._status_or_none() or {} if self.is_running else {}

    def order(self, order: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
        """Have the process do something, and wait for it. Raises UserError with its reason."""
        try:
            return self._ask(order, data or {}, _DEPLOY_SECONDS)
        except urllib.error.HTTPError as error:
            raise UserError(json.loads(error.read())["message"]) from None
        except OSError as error:
            raise UserError(f"the endpoint's process ended meanwhile ({error}); the same command again") from None

    def stop(self) -> None:
        """End the process once it has answered what it was asked."""
        if not self.is_running:
            return
        self.order("stop")
        end = time.monotonic() + _START_SECONDS
        while self.is_running and time.monotonic() < end:
            time.sleep(_POLL_SECONDS)

    def _all_ready(self, status: dict[str, Any]) -> bool:
        traffic = self._folder.endpoint()["traffic"]
        return all(status.get(name, {}).get("ready") for name, share in traffic.items() if share)

    def _start(self) -> None:
        log = self._folder.router_log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._folder.lock.touch()
        detached = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS if sys.platform == "win32" else 0
        with log.open("ab") as stream:
            subprocess.Popen(
                [sys.executable, "-m", "amlops.local.online", str(self._folder.root)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=os.name != "nt",
                creationflags=detached,
                cwd=self._folder.root,
            )

    def _status_or_none(self) -> dict[str, Any] | None:
        try:
            return self._ask("status", {}, 5.0)
        except (OSError, ValueError):
            return None

    def _ask(self, order: str, data: dict[str, Any], seconds: float) -> dict[str, Any]:
        address = self.address
        if address is None:
            raise OSError("it has no address yet")
        headers = {CONTROL_HEADER: Credentials.read(self._folder.root).control, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{address}{CONTROL}/{order}", json.dumps(data).encode(), headers)  # noqa: S310
        with LOOPBACK.open(request, timeout=seconds) as answer:
            return json.loads(answer.read())
