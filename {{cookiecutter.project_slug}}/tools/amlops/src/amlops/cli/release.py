"""`amlops release`: a commit's way into an environment, one command per stage of CI."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amlops.cli.common import Env, Output, Query, emit, record_of_failure, workspace
from amlops.cli.flags import flag
from amlops.cli.output import chosen_format
from amlops.workspace import Workspace

if TYPE_CHECKING:
    from amlops.release.spec import Release

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Commit = Annotated[str | None, flag("commit")]
_JOBS = ("name", "status", "created_at")
_IMAGES = ("name", "version", "image")
_DEPLOYED = ("endpoint_name", "deployment_name", "before", "deleted")
_EXPORTED = ("name", "version", "path")
_PROMOTED = ("name", "version", "from", "to", "passed", "copied")


@app.command()
def train(commit: Commit = None, env: Env = None, output: Output = None, query: Query = None) -> None:
    """Start the training jobs of a commit, unless they run or have completed."""
    from amlops.release import training

    chosen_format(output)
    shown_when_failed = record_of_failure(lambda failed: emit([failed], output, query, _JOBS))
    with _releases(env, commit) as (ws, releases, chosen), shown_when_failed:
        started = [training.start(ws, release, chosen, _tell) for release in releases]
    emit(started, output, query, _JOBS)


@app.command()
def images(commit: Commit = None, env: Env = None, output: Output = None, query: Query = None) -> None:
    """Build the images of the deployments that are not registered yet, push them, register them by digest."""
    from amlops.release import images as imaging

    chosen_format(output)
    with _releases(env, commit) as (ws, releases, chosen):
        place = ws.project.root / "build" / "images"
        built = imaging.publish(ws, releases, chosen, place, _tell)
    emit(built, output, query, _IMAGES)


@app.command()
def wait(
    commit: Commit = None,
    timeout: Annotated[float | None, flag("timeout", min=0)] = None,
    env: Env = None,
    output: Output = None,
    query: Query = None,
) -> None:
    """Wait for the training jobs of a commit. Exit code 3 when one failed."""
    from amlops.release import training

    chosen_format(output)
    shown_when_failed = record_of_failure(lambda failed: emit([failed], output, query, _JOBS))
    with _releases(env, commit) as (ws, releases, chosen), shown_when_failed:
        ended = [training.wait(ws, release, chosen, timeout, _tell) for release in releases]
    emit(ended, output, query, _JOBS)


@app.command()
def deploy(commit: Commit = None, env: Env = None, output: Output = None, query: Query = None) -> None:
    """Deploy a commit beside what serves, try it, and only then let it serve. Exit code 3 when it is not good."""
    from amlops.release import deploying

    chosen_format(output)
    shown_when_failed = record_of_failure(lambda failed: emit(failed, output, query))
    with _releases(env, commit) as (ws, releases, chosen), shown_when_failed:
        done = [one for release in releases for one in deploying.deploy(ws, release, chosen, _tell)]
    emit(done, output, query, _DEPLOYED)


@app.command()
def export(
    download_path: Annotated[Path, flag("download-path", "New folder for the packages.")],
    commit: Commit = None,
    env: Env = None,
    output: Output = None,
    query: Query = None,
) -> None:
    """Write the models of a commit with their records to a folder, for `promote`."""
    from amlops.release import handover

    chosen_format(output)
    with _releases(env, commit) as (ws, releases, chosen):
        written = handover.export(ws, releases, chosen, download_path)
    emit(written, output, query, _EXPORTED)


@app.command()
def promote(
    source: Annotated[Path, flag("from", "Folder that `release export` wrote.")],
    reason: Annotated[str, flag("reason")] = "",
    dry_run: Annotated[bool, flag("dry-run")] = False,
    env: Env = None,
    output: Output = None,
    query: Query = None,
) -> None:
    """Bring the models in a folder to an environment, when all pass their gates. Exit code 3 when one does not."""
    from amlops.promotion.promote import GateNotPassed
    from amlops.release import handover, spec

    chosen_format(output)
    with workspace(env) as ws:
        try:
            done = handover.bring(ws, spec.find(ws.project), source, _tell, reason=reason, dry_run=dry_run)
        except GateNotPassed as error:
            emit(error.record, output, query)
            raise
    emit(done, output, query, _PROMOTED)


@app.command()
def abort(env: Env = None) -> None:
    """Put back the traffic that a killed `deploy` left between two steps."""
    from amlops.release import real_time, spec

    with workspace(env) as ws:
        for release in spec.find(ws.project):
            for endpoint in release.real_time:
                real_time.abort(ws, endpoint, _tell)


@contextmanager
def _releases(env: str | None, commit: str | None) -> Iterator[tuple[Workspace, list[Release], str]]:
    """The workspace, what the project releases, and the whole commit. Raises UserError."""
    from amlops.release import commit as commits
    from amlops.release import spec

    with workspace(env) as ws:
        chosen = commits.full(ws.project.root, commit)
        yield ws, spec.find(ws.project), chosen


def _tell(line: str) -> None:
    typer.echo(line, err=True)
