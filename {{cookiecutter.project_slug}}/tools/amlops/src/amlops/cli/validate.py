"""`amlops validate`: every fault of the project's files, one line each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlops.cli.common import emit
from amlops.cli.flags import flag
from amlops.cli.output import chosen_format
from amlops.errors import UserError
from amlops.project import Project
from amlops.validate import Fault
from amlops.validate import validate as find_faults

app = typer.Typer(rich_markup_mode=None)


@app.command()
def validate(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[PATH]...", show_default=False)] = None,
    output: Annotated[str | None, flag("output", "json; by default one line per fault.")] = None,
) -> None:
    """Check files and folders, or the whole project. Exit code 1 when there is a fault; warnings do not count."""
    as_json = output is not None and chosen_format(output) == "json"
    faults = find_faults(_root(paths or []), paths or [])
    if as_json:
        emit([fault.as_record() for fault in faults], output)
    else:
        _print(faults)
    if any(not fault.is_warning for fault in faults):
        raise typer.Exit(1)


def _root(paths: list[Path]) -> Path | None:
    """The project of the first path, or of the current folder; None for files outside of any project."""
    for start in [*(path.absolute() for path in paths[:1]), None]:
        try:
            return Project.find(start if start is None or start.is_dir() else start.parent).root
        except UserError:
            continue
    return None


def _print(faults: list[Fault]) -> None:
    for fault in faults:
        typer.echo(str(fault))
    warnings = sum(fault.is_warning for fault in faults)
    errors = len(faults) - warnings
    typer.echo(f"{errors} fault(s), {warnings} warning(s)" if faults else "no faults", err=True)
