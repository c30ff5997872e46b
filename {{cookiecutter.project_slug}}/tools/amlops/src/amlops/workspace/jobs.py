"""`amlops job`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from amlops.workspace.record import Record


@dataclass(frozen=True)
class LogFile:
    """One log of a job.

    Attributes:
        path: what it is called, below the job's folder.
        step: the step of a pipeline that wrote it; None for one of the job itself.
        lines: reads it; lines without their ends.
    """

    path: str
    step: str | None
    lines: Callable[[], Iterable[str]] = field(repr=False)


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
        """Run the job in `file` and return its record: on the laptop to its end, in Azure until it is submitted.

        Args:
            sets: changes such as "inputs.rate=0.1" to what the file says.
            stream: show the steps' logs while they are written; in Azure, wait for the job's end, too.

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

    def wait(
        self, name: str, *, timeout_minutes: float | None = None, tell: Callable[[str], None] | None = None
    ) -> Record:
        """Wait for a job's end by its status alone, over lost connections, and return its record.

        Args:
            timeout_minutes: give up waiting after so long; the job goes on. None: as long as it takes.
            tell: is told each change of the status, and a connection that is lost; None: on stderr.

        Raises:
            UserError: there is no such job, or the time is over.
            JobFailed: the job has failed, or was canceled.
        """
        ...

    def stream(self, name: str, write: Callable[[str], None]) -> Record:
        """Write the lines of a job's logs, those that are there and those that come, until its end.

        Raises:
            UserError: there is no such job.
            JobFailed: the job has failed, or was canceled.
        """
        ...

    def logs(self, name: str) -> Sequence[LogFile]:
        """Every log of a job and of its steps that is there now. Raises UserError when there is no such job."""
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
