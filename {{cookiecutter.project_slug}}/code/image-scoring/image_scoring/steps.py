"""How every step runs: a mistake of the user ends it with one line and exit code 1, long work says how far it is."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")

PROGRESS_SECONDS = 2.0


class StepError(Exception):
    """Something in the data or the arguments is wrong. The message is one line: what, where, the rule, what to do."""


def run_step(name: str, main: Callable[[Sequence[str]], None]) -> int:
    """Run a step with the arguments of the process.

    Returns:
        The exit code: 0 done, 1 the data or the arguments are wrong (one line on stderr). Anything else that a step
        raises is a fault of the program and keeps its traceback.
    """
    for stream in (sys.stdout, sys.stderr):  # a file name may hold what the terminal cannot show
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        main(sys.argv[1:])
    except StepError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    return 0


def progress(items: Sequence[Item], what: str) -> Iterator[Item]:
    """Yield the items; work that takes longer than two seconds prints a line every two seconds."""
    last = time.monotonic()
    for number, item in enumerate(items):
        if time.monotonic() - last >= PROGRESS_SECONDS:
            last = time.monotonic()
            print(f"{what}: {number} of {len(items)}", flush=True)
        yield item


def new_folder(path: Path) -> Path:
    """Make an output folder.

    Raises:
        StepError: it exists and holds something, which would be mixed with the new files.
    """
    path.mkdir(parents=True, exist_ok=True)
    if any(path.iterdir()):
        raise StepError(f"output folder '{path}' is not empty; give a new folder, for example '{path}-2'")
    return path
