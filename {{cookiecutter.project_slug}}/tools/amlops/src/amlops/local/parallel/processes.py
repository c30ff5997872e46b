"""Worker processes as the parent sees them: started, spoken to, killed.

Facts: Azure ML runs `instance_count` x `max_concurrency_per_instance` processes, each in a private working folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Message = dict[str, Any]

WORKER = Path(__file__).with_name("worker.py")
# Libraries that start a thread per core in every process; the names are their own.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@dataclass(frozen=True)
class WorkerSpec:
    """What every worker of a job is started with.

    Attributes:
        script: the scoring script; `search_path` are the folders that it can import from.
        environment: variables added to the parent's environment.
        append_row: False for summary_only.
        logs: the job's `logs` folder; `work` is where the private working folders are made.
        parts: folder for the rows of each mini-batch.
    """

    script: Path
    search_path: Sequence[Path]
    environment: Mapping[str, str]
    append_row: bool
    logging_level: str
    logs: Path
    work: Path
    parts: Path


@dataclass(frozen=True)
class Event:
    """Something that a worker told (`message`), or the end of its process (`message` is None)."""

    worker: WorkerProcess
    message: Message | None


@dataclass
class WorkerProcess:
    """A running worker. `node` and `number` name it in the logs as Azure's runner does.

    Attributes:
        state: "init", "idle", "running" or "ended".
        deadline: `time.monotonic()` at which it is killed, or None.
        mini_batch: index and attempt of what it is scoring, `since` when (`time.monotonic()`).
    """

    node: str
    number: int
    spec: WorkerSpec
    events: queue.SimpleQueue[Event]
    state: str = "init"
    deadline: float | None = None
    mini_batch: tuple[int, int] = (0, 0)
    since: float = 0.0
    init_seconds: float = 0.0
    run_seconds: float = 0.0
    _process: subprocess.Popen[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._process = self._start()
        threading.Thread(target=self._read_events, daemon=True, name=f"read {self.label}").start()

    @property
    def label(self) -> str:
        """For example node0/process001."""
        return f"{self.node}/process{self.number:03d}"

    def log(self, kind: str, suffix: str) -> Path:
        """The worker's log file of one kind, for example logs/user/stdout/node0/process001.stdout.txt."""
        return self.spec.logs / "user" / kind / self.node / f"process{self.number:03d}{suffix}.txt"

    def send(self, message: Message) -> None:
        """Send a command. Nothing happens when the process is gone: its end arrives as an event."""
        if (stream := self._process.stdin) is None:
            return
        with contextlib.suppress(OSError, ValueError):
            stream.write(json.dumps(message) + "\n")
            stream.flush()

    def has_exited(self) -> bool:
        """True when the process has ended."""
        return self._process.poll() is not None

    def exit_reason(self) -> str:
        """How the process ended, in words."""
        code = self._process.wait()
        if code >= 0:
            return f"the worker process ended with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = str(-code)
        hint = " (out of memory?)" if name == "SIGKILL" else ""
        return f"the worker process was ended by signal {name}{hint}"

    def kill(self) -> None:
        """End the process and what it started, at once, and wait for it."""
        if self.state == "ended":  # its process number may be somebody else's by now
            return
        self.state = "ended"
        if os.name == "nt":
            self._process.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def wait(self, seconds: float) -> None:
        """Wait at most `seconds` for the end of the process."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def _start(self) -> subprocess.Popen[str]:
        folder = self.spec.work / self.node / f"process{self.number:03d}"
        output, errors = self.log("stdout", ".stdout"), self.log("stderr", ".stderr")
        for parent in (folder, output.parent, errors.parent):
            parent.mkdir(parents=True, exist_ok=True)
        with errors.open("ab") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-P", "-u", str(WORKER), str(output)],
                cwd=folder,
                env={**os.environ, **self.spec.environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                encoding="utf-8",
                # Its own session: Ctrl-C reaches the parent only, and a kill reaches what the script has started.
                start_new_session=os.name != "nt",
            )
        self._process = process
        self.send(
            {
                "script": str(self.spec.script),
                "search_path": [str(path) for path in self.spec.search_path],
                "logging_level": self.spec.logging_level,
                "append_row": self.spec.append_row,
            }
        )
        return process

    def _read_events(self) -> None:
        # A killed worker can leave half a line behind; its end says enough then.
        with contextlib.suppress(ValueError, OSError):
            for line in self._process.stdout or ():
                self.events.put(Event(self, json.loads(line)))
        self.events.put(Event(self, None))


def thread_limits(workers: int, cores: int) -> dict[str, str]:
    """Variables that keep `workers` processes on `cores` cores from starting more threads than there are cores.

    Variables that the user's shell has already are left alone.
    """
    threads = str(max(1, cores // max(1, workers)))
    return {name: threads for name in THREAD_VARIABLES if name not in os.environ}


def stop_all(workers: Sequence[WorkerProcess], seconds: float) -> None:
    """Let the scripts' shutdown() run, for at most `seconds` in all, then end the processes."""
    until = time.monotonic() + seconds
    for worker in workers:
        worker.send({"shutdown": True})
    for worker in workers:
        worker.wait(max(0.0, until - time.monotonic()))
        worker.kill()
