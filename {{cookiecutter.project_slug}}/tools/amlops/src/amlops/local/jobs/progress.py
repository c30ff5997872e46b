"""Shows a running job on stderr: a spinner and the time for each step on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlops.local.jobs.runner import CANCELED, COMPLETED, StepRun

if TYPE_CHECKING:
    from rich.progress import TaskID

_END_BYTES = 64 * 1024


def show(message: str) -> None:
    """One line on stderr."""
    print(message, file=sys.stderr, flush=True)


class LogTail:
    """The lines that were added to a log since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0
        self._rest = b""

    def lines(self, *, last: bool = False) -> list[str]:
        """New complete lines; with `last`, also one without an end."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as stream:
            stream.seek(self._position)
            data = self._rest + stream.read()
            self._position = stream.tell()
        *complete, self._rest = data.split(b"\n")
        if last and self._rest:
            complete.append(self._rest)
            self._rest = b""
        return [line.decode("utf-8", errors="replace").rstrip("\r") for line in complete]


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a log, read from its end."""
    if not path.exists():
        return []
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - _END_BYTES))
        text = stream.read().decode("utf-8", errors="replace")
    return text.splitlines()[-count:]


class PlainProgress:
    """One line when a step starts and one when it ends; with `stream`, the lines of the logs between them."""

    def __init__(self, *, stream: bool, write: Callable[[str], None] = show) -> None:
        self._stream = stream
        self._write = write
        self._tails: dict[str, LogTail] = {}

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        """Nothing to close."""

    def started(self, run: StepRun) -> None:
        self._write(f"{run.name}: started")
        self._tails[run.name] = LogTail(run.log)

    def ended(self, run: StepRun) -> None:
        self._show_log(run.name, last=True)
        self._tails.pop(run.name, None)
        self._write(ending(run))

    def tick(self) -> None:
        for name in self._tails:
            self._show_log(name, last=False)

    def _show_log(self, name: str, *, last: bool) -> None:
        tail = self._tails.get(name)
        if self._stream and tail:
            for line in tail.lines(last=last):
                self._write(f"{name} | {line}")


class TerminalProgress(PlainProgress):
    """Spinners for the running steps below the lines of `PlainProgress`, without their start."""

    def __init__(self, *, stream: bool) -> None:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        console = Console(stderr=True, highlight=False, markup=False)
        self._progress: Any = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True
        )
        self._tasks: dict[str, TaskID] = {}
        # Lines of logs stay as they are; rich would break them between words.
        super().__init__(stream=stream, write=partial(console.print, soft_wrap=True))

    def __enter__(self) -> TerminalProgress:
        self._progress.start()
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self._progress.stop()

    def started(self, run: StepRun) -> None:
        self._tails[run.name] = LogTail(run.log)
        self._tasks[run.name] = self._progress.add_task(run.name, total=None)

    def ended(self, run: StepRun) -> None:
        if run.name in self._tasks:
            self._progress.remove_task(self._tasks.pop(run.name))
            self._progress.refresh()
        super().ended(run)


def ending(run: StepRun) -> str:
    """One line that says how a step ended."""
    if run.status == COMPLETED:
        return f"{run.name}: completed in {run.seconds:.1f} s{f'; {run.remark}' if run.remark else ''}"
    if run.status == CANCELED:
        return f"{run.name}: canceled: {run.reason}"
    return f"{run.name}: FAILED after {run.seconds:.1f} s: {run.reason}"


def progress(*, stream: bool) -> PlainProgress:
    """The progress display that suits stderr."""
    return TerminalProgress(stream=stream) if sys.stderr.isatty() else PlainProgress(stream=stream)
