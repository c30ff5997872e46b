"""The workspace of the laptop: jobs, models and endpoints below `<project>/.amlops/`."""

from __future__ import annotations

from amlops.local.models import ModelStore
from amlops.local.state import LocalState
from amlops.project import Environment, Project
from amlops.workspace import BatchDeployments, BatchEndpoints, Jobs


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
    def jobs(self) -> Jobs:
        from amlops.local.jobs import LocalJobs

        return LocalJobs(self.state, self.models, self.project)

    @property
    def batch_endpoints(self) -> BatchEndpoints:
        from amlops.local.batch import LocalBatchEndpoints

        return LocalBatchEndpoints(self.state, self.models, self.project)

    @property
    def batch_deployments(self) -> BatchDeployments:
        from amlops.local.batch import LocalBatchDeployments

        return LocalBatchDeployments(self.state, self.models, self.project)
