"""`amlops job`: run command and pipeline jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from amlops.cli.common import Env, Output, PrintAz, Query, Sets, Tags, emit, pairs, workspace
from amlops.cli.flags import flag
from amlops.cli.output import chosen_format
from amlops.errors import JobFailed, shown

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
_LIST = ("name", "type", "status", "created_at", "duration_s")
_STEPS = ("step", "status", "duration_s", "exit_code", "log")


@app.command()
def create(
    file: Annotated[Path, flag("file")],
    sets: Sets = None,
    name: Annotated[
        str | None, flag("name", "Name of the job (default: from the file, the time and four letters).")
    ] = None,
    tags: Tags = None,
    stream: Annotated[bool, flag("stream")] = False,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Run the job in a YAML file, to its end. Exit code 3 when it failed."""
    chosen_format(output)
    with workspace(env, print_az) as ws:
        try:
            record = ws.jobs.create(file, sets=sets or [], name=name, tags=pairs(tags), stream=stream)
        except JobFailed as failure:
            if failure.record is not None:
                _emit_job(failure.record, output, query)
            raise
    _emit_job(record, output, query)


@app.command()
def show(
    name: Annotated[str, flag("name", "Name of the job.")],
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Show one job with its steps."""
    with workspace(env, print_az) as ws:
        _emit_job(ws.jobs.show(name), output, query)


@app.command("list")
def list_jobs(env: Env = None, print_az: PrintAz = False, output: Output = None, query: Query = None) -> None:
    """List the jobs, newest first."""
    with workspace(env, print_az) as ws:
        emit(ws.jobs.list(), output, query, columns=_LIST)


def _emit_job(record: dict[str, Any], output: str | None, query: str | None) -> None:
    """As a table: what the job is, then a row for each step."""
    if query is not None or chosen_format(output) != "table":
        emit(record, output, query)
        return
    emit({key: value for key, value in record.items() if isinstance(value, str | int | float) and value != ""}, "table")
    steps = record.get("steps") or {}
    rows = [{"step": name, **step, "log": _log(step)} for name, step in steps.items()]
    typer.echo()
    emit(rows, "table", columns=_STEPS)
    for name, path in (record.get("outputs") or {}).items():
        typer.echo(f"output {name}: {shown(Path(path))}")


def _log(step: dict[str, Any]) -> str:
    """Where the log of a step lies, once it has one."""
    return shown(Path(step["log"])) if step.get("started_at") else ""
