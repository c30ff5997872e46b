"""The servers of one deployment: started, watched, started again when they die, ended."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from amlops.local.jobs import process as processes
from amlops.validate.schema.online import Probe, RequestSettings

_MAIN = Path(__file__).with_name("server_main.py")
_LARGEST_LOG = 10 * 1024 * 1024
_FIRST_PAUSE, _LONGEST_PAUSE, _SETTLED = 0.5, 30.0, 60.0
_POLL_SECONDS = 0.05
_TAIL = 60
_TELLING = re.compile(r"[\w.]*(Error|Exception)\b")
# One request at a time for each worker as in Azure, with connections that stay open: the sync worker of gunicorn closes
# each. A deployment's own environment_variables win.
_GUNICORN = "--worker-class gthread --threads 1 --keep-alive 75"


class StartFailed(Exception):
    """A server did not come up; the message says why, with the last lines that it wrote."""


@dataclass(frozen=True)
class ServerPlan:
    """What a deployment's servers need; from its record."""

    name: str
    python: str
    code: Path
    script: Path
    model: Path
    variables: Mapping[str, str] = field(repr=False)
    instances: int
    requests: RequestSettings
    readiness: Probe
    log: Path

    @classmethod
    def of(cls, record: Mapping[str, Any], log: Path) -> ServerPlan:
        spec = record["spec"]
        code = Path(record["code_path"])
        return cls(
            name=record["name"],
            python=record["python"],
            code=code,
            script=code / record["code_configuration"]["scoring_script"],
            model=Path(record["model_path"]),
            variables={key: str(value) for key, value in spec.get("environment_variables", {}).items()},
            instances=int(spec.get("instance_count", 1)),
            requests=RequestSettings.model_validate(spec.get("request_settings", {})),
            readiness=Probe.model_validate(spec.get("readiness_probe", {})),
            log=log,
        )

    @property
    def ready_within(self) -> float:
        """Seconds in which Azure too would give up."""
        return self.readiness.initial_delay + self.readiness.period * self.readiness.failure_threshold


class Server:
    """One instance: a process of its own, on a port of its own. `busy` counts the requests that it works at."""

    def __init__(self, plan: ServerPlan, session: aiohttp.ClientSession) -> None:
        self._plan = plan
        self._session = session
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: asyncio.Task[None] | None = None
        self.address = ""
        self.ready = False
        self.restarts = 0
        self.busy = 0

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start it and wait until it answers. Raises StartFailed."""
        await self._start_once()
        self._watch = asyncio.create_task(self._keep_alive())

    def start_in_background(self) -> None:
        """Start it, however often that takes."""
        self._watch = asyncio.create_task(self._keep_alive())

    async def stop(self) -> None:
        self.ready = False
        if self._watch is not None:
            self._watch.cancel()
        if self._process is not None:
            await asyncio.to_thread(processes.stop, [self._process])

    async def _start_once(self) -> None:
        self._launch()
        end = time.monotonic() + self._plan.ready_within
        while not await self._answers():
            code = self._process.poll() if self._process else None
            if code is not None or time.monotonic() > end:
                what = f"ended with exit code {code}" if code is not None else "did not answer in time"
                await self._end_process()
                raise StartFailed(f"the server of '{self._plan.name}' {what}: {tail(self._plan.log)}")
            await asyncio.sleep(_POLL_SECONDS)
        self.ready = True

    def _launch(self) -> None:
        plan = self._plan
        plan.log.parent.mkdir(parents=True, exist_ok=True)
        if plan.log.is_file() and plan.log.stat().st_size > _LARGEST_LOG:
            plan.log.replace(plan.log.with_suffix(".log.1"))
        port = _free_port()
        self.address = f"http://127.0.0.1:{port}"
        variables = {
            "GUNICORN_CMD_ARGS": _GUNICORN,
            "OMP_NUM_THREADS": "1",
            **plan.variables,
            "AZUREML_MODEL_DIR": str(plan.model),
            "AML_APP_ROOT": str(plan.code),
            "AZUREML_ENTRY_SCRIPT": str(plan.script),
        }
        words = [plan.python, str(_MAIN), "--entry_script", str(plan.script), "--port", str(port)]
        words += ["--worker_count", variables.get("WORKER_COUNT", "1")]
        self._process = processes.start(words, cwd=plan.code, variables=variables, log=plan.log, lifeline=True)

    async def _answers(self) -> bool:
        try:
            timeout = aiohttp.ClientTimeout(total=self._plan.readiness.timeout)
            async with self._session.get(f"{self.address}/", timeout=timeout) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _keep_alive(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            if self.ready:
                started = time.monotonic()
                while self._process is not None and self._process.poll() is None:
                    await asyncio.sleep(_POLL_SECONDS)
                self.ready = False
                self.restarts += 1
                await self._end_process()  # its workers, which hold the port
                pause = _FIRST_PAUSE if time.monotonic() - started > _SETTLED else pause
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            try:
                await self._start_once()
            except (StartFailed, OSError):
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _end_process(self) -> None:
        if self._process is not None:
            await asyncio.to_thread(processes.stop, [self._process])


def tail(log: Path, lines: int = _TAIL) -> str:
    """What is most telling at the end of a log, in one line: the last line that is an error, else the last one."""
    try:
        text = log.read_bytes()[-20_000:].decode("utf-8", "replace").strip().splitlines()[-lines:]
    except OSError:
        return "it wrote nothing"
    # Of the server's own exception around the script's, only the script's says what is wrong.
    told = [line for line in text if "UserScriptException" not in line]
    telling = [line.strip() for line in told if _TELLING.match(line.strip())]
    found = next(iter(reversed(telling or text)), "it wrote nothing")
    return f"{found.strip()} (log: {log.name})"


def _free_port() -> int:
    with socket.socket() as probe:
        if os.name == "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)  # pyright: ignore[reportAttributeAccessIssue]
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
