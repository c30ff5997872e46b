"""Every endpoint of a release gets its deployment of a commit."""

from __future__ import annotations

from collections.abc import Callable

from amlops.release import batch, real_time
from amlops.release import commit as commits
from amlops.release.images import sets_for
from amlops.release.spec import Release
from amlops.release.training import version_for
from amlops.workspace import Record, Workspace


def deploy(ws: Workspace, release: Release, commit: str, tell: Callable[[str], None]) -> list[Record]:
    """Deploy the commit with its model; a record for each endpoint.

    Raises:
        UserError: there is no model, a file is wrong, Azure refuses.
        JobFailed: a deployment did not pass its tests; what its endpoint served before goes on serving.
    """
    model = version_for(ws, release, commit)
    # A name of its own for each commit: what serves goes on serving until the trial has ended well.
    name = f"r-{commits.short(commit)}"
    sets = [f"model={model.reference}"]
    tell(f"{release.workload}: {name} with {model.reference}")
    # All of them before the first is deployed: a missing image stops everything.
    images = {file: sets_for(ws, release, file) for file in release.deployments}
    done = [batch.deploy(ws, one, name, [*sets, *images[one.deployment]], tell) for one in release.batch]
    done += [real_time.deploy(ws, one, name, [*sets, *images[one.deployment]], tell) for one in release.real_time]
    return [{**one, "model": model.reference} for one in done]
