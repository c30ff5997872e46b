"""`amlops job logs` and `amlops job timings`: what the logs of a job say, in one place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from amlops.cli.common import Env, Output, Query, emit, workspace
from amlops.cli.flags import flag
from amlops.cli.output import chosen_format
from amlops.errors import UserError
from amlops.watching import search
from amlops.watching.timings import timings
from amlops.workspace import Record

JobName = Annotated[str, flag("name", "Name of the job.")]
_STEPS = ("step", "status", "waited_s", "seconds")
_SLOWEST = ("mini_batch", "status", "items", "attempts", "seconds", "worker")


def add_to(app: typer.Typer) -> None:
    """Add the two verbs to `amlops job`."""
    app.command("logs")(logs)
    app.command("timings")(job_timings)


def logs(
    name: JobName,
    grep: Annotated[str | None, flag("grep")] = None,
    step: Annotated[str | None, flag("step")] = None,
    env: Env = None,
    output: Output = None,
    query: Query = None,
) -> None:
    """Print every log of a job, or the lines that a pattern is found in. Exit code 1 when --grep finds none."""
    wanted = search.pattern(grep)
    with workspace(env) as ws:
        found = search.lines(ws.jobs.logs(name), wanted, step)
        if output is None and query is None:
            some = _echo(found)
        else:
            rows = [{"log": line.path, "line": line.number, "text": line.text} for line in found]
            some = bool(rows)
            emit(rows, output, query)
    if wanted is not None and not some:
        raise UserError(f"--grep: '{grep}' is in no log of job '{name}'; without --grep all lines are printed")


def _echo(found: Iterable[search.Line]) -> bool:
    """Print lines while they are read; whether there were any."""
    some = False
    for line in found:
        typer.echo(str(line))
        some = True
    return some


def job_timings(name: JobName, env: Env = None, output: Output = None, query: Query = None) -> None:
    """How long a job, its steps and its mini-batches took, the slowest mini-batches first."""
    chosen_format(output)
    with workspace(env) as ws:
        told = timings(ws.jobs.show(name), ws.jobs.logs(name))
    if query is not None or chosen_format(output) != "table":
        emit(told, output, query)
        return
    _print(told)


def _print(told: Record) -> None:
    seconds = "" if told["seconds"] is None else f" in {told['seconds']} s"
    typer.echo(f"{told['job']}: {told['status']}{seconds}")
    if told["steps"]:
        emit(told["steps"], "table", columns=_STEPS)
    for batches in told["mini_batches"]:
        typer.echo(f"\n{_headline(batches)}")
        emit(batches["slowest"], "table", columns=_SLOWEST)


def _headline(batches: dict[str, Any]) -> str:
    of_step = f" of step {batches['step']}" if batches["step"] else ""
    times = f"median {batches['median_s']:.3g} s, longest {batches['max_s']:.3g} s"
    return f"{batches['count']} mini-batches{of_step}: {times}; the slowest:"
