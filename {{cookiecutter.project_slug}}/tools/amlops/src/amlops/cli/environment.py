"""`amlops environment`: environments of jobs and deployments."""

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
    name: Annotated[str | None, flag("name", "Name of the environment.")] = None,
    version: Annotated[str | None, flag("version", "Version (default: the next whole number).")] = None,
    image: Annotated[str | None, flag("image")] = None,
    conda_file: Annotated[str | None, flag("conda-file")] = None,
    build_context: Annotated[str | None, flag("build-context")] = None,
    dockerfile_path: Annotated[str | None, flag("dockerfile-path")] = None,
    os_type: Annotated[str | None, flag("os-type")] = None,
    description: Annotated[str | None, flag("description")] = None,
    sets: Sets = None,
    tags: Tags = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Register an environment; it is not built here: steps run in the project's own. Flags win over the file."""
    chosen_format(output)
    if file is None and (name is None or (image is None and build_context is None)):
        raise UsageError(
            "environment create: --file, or --name and --image or --build-context, are needed; "
            "for example --file environment.yml"
        )
    values = {
        "name": name,
        "version": version,
        "image": image,
        "conda_file": conda_file,
        "build.path": build_context,
        "build.dockerfile_path": dockerfile_path,
        "os_type": os_type,
        "description": description,
        "tags": pairs(tags),
    }
    with workspace(env, print_az) as ws:
        emit(ws.environments.create(file, values=values, sets=sets or []), output, query)


add_asset_verbs(
    app, "an environment", lambda ws: ws.environments, ("name", "version", "image", "description", "created_at")
)
