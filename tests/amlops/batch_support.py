"""A small project with a batch deployment, whose scoring script does what the items say."""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from amlops_support import Result, SmallProject

from amlops.cli import main
from amlops.errors import JobFailed
from amlops.local.batch import LocalBatchDeployments, LocalBatchEndpoints
from amlops.local.models import ModelStore
from amlops.local.state import LocalState
from amlops.project import Project

# What a file says is what happens to it; each call and each init() leaves a line in the folder that TRACE names.
DRIVER = """\
import json, os, signal, sys, time
from pathlib import Path

def trace(**fields):
    with open(Path(os.environ["TRACE"]) / f"{os.getpid()}.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps({"pid": os.getpid(), "at": time.time(), **fields}) + "\\n")

def init():
    global model
    model = Path(os.environ["AZUREML_MODEL_DIR"], "digits", "weights.txt").read_text(encoding="utf-8")
    variables = {k: v for k, v in os.environ.items() if k.startswith(("AZUREML_", "OMP_", "MY_"))}
    trace(call="init", cwd=os.getcwd(), path=sys.path, argv=sys.argv, env=variables)

def run(mini_batch):
    trace(call="run", items=mini_batch)
    print("scoring", len(mini_batch), "items")
    rows = []
    for item in mini_batch:
        text = Path(item).read_text(encoding="utf-8")
        if text == "raise":
            raise ValueError(f"cannot read {Path(item).name}")
        if text == "hang":
            time.sleep(60)
        if text == "exit":
            os._exit(3)
        if text == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if text == "none":
            return json.loads("null")
        if text != "skip":
            rows.append(f"{Path(item).name} {model} {text}")
    return rows

def shutdown():
    trace(call="shutdown")
"""

DEPLOYMENT = """\
$schema: https://azuremlschemas.azureedge.net/latest/modelBatchDeployment.schema.json
name: first
endpoint_name: scorer
type: model
model: azureml:digits@latest
code_configuration:
  code: ../../../code/scoring
  scoring_script: score/driver.py
environment:
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04
compute: azureml:cpu-cluster
resources:
  instance_count: 1
settings:
  mini_batch_size: 2
  max_concurrency_per_instance: 2
"""
ENDPOINT = "$schema: https://azuremlschemas.azureedge.net/latest/batchEndpoint.schema.json\nname: scorer\n"


@dataclass(frozen=True)
class BatchProject:
    """The project, and the two interfaces that the command line uses."""

    files: SmallProject
    endpoints: LocalBatchEndpoints
    deployments: LocalBatchDeployments
    models: ModelStore

    @classmethod
    def make(cls, files: SmallProject) -> BatchProject:
        """Write the files, register a model, and create the endpoint without a deployment."""
        project = Project(files.root)
        state = LocalState(project)
        models = ModelStore(state)
        files.write("code/scoring/score/driver.py", DRIVER)
        files.write(".cloud/endpoints/scorer/endpoint.yml", ENDPOINT)
        models.create("digits", files.write("made/digits/weights.txt", "w1").parent)
        (files.root / "trace").mkdir()
        made = cls(
            files, LocalBatchEndpoints(state, models, project), LocalBatchDeployments(state, models, project), models
        )
        made.endpoints.create(files.root / ".cloud/endpoints/scorer/endpoint.yml")
        return made

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.files.root

    def deploy(self, *sets: str, driver: str | None = None, **options: Any) -> dict[str, Any]:
        """Create the deployment, with another scoring script where one is given."""
        if driver is not None:
            self.files.write("code/scoring/score/driver.py", driver)
        file = self.files.write(".cloud/endpoints/scorer/deployment.yml", DEPLOYMENT)
        sets = (*sets, f"settings.environment_variables.TRACE={self.root / 'trace'}")
        return self.deployments.create(file, set_default=True, sets=sets, **options)

    def images(self, items: dict[str, str], folder: str = "images") -> Path:
        """Write items: file name (with folders) -> what shall happen to it."""
        for name, text in items.items():
            self.files.write(f"{folder}/{name}", text)
        return self.root / folder

    def invoke(self, folder: Path, **options: Any) -> dict[str, Any]:
        """Score a folder; a job that fails gives its record too."""
        try:
            return self.endpoints.invoke("scorer", input=str(folder), **options)
        except JobFailed as failure:
            assert failure.record is not None
            return {**failure.record, "said": str(failure)}

    def trace(self, call: str = "") -> list[dict[str, Any]]:
        """What the scoring scripts have left behind, in order of time."""
        lines = [line for file in (self.root / "trace").glob("*.jsonl") for line in file.read_text().splitlines()]
        entries = sorted(map(json.loads, lines), key=lambda entry: entry["at"])
        return [entry for entry in entries if not call or entry["call"] == call]


@dataclass(frozen=True)
class InProcess:
    """The command line without a process of its own: fast enough for a table of wrong calls."""

    root: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> Result:
        """Run `amlops WORDS` in the project's root."""
        self.capsys.readouterr()
        with self.monkeypatch.context() as patch:
            patch.chdir(self.root)
            code = main(words)
        captured = self.capsys.readouterr()
        return Result(code, captured.out, captured.err)


def table(path: Path | str) -> list[dict[str, str]]:
    """Rows of a CSV file with a header."""
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def alive(pid: int) -> bool:
    """True when a process of that number runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until something is true; fails when it takes longer."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
