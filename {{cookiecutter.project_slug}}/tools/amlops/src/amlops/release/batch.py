"""A new deployment of a batch endpoint: tried by name, and only then the default."""

from __future__ import annotations

from collections.abc import Callable

from amlops.release import older
from amlops.release.spec import BatchRelease
from amlops.workspace import Record, Workspace


def deploy(ws: Workspace, release: BatchRelease, name: str, sets: list[str], tell: Callable[[str], None]) -> Record:
    """Deploy beside what the endpoint serves, score the trial's items, make it the default.

    The deployment that was the default before stays, to go back to; older ones are deleted.

    Args:
        name: of the deployment.
        sets: changes of the deployment's file: its model, its environment.

    Raises:
        UserError: a file is wrong, Azure refuses.
        JobFailed: the trial failed; the default is what it was.
    """
    endpoint = ws.batch_endpoints.create(release.endpoint)
    before = (endpoint.get("defaults") or {}).get("deployment_name")
    ws.batch_deployments.create(release.deployment, name=name, endpoint_name=release.name, sets=sets)
    trial = _try(ws, release, name, tell)
    if before != name:
        ws.batch_endpoints.update(release.name, sets=[f"defaults.deployment_name={name}"])
    tell(f"{endpoint['name']}: {name} is the default")
    return {
        "endpoint_name": endpoint["name"],
        "deployment_name": name,
        "before": before,
        "trial": trial,
        # Of a release that is repeated nothing is deleted: its way back is there.
        "deleted": [] if before == name else older.delete(ws.batch_deployments, release.name, (name, before)),
    }


def _try(ws: Workspace, release: BatchRelease, name: str, tell: Callable[[str], None]) -> str | None:
    """Name of the job that scored the trial's items; None where the release has none. Raises JobFailed."""
    if release.trial is None:
        tell(f"{release.name}: not tried, its release names no 'trial'")
        return None
    job = ws.batch_endpoints.invoke(release.name, deployment_name=name, input=str(release.trial))
    return str(ws.jobs.wait(job["name"], tell=tell)["name"])
