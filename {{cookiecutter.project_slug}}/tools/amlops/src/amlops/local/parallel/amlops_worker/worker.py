"""One worker process of a parallel job: loads the scoring script, calls `init()` once, then `run()` for each mini-batch
it is sent. The standard library is all it imports, so that it starts fast.

The parent and the worker talk in lines of JSON. Commands come on standard input:

    {"script": …, "search_path": […], "logging_level": …, "append_row": …, …}              first line: the job
    {"mini_batch": 3, "attempt": 1, "files": ["/data/a.png", …], "table": null, "partition": {}, "part": "/…/3.1.part"}
    {"shutdown": true}

Events go to what was standard output, before the script's own output is sent to a log file: ready or init_failed, then
for each mini-batch loaded (tables only), and done or failed. The worker ends itself when standard input closes: that is
how it learns that the parent is gone, whatever killed it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import IO, Any, NoReturn

from .entryscript import Script, load_script, script_arguments
from .scoring import LOG_FORMAT, Scoring, described_with_limit

Message = dict[str, Any]
_MEGABYTE = 1024 * 1024


class Worker:
    """The loop of the process."""

    def __init__(self, commands: queue.SimpleQueue[Message], events: IO[str]) -> None:
        self._commands = commands
        self._events = events

    def main(self) -> int:
        """Load, init, run until told to stop. Returns the exit code."""
        job = self._commands.get()
        script = self._start(job)
        if script is None:
            return 1
        scoring = Scoring(script, job["append_row"], job["memory"])
        while not (command := self._commands.get()).get("shutdown"):
            self._send(scoring.score(command, lambda: self._send({"event": "loaded"})))
        try:
            script.shutdown()
        except Exception:  # the results are safe by now: the log is where this belongs
            traceback.print_exc()
        return 0

    def _start(self, job: Message) -> Script | None:
        level = job["logging_level"].upper()
        logging.basicConfig(level=level, format=LOG_FORMAT, stream=sys.stderr)
        sys.argv = script_arguments(job["script"], level, job["program_arguments"])
        sys.breakpointhook = _no_terminal
        started = time.perf_counter()
        try:
            limit_memory(job["memory"])
            # Last, so that a package of that name which the environment has comes first.
            sys.path.append(job["helpers"])
            script = Script(load_script(Path(job["script"]), job["search_path"]))
            script.init()
        except BaseException as error:  # a script may call sys.exit()
            traceback.print_exc()
            told = described_with_limit(error, job["memory"])
            self._send({"event": "init_failed", "error": told, "seconds": time.perf_counter() - started})
            return None
        self._send({"event": "ready", "seconds": time.perf_counter() - started})
        return script

    def _send(self, message: Message) -> None:
        with contextlib.suppress(OSError, ValueError):  # a script may have closed it
            sys.stdout.flush()
        self._events.write(json.dumps(message) + "\n")
        self._events.flush()


def _no_terminal(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError(
        "breakpoint() needs a terminal, which a worker does not have; invoke with --workers 0, or set "
        "limits.workers: 0 in .cloud/environments/local.yml"
    )


def limit_memory(megabytes: int) -> None:
    """Let this process have at most so much address space; 0: no limit. Windows has no such limit."""
    if not megabytes or os.name == "nt":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * _MEGABYTE, hard))


def _read_commands(stream: IO[str], commands: queue.SimpleQueue[Message]) -> None:
    """Runs in a thread: hands on the parent's commands, and ends the process when the parent is gone."""
    for line in stream:
        commands.put(json.loads(line))
    _end_process_group()


def _end_process_group() -> None:
    """End this process and what it started, whatever the script is doing."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def _take_standard_streams(output: Path) -> tuple[IO[str], IO[str]]:
    """Keep the pipes to the parent for ourselves, and give the script an empty input and a log file for its output."""
    commands = os.fdopen(os.dup(0), "r", encoding="utf-8")
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with open(os.devnull, "rb") as empty, output.open("ab") as log:  # noqa: PTH123
        os.dup2(empty.fileno(), 0)
        os.dup2(log.fileno(), 1)
    return commands, events


def main(output: Path) -> int:
    """Run the worker; `output` is the file for what the script prints."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # pyright: ignore[reportAttributeAccessIssue]
    stream, events = _take_standard_streams(output)
    commands: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_read_commands, args=(stream, commands), daemon=True).start()
    return Worker(commands, events).main()
