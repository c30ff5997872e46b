"""`amlops schedule` on the laptop: records below `.amlops/schedules/`, checked as Azure ML checks them.

Nothing starts by itself here: a schedule is written down, so that its file, its job and its runs can be looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from amlops.errors import UserError
from amlops.files import write_json
from amlops.local.jobrecords import JobRecords, utc_now
from amlops.local.jobs import LocalJobs
from amlops.local.models import ModelStore
from amlops.local.parallel.progress import note
from amlops.local.state import LocalState
from amlops.local.stored import plain, read_record
from amlops.project import Project
from amlops.scheduling import jobfile
from amlops.scheduling.record import current, job_of, record_of
from amlops.workspace import Record
from amlops.yamlfile import YamlFile


class LocalSchedules:
    """See `amlops.workspace.Schedules`."""

    def __init__(self, project: Project, state: LocalState, models: ModelStore) -> None:
        self._project = project
        self._state = state
        self._models = models

    def create(self, file: Path, *, name: str | None = None, sets: Sequence[str] = ()) -> Record:
        """Write a schedule down, or change the one of that name. Raises UserError."""
        document = jobfile.read(file, {"name": name}, sets, self._project)
        data = document.data
        named = jobfile.reference(document)
        job = self._of_file(document) if named is None else self._of_job(document, named)
        before = self._file(data["name"])
        record = record_of(
            data,
            id=f"azureml:{data['name']}",
            is_enabled=data.get("is_enabled", True),
            create_job=job,
            provisioning_state="Succeeded",
            created_at=read_record(before, "the schedule")["created_at"] if before.is_file() else utc_now(),
        )
        self._save(record)
        again = f"amlops job create -f {job['file']}" if job["file"] else "amlops job create"
        note(f"nothing starts by itself on this machine; {again} runs the job once")
        return record

    def list(self, *, include_disabled: bool = False, disabled_only: bool = False) -> list[Record]:
        """The enabled schedules, by name; see `amlops.workspace.Schedules.list`."""
        wanted = {False} if disabled_only else {True, False} if include_disabled else {True}
        return [record for record in self._all() if record["is_enabled"] in wanted]

    def show(self, name: str) -> Record:
        """One schedule. Raises UserError."""
        file = self._file(name)
        if not file.is_file():
            known = ", ".join(record["name"] for record in self._all())
            hint = f"there are: {known}" if known else "make one: amlops schedule create -f FILE"
            raise UserError(f"--name: there is no schedule '{name}'; {hint}")
        return current(read_record(file, "the schedule"))

    def enable(self, name: str) -> Record:
        """Set `is_enabled`; see `amlops.workspace.Schedules.enable`."""
        return self._save({**self.show(name), "is_enabled": True})

    def disable(self, name: str) -> Record:
        """Unset `is_enabled`; see `amlops.workspace.Schedules.disable`."""
        return self._save({**self.show(name), "is_enabled": False})

    def delete(self, name: str) -> Record:
        """Delete the record of a schedule. Raises UserError."""
        record = self.show(name)
        self._file(name).unlink(missing_ok=True)
        return record

    def _all(self) -> Sequence[Record]:
        files = sorted(self._state.schedules.glob("*.json"))
        return [current(read_record(file, "the schedule")) for file in files]

    def _save(self, record: Record) -> Record:
        record = current(record)
        self._state.prepare()
        write_json(self._file(record["name"]), record)
        return record

    def _file(self, name: str) -> Path:
        return self._state.schedules / f"{plain(name)}.json"

    def _of_file(self, document: YamlFile) -> Record:
        """The job in a file, checked as before it is run. Raises UserError."""
        job = jobfile.job_document(document)
        spec = LocalJobs(self._state, self._models, self._project).load(job)
        return job_of(
            type=spec.type,
            display_name=spec.display_name,
            experiment_name=spec.experiment_name,
            inputs=spec.inputs,
            steps=list(job.data.get("jobs") or {}),
            compute=job.get("settings", "default_compute"),
            file=self._project.shown(job.path),
            job=None,
        )

    def _of_job(self, document: YamlFile, name: str) -> Record:
        """A job that ran here and is created again. Raises UserError."""
        try:
            ran = JobRecords(self._state).show(name)
        except UserError as error:
            raise document.error(error.message, "create_job") from None
        jobfile.check_kind(document, name, ran["type"])
        return job_of(
            type=ran["type"],
            display_name=ran.get("display_name"),
            experiment_name=ran.get("experiment_name"),
            inputs=ran.get("inputs") or {},
            steps=list(ran.get("steps") or {}),
            compute=None,
            file=None,
            job=name,
        )
