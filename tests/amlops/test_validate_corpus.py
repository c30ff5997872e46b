"""The corpus: good files that nothing is said of, and the same files with one fault each."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from amlops_support import ROOT

from amlops.errors import UserError
from amlops.jobspec import load_job
from amlops.validate import Fault, validate
from amlops.validate.rules import RULES

CORPUS = Path(__file__).parent / "corpus"
GOOD = CORPUS / "good"
FAULTS: list[dict[str, Any]] = yaml.safe_load((CORPUS / "faults.yml").read_text(encoding="utf-8"))


def name_of(fault: dict[str, Any]) -> str:
    return f"{fault['rule']}-{Path(fault['file']).stem}-{fault['new'].strip() or 'removed'}"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("corpus") / "churn"
    shutil.copytree(GOOD, root)
    return root


@pytest.fixture(autouse=True)
def no_edits_of_the_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is being worked on here differs from the manifest until it is written again."""
    monkeypatch.setattr("amlops.manifest.local_edits", lambda *_: [])


def line_of(text: str, part: str) -> int:
    """Line of the last line of `part`, whose first occurrence counts; 0 for an empty part."""
    return text[: text.index(part)].count("\n") + 1 if part else 0


def test_good_files_have_no_fault(project: Path) -> None:
    assert [str(fault) for fault in validate(project)] == []


@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
def test_a_fault_is_found_where_it_is(project: Path, fault: dict[str, Any]) -> None:
    file = project / fault["file"]
    good = file.read_text(encoding="utf-8")
    assert good.count(fault["old"]) == 1 or fault["old"] in ("name: churn",), "must stand once in the good file"
    bad = good.replace(fault["old"], fault["new"], 1)
    file.write_text(bad, encoding="utf-8")
    try:
        found = validate(project)
        place = project / fault.get("in", fault["file"])
        text = place.read_text(encoding="utf-8")
        refused = _refused_by_the_runner(file)
    finally:
        file.write_text(good, encoding="utf-8")
    line = line_of(text, fault["at"] if "at" in fault else fault["new"].strip("\n"))
    assert (place, line, fault["rule"]) in [(entry.file, entry.line, entry.rule) for entry in found], list(
        map(str, found)
    )
    others = [entry for entry in found if (entry.file, entry.line, entry.rule) != (place, line, fault["rule"])]
    assert {entry.rule for entry in others} <= set(fault.get("also", "").split()), list(map(str, others))
    _check_the_runner_agrees(fault, found, refused)


def _refused_by_the_runner(file: Path) -> bool:
    """True when the laptop's runner would not start the job in the file."""
    try:
        load_job(file, resolve=lambda reference, type: file.parent)  # noqa: ARG005 (see Resolve)
    except UserError:
        return True
    return False


def _check_the_runner_agrees(fault: dict[str, Any], found: list[Fault], refused: bool) -> None:
    """The runner looks at bindings and values too: what it refuses must be a fault here, and the other way round."""
    looked_at = ("binding", "undeclared", "missing-input", "literal", "type-mismatch", "cycle", "shell")
    if fault["file"] in ("pipelines/churn/train.yml", "pipelines/churn/score.yml") and fault["rule"] in looked_at:
        assert refused == any(not entry.is_warning for entry in found)


def test_every_rule_has_a_fault() -> None:
    # test_validate.py, test_online_validate.py
    elsewhere = {"unknown-kind", "no-script", "tool-edited", "traffic", "request-script"}
    assert {fault["rule"] for fault in FAULTS} | elsewhere == set(RULES)
    assert len(FAULTS) >= 120


