"""MLflow: what the runner writes is what MLflow reads, and nobody pays for MLflow who does not use it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from amlops_support import SmallProject
from job_files import FILE, small_pipeline

pytestmark = pytest.mark.slow

READ = """
import json, sys, mlflow
from mlflow.entities import ViewType
client = mlflow.MlflowClient(tracking_uri=sys.argv[1])
experiments = client.search_experiments(view_type=ViewType.ALL)
print(json.dumps({e.name: {"location": e.artifact_location, "runs": [
    {"id": r.info.run_id, "name": r.info.run_name, "status": r.info.status, "start": r.info.start_time, "end":
    r.info.end_time,
     "artifacts": r.info.artifact_uri, "tags": dict(r.data.tags), "params": r.data.params, "metrics": r.data.metrics}
    for r in client.search_runs([e.experiment_id])]} for e in experiments}))
"""


def read_with_mlflow(project: SmallProject) -> dict[str, Any]:
    """Experiments and runs, as MLflow itself sees them."""
    database = project.root / ".amlops" / "mlflow.db"
    command = [sys.executable, "-c", READ, f"sqlite:///{database}"]
    done = subprocess.run(command, env=project.environment(), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_runs_are_nested_and_steps_only_log(project: SmallProject) -> None:
    small_pipeline(project)
    result = project.run("job", "create", "-f", FILE, "--set", "inputs.log=true", "--name", "tracked")
    assert result.code == 0, result.err
    record = result.json
    experiments = read_with_mlflow(project)
    assert set(experiments) == {"Default", "small"}
    assert experiments["Default"]["location"].startswith(project.root.joinpath(".amlops", "mlartifacts").as_uri())
    runs = {run["name"]: run for run in experiments["small"]["runs"]}
    assert set(runs) == {"tracked", "a", "b", "c", "d"}
    parent = runs["tracked"]
    assert parent["id"] == record["mlflow_run_id"]
    assert parent["tags"]["amlops.input.rate"] == "0.5"
    for name in "abcd":
        run = runs[name]
        assert run["id"] == record["steps"][name]["mlflow_run_id"]
        assert run["tags"]["mlflow.parentRunId"] == parent["id"]
        assert run["status"] == "FINISHED" and run["start"] <= run["end"]
    assert runs["c"]["metrics"] == {"accuracy": 0.9} and runs["c"]["params"] == {"rate": "0.5"}
    assert runs["a"]["metrics"] == {}
    seen = json.loads(Path(record["steps"]["a"]["outputs"]["out"], "seen.json").read_text())
    assert seen["mlflow"] is False, "a step that does not log does not import MLflow"


def test_failed_and_canceled_steps(project: SmallProject) -> None:
    small_pipeline(project)
    assert project.run("job", "create", "-f", FILE, "--set", "inputs.fail=true", "--name", "failed").code == 3
    runs = {run["name"]: run["status"] for run in read_with_mlflow(project)["small"]["runs"]}
    assert runs == {"failed": "FAILED", "a": "FINISHED", "b": "FAILED", "c": "FINISHED", "d": "KILLED"}


def test_jobs_at_the_same_time_share_a_new_database(project: SmallProject) -> None:
    small_pipeline(project)
    processes = [project.start("job", "create", "-f", FILE, "--name", f"job{number}") for number in range(3)]
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0 and "no MLflow tracking" not in err, err
    runs = read_with_mlflow(project)["small"]["runs"]
    assert len(runs) == 15 and {run["status"] for run in runs} == {"FINISHED"}


def test_a_database_of_another_mlflow_is_migrated_after_a_copy(project: SmallProject) -> None:
    small_pipeline(project)
    project.run("job", "create", "-f", FILE, "--name", "old")
    database = project.root / ".amlops" / "mlflow.db"
    command = [sys.executable, "-c", DOWNGRADE, f"sqlite:///{database}"]
    subprocess.run(command, check=True, capture_output=True, env=project.environment())
    old = revision(database)
    result = project.run("job", "create", "-f", FILE, "--name", "new")
    assert result.code == 0 and "migrating" in result.err, result.err
    assert revision(database) != old
    kept = list(database.parent.glob("mlflow.db.before-*"))
    assert len(kept) == 1 and revision(kept[0]) == old
    assert {"old", "new"} <= {run["name"] for run in read_with_mlflow(project)["small"]["runs"]}


# One revision back: what a project has whose MLflow was upgraded.
DOWNGRADE = """
import sys
from alembic import command
from mlflow.store.db.utils import _get_alembic_config
command.downgrade(_get_alembic_config(sys.argv[1]), "-1")
"""


def revision(database: Path) -> str:
    connection = sqlite3.connect(database)
    try:
        return connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    finally:
        connection.close()


@pytest.mark.parametrize("content", [b"this is not a database, and long enough to be looked at by SQLite" * 9, b""])
def test_a_damaged_database_costs_the_tracking_and_not_the_job(project: SmallProject, content: bytes) -> None:
    small_pipeline(project)
    database = project.root / ".amlops" / "mlflow.db"
    database.parent.mkdir()
    database.write_bytes(content)
    result = project.run("job", "create", "-f", FILE)
    assert result.code == 0, result.err
    assert "amlops: no MLflow tracking for this job" in result.err
    assert "mlflow_run_id" not in result.json
    assert database.read_bytes() == content


def test_without_mlflow_there_are_no_variables(project: SmallProject, tmp_path: Path) -> None:
    """An environment without MLflow: the same packages except its metadata."""
    small_pipeline(project)
    hide = tmp_path / "hide"
    hide.mkdir()
    (hide / "sitecustomize.py").write_text(
        "import importlib.metadata as m\nold = m.version\n"
        "def version(name):\n    if 'mlflow' in name: raise m.PackageNotFoundError(name)\n    return old(name)\n"
        "m.version = version\n"
    )
    result = project.run("job", "create", "-f", FILE, PYTHONPATH=str(hide))
    assert result.code == 0, result.err
    seen = json.loads(Path(result.json["steps"]["a"]["outputs"]["out"], "seen.json").read_text())
    assert not [key for key in seen["env"] if key.startswith("MLFLOW")]
    assert not (project.root / ".amlops" / "mlflow.db").exists()


def test_cache_that_cannot_be_written_is_done_without(project: SmallProject) -> None:
    small_pipeline(project)
    blocked = project.root / "blocked"
    blocked.write_text("a file where a folder should be")
    result = project.run("job", "create", "-f", FILE, AMLOPS_CACHE=str(blocked / "cache"))
    assert result.code == 0 and "no MLflow tracking" not in result.err, result.err
    assert len(list((project.root / ".amlops" / "cache").glob("mlflow-*.db"))) == 1
