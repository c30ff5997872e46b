"""`amlops status`: one environment in one view, what is wrong first."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from amlops import __version__, manifest
from amlops.cli.common import Env, Output, Query, emit, workspace
from amlops.cli.flags import flag
from amlops.cli.output import chosen_format
from amlops.watching import duration
from amlops.watching.view import look
from amlops.workspace import Workspace
from amlops.workspace.record import Record

app = typer.Typer(rich_markup_mode=None)
_JOB_FAILED = 3
# Parts of the view, with the columns of their tables.
_TABLES = {
    "batch_endpoints": ("name", "default", "deployments"),
    "online_endpoints": ("name", "traffic", "deployments"),
    "computes": ("name", "type", "size", "min_instances", "max_instances"),
    "schedules": ("name", "is_enabled", "next_run", "state"),
}


@app.command()
def status(
    within: Annotated[str, flag("within")] = "24h",
    check: Annotated[bool, flag("check")] = False,
    env: Env = None,
    output: Output = None,
    query: Query = None,
) -> None:
    """Show what is wrong in an environment, then its jobs, endpoints, computes, schedules and models."""
    chosen_format(output)
    span = duration.parse(within, "--within")
    with workspace(env) as ws:
        view = {**_about(ws), **look(ws, span)}
    if query is None and chosen_format(output) == "table":
        _print(view)
    else:
        emit(view, output, query)
    if any(problem["status"] == "NotRead" for problem in view["problems"]):
        raise typer.Exit(1)
    if check and view["problems"]:
        raise typer.Exit(_JOB_FAILED)


def _about(ws: Workspace) -> Record:
    project, place = ws.project, ws.environment
    return {
        "project": project.name,
        "root": str(project.root),
        "environment": place.name,
        "resource_group": place.resource_group or None,
        "workspace": place.workspace or None,
        "environments": project.environment_names(),
        "amlops": __version__,
        "local_edits": [f"{edit.kind}: {edit.path}" for edit in manifest.local_edits()],
    }


def _print(view: Record) -> None:
    where = f", workspace {view['workspace']}" if view["workspace"] else ""
    typer.echo(f"{view['project']}: environment {view['environment']}{where} (amlops {view['amlops']})")
    problems = view["problems"]
    typer.echo(f"{len(problems)} problem{'' if len(problems) == 1 else 's'}" if problems else "no problems")
    for problem in problems:
        typer.echo(f"  {problem_line(problem)}")
    for edit in view["local_edits"]:
        typer.echo(f"  edited here: {edit}")
    if view["jobs"] is not None:
        counts = ", ".join(f"{number} {name}" for name, number in sorted(view["jobs"].items()))
        typer.echo(f"\njobs: {counts or 'none'}")
    for part, columns in _TABLES.items():
        _print_part(part, view[part], columns)
    models = view["models"]
    if models is not None:
        newest = ", ".join(f"{name}:{version}" for name, version in models.items())
        typer.echo(f"\nmodels: {newest or 'none'}")


def _print_part(part: str, rows: list[dict[str, Any]] | None, columns: tuple[str, ...]) -> None:
    if rows is None:
        return
    title = part.replace("_", " ")
    if not rows:
        typer.echo(f"\n{title}: none")
        return
    typer.echo(f"\n{title}")
    emit([{key: _cell(row.get(key)) for key in columns} for row in rows], "table", columns=columns)


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return " ".join(f"{key}={number}" for key, number in value.items())
    return value


def problem_line(problem: Record) -> str:
    """One problem in one line: what, how, why, and where it says so."""
    name = f" {problem['name']}" if problem["name"] else ""
    step = f", step {problem['step']}" if problem.get("step") else ""
    log = f" ({problem['log']})" if problem["log"] else ""
    return f"{problem['kind']}{name}: {problem['status']}{step}: {problem['why']}{log}"
