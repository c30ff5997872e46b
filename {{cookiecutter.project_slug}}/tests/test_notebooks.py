"""Every notebook runs from top to bottom, in a copy of the project: its jobs and models are not the user's."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

PROJECT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted(path for path in (PROJECT / "notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
# Not needed to run, and large, or the user's own.
LEFT_OUT = (".venv", ".git", ".amlops", "build", "__pycache__", ".ipynb_checkpoints", ".*_cache")
# What would lead a notebook, or the jobs that it starts, back to the user's own project.
VARIABLES = ("AMLOPS_ROOT", "AMLOPS_ENV", "AMLOPS_JOB_NAME", "MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID")


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / PROJECT.name
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str((copy / path.relative_to(PROJECT)).parent)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=where).execute()
