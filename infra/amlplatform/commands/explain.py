"""`amlplatform explain`: what the errors of a Pulumi command mean, and whether running it again is enough."""

from __future__ import annotations

from pathlib import Path

import typer

from amlplatform import console
from amlplatform.passing_errors import found_in, pass_with_time

_AGAIN = 0
_NOT_BY_WAITING = 3


def explain(
    log: Path = typer.Argument(..., metavar="FILE", help="What a Pulumi command printed."),
) -> None:
    """Say what to do about each error. Exit code 0: all pass with time, run the command again; 3: not all do."""
    try:
        found = found_in(log.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise console.fail([f"FILE: {str(log)!r} cannot be read ({error.strerror})"]) from None
    for entry in found:
        print(entry.code or entry.message)
        print(f"  because: {entry.known.cause}" if entry.known else f"  not known: {entry.message}")
        if entry.known:
            print(f"  do:      {entry.known.do}")
    if not found:
        print("no error in it")
    raise typer.Exit(_AGAIN if pass_with_time(found) else _NOT_BY_WAITING)
