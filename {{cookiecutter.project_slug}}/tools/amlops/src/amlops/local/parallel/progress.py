"""What a person sees while a batch job runs: a bar on a terminal, and notes. Nothing of it goes to standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def note(text: str) -> None:
    """Tell the user something that is not an error."""
    print(f"amlops: note: {text}", file=sys.stderr)


@contextmanager
def batch_progress(title: str, total: int) -> Iterator[Callable[[int, int], None]]:
    """A bar over `total` items; the function it gives takes the items scored and failed so far."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[failed]}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total, failed="")

        def show(succeeded: int, failed: int) -> None:
            bar.update(task, completed=succeeded + failed, failed=f"{failed} failed" if failed else "")

        yield show
