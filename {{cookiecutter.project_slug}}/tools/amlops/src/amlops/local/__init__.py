"""The workspace of the laptop: jobs, models, data and endpoints below `<project>/.amlops/`."""

from __future__ import annotations

from amlops.local.models import ModelStore
from amlops.local.state import LocalState
from amlops.project import Environment, Project
from amlops.workspace import (
    Assets,
    BatchDeployments,
    BatchEndpoints,
    Computes,
    Images,
    Jobs,
    OnlineDeployments,
    OnlineEndpoints,
    Resources,
    Schedules,
)


class LocalWorkspace:
    """See `amlops.workspace.Workspace`. Each part is imported when it is first used."""

    def __init__(self, project: Project, environment: Environment) -> None:
        self.project = project
        self.environment = environment
        self.state = LocalState(project)

    @property
    def models(self) -> ModelStore:
        return ModelStore(self.state)

    @property
    def images(self) -> Images:
        from amlops.local.images import LocalImages

        return LocalImages()

    @property
    def jobs(self) -> Jobs:
        from amlops.local.jobs import LocalJobs

        return LocalJobs(self.state, self.models, self.project)

    @property
    def data(self) -> Assets:
        from amlops.local.data import LocalData

        return LocalData(self.project, self.state).assets

    @property
    def environments(self) -> Assets:
        from amlops.local.environments import LocalEnvironments

        return LocalEnvironments(self.project, self.state)

    @property
    def components(self) -> Assets:
        from amlops.local.components import LocalComponents

        return LocalComponents(self.project, self.state)

    @property
    def datastores(self) -> Resources:
        from amlops.local.data import Datastores

        return Datastores(self.project, self.state)

    @property
    def computes(self) -> Computes:
        from amlops.local.computes import LocalComputes

        return LocalComputes(self.project, self.state)

    @property
    def schedules(self) -> Schedules:
        from amlops.local.schedules import LocalSchedules

        return LocalSchedules(self.project, self.state, self.models)

    @property
    def batch_endpoints(self) -> BatchEndpoints:
        from amlops.local.batch import LocalBatchEndpoints

        return LocalBatchEndpoints(self.state, self.models, self.project)

    @property
    def batch_deployments(self) -> BatchDeployments:
        from amlops.local.batch import LocalBatchDeployments

        return LocalBatchDeployments(self.state, self.models, self.project)

    @property
    def online_endpoints(self) -> OnlineEndpoints:
        from amlops.local.online import LocalOnlineEndpoints

        return LocalOnlineEndpoints(self.state, self.project)

    @property
    def online_deployments(self) -> OnlineDeployments:
        from amlops.local.online import LocalOnlineDeployments

        return LocalOnlineDeployments(self.state, self.models, self.project)
