"""`amlops job` on the laptop: read the file, run the steps, keep the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlops import references
from amlops.errors import JobFailed, UserError, shown
from amlops.files import sha256
from amlops.jobspec import JobSpec, job_of, load_job
from amlops.jobspec.model import MODEL_TYPES
from amlops.jobspec.values import Resolve
from amlops.local import tracking
from amlops.local.cancellation import cancelable, reason
from amlops.local.data import LocalData
from amlops.local.data.datastores import Datastores
from amlops.local.jobrecords import JobRecord, JobRecords
from amlops.local.jobs import control
from amlops.local.jobs.download import download
from amlops.local.jobs.execution import Execution, check_programs, check_rows, output_places
from amlops.local.jobs.logs import log_files
from amlops.local.jobs.progress import last_lines, progress
from amlops.local.jobs.registering import Registrations
from amlops.local.jobs.runner import FAILED, Runner, StepRun
from amlops.local.models import ModelStore
from amlops.local.state import LocalState
from amlops.project import Project
from amlops.references import WebAddress
from amlops.workspace import Record
from amlops.workspace.jobs import LogFile
from amlops.yamlfile import YamlFile

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
        spec = load_job(file, sets, resolve=self._resolve(), resolve_component=self._component)
        return self.run(spec, name=name, fields={"tags": {**spec.tags, **(tags or {})}}, stream=stream)

    def load(self, document: YamlFile) -> JobSpec:
        """The job that a document describes. Raises UserError."""
        return job_of(document, resolve=self._resolve(), resolve_component=self._component)

    def run(
        self,
        spec: JobSpec,
        *,
        name: str | None = None,
        prefix: str | None = None,
        fields: Mapping[str, Any] | None = None,
        stream: bool = False,
        option: str = "--name",
        blob_only: bool = False,
    ) -> Record:
        """Run a job to its end and return its record.

        Args:
            name: the job's name; by default that of the job, then one made from `prefix`.
            fields: what stands in the record beside what the job says.
            option: what `name` came from, for errors.
            blob_only: outputs go to blob data stores only, as those of batch endpoints.

        Raises:
            UserError, JobFailed: see `create`.
        """
        data = LocalData(self._project, self._state)
        check_programs(spec)
        cores = self._project.limits.cores  # a fault in local.yml is told before anything is made
        all_fields = {**_first_fields(spec, self._project), **(fields or {})}
        registrations = Registrations(spec, self._models, data)
        registrations.check()
        with self._records.reserved(name or spec.name, prefix or spec.file.stem, option) as reserved:
            places = output_places(spec, reserved, partial(_place, data.datastores, blob_only=blob_only))
            check_rows(spec, places)
            spec = data.fetched(spec, reserved)
            record = self._records.start(spec.type, name=reserved, fields=all_fields, reserved=True)
        runs = tracking.JobRuns()
        try:
            with cancelable(record.folder):
                runs = tracking.start_runs(self._state, record.name, spec)
                execution = Execution(self._project, record, spec, runs, places)
                with progress(stream=stream) as watcher:
                    ended = Runner(spec, execution.logs, cores, execution.launch, execution.changed, watcher).run()
        except BaseException as error:
            interrupted = isinstance(error, KeyboardInterrupt)
            status = "Canceled" if interrupted else "Failed"
            runs.end_job(status)
            record.finish(status, reason(record.folder) if interrupted else f"amlops failed: {error!r}")
            raise
        return _finish(record, runs, ended, registrations)

    def _component(self, reference: str) -> Path:
        from amlops.local.components import LocalComponents

        return LocalComponents(self._project, self._state).resolve(reference)

    def _resolve(self) -> Resolve:
        data = LocalData(self._project, self._state)

        def resolve(value: str, type: str) -> Path | WebAddress:
            if type in MODEL_TYPES and references.is_reference(value):
                return self._models.resolve(value).path
            return data.find(value, type, Path.cwd())

        return resolve

    def show(self, name: str) -> Record:
        """One job, or a step of one, called `JOB.STEP`; see `amlops.workspace.Jobs.show`."""
        job, dot, _ = name.partition(".")
        record = self._records.show(job)
        if not dot:
            return record
        for step in children(record):
            if step["name"] == name:
                return step
        known = ", ".join(step["name"] for step in children(record)) or "none"
        raise UserError(f"--name: job '{job}' has no step of the name '{name}'; its steps: {known}")

    def resume(self, name: str, *, sets: Sequence[str] = ()) -> Record:
        """Go on with a job of a batch endpoint; see `amlops.workspace.Jobs.resume`."""
        return self._batch_jobs().resume(name, sets=sets)

    def replay(self, name: str, *, job_name: str | None = None, sets: Sequence[str] = ()) -> Record:
        """Score the failed items of a job again; see `amlops.workspace.Jobs.replay`."""
        return self._batch_jobs().replay(name, job_name=job_name, sets=sets)

    def _batch_jobs(self) -> BatchJobs:
        from amlops.local.batch.jobs import BatchJobs

        return BatchJobs(self._state, self._models, self._project)

    def list(self, *, max_results: int | None = None, parent_job_name: str | None = None) -> list[Record]:
        """All jobs, or the steps of one; see `amlops.workspace.Jobs.list`."""
        found = self._records.list() if parent_job_name is None else children(self._records.show(parent_job_name))
        return found[:max_results]

    def wait(
        self, name: str, *, timeout_minutes: float | None = None, tell: Callable[[str], None] | None = None
    ) -> Record:
        """Wait for a job's end; see `amlops.workspace.Jobs.wait`."""
        return control.wait(self._records, name, timeout_minutes, tell)

    def stream(self, name: str, write: Callable[[str], None]) -> Record:
        """Follow a job's logs to its end; see `amlops.workspace.Jobs.stream`."""
        return control.stream(self._records, name, write)

    def logs(self, name: str) -> Sequence[LogFile]:
        """Every log of a job; see `amlops.workspace.Jobs.logs`."""
        return log_files(self._records.show(name), self._state.jobs / name)

    def cancel(self, name: str) -> Record:
        """Stop a job; see `amlops.workspace.Jobs.cancel`."""
        return control.cancel(self._records, self._state.jobs / name, name)

    def download(
        self, name: str, *, output_name: str | None = None, download_path: Path | None = None, everything: bool = False
    ) -> list[Path]:
        """Copy outputs and logs of a job; see `amlops.workspace.Jobs.download`."""
        record = self._records.show(name)
        target = (download_path or Path()).expanduser().resolve()
        return download(record, self._state.jobs / name, target, output_name=output_name, everything=everything)


