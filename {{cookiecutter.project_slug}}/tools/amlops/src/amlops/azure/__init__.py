"""The workspace in Azure, through azure-ai-ml and azure-identity.

Neither is imported before a verb needs it.
"""

from __future__ import annotations

from functools import cached_property

from amlops.azcli import AzCliWorkspace
from amlops.azure.client import AzureContext
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

__all__ = ["AzureContext", "AzureWorkspace"]


class AzureWorkspace(AzCliWorkspace):
    """See `amlops.workspace.Workspace`."""

    @cached_property
    def azure(self) -> AzureContext:
        """The connection; see `AzureContext`."""
        return AzureContext(self.project, self.environment)

    @property
    def images(self) -> Images:
        from amlops.azure.images import AzureImages

        return AzureImages(self.azure)

    @property
    def jobs(self) -> Jobs:
        from amlops.azure.jobs import AzureJobs

        return AzureJobs(self.azure)

    @property
    def models(self) -> Models:
        from amlops.azure.models import AzureModels

        return AzureModels(self.azure)

    @property
    def computes(self) -> Computes:
        from amlops.azure.computes import AzureComputes

        return AzureComputes(self.azure)

    @property
    def data(self) -> Assets:
        from amlops.azure import assets

        return assets.AzureAssets(self.azure, assets.DATA)

    @property
    def environments(self) -> Assets:
        from amlops.azure import assets

        return assets.AzureAssets(self.azure, assets.ENVIRONMENTS)

    @property
    def components(self) -> Assets:
        from amlops.azure import assets

        return assets.AzureAssets(self.azure, assets.COMPONENTS)

    @property
    def datastores(self) -> Resources:
        from amlops.azure.assets import AzureDatastores

        return AzureDatastores(self.azure)

    @property
    def schedules(self) -> Schedules:
        from amlops.azure.schedules import AzureSchedules

        return AzureSchedules(self.azure)

    @property
    def batch_endpoints(self) -> BatchEndpoints:
        from amlops.azure.batch_endpoints import AzureBatchEndpoints

        return AzureBatchEndpoints(self.azure)

    @property
    def batch_deployments(self) -> BatchDeployments:
        from amlops.azure.batch_deployments import AzureBatchDeployments

        return AzureBatchDeployments(self.azure)

    @property
    def online_endpoints(self) -> OnlineEndpoints:
        from amlops.azure.online_endpoints import AzureOnlineEndpoints

        return AzureOnlineEndpoints(self.azure)

    @property
    def online_deployments(self) -> OnlineDeployments:
        from amlops.azure.online_deployments import AzureOnlineDeployments

        return AzureOnlineDeployments(self.azure)
