"""The training job of a commit: started once, found again, and the version that it registered."""

from __future__ import annotations

from collections.abc import Callable

from amlops.entities import Model
from amlops.errors import UserError
from amlops.promotion import stages
from amlops.promotion.origin import COMMIT, job_of
from amlops.release import commit as commits
from amlops.release.spec import Release
from amlops.workspace import Record, Workspace

# Of the newest jobs; one that CI has started a moment ago is among them.
_LOOKED_AT = 500
_OVER = ("Failed", "Canceled", "NotResponding")
Tell = Callable[[str], None]


def jobs_of(ws: Workspace, release: Release, commit: str) -> list[Record]:
    """The training jobs of a commit, newest first. Their names carry it, so that a repeated CI run finds them."""
    stem = _stem(release, commit)
    return [job for job in ws.jobs.list(max_results=_LOOKED_AT) if str(job["name"]).startswith(stem)]


def start(ws: Workspace, release: Release, commit: str, tell: Tell) -> Record:
    """Start the job, unless one of the same commit runs or has completed; returns its record.

    Raises:
        UserError: a file is wrong, a compute is missing, Azure refuses.
        JobFailed: on the laptop, where it runs to its end.
    """
    known = jobs_of(ws, release, commit)
    for job in known:
        if job["status"] not in _OVER:
            tell(f"{job['name']}: is {job['status']} already")
            return job
    name = f"{_stem(release, commit)}{len(known) + 1}"
    tell(f"{name}: starting")
    return ws.jobs.create(release.pipeline, name=name, tags={COMMIT: commit})


def wait(ws: Workspace, release: Release, commit: str, timeout_minutes: float | None, tell: Tell) -> Record:
    """Wait for the job's end.

    Raises:
        UserError: none was started, or the time is over.
        JobFailed: it failed.
    """
    known = jobs_of(ws, release, commit)
    if not known:
        where = ws.environment.name
        raise UserError(
            f"--commit: '{commits.short(commit)}' has no training job of {release.workload} in '{where}'; first: "
            f"amlops release train --env {where}"
        )
    return ws.jobs.wait(known[0]["name"], timeout_minutes=timeout_minutes, tell=tell)


def version_for(ws: Workspace, release: Release, commit: str) -> Model:
    """The version that is deployed: what the commit's job registered here, else the champion that promotion made.

    Raises:
        UserError: there is neither.
    """
    jobs = {str(job["name"]) for job in jobs_of(ws, release, commit)}
    versions = ws.models.list(release.model)
    for model in versions:
        if jobs and job_of(model) in jobs:
            return model
    champion = stages.of(ws.models, release.model, stages.CHAMPION)
    if champion is None:
        raise UserError(
            f"model: '{ws.environment.name}' has no version of '{release.model}' that commit "
            f"{commits.short(commit)} trained, and no champion; first amlops release train, or amlops release promote"
        )
    return champion


def _stem(release: Release, commit: str) -> str:
    return f"{release.workload}-{commits.short(commit)}-"
