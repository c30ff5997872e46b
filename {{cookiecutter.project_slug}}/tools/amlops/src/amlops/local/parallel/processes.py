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

WORKER = Path(__file__).parent / "amlops_worker" / "worker_main.py"
# What scripts may import of Azure ML's own runner.
HELPERS = WORKER.with_name("helpers")
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
        output: what `EntryScript().output_dir` is.
        program_arguments: words that the script gets after the runner's own options.
        memory: megabytes of address space that a worker may have; 0: no limit.
        gpus: the first so many workers of a node get one GPU each.
        monitor_interval: seconds between two lines of logs/perf.
    """

    script: Path
    search_path: Sequence[Path]
    environment: Mapping[str, str]
    append_row: bool
    logging_level: str
    logs: Path
    work: Path
    parts: Path
    output: Path | None = None
    program_arguments: Sequence[str] = ()
    memory: int = 0
    gpus: int = 0
    monitor_interval: float = 600.0

    def job_message(self) -> Message:
        """What the process that runs the script has to know."""
        return {
            "script": str(self.script),
            "search_path": [str(path) for path in self.search_path],
            "helpers": str(HELPERS),
            "logging_level": self.logging_level,
            "append_row": self.append_row,
            "program_arguments": list(self.program_arguments),
            "memory": self.memory,
        }


@dataclass(frozen=True)
class Event:
    """Something that a worker told (`message`), or the end of its process (`message` is None)."""

    worker: WorkerProcess
    message: Message | None


@dataclass(eq=False)
class WorkerPlace:
    """Where a script runs. `node` and `number` name it in the logs as Azure's runner does."""

    node: str
    number: int
    spec: WorkerSpec

    @property
    def label(self) -> str:
        """For example node0/process001."""
        return f"{self.node}/process{self.number:03d}"

    @property
    def folder(self) -> Path:
        """The private working folder."""
        return self.spec.work / self.node / f"process{self.number:03d}"

    def log(self, kind: str, suffix: str) -> Path:
        """The worker's log file of one kind, for example logs/user/stdout/node0/process001.stdout.txt."""
        return self.spec.logs / "user" / kind / self.node / f"process{self.number:03d}{suffix}.txt"

    def environment(self) -> dict[str, str]:
        """Variables of the job and of this place."""
        helper = {
            "log_file": str(self.log("entry_script_log", ".log")),
            "log_dir": str(self.spec.logs / "user" / "entry_script_log" / self.node),
            "output_dir": str(self.spec.output or self.folder),
            "agent_name": self.label.replace("/", "_"),
            "working_dir": str(self.folder),
        }
        return {**self.spec.environment, "AMLOPS_ENTRY_SCRIPT": json.dumps(helper)}


@dataclass(eq=False)
class WorkerProcess(WorkerPlace):
    """A running worker.

    Attributes:
        slot: its place among the workers of its node; a replacement has the slot of the one before.
        state: "init", "idle", "loading", "running", "leaving" or "ended".
        deadline: `time.monotonic()` at which it is killed, or None.
        mini_batch: index and attempt of what it is scoring, `since` when (`time.monotonic()`).
        failures: attempts that failed in this process.
    """

    slot: int
    events: queue.SimpleQueue[Event]
    state: str = "init"
    deadline: float | None = None
    mini_batch: tuple[int, int] = (0, 0)
    since: float = 0.0
    failures: int = 0
    init_seconds: float = 0.0
    run_seconds: float = 0.0
    _process: subprocess.Popen[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._process = self._start()
        threading.Thread(target=self._read_events, daemon=True, name=f"read {self.label}").start()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def environment(self) -> dict[str, str]:
        """Variables of the job and of this place; one GPU for each of the first workers of a node."""
        gpu = {"CUDA_VISIBLE_DEVICES": str(self.slot)} if self.slot < self.spec.gpus else {}
        return {**gpu, **super().environment()}

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
        if self.spec.memory and name in ("SIGKILL", "SIGABRT", "SIGSEGV"):
            hint = f" (out of memory? a worker may have {self.spec.memory} MB, limits.memory)"
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
        output, errors = self.log("stdout", ".stdout"), self.log("stderr", ".stderr")
        for parent in (self.folder, output.parent, errors.parent):
            parent.mkdir(parents=True, exist_ok=True)
        with errors.open("ab") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-P", "-u", str(WORKER), str(output)],
                cwd=self.folder,
                env={**os.environ, **self.environment()},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                encoding="utf-8",
                # Its own session: Ctrl-C reaches the parent only, and a kill reaches what the script has started.
                start_new_session=os.name != "nt",
            )
        self._process = process
        self.send(self.spec.job_message())
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
