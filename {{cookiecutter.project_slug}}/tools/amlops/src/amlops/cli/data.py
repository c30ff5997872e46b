"""`amlops data`: data assets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlops.cli.assets import add_asset_verbs
from amlops.cli.common import Env, Output, PrintAz, Query, Sets, Tags, emit, pairs, workspace
from amlops.cli.flags import flag
from amlops.cli.output import chosen_format
from amlops.errors import UsageError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command()
def create(
    file: Annotated[Path | None, flag("file")] = None,
    name: Annotated[str | None, flag("name", "Name of the data asset.")] = None,
    version: Annotated[str | None, flag("version", "Version (default: the next whole number).")] = None,
    path: Annotated[str | None, flag("data-path")] = None,
    type: Annotated[str | None, flag("data-type")] = None,
    description: Annotated[str | None, flag("description")] = None,
    sets: Sets = None,
    tags: Tags = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Register a file or folder as a new version; a local one is copied. Flags win over the file."""
    chosen_format(output)
    if file is None and (name is None or path is None):
        raise UsageError(
            "data create: --file, or --name and --path, are needed; for example --name images --path data/images"
        )
    values = {
        "name": name,
        "version": version,
        "path": path,
        "type": type,
        "description": description,
        "tags": pairs(tags),
    }
    with workspace(env, print_az) as ws:
        emit(ws.data.create(file, values=values, sets=sets or []), output, query)


add_asset_verbs(app, "a data asset", lambda ws: ws.data, ("name", "version", "type", "path", "created_at"))