LOADERS = {
    "pipelines/churn/train.yml": "load_job",
    ".cloud/jobs/explore.yml": "load_job",
    "pipelines/churn/score.yml": "load_job",
    "pipelines/churn/components/score.yml": "load_component",
    "pipelines/churn/components/refresh.yml": "load_component",
    ".cloud/endpoints/churn/deployment-pipeline.yml": "load_pipeline_component_batch_deployment",
    "pipelines/churn/components/prepare.yml": "load_component",
    "pipelines/churn/components/train.yml": "load_component",
    ".cloud/endpoints/churn/endpoint.yml": "load_batch_endpoint",
    ".cloud/endpoints/churn/deployment.yml": "load_model_batch_deployment",
    ".cloud/endpoints/churn/deployment-unregistered.yml": "load_model_batch_deployment",
    ".cloud/endpoints/churn/deployment-plain.yml": "load_model_batch_deployment",
    ".cloud/compute/cpu-cluster.yml": "load_compute",
    ".cloud/compute/instance.yml": "load_compute",
    ".cloud/models/churn.yml": "load_model",
    ".cloud/data/customers.yml": "load_data",
    ".cloud/data/archive.yml": "load_data",
    ".cloud/datastores/training.yml": "load_datastore",
    ".cloud/images/training.yml": "load_environment",
    ".cloud/images/docker.yml": "load_environment",
    ".cloud/schedules/nightly.yml": "load_schedule",
    ".cloud/schedules/hourly.yml": "load_schedule",
    ".cloud/schedules/monthly.yml": "load_schedule",
    ".cloud/schedules/minutes.yml": "load_schedule",
    ".cloud/compute/spot.yml": "load_compute",
    ".cloud/data/sales.yml": "load_data",
    ".cloud/data/web.yml": "load_data",
    ".cloud/datastores/results.yml": "load_datastore",
    ".cloud/datastores/shared.yml": "load_datastore",
    ".cloud/endpoints/plain/endpoint.yml": "load_batch_endpoint",
    ".cloud/endpoints/plain/deployment-mlflow.yml": "load_model_batch_deployment",
    ".cloud/endpoints/plain/deployment-strict.yml": "load_model_batch_deployment",
    ".cloud/images/plain.yml": "load_environment",
    ".cloud/jobs/count.yml": "load_job",
    ".cloud/models/mlflow.yml": "load_model",
    ".cloud/models/weights.yml": "load_model",
    "pipelines/churn/components/limits.yml": "load_component",
}


@pytest.fixture(scope="session")
def sdk() -> Any:
    """azure-ai-ml's loaders. Those for `settings:` deployments and schedules are not exported."""
    return pytest.importorskip("azure.ai.ml.entities._load_functions")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("file", LOADERS)
def test_the_sdk_accepts_the_good_files(sdk: Any, file: str) -> None:
    loaded = getattr(sdk, LOADERS[file])(GOOD / file)
    result = getattr(loaded, "_validate", lambda: None)()
    assert result is None or result.passed, result.error_messages


def test_every_good_azure_file_is_shown_to_the_sdk() -> None:
    files = {path.relative_to(GOOD).as_posix() for path in GOOD.rglob("*.yml")}
    ours = {file for file in files if file.startswith((".cloud/environments/", "code/"))}
    assert files - ours == set(LOADERS)
    assert len(files) >= 40
    assert (ROOT / "tests" / "amlops" / "corpus" / "good") == GOOD


def test_a_warning_can_be_accepted_where_it_stands_and_a_fault_cannot(project: Path) -> None:
    file = project / "code" / "churn" / "environment.yml"
    good = file.read_text(encoding="utf-8")
    pin = next(line for line in good.splitlines() if "==" in line)
    older = pin.split("==")[0] + "==0.0.1"
    try:
        file.write_text(good.replace(pin, older), encoding="utf-8")
        assert [fault.rule for fault in validate(project)] == ["dependency"]
        file.write_text(good.replace(pin, f"{older} # amlops: accept dependency"), encoding="utf-8")
        assert validate(project) == []
        file.write_text(good.replace(pin, f"{older} # amlops: accept unknown-key"), encoding="utf-8")
        assert [fault.rule for fault in validate(project)] == ["dependency"]
    finally:
        file.write_text(good, encoding="utf-8")
    pipeline = project / "pipelines" / "churn" / "train.yml"
    text = pipeline.read_text(encoding="utf-8")
    try:
        pipeline.write_text(f"{text}\nnonsense: 1 # amlops: accept unknown-key\n", encoding="utf-8")
        assert [fault.rule for fault in validate(project)] == ["unknown-key"]
    finally:
        pipeline.write_text(text, encoding="utf-8")
