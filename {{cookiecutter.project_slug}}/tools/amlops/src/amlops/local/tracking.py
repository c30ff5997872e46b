"""MLflow runs for jobs: one for the job, one below it for each step, as Azure ML makes them.

The step finds its run in MLFLOW_RUN_ID and only calls `mlflow.log_metric(...)`. The runs are rows that are written
here with SQLite, because importing MLflow takes seconds, which a job whose steps do not use it must not pay. The
tables are MLflow's own (`trackingschema.py`); only columns that have been there since MLflow 1.x are written, and the
tests read the result with MLflow.
"""

from __future__ import annotations

import getpass
import os
import sqlite3
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from amlops.local import trackingschema
from amlops.local.state import LocalState

if TYPE_CHECKING:
    from amlops.jobspec import JobSpec

_LOCK_WAIT_SECONDS = 60.0
# Status of a job or step in Azure ML -> status of a run in MLflow.
_STATUS = {"Completed": "FINISHED", "Failed": "FAILED", "Canceled": "KILLED"}


class JobRuns:
    """The runs of one job. Without MLflow every method does nothing and there are no variables for the steps."""

    def __init__(self, database: Path | None = None, experiment: str = "") -> None:
        self._database = database
        self._experiment = experiment
        self.job_run_id: str | None = None
        self.step_run_ids: dict[str, str] = {}

    def variables(self, step: str) -> dict[str, str]:
        """What a step's environment needs, so that MLflow logs to its run."""
        if self._database is None:
            return {}
        return {
            "MLFLOW_TRACKING_URI": f"sqlite:///{self._database.as_posix()}",
            "MLFLOW_EXPERIMENT_NAME": self._experiment,
            "MLFLOW_RUN_ID": self.step_run_ids[step],
        }

    def start(self, job: str, spec: JobSpec, artifacts: Path) -> None:
        """Make the run of the job and those of its steps."""
        if self._database is None:
            return
        with _connect(self._database) as connection:
            experiment = _experiment_id(connection, self._experiment, artifacts)
            add = _RunWriter(connection, experiment, artifacts, spec.file).add
            self.job_run_id = add(job, {"amlops.job": job, **_input_tags(spec)})
            for name in spec.steps:
                tags = {"mlflow.parentRunId": self.job_run_id, "amlops.job": job, "amlops.step": name}
                self.step_run_ids[name] = add(name, tags)

    def end_step(self, step: str, status: str) -> None:
        """Write how a step ended; `status` is Azure ML's."""
        self._end(self.step_run_ids.get(step), status)

    def end_job(self, status: str) -> None:
        """Write how the job ended."""
        self._end(self.job_run_id, status)

    def _end(self, run_id: str | None, status: str) -> None:
        if self._database is None or run_id is None:
            return
        with _connect(self._database) as connection:
            connection.execute(
                "UPDATE runs SET status = ?, end_time = coalesce(end_time, ?) WHERE run_uuid = ?",
                (_STATUS.get(status, "FAILED"), _now(), run_id),
            )


class _RunWriter:
    def __init__(self, connection: sqlite3.Connection, experiment: int, artifacts: Path, source: Path) -> None:
        self._connection = connection
        self._experiment = experiment
        self._artifacts = artifacts
        self._source = str(source)
        self._user = _user()

    def add(self, name: str, tags: Mapping[str, str]) -> str:
        """Insert a run that is under way; returns its id."""
        run_id = uuid.uuid4().hex
        row = {
            "run_uuid": run_id, "name": name, "experiment_id": self._experiment,
            "source_type": "LOCAL", "source_name": self._source, "entry_point_name": "", "source_version": "",
            "user_id": self._user, "status": "RUNNING", "start_time": _now(), "lifecycle_stage": "active",
            "artifact_uri": (self._artifacts / str(self._experiment) / run_id / "artifacts").as_uri(),
        }  # fmt: skip
        self._connection.execute(_insert("runs", row), row)
        common = {
            "mlflow.runName": name,
            "mlflow.user": self._user,
            "mlflow.source.name": self._source,
            "mlflow.source.type": "LOCAL",
        }
        for key, value in {**common, **tags}.items():
            tag = {"run_uuid": run_id, "key": key, "value": value}
            self._connection.execute(_insert("tags", tag), tag)
        return run_id


def start_runs(state: LocalState, job: str, spec: JobSpec) -> JobRuns:
    """Make the runs of a job and its steps.

    Without MLflow in the environment, or when its database cannot be made, the job goes on without runs.
    """
    if trackingschema.mlflow_version() is None:
        return JobRuns()
    try:
        trackingschema.prepare(state.mlflow_database, state.mlflow_artifacts)
        runs = JobRuns(state.mlflow_database, spec.experiment_name)
        runs.start(job, spec, state.mlflow_artifacts)
    except (trackingschema.TrackingUnavailable, sqlite3.Error) as error:
        print(f"amlops: no MLflow tracking for this job: {error}", file=sys.stderr)
        return JobRuns()
    return runs


@contextmanager
def _connect(database: Path) -> Iterator[sqlite3.Connection]:
    """One transaction, which waits for those of other jobs and of the steps.

    It takes the write lock before it reads: two jobs that both found no experiment would both make it.
    """
    with closing(sqlite3.connect(database, timeout=_LOCK_WAIT_SECONDS)) as connection, connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


def _experiment_id(connection: sqlite3.Connection, name: str, artifacts: Path) -> int:
    found = connection.execute("SELECT experiment_id FROM experiments WHERE name = ?", (name,)).fetchone()
    if found:
        connection.execute("UPDATE experiments SET lifecycle_stage = 'active' WHERE experiment_id = ?", found)
        return found[0]
    row = {"name": name, "lifecycle_stage": "active", "creation_time": _now(), "last_update_time": _now()}
    number = connection.execute(_insert("experiments", row), row).lastrowid
    location = (artifacts / str(number)).as_uri()
    connection.execute("UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?", (location, number))
    return int(number or 0)


def _insert(table: str, row: Mapping[str, object]) -> str:
    names = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(f":{name}" for name in row)
    return f"INSERT INTO {table} ({names}) VALUES ({values})"  # noqa: S608 (names are ours, values are bound)


def _input_tags(spec: JobSpec) -> dict[str, str]:
    return {f"amlops.input.{name}": str(value)[:5000] for name, value in spec.inputs.items()}


def _now() -> int:
    """Milliseconds since 1970, as MLflow keeps times."""
    return int(time.time() * 1000)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user, as in some containers
        return os.environ.get("USER", "unknown")
