"""`amlops job`: run command and pipeline jobs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from amlops import references
from amlops.cli.batch import emit_batch_job
from amlops.cli.common import Env, Output, PrintAz, Query, Sets, Tags, emit, pairs, record_of_failure, workspace
from amlops.cli.flags import flag
from amlops.cli.joblogs import add_to as add_logs_to
from amlops.cli.output import chosen_format
from amlops.errors import UsageError, shown
from amlops.workspace import Record

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
JobName = Annotated[str, flag("name", "Name of the job.")]
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
    """Run the job in a YAML file: on this machine to its end, in Azure until it is submitted or, with --stream, ended.

    Exit code 3 when it failed.
    """
    chosen_format(output)
    with workspace(env, print_az) as ws, record_of_failure(lambda failed: emit_job(failed, output, query)):
        record = ws.jobs.create(file, sets=sets or [], name=name, tags=pairs(tags), stream=stream)
    emit_job(record, output, query)


@app.command()
def show(
    name: JobName,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Show one job with its steps."""
    with workspace(env, print_az) as ws:
        emit_job(ws.jobs.show(name), output, query)


@app.command("list")
def list_jobs(
    max_results: Annotated[int | None, flag("max-results", min=1)] = None,
    parent_job_name: Annotated[str | None, flag("parent-job-name")] = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """List the jobs, newest first."""
    with workspace(env, print_az) as ws:
        found = ws.jobs.list(max_results=max_results, parent_job_name=parent_job_name)
    emit(found, output, query, columns=_LIST)


@app.command()
def stream(name: JobName, env: Env = None, print_az: PrintAz = False) -> None:
    """Show the logs of a job until it ends. Exit code 3 when it failed. Ctrl-C leaves the job running."""
    with workspace(env, print_az) as ws:
        record = ws.jobs.stream(name, typer.echo)
    typer.echo(f"job '{name}': {record['status']}", err=True)


@app.command()
def wait(
    name: JobName,
    timeout: Annotated[float | None, flag("timeout", min=0)] = None,
    env: Env = None,
    print_az: PrintAz = False,
    output: Output = None,
    query: Query = None,
) -> None:
    """Wait until a job has ended, by its status alone. Exit code 3 when it failed. Ctrl-C leaves the job running."""
    chosen_format(output)
    shown_when_failed = record_of_failure(lambda failed: emit_job(failed, output, query))
    with workspace(env, print_az) as ws, _status_line() as tell, shown_when_failed:
        record = ws.jobs.wait(name, timeout_minutes=timeout, tell=tell)
    emit_job(record, output, query)


@contextmanager
def _status_line() -> Iterator[Callable[[str], None]]:
    """What shows how a wait goes: one line that changes on a terminal, a line for each change elsewhere."""
    if not sys.stderr.isatty():
        yield lambda line: typer.echo(line, err=True)
        return
    from rich.console import Console

    console = Console(stderr=True, markup=False, highlight=False)
    with console.status("") as status:
        yield status.update


@app.command()
def cancel(
    name: JobName, env: Env = None, print_az: PrintAz = False, output: Output = None, query: Query = None
) -> None:
    """Stop a job that runs, also one of another terminal."""
    with workspace(env, print_az) as ws:
        emit_job(ws.jobs.cancel(name), output, query)


@app.command()
def download(
    name: JobName,
    output_name: Annotated[str | None, flag("output-name")] = None,
    download_path: Annotated[Path | None, flag("download-path")] = None,
    everything: Annotated[bool, flag("all")] = False,
    env: Env = None,
    print_az: PrintAz = False,
) -> None:
    """Copy the logs of a job to artifacts/, outputs to named-outputs/."""
    if output_name and everything:
        raise UsageError("--all: has every output; leave --output-name out")
    with workspace(env, print_az) as ws:
        written = ws.jobs.download(name, output_name=output_name, download_path=download_path, everything=everything)
    for folder in written:
        typer.echo(f"copied to {shown(folder)}", err=True)


@app.command()
def resume(
    name: JobName,
    sets: Annotated[
        list[str] | None, flag("set", "Change a setting, for example --set retry_settings.timeout=60.")
    ] = None,
    env: Env = None,
    output: Output = None,
    query: Query = None,
) -> None:
    """Go on with a batch job that was killed, canceled, or has failed. What is finished stays."""
    chosen_format(output)
    with workspace(env) as ws:
        _emit_ended(lambda: ws.jobs.resume(name, sets=sets or []), output, query)


@app.command()
def replay(
    name: Annotated[str, flag("name", "Name of the job whose failed items are scored again.")],
    job_name: Annotated[str | None, flag("job-name", "Name of the new job.")] = None,
    sets: Annotated[
        list[str] | None, flag("set", "Change a setting, for example --set retry_settings.timeout=60.")
    ] = None,
    env: Env = None,
    output: Output = None,
    query: Query = None,
) -> None:
    """Score the failed items of a batch job again, in a new job on the same copy of code and model."""
    chosen_format(output)
    with workspace(env) as ws:
        _emit_ended(lambda: ws.jobs.replay(name, job_name=job_name, sets=sets or []), output, query)


def _emit_ended(run: Callable[[], Record], output: str | None, query: str | None) -> None:
    """Print a batch job that runs to its end, also when it fails."""
    with record_of_failure(lambda failed: emit_batch_job(failed, output, query)):
        record = run()
    emit_batch_job(record, output, query)


def emit_job(record: dict[str, Any], output: str | None, query: str | None) -> None:
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
        typer.echo(f"output {name}: {path if references.is_remote(path) else shown(Path(path))}")


def _log(step: dict[str, Any]) -> str:
    """Where the log of a step lies, once it has one."""
    return shown(Path(step["log"])) if step.get("started_at") and step.get("log") else ""


add_logs_to(app)
