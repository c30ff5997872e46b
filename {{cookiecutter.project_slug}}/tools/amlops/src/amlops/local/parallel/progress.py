"""What a person sees while a parallel job runs: a bar on a terminal, and notes. Nothing goes to standard output."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int, int], None]
"""Is told how many items there are, how many were scored and how many have failed so far."""

_LINE_SECONDS = 10.0


def note(text: str) -> None:
    """Tell the user something that is not an error."""
    print(f"amlops: note: {text}", file=sys.stderr)


@contextmanager
def progress_of(title: str, *, lines: bool = False, with_bar: bool = True) -> Iterator[Progress]:
    """A bar on a terminal; elsewhere, with `lines`, a line at the start, every ten seconds, and at the end.

    Without `with_bar` nothing is shown on a terminal: a debugger may need it.
    """
    if sys.stderr.isatty() and not with_bar:
        yield lambda *_: None
        return
    if not sys.stderr.isatty():
        yield _Lines(title) if lines else lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[failed]}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None, failed="")

        def show(total: int, succeeded: int, failed: int) -> None:
            text = f"{failed} failed" if failed else ""
            bar.update(task, total=total, completed=succeeded + failed, failed=text)

        yield show


class _Lines:
    """Progress for a log."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._next = 0.0

    def __call__(self, total: int, succeeded: int, failed: int) -> None:
        now, done = time.monotonic(), succeeded + failed
        if now < self._next and done < total:
            return
        self._next = now + _LINE_SECONDS
        print(f"{self._title}: {done} of {total} items, {failed} failed", file=sys.stderr, flush=True)
