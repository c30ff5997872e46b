"""Where a model is promoted from: an environment, or a package that was exported from one."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from amlops.entities import Model
from amlops.errors import AmlopsError
from amlops.workspace import Workspace

COMMIT = "git_commit"
"""Property or tag of a model, and tag of a job: the commit that trained it."""


class Origin(Protocol):
    """What promotion asks of the place that has the model."""

    @property
    def environment(self) -> str:
        """Name of the environment, for example dev."""
        ...

    @property
    def workspace(self) -> str:
        """Name of its workspace in Azure; "" for the laptop."""
        ...

    def show(self, name: str, version: str) -> Model:
        """The version. Raises UserError."""
        ...

    def download(self, name: str, version: str, folder: Path) -> Path:
        """Copy its file or folder into `folder`; returns the copy. Raises UserError."""
        ...

    def commit(self, model: Model) -> str:
        """The commit that trained it; "" where nobody knows."""
        ...


class EnvironmentOrigin:
    """A workspace. See `Origin`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @property
    def environment(self) -> str:
        return self._workspace.environment.name

    @property
    def workspace(self) -> str:
        return self._workspace.environment.workspace

    def show(self, name: str, version: str) -> Model:
        return self._workspace.models.show(name, version)

    def download(self, name: str, version: str, folder: Path) -> Path:
        return self._workspace.models.download(name, version, folder)

    def commit(self, model: Model) -> str:
        """A job in Azure has no repository, so its model may not know; the job's tag does when CI started it."""
        known = model.properties.get(COMMIT) or model.tags.get(COMMIT)
        job = job_of(model)
        if known or not job:
            return known or ""
        try:
            return str((self._workspace.jobs.show(job).get("tags") or {}).get(COMMIT) or "")
        except AmlopsError:  # a job that is gone, or of another workspace
            return ""


def job_of(model: Model) -> str:
    """The job that made a model; "" where nobody knows."""
    return model.job_name or model.properties.get("job_name", "")
