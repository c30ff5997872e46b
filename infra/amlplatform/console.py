"""Output of the commands: results on stdout, what people should know on stderr, and how a command ends."""

from __future__ import annotations

import contextlib
import enum
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import typer
from rich.console import Console

FAULT = 1
"""Exit code: the user's files or arguments are wrong."""


class Output(enum.StrEnum):
    """The forms of a result."""

    JSON = "json"
    TABLE = "table"


def results() -> Console:
    """Where tables go. Not on a terminal, lines are 160 characters long, as most logs show."""
    return Console(soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else 160, highlight=False)


def print_json(value: Any) -> None:
    # ASCII: readable by every program, whatever encoding the console has.
    print(json.dumps(value, indent=2))


def warn(lines: Iterable[str]) -> None:
    for line in lines:
        print(f"warning: {line}", file=sys.stderr)


def fail(lines: Iterable[str]) -> typer.Exit:
    """Print each line on stderr; raise what is returned."""
    for line in lines:
        print(line, file=sys.stderr)
    return typer.Exit(FAULT)


@contextlib.contextmanager
def progress(text: str) -> Iterator[None]:
    """Say what takes its time, on a terminal only."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(text):
        yield
