"""`amlops component`: components of pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlops.cli.assets import add_asset_verbs
from amlops.cli.common import Env, Output, PrintAz, Query, Sets, emit, workspace
from amlops.cli.flags import flag
from amlops.cli.output import chosen_format

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command()
def create(
    file: Annotated[Path, flag("file")],
    name: Annotated[str | None, flag("name", "Name of the component (default: from the file).")] = None,
    version: Annotated[str | None, flag("version", "Version (default: from the file, or the next number).")] = None,
    sets: Sets = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Register a component with a copy of its code, for `component: azureml:NAME:VERSION`."""
    chosen_format(output)
    with workspace(env, print_az) as ws:
        emit(ws.components.create(file, values={"name": name, "version": version}, sets=sets or []), output, query)


add_asset_verbs(app, "a component", lambda ws: ws.components, ("name", "version", "type", "display_name", "created_at"))
