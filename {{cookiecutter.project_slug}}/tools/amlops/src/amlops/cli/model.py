"""`amlops model`: the model registry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amlops import modelfile, references
from amlops.cli.common import Env, Output, PrintAz, Query, Sets, Tags, asked_version, emit, pairs, workspace
from amlops.cli.flags import flag
from amlops.cli.output import chosen_format
from amlops.errors import UsageError
from amlops.workspace import connect

if TYPE_CHECKING:
    from amlops.project import Project
    from amlops.promotion.origin import Origin

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
        emit(ws.models.show(name, asked_version(version, label)).as_record(), output, query)


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


@app.command()
def update(
    name: Annotated[str, flag("name", "Name of the model.")],
    version: Annotated[str, flag("version", "Version.")],
    sets: Annotated[
        list[str] | None, flag("set", "Change a tag or the description, for example --set tags.stage=test.")
    ] = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Change tags and the description of a version, never its files. `--set tags.NAME=` without a value removes it."""
    chosen_format(output)
    tags, description = _changes(sets)
    with workspace(env, print_az) as ws:
        emit(ws.models.update(name, version, tags=tags, description=description).as_record(), output, query)


@app.command()
def download(
    name: Annotated[str, flag("name", "Name of the model.")],
    version: Annotated[str, flag("version", "Version.")],
    download_path: Annotated[Path, flag("download-path")] = Path(),
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Copy the file or folder of a version to a folder."""
    chosen_format(output)
    with workspace(env, print_az) as ws:
        place = ws.models.download(name, version, download_path)
    emit({"name": name, "version": version, "path": str(place)}, output, query)


@app.command()
def export(
    name: Annotated[str, flag("name", "Name of the model.")],
    version: Annotated[str, flag("version", "Version.")],
    download_path: Annotated[Path, flag("download-path", "New folder for the package.")],
    env: Env = None,
    output: Output = None,
    query: Query = None,
) -> None:
    """Write a version with its record to a folder, from which `promote` brings it to another environment."""
    from amlops.promotion import package
    from amlops.promotion.origin import EnvironmentOrigin

    chosen_format(output)
    emit(package.export(EnvironmentOrigin(connect(env)), name, version, download_path), output, query)


@app.command()
def promote(
    source: Annotated[str, flag("from")],
    target: Annotated[str, flag("to")],
    name: Annotated[str | None, flag("name", "Name of the model (of a package: what is in it).")] = None,
    version: Annotated[str | None, flag("version", "Version (of a package: what is in it).")] = None,
    gate: Annotated[Path | None, flag("gate")] = None,
    reason: Annotated[str, flag("reason")] = "",
    dry_run: Annotated[bool, flag("dry-run")] = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Bring this version to another environment when it passes its gate. Exit code 3 when it does not."""
    from amlops.promotion import gate as gates
    from amlops.promotion.promote import GateNotPassed, check_environments
    from amlops.promotion.promote import promote as bring

    chosen_format(output)
    there = connect(target)
    origin, name, version = _asked(there.project, source, name, version)
    check_environments(origin.environment, there.environment.name)
    rules = gates.find(there.project, name, gate)
    try:
        result = bring(origin, there, name, version, rules, reason=reason, dry_run=dry_run)
    except GateNotPassed as error:
        emit(error.record, output, query)
        raise
    emit(result, output, query)


def _asked(project: Project, source: str, name: str | None, version: str | None) -> tuple[Origin, str, str]:
    """Where the model is, its name and version. Raises UserError."""
    from amlops.promotion.origin import EnvironmentOrigin
    from amlops.promotion.package import Package

    if source in project.environment_names() or not Path(source).is_dir():
        origin = EnvironmentOrigin(connect(source))
        if name is None or version is None:
            raise UsageError("model promote: --name and --version are needed; for example --name digits --version 3")
        return origin, name, version
    package = Package(Path(source))
    return package, name or package.model.name, version or package.model.version


@app.command()
def rollback(
    name: Annotated[str, flag("name", "Name of the model.")],
    env: Env = None,
    reason: Annotated[str, flag("reason")] = "",
    output: Output = None,
    query: Query = None,
) -> None:
    """Make the champion before the present one the champion again, for its batch endpoints too."""
    from amlops.promotion.rollback import rollback as go_back

    chosen_format(output)
    emit(go_back(connect(env), name, reason=reason), output, query)


def _changes(sets: list[str] | None) -> tuple[dict[str, str | None], str | None]:
    """The tags, None for one to remove, and the description that --set names. Raises UsageError."""
    tags: dict[str, str | None] = {}
    description = None
    for key, text in pairs(sets, "--set").items():
        if key == "description":
            description = text
        elif key.startswith("tags.") and key != "tags.":
            tags[key.removeprefix("tags.")] = text or None
        else:
            raise UsageError(f"--set: '{key}' cannot be changed; tags.NAME or description, e.g. --set tags.stage=test")
    if not tags and description is None:
        raise UsageError("model update: nothing to change; for example --set tags.stage=test")
    return tags, description
