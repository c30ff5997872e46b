"""A workspace: what the verbs of the command line act on. It has two implementations, the laptop and Azure.

    ws = connect()                # AMLOPS_ENV, then local
    model = ws.models.show("digits", "latest")

Only `connect` knows which implementation an environment has; nothing outside asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from amlops.entities import Model
from amlops.project import Environment, Project

Record = dict[str, Any]
"""What a verb prints: values that JSON can hold, keys as `az ml` names them."""


class Jobs(Protocol):
    """`amlops job`."""

    def create(
        self,
        file: Path,
        *,
        sets: Sequence[str] = (),
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        stream: bool = False,
    ) -> Record:
        """Run the job in `file` to its end and return its record.

        Args:
            sets: changes such as "inputs.rate=0.1" to what the file says.
            stream: show the steps' logs while they are written.

        Raises:
            UserError: the file or a change is wrong; nothing has been made.
            JobFailed: the job ran and failed.
        """
        ...

    def show(self, name: str) -> Record:
        """The record of one job. Raises UserError when there is none."""
        ...

    def resume(self, name: str, *, sets: Sequence[str] = ()) -> Record:
        """Go on with a job of a batch endpoint that was killed or canceled, or has failed.

        Finished mini-batches stay; of a job that failed, those with failed items are run again.

        Args:
            sets: changes of its settings, for example "error_threshold=10"; not of what was fixed when it started.

        Raises:
            UserError: it is completed or running, or not a job of a batch endpoint.
            JobFailed: the job ran and failed.
        """
        ...

    def replay(self, name: str, *, job_name: str | None = None, sets: Sequence[str] = ()) -> Record:
        """Score the items that have failed in a job of a batch endpoint again, in a new job.

        Args:
            job_name: name of the new job.
            sets: changes of the settings, for example "retry_settings.timeout=120".

        Raises:
            UserError: no item has failed, or it is not a job of a batch endpoint.
            JobFailed: the new job ran and failed.
        """
        ...

    def list(self, *, max_results: int | None = None, parent_job_name: str | None = None) -> list[Record]:
        """Jobs, newest first, at most `max_results`; or the steps of the job `parent_job_name`, as jobs."""
        ...

    def stream(self, name: str, write: Callable[[str], None]) -> Record:
        """Write the lines of a job's logs, those that are there and those that come, until its end.

        Raises:
            UserError: there is no such job.
            JobFailed: the job has failed, or was canceled.
        """
        ...

    def cancel(self, name: str) -> Record:
        """Stop a job that runs, and wait for its end. Raises UserError when there is none, or it has ended."""
        ...

    def download(
        self, name: str, *, output_name: str | None = None, download_path: Path | None = None, everything: bool = False
    ) -> Sequence[Path]:
        """Copy the logs of a job that has ended, one output, or everything, below `download_path` (here by default).

        Returns the folders that were written. Raises UserError.
        """
        ...


class Models(Protocol):
    """`amlops model`."""

    def create(
        self,
        name: str,
        path: Path | str,
        *,
        type: str = "custom_model",
        version: str | None = None,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        description: str = "",
    ) -> Model:
        """Register a file or folder under the next version, or under `version`.

        Args:
            path: text for an address: `azureml://jobs/NAME/outputs/OUTPUT`, `azureml://datastores/NAME/paths/PATH`.

        Raises:
            UserError: a value is wrong, or there is nothing at the path.
        """
        ...

    def list(self, name: str | None = None, tags: Mapping[str, str] | None = None) -> list[Model]:
        """Models, newest first; all versions of `name`, or of all names; only those that have all of `tags`."""
        ...

    def show(self, name: str, version: str | None = None) -> Model:
        """One model; "latest" or None is the version made last. Raises UserError."""
        ...


class Assets(Protocol):
    """`amlops data`, `amlops environment`, `amlops component`: things with versions."""

    def create(self, file: Path | None, *, values: Mapping[str, Any], sets: Sequence[str] = ()) -> Record:
        """Register what a file and flags say under its version, or under the next whole number.

        Args:
            values: what flags gave, by key of the YAML ("build.path" for a key in a mapping); they win over the file.

        Raises:
            UserError: the file or a value is wrong, or the version exists with other content; nothing has been made.
        """
        ...

    def list(self, name: str | None = None) -> list[Record]:
        """Versions, newest first; of `name`, or of all names."""
        ...

    def show(self, name: str, version: str | None = None) -> Record:
        """One version; None or "latest" is the one made last. Raises UserError."""
        ...


class Resources(Protocol):
    """`amlops datastore`, `amlops compute`: things with a name and no versions."""

    def create(self, file: Path | None, *, values: Mapping[str, Any], sets: Sequence[str] = ()) -> Record:
        """Make one from a file and flags, or change the one of that name; see `Assets.create`. Raises UserError."""
        ...

    def list(self) -> list[Record]:
        """All of them."""
        ...

    def show(self, name: str) -> Record:
        """One of them. Raises UserError."""
        ...


class Computes(Resources, Protocol):
    """`amlops compute`."""

    def delete(self, name: str) -> Record:
        """Delete a compute target that a person made. Raises UserError."""
        ...


class BatchEndpoints(Protocol):
    """`amlops batch-endpoint`."""

    def create(self, file: Path | None = None, *, name: str | None = None, sets: Sequence[str] = ()) -> Record:
        """Make an endpoint, or change the one of that name. Raises UserError."""
        ...

    def update(self, name: str, *, file: Path | None = None, sets: Sequence[str] = ()) -> Record:
        """Change an endpoint, for example `defaults.deployment_name`. Raises UserError."""
        ...

    def show(self, name: str) -> Record:
        """One endpoint. Raises UserError."""
        ...

    def list(self) -> list[Record]:
        """All endpoints."""
        ...

    def delete(self, name: str) -> Record:
        """Delete an endpoint and its deployments.

        Returns what was deleted, with the names of the `deployments`. Raises UserError.
        """
        ...

    def invoke(
        self,
        name: str,
        *,
        input: str | None = None,
        input_type: str | None = None,
        deployment_name: str | None = None,
        mini_batch_size: int | None = None,
        instance_count: int | None = None,
        output_path: str | None = None,
        overwrite: bool = False,
        workers: int | None = None,
        job_name: str | None = None,
        sets: Sequence[str] = (),
        file: Path | None = None,
    ) -> Record:
        """Score the files at `input`, or run the pipeline that is deployed, and return the job's record.

        Args:
            sets: changes of settings, and `inputs.NAME.path=…`, `inputs.NAME.default=…`, `outputs.NAME.path=…`.
            file: inputs and outputs by name.
            overwrite: replace an output file that exists in `output_path`; only on the laptop.
            workers: 0 runs the scoring script in the calling process, for a debugger; only on the laptop.

        Raises:
            UserError: the input, a setting or a name is wrong; nothing has been made.
            JobFailed: the job ran and failed.
        """
        ...

    def list_jobs(self, name: str) -> list[Record]:
        """The jobs that scored with any deployment of an endpoint, newest first. Raises UserError."""
        ...


@dataclass(frozen=True)
class CompareOptions:
    """How two deployments are compared.

    Attributes:
        input: as for `invoke`, likewise `input_type`, `mini_batch_size` and `instance_count`.
        key: the column that names the item in both results, by name or number; None where the results tell it.
        tolerance: numbers that differ by no more are equal.
        fail_over: "10" items or "1%" of them; the comparison fails when more differ.
        report: folder for the report; None for one of its own below `.amlops/comparisons`.
    """

    input: str
    input_type: str | None = None
    mini_batch_size: int | None = None
    instance_count: int | None = None
    key: str | None = None
    tolerance: float = 1e-6
    fail_over: str | None = None
    report: Path | None = None


class BatchDeployments(Protocol):
    """`amlops batch-deployment`."""

    def create(
        self,
        file: Path,
        *,
        name: str | None = None,
        endpoint_name: str | None = None,
        set_default: bool = False,
        sets: Sequence[str] = (),
    ) -> Record:
        """Make a deployment, or change the one of that name. Raises UserError."""
        ...

    def update(self, name: str, endpoint_name: str, *, file: Path | None = None, sets: Sequence[str] = ()) -> Record:
        """Change a deployment. Raises UserError."""
        ...

    def show(self, name: str, endpoint_name: str) -> Record:
        """One deployment. Raises UserError."""
        ...

    def list(self, endpoint_name: str) -> list[Record]:
        """The deployments of an endpoint. Raises UserError."""
        ...

    def delete(self, name: str, endpoint_name: str) -> Record:
        """Delete a deployment; refused for an endpoint's default. Raises UserError."""
        ...

    def compare(self, name: str, other: str, endpoint_name: str, options: CompareOptions) -> Record:
        """Score the same input with two deployments and tell what differs; only on the laptop.

        Raises:
            UserError: they cannot be compared.
            JobFailed: a job failed, or more items differ than the options allow.
        """
        ...

    def list_jobs(self, name: str, endpoint_name: str) -> list[Record]:
        """The jobs that scored with a deployment, newest first. Raises UserError."""
        ...


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
    def batch_endpoints(self) -> BatchEndpoints:
        """Batch endpoints."""
        ...

    @property
    def batch_deployments(self) -> BatchDeployments:
        """Deployments of batch endpoints."""
        ...


def connect(env: str | None = None, root: Path | None = None) -> Workspace:
    """The workspace of an environment.

    Args:
        env: local, dev, prod or what else `.cloud/environments` has; default AMLOPS_ENV, then local.
        root: a folder in the project; default AMLOPS_ROOT, then the current folder.

    Raises:
        UserError: there is no project there, or no such environment.
    """
    project = Project.find(root)
    environment = project.environment(env)
    if environment.is_local:
        from amlops.local import LocalWorkspace

        return LocalWorkspace(project, environment)
    from amlops.azure import AzureWorkspace

    return AzureWorkspace(project, environment)
