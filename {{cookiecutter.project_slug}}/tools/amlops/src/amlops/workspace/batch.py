"""`amlops batch-endpoint` and `batch-deployment`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from amlops.workspace.record import Record


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
