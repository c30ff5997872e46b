"""`amlops compute`: compute targets. On this machine they are records: `limits` in local.yml says what a job has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlops.cli.assets import add_resource_verbs
from amlops.cli.common import (
    Env,
    Output,
    PrintAz,
    Query,
    Sets,
    Tags,
    confirm_delete,
    emit,
    pairs,
    workspace,
)
from amlops.cli.flags import flag
from amlops.cli.output import chosen_format
from amlops.errors import UsageError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command()
def create(
    file: Annotated[Path | None, flag("file")] = None,
    name: Annotated[str | None, flag("name", "Name of the compute target.")] = None,
    type: Annotated[str | None, flag("compute-type")] = None,
    size: Annotated[str | None, flag("size")] = None,
    min_instances: Annotated[int | None, flag("min-instances")] = None,
    max_instances: Annotated[int | None, flag("max-instances")] = None,
    tier: Annotated[str | None, flag("tier")] = None,
    idle_time: Annotated[int | None, flag("idle-time")] = None,
    location: Annotated[str | None, flag("location")] = None,
    description: Annotated[str | None, flag("description")] = None,
    sets: Sets = None,
    tags: Tags = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Write a compute target down, or change the one of that name. Flags win over the file."""
    chosen_format(output)
    if file is None and (name is None or type is None):
        raise UsageError(
            "compute create: --file, or --name and --type, are needed; for example --name cpu-cluster --type amlcompute"
        )
    values = {
        "name": name,
        "type": type,
        "size": size,
        "min_instances": min_instances,
        "max_instances": max_instances,
        "tier": tier,
        "idle_time_before_scale_down": idle_time,
        "location": location,
        "description": description,
        "tags": pairs(tags),
    }
    with workspace(env, print_az) as ws:
        emit(ws.computes.create(file, values=values, sets=sets or []), output, query)


@app.command()
def delete(
    name: Annotated[str, flag("name", "Name of the compute target.")],
    yes: Annotated[bool, flag("yes")] = False,
    env: Env = None,
    print_az: PrintAz = False,
) -> None:
    """Delete a compute target that was made by `compute create`. Asks first."""
    with workspace(env, print_az) as ws:
        command = f"amlops compute delete --name {name}"
        confirm_delete(f"the compute target '{name}'", command, yes=yes or print_az)
        ws.computes.delete(name)
    typer.echo(f"deleted the compute target '{name}'", err=True)


add_resource_verbs(
    app, "compute targets", lambda ws: ws.computes, ("name", "type", "size", "min_instances", "max_instances")
)
