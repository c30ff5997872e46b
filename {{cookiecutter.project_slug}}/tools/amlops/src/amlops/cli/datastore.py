"""`amlops datastore`: data stores, each a folder of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlops.cli.assets import add_resource_verbs
from amlops.cli.common import Env, Output, PrintAz, Query, Sets, emit, workspace
from amlops.cli.flags import flag
from amlops.cli.output import chosen_format

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command()
def create(
    file: Annotated[Path, flag("file")],
    name: Annotated[str | None, flag("name", "Name of the data store (default: from the file).")] = None,
    sets: Sets = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Make a data store, or change the one of that name. Keys in the file are not kept."""
    chosen_format(output)
    with workspace(env, print_az) as ws:
        emit(ws.datastores.create(file, values={"name": name}, sets=sets or []), output, query)


add_resource_verbs(app, "data stores", lambda ws: ws.datastores, ("name", "type", "is_default", "folder"))
