"""`amlops job` on the laptop: read the file, run the steps, keep the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlops import references
from amlops.errors import JobFailed, shown
from amlops.jobspec import JobSpec, load_job
from amlops.jobspec.model import MODEL_TYPES
from amlops.jobspec.values import Resolve
from amlops.local import tracking
from amlops.local.data import LocalData
from amlops.local.interrupts import terminate_as_interrupt
from amlops.local.jobrecords import JobRecord, JobRecords
from amlops.local.jobs.execution import Execution, check_programs
from amlops.local.jobs.progress import last_lines, progress
from amlops.local.jobs.runner import FAILED, Runner, StepRun
from amlops.local.models import ModelStore
from amlops.local.state import LocalState
from amlops.project import Project
from amlops.references import WebAddress
from amlops.workspace import Record

if TYPE_CHECKING:
    from amlops.local.batch.jobs import BatchJobs

_LAST_LINES = 12


class LocalJobs:
    """See `amlops.workspace.Jobs`."""

    def __init__(self, state: LocalState, models: ModelStore, project: Project) -> None:
        self._state = state
        self._models = models
        self._project = project
        self._records = JobRecords(state)

    def create(
        self,
        file: Path,
        *,
        sets: Sequence[str] = (),
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        stream: bool = False,
    ) -> Record:
        """Run the job in `file`; see `amlops.workspace.Jobs.create`."""
        data = LocalData(self._project, self._state)
        spec = load_job(file, sets, resolve=self._resolve(data))
        check_programs(spec)
        cores = self._project.limits.cores
        fields = _first_fields(spec, self._project, tags or {})
        with self._records.reserved(name or spec.name, spec.file.stem) as reserved:
            spec = data.fetched(spec, reserved)
            record = self._records.start(spec.type, name=reserved, fields=fields, reserved=True)
        runs = tracking.JobRuns()
        try:
            with terminate_as_interrupt():
                runs = tracking.start_runs(self._state, record.name, spec)
                execution = Execution(self._project, record, spec, runs)
                with progress(stream=stream) as watcher:
                    ended = Runner(spec, execution.logs, cores, execution.launch, execution.changed, watcher).run()
        except BaseException as error:
            interrupted = isinstance(error, KeyboardInterrupt)
            status, reason = ("Canceled", "interrupted") if interrupted else ("Failed", f"amlops failed: {error!r}")
            runs.end_job(status)
            record.finish(status, reason)
            raise
        return _finish(record, runs, ended)

    def _resolve(self, data: LocalData) -> Resolve:
        def resolve(value: str, type: str) -> Path | WebAddress:
            if type in MODEL_TYPES and references.is_reference(value):
                return self._models.resolve(value).path
            return data.find(value, type, Path.cwd())

        return resolve

    def show(self, name: str) -> Record:
        """One job; see `amlops.workspace.Jobs.show`."""
        return self._records.show(name)

    def resume(self, name: str, *, sets: Sequence[str] = ()) -> Record:
        """Go on with a job of a batch endpoint; see `amlops.workspace.Jobs.resume`."""
        return self._batch_jobs().resume(name, sets=sets)

    def replay(self, name: str, *, job_name: str | None = None, sets: Sequence[str] = ()) -> Record:
        """Score the failed items of a job again; see `amlops.workspace.Jobs.replay`."""
        return self._batch_jobs().replay(name, job_name=job_name, sets=sets)

    def _batch_jobs(self) -> BatchJobs:
        from amlops.local.batch.jobs import BatchJobs

        return BatchJobs(self._state, self._models, self._project)

    def list(self) -> list[Record]:
        """All jobs; see `amlops.workspace.Jobs.list`."""
        return self._records.list()


def _first_fields(spec: JobSpec, project: Project, tags: Mapping[str, str]) -> dict[str, Any]:
    return {
        "display_name": spec.display_name,
        "experiment_name": spec.experiment_name,
        "description": spec.description,
        "tags": {**spec.tags, **tags},
        "file": project.shown(spec.file),
        "inputs": dict(spec.inputs),
    }


def _finish(record: JobRecord, runs: tracking.JobRuns, ended: Mapping[str, StepRun]) -> Record:
    """Write the end of the job. Raises JobFailed when a step failed."""
    failed = [run for run in ended.values() if run.status == FAILED]
    status = "Failed" if failed else "Completed"
    runs.end_job(status)
    if not failed:
        return record.finish(status)
    first = min(failed, key=lambda run: run.ended_at or "")
    data = record.finish(status, f"step '{first.name}' {first.reason}")
    raise JobFailed(_failure(record.name, first, len(failed)), data)


def _failure(job: str, run: StepRun, count: int) -> str:
    """The failing step, the end of its log, and where the log lies."""
    others = f" (and {count - 1} more)" if count > 1 else ""
    lines = [f"job '{job}' failed: step '{run.name}' {run.reason}{others}"]
    tail = last_lines(run.log, _LAST_LINES)
    lines += [f"  {run.name} | {line}" for line in tail] or ["  (the step wrote nothing)"]
    return "\n".join([*lines, f"  log: {shown(run.log)}"])
