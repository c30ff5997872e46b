"""The `az ml` command that does what a verb asks: `--print-az`.

A workspace whose methods do nothing: each raises AzCommand, on the files that `amlops render` writes.
"""

from __future__ import annotations

from amlops.azcli.assets import AzCliAssets, AzCliComputes, AzCliDatastores
from amlops.azcli.commands import AzCli, AzCliBatchDeployments, AzCliBatchEndpoints, AzCliJobs, AzCliModels
from amlops.azcli.online import AzCliOnlineDeployments, AzCliOnlineEndpoints
from amlops.azcli.schedules import AzCliSchedules
from amlops.local.images import LocalImages
from amlops.project import Environment, Project
from amlops.workspace import (
    Assets,
    BatchDeployments,
    BatchEndpoints,
    Computes,
    Images,
    Jobs,
    Models,
    OnlineDeployments,
    OnlineEndpoints,
    Resources,
    Schedules,
)


class AzCliWorkspace:
    """See `amlops.workspace.Workspace`."""

    def __init__(self, project: Project, environment: Environment) -> None:
        self.project = project
        self.environment = environment
        self._az = AzCli(project, environment)

    @property
    def images(self) -> Images:
        # Images are moved by `amlops release`, which has no --print-az.
        return LocalImages()

    @property
    def jobs(self) -> Jobs:
        return AzCliJobs(self._az)

    @property
    def models(self) -> Models:
        return AzCliModels(self._az)

    @property
    def data(self) -> Assets:
        return AzCliAssets(self._az, "data")

    @property
    def environments(self) -> Assets:
        return AzCliAssets(self._az, "environment")

    @property
    def components(self) -> Assets:
        return AzCliAssets(self._az, "component")

    @property
    def datastores(self) -> Resources:
        return AzCliDatastores(self._az)

    @property
    def computes(self) -> Computes:
        return AzCliComputes(self._az)

    @property
    def schedules(self) -> Schedules:
        return AzCliSchedules(self._az)

    @property
    def batch_endpoints(self) -> BatchEndpoints:
        return AzCliBatchEndpoints(self._az)

    @property
    def batch_deployments(self) -> BatchDeployments:
        return AzCliBatchDeployments(self._az)

    @property
    def online_endpoints(self) -> OnlineEndpoints:
        return AzCliOnlineEndpoints(self._az)

    @property
    def online_deployments(self) -> OnlineDeployments:
        return AzCliOnlineDeployments(self._az)
