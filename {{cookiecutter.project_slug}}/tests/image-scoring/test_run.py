"""The whole way on this machine, with the project's own Azure ML files: real processes, real state."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
NEEDED = (".cloud", "code/image-scoring", "pipelines/image-scoring")


@dataclass(frozen=True)
class Copy:
    """A copy of the project's files, with a state of its own."""

    root: Path

    def python(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Python in it."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("AMLOPS_", "MLFLOW_"))}
        return subprocess.run(
            [sys.executable, *words], cwd=self.root, env=environment, capture_output=True, encoding="utf-8", check=False
        )

    def amlops(self, *words: str) -> Any:
        """Run amlops and read what it prints. Fails the test when it fails."""
        done = self.python("-m", "amlops", *words, "--output", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    root = tmp_path_factory.mktemp("run") / "a project"
    for folder in NEEDED:
        shutil.copytree(PROJECT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return Copy(root)


@pytest.fixture(scope="module")
def ran(copy: Copy) -> subprocess.CompletedProcess[str]:
    """`make run` of the workload."""
    done = copy.python("pipelines/image-scoring/run.py")
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
def test_run_tells_how_good_and_where(copy: Copy, ran: subprocess.CompletedProcess[str]) -> None:
    lines = {line.split()[0]: line.split()[-1] for line in ran.stdout.splitlines() if line.startswith("  ")}
    summary = next(line for line in ran.stdout.splitlines() if line.startswith("Accuracy"))
    assert float(summary.split()[1].rstrip(":")) >= 0.95
    assert summary.endswith("of 520 images right, 0 failed items")
    assert lines["model"] == "image-classifier:1"
    assert len((copy.root / lines["predictions"]).read_text(encoding="utf-8").splitlines()) == 520
    assert "<svg" not in (copy.root / lines["report"]).read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.usefixtures("ran")
def test_model_has_metrics_and_tags(copy: Copy) -> None:
    model = copy.amlops("model", "show", "--name", "image-classifier")
    assert set(model["tags"]) >= {"accuracy", "data_fingerprint", "framework", "workload"}
    assert float(model["properties"]["accuracy"]) >= 0.95


@pytest.mark.slow
@pytest.mark.usefixtures("ran")
def test_parameters_and_metrics_are_tracked(copy: Copy) -> None:
    with sqlite3.connect(copy.root / ".amlops" / "mlflow.db") as database:
        metrics = dict(database.execute("SELECT key, value FROM latest_metrics").fetchall())
        epochs = database.execute("SELECT count(*) FROM metrics WHERE key = 'loss'").fetchone()[0]
        parameters = dict(database.execute("SELECT key, value FROM params").fetchall())
    assert metrics["accuracy"] >= 0.95
    assert metrics["training_images"] == 990
    assert epochs > 20
    assert parameters["hidden_units"] == "256"
    assert parameters["min_accuracy"] == "0.95"


@pytest.mark.slow
@pytest.mark.usefixtures("ran")
def test_files_that_are_no_images_do_not_stop_the_others(copy: Copy, tmp_path: Path) -> None:
    for path in sorted((PROJECT / "tests" / "smoke" / "image-scoring").glob("*.png")):
        shutil.copy(path, tmp_path)
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    job = copy.amlops("batch-endpoint", "invoke", "--name", "image-scoring", "--input", str(tmp_path))
    assert job["status"] == "Completed"
    assert job["items"] == {"total": 5, "succeeded": 3, "failed": 2}
    rows = Path(job["output_file"]).read_text(encoding="utf-8").splitlines()
    assert sorted(row.split()[0] for row in rows) == ["0.png", "1.png", "2.png"]
    with Path(job["failed_items_file"]).open(encoding="utf-8", newline="") as file:
        reasons = {row["item"]: row["message"] for row in csv.DictReader(file)}
    assert reasons == {"empty.png": "the file is empty", "notes.txt": "not a PNG, JPEG, BMP or GIF image"}


@pytest.mark.slow
@pytest.mark.usefixtures("ran")
def test_the_registered_model_is_evaluated_on_other_images(copy: Copy, prepared: Path) -> None:
    job = (".cloud/jobs/image-scoring/evaluate.yml", "--set", f"inputs.test_images={prepared / 'test'}")
    done = copy.python("-m", "amlops", "job", "create", "-f", *job, "--set", "inputs.min_accuracy=1")
    assert done.returncode == 3
    assert "below min_accuracy 1.0" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--images", "nowhere"], 2, "--images: 'nowhere' is not a folder"),
        (["--score", "."], 2, "--score and --labels go together"),
        (["--score", ".", "--labels", "nothing.csv"], 2, "--labels: 'nothing.csv' is not a file"),
        (["--images", "code"], 3, "has the single label 'image-scoring'; a classifier needs at least two"),
    ],
)
def test_wrong_arguments(copy: Copy, words: list[str], code: int, message: str) -> None:
    done = copy.python("pipelines/image-scoring/run.py", *words)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
