"""`amlops model`: the model registry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amlops import modelfile, references
from amlops.cli.common import Env, Output, PrintAz, Query, Sets, Tags, emit, pairs, workspace
from amlops.cli.flags import flag
from amlops.cli.output import chosen_format
from amlops.errors import UsageError, UserError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
_COLUMNS = ("name", "version", "type", "created_at", "job_name")


@app.command()
def create(
    file: Annotated[Path | None, flag("file")] = None,
    name: Annotated[str | None, flag("name", "Name of the model.")] = None,
    version: Annotated[str | None, flag("version", "Version (default: the next whole number).")] = None,
    path: Annotated[str | None, flag("path")] = None,
    type: Annotated[str | None, flag("type")] = None,
    description: Annotated[str | None, flag("description")] = None,
    sets: Sets = None,
    tags: Tags = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Register a file or folder as a new version. Flags win over the file."""
    chosen_format(output)
    if file is None and (name is None or path is None):
        raise UsageError(
            "model create: --file, or --name and --path, are needed; for example --name digits --path outputs/model"
        )
    spec = modelfile.read(file, sets or [], with_path=path is None)
    place = path if path is None or references.is_remote(path) else Path(path)
    spec = spec.changed(name=name, version=version, path=place, type=type, description=description, tags=pairs(tags))
    with workspace(env, print_az) as ws:
        model = ws.models.create(
            spec.name,
            spec.path,
            type=spec.type,
            version=spec.version,
            tags=spec.tags,
            properties=spec.properties,
            description=spec.description,
        )
    emit(model.as_record(), output, query)


@app.command()
def show(
    name: Annotated[str, flag("name", "Name of the model.")],
    version: Annotated[str | None, flag("version", "Version (default: the latest).")] = None,
    label: Annotated[str | None, flag("label")] = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Show one version of a model."""
    with workspace(env, print_az) as ws:
        emit(ws.models.show(name, _version(version, label)).as_record(), output, query)


@app.command("list")
def list_models(
    name: Annotated[str | None, flag("name", "Only this model.")] = None,
    tags: Tags = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """List models, newest first; with --tag only those that have all the tags."""
    with workspace(env, print_az) as ws:
        emit([model.as_record() for model in ws.models.list(name, pairs(tags))], output, query, columns=_COLUMNS)


def _version(version: str | None, label: str | None) -> str | None:
    """The version that the flags ask for. Raises UserError for another label than `latest`, as labels are not kept."""
    if version and label:
        raise UsageError("--label: give a version or a label, not both; for example --label latest")
    if label not in (None, "latest"):
        raise UserError(f"--label: '{label}' is not known; use latest, or a version")
    return label or version
