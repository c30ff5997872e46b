"""A workspace: what the verbs of the command line act on. It has two implementations, the laptop and Azure.

    ws = connect()                # AMLOPS_ENV, then local
    model = ws.models.show("digits", "latest")

Only `connect` knows which implementation an environment has; nothing outside asks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from amlops.project import Environment, Project
from amlops.workspace.assets import Assets, Computes, Resources
from amlops.workspace.batch import BatchDeployments, BatchEndpoints, CompareOptions
from amlops.workspace.images import Images
from amlops.workspace.jobs import Jobs
from amlops.workspace.models import Models
from amlops.workspace.online import OnlineDeployments, OnlineEndpoints, ScoringTarget
from amlops.workspace.record import Record
from amlops.workspace.schedules import Schedules

__all__ = [
    "Assets",
    "BatchDeployments",
    "BatchEndpoints",
    "CompareOptions",
    "Computes",
    "Images",
    "Jobs",
    "Models",
    "OnlineDeployments",
    "OnlineEndpoints",
    "Record",
    "Resources",
    "Schedules",
    "ScoringTarget",
    "Workspace",
    "connect",
]


class Workspace(Protocol):
    """One environment of a project. The properties make nothing and cost nothing until a method is called."""

    @property
    def project(self) -> Project:
        """The project that the workspace belongs to."""
        ...

    @property
    def environment(self) -> Environment:
        """Which of the project's environments this is."""
        ...

    @property
    def images(self) -> Images:
        """The container registry."""
        ...

    @property
    def jobs(self) -> Jobs:
        """Command and pipeline jobs."""
        ...

    @property
    def models(self) -> Models:
        """The model registry."""
        ...

    @property
    def data(self) -> Assets:
        """Data assets."""
        ...

    @property
    def environments(self) -> Assets:
        """Environments of jobs and deployments; `environment` is which of the project's environments this is."""
        ...

    @property
    def components(self) -> Assets:
        """Components of pipelines."""
        ...

    @property
    def datastores(self) -> Resources:
        """Data stores."""
        ...

    @property
    def computes(self) -> Computes:
        """Compute targets."""
        ...

    @property
    def schedules(self) -> Schedules:
        """Schedules of pipeline jobs."""
        ...

    @property
    def batch_endpoints(self) -> BatchEndpoints:
        """Batch endpoints."""
        ...

    @property
    def batch_deployments(self) -> BatchDeployments:
        """Deployments of batch endpoints."""
        ...

    @property
    def online_endpoints(self) -> OnlineEndpoints:
        """Real-time endpoints."""
        ...

    @property
    def online_deployments(self) -> OnlineDeployments:
        """Deployments of real-time endpoints."""
        ...


def connect(env: str | None = None, root: Path | None = None, *, print_az: bool = False) -> Workspace:
    """The workspace of an environment.

    Args:
        env: local, dev, prod or what else `.cloud/environments` has; default AMLOPS_ENV, then local.
        root: a folder in the project; default AMLOPS_ROOT, then the current folder.
        print_az: one whose methods do nothing and raise AzCommand with the `az` command line; not for the laptop.

    Raises:
        UserError: there is no project there, or no such environment.
    """
    project = Project.find(root)
    environment = project.environment(env)
    if environment.is_local:
        from amlops.local import LocalWorkspace

        return LocalWorkspace(project, environment)
    if print_az:
        from amlops.azcli import AzCliWorkspace

        return AzCliWorkspace(project, environment)
    from amlops.azure import AzureWorkspace

    return AzureWorkspace(project, environment)
