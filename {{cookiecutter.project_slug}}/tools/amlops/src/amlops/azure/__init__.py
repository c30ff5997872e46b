"""The workspace in Azure.

Its verbs are not done from here yet: each answers with the `az ml` command that does it, on the files that `amlops
render` writes. The classes below are the place where calls to Azure go; their callers will not change.
"""

from __future__ import annotations

from amlops.azure.assets import AzureAssets, AzureComputes, AzureDatastores
from amlops.azure.commands import AzCli, AzureBatchDeployments, AzureBatchEndpoints, AzureJobs, AzureModels
from amlops.project import Environment, Project
from amlops.workspace import Assets, BatchDeployments, BatchEndpoints, Computes, Jobs, Models, Resources


class AzureWorkspace:
    """See `amlops.workspace.Workspace`."""

    def __init__(self, project: Project, environment: Environment) -> None:
        self.project = project
        self.environment = environment
        self._az = AzCli(project, environment)

    @property
    def jobs(self) -> Jobs:
        return AzureJobs(self._az)

    @property
    def models(self) -> Models:
        return AzureModels(self._az)

    @property
    def data(self) -> Assets:
        return AzureAssets(self._az, "data")

    @property
    def environments(self) -> Assets:
        return AzureAssets(self._az, "environment")

    @property
    def components(self) -> Assets:
        return AzureAssets(self._az, "component")

    @property
    def datastores(self) -> Resources:
        return AzureDatastores(self._az)

    @property
    def computes(self) -> Computes:
        return AzureComputes(self._az)

    @property
    def batch_endpoints(self) -> BatchEndpoints:
        return AzureBatchEndpoints(self._az)

    @property
    def batch_deployments(self) -> BatchDeployments:
        return AzureBatchDeployments(self._az)
