"""One step as a process: the program, its environment, how it is started and stopped.

There is no shell. Each process leads a group of its own, so that Ctrl-C reaches amlops alone, which then stops the
group: the step and everything it started.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_PYTHON = ("python", "python3")
_GRACE_SECONDS = 5.0


def program(word: str, cwd: Path) -> str | None:
    """The file that the first word of a command means; None when there is none.

    `python` is the interpreter that runs amlops: all steps share the project's one environment.
    """
    if word in _PYTHON:
        return sys.executable
    if "/" in word or "\\" in word:
        path = cwd / word
        return str(path) if path.is_file() and os.access(path, os.X_OK) else None
    return shutil.which(word, path=_search_path())


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of a step: the caller's, with the interpreter's folder first on PATH, and `variables` on top."""
    inherited = {key: value for key, value in os.environ.items() if key != "MLFLOW_RUN_ID"}
    return {**inherited, "PATH": _search_path(), "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", **variables}


def _search_path() -> str:
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def start(
    words: Sequence[str], *, cwd: Path, variables: Mapping[str, str], log: Path, lifeline: bool = False
) -> subprocess.Popen[bytes]:
    """Start a process that writes both its streams to `log`.

    Args:
        lifeline: its standard input is a pipe that ends when this process does; else it is empty.

    Raises:
        OSError: it cannot be started.
    """
    with log.open("ab") as stream:
        return subprocess.Popen(
            list(words),
            cwd=cwd,
            env=environment(variables),
            stdin=subprocess.PIPE if lifeline else subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=os.name != "nt",
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0,
        )


def stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask the processes and their children to end, wait a moment for all of them, then end them by force."""
    for process in processes:
        _signal(process, force=False)
    for process in processes:
        # Whoever presses Ctrl-C again does not want to wait.
        with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            process.wait(timeout=_GRACE_SECONDS)
        _signal(process, force=True)
        process.wait()


def _signal(process: subprocess.Popen[bytes], *, force: bool) -> None:
    if sys.platform == "win32":
        if process.poll() is None:
            command = ["taskkill", "/T", "/PID", str(process.pid), *(["/F"] if force else [])]
            subprocess.run(command, capture_output=True, check=False)
        return
    # The group has the leader's number; it is signalled even when the leader has ended, for its children's sake.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL if force else signal.SIGTERM)