def children(record: Record) -> list[Record]:
    """The steps of a job as `az ml job list --parent-job-name` shows them: as jobs of their own."""
    return [
        {
            "name": f"{record['name']}.{name}",
            "display_name": name,
            "type": "command",
            "parent_job_name": record["name"],
            "created_at": step.get("started_at"),
            **step,
        }
        for name, step in (record.get("steps") or {}).items()
    ]


def _place(datastores: Datastores, address: str, *, blob_only: bool) -> Path:
    """The place in a data store that an output is given. Raises UserError."""
    found = references.datastore_path(address)
    if found is None:
        shown_address = references.without_secrets(address)
        raise UserError(f"'{shown_address}' is not a place in a data store; for example {references.DATASTORE_EXAMPLE}")
    return datastores.output(found) if blob_only else datastores.path(found)


def _first_fields(spec: JobSpec, project: Project) -> dict[str, Any]:
    return {
        "display_name": spec.display_name,
        "experiment_name": spec.experiment_name,
        "description": spec.description,
        "tags": dict(spec.tags),
        "file": project.shown(spec.file),
        **({"file_sha256": sha256(spec.file)} if spec.file.is_file() else {}),
        "inputs": dict(spec.inputs),
    }


def _finish(
    record: JobRecord, runs: tracking.JobRuns, ended: Mapping[str, StepRun], registrations: Registrations
) -> Record:
    """Register outputs and write the end of the job. Raises JobFailed when a step, or registering, failed."""
    failed = [run for run in ended.values() if run.status == FAILED]
    fault = ""
    try:
        done = {name for name, run in ended.items() if run.status == "Completed"}
        if names := registrations.done(record.name, done):
            record.update(registered=names)
    except UserError as error:
        fault = str(error)
    status = "Failed" if failed or fault else "Completed"
    runs.end_job(status)
    if status == "Completed":
        return record.finish(status)
    if not failed:
        raise JobFailed(f"job '{record.name}' failed: {fault}", record.finish(status, fault))
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
