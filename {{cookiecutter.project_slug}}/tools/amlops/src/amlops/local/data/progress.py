"""A bar for downloads on a terminal; nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from amlops.local.data.downloads import Watcher


class _Bar:
    """A `Watcher` that moves a bar of rich; one line for each file."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def start(self, name: str, size: int | None) -> None:
        self._task = self._progress.add_task(name, total=size)

    def advance(self, size: int) -> None:
        if self._task is not None:
            self._progress.advance(self._task, size)


@contextmanager
def download_progress() -> Iterator[Watcher | None]:
    """A watcher for `download` while the block runs; None when nobody watches the terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Bar(progress)
