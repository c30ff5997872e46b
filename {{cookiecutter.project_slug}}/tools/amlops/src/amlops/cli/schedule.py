"""`amlops schedule`: schedules of pipeline jobs, and when they would run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from amlops.cli.common import Env, Output, PrintAz, Query, Sets, Yes, confirm_delete, emit, workspace
from amlops.cli.flags import flag
from amlops.cli.output import chosen_format
from amlops.errors import UsageError, UserError
from amlops.workspace import Record, Workspace

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Name = Annotated[str, flag("name", "Name of the schedule.")]
_LIST = ("name", "is_enabled", "next_run", "provisioning_state", "display_name")
_FIRST_YEAR, _LAST_YEAR = 1970, 2999


@app.command()
def create(
    file: Annotated[Path, flag("file")],
    name: Annotated[str | None, flag("name", "Name instead of that in the file.")] = None,
    sets: Sets = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Make a schedule of a pipeline job, or change the one of that name. On this machine nothing starts by itself."""
    chosen_format(output)
    with workspace(env, print_az) as ws:
        emit(ws.schedules.create(file, name=name, sets=sets or []), output, query)


@app.command("list")
def list_schedules(
    include_disabled: Annotated[bool, flag("include-disabled")] = False,
    disabled_only: Annotated[bool, flag("disabled-only")] = False,
    max_results: Annotated[int | None, flag("max-results", min=1)] = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """List the schedules that are enabled."""
    if include_disabled and disabled_only:
        raise UsageError("--disabled-only: has only those, --include-disabled all; give one of them")
    with workspace(env, print_az) as ws:
        found = ws.schedules.list(include_disabled=include_disabled, disabled_only=disabled_only)
    emit(found[:max_results], output, query, columns=_LIST)


@app.command()
def show(name: Name, env: Env = None, print_az: PrintAz = False, output: Output = None, query: Query = None) -> None:
    """Show one schedule."""
    with workspace(env, print_az) as ws:
        emit(ws.schedules.show(name), output, query)


@app.command()
def preview(
    file: Annotated[Path | None, flag("file")] = None,
    name: Annotated[str | None, flag("name", "A schedule that was made, instead of a file.")] = None,
    count: Annotated[int, flag("count", min=1, max=1000)] = 10,
    since: Annotated[str | None, flag("from-time")] = None,
    sets: Sets = None,
    env: Env = None,
    output: Output = None,
    query: Query = None,
) -> None:
    """Show when a schedule would run next, and how many runs a month has. Nothing is made."""
    from amlops.scheduling import record as records

    chosen_format(output)
    if (file is None) == (name is None) or (name is not None and sets):
        raise UsageError("schedule preview: give --file, with --set, or --name; for example --file nightly.yml")
    start = _moment(since)
    with workspace(env) as ws:
        record = ws.schedules.show(name) if name is not None else _of_file(ws, file or Path(), sets or [])
    found = records.preview(record, count, start)
    if query is None and chosen_format(output) == "table":
        _print(found)
    else:
        emit(found, output, query)


@app.command()
def enable(name: Name, env: Env = None, print_az: PrintAz = False, output: Output = None, query: Query = None) -> None:
    """Let a schedule start runs."""
    with workspace(env, print_az) as ws:
        emit(ws.schedules.enable(name), output, query)


@app.command()
def disable(name: Name, env: Env = None, print_az: PrintAz = False, output: Output = None, query: Query = None) -> None:
    """Let a schedule start no more runs."""
    with workspace(env, print_az) as ws:
        emit(ws.schedules.disable(name), output, query)


@app.command()
def delete(name: Name, yes: Yes = False, env: Env = None, print_az: PrintAz = False) -> None:
    """Delete a schedule; jobs that it has started stay. Asks first."""
    with workspace(env, print_az) as ws:
        confirm_delete(f"the schedule '{name}'", f"amlops schedule delete --name {name}", yes=yes or print_az)
        ws.schedules.delete(name)
    typer.echo(f"deleted the schedule '{name}'", err=True)


def _of_file(ws: Workspace, file: Path, sets: list[str]) -> Record:
    """What the record of a file's schedule would say. Raises UserError."""
    from amlops.scheduling import jobfile
    from amlops.scheduling.record import record_of

    data = jobfile.read(file, {}, sets, ws.project).data
    enabled = data.get("is_enabled", True)
    return record_of(data, id="", is_enabled=enabled, create_job=None, provisioning_state=None, created_at=None)


def _moment(text: str | None) -> datetime:
    """The time of `--from`; now where there is none. Raises UserError."""
    if text is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise UserError(
            f"--from: '{text}' must be a date and time from {_FIRST_YEAR} to {_LAST_YEAR}; "
            "for example --from 2026-03-01T00:00:00Z"
        )
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _print(found: Record) -> None:
    typer.echo(f"{found['name']}: about {found['runs_per_month']:g} runs a month, time zone {found['time_zone']}")
    emit(found["runs"], "table", columns=("utc", "local"))
    for text in found["notes"]:
        typer.echo(f"note: {text}")
