"""The workload's Azure ML files, read by Azure ML's own client."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from workload_support import PROJECT

COMPONENTS = sorted((PROJECT / "pipelines" / "image-scoring" / "components").glob("*.yml"))
CLOUD = PROJECT / ".cloud"


@pytest.fixture(scope="session")
def azure_ml() -> ModuleType:
    """azure-ai-ml; importing it takes seconds."""
    logging.getLogger("azure").setLevel(logging.ERROR)
    return importlib.import_module("azure.ai.ml")


@pytest.fixture(scope="session")
def load(azure_ml: ModuleType) -> Callable[[str, Path], Any]:
    """Calls `load_<kind>(file)`. Model deployments have a loader that the client does not export: its public one still
    wants the layout of before 1.7 (Azure/azure-sdk-for-python issue 41952).
    """
    private = importlib.import_module("azure.ai.ml.entities._load_functions")

    def loader(kind: str, path: Path) -> Any:
        name = f"load_{kind}"
        return getattr(azure_ml if hasattr(azure_ml, name) else private, name)(str(path))

    return loader


@pytest.mark.parametrize("name", ["train", "train-pytorch", "train-keras"])
def test_pipeline(load: Callable[[str, Path], Any], name: str) -> None:
    job = load("job", PROJECT / "pipelines" / "image-scoring" / f"{name}.yml")
    result = job._validate()
    assert result.passed, result.error_messages
    assert list(job.jobs) == ["prepare", "train", "evaluate", "register"]
    assert job.settings.default_compute == "cpu-cluster"
    assert Path(job.inputs["images"]._data.path).name == "sample"


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.stem)
def test_components(load: Callable[[str, Path], Any], path: Path) -> None:
    component = load("component", path)
    result = component._validate()
    assert result.passed, result.error_messages
    assert component.name == f"image_scoring_{path.stem}"
    assert component.environment.conda_file["dependencies"]


def test_result_of_register_is_never_taken_from_an_earlier_run(load: Callable[[str, Path], Any]) -> None:
    deterministic = {path.stem: load("component", path).is_deterministic for path in COMPONENTS}
    assert {name for name, value in deterministic.items() if not value} == {"register"}


@pytest.mark.parametrize("name", ["", "-pytorch", "-keras"])
def test_endpoint_and_deployment(load: Callable[[str, Path], Any], name: str) -> None:
    endpoint = load("batch_endpoint", CLOUD / "endpoints" / "image-scoring" / "endpoint.yml")
    deployment = load("model_batch_deployment", CLOUD / "endpoints" / "image-scoring" / f"deployment{name}.yml")
    assert deployment.endpoint_name == endpoint.name == "image-scoring"
    assert str(deployment.model).removeprefix("azureml:") == f"image-classifier{name}@latest"
    assert deployment.environment.conda_file["dependencies"]
    code = (CLOUD / "endpoints" / "image-scoring" / deployment.code_configuration.code).resolve()
    assert (code / deployment.code_configuration.scoring_script).is_file()


def test_all_pipelines_make_the_same_parts_of_the_same_images() -> None:
    """What differs between them is how they train."""
    folder = PROJECT / "pipelines" / "image-scoring"
    pipelines = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in folder.glob("train*.yml")}
    assert set(pipelines) == {"train", "train-pytorch", "train-keras"}
    split = ("images", "min_accuracy", "test_fraction", "score_fraction", "seed")
    for pipeline in pipelines.values():
        assert [pipeline["inputs"][name] for name in split] == [pipelines["train"]["inputs"][name] for name in split]
        assert pipeline["jobs"]["prepare"]["component"] == "components/prepare.yml"
        assert pipeline["jobs"]["register"]["component"] == "components/register.yml"


def test_evaluate_is_the_same_step_in_every_environment() -> None:
    components = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in COMPONENTS if "evaluate" in path.stem]
    assert len(components) == 3
    for key in ("inputs", "outputs", "command", "code"):
        assert [component[key] for component in components] == [components[0][key]] * 3
    assert len({component["environment"]["conda_file"] for component in components}) == 3


@pytest.mark.parametrize("name", ["cpu-cluster", "gpu-cluster"])
def test_computes(load: Callable[[str, Path], Any], name: str) -> None:
    compute = load("compute", CLOUD / "compute" / f"{name}.yml")
    assert (compute.name, compute.min_instances) == (name, 0)


@pytest.mark.parametrize("name", ["image-classifier", "image-classifier-pytorch", "image-classifier-keras"])
def test_model(load: Callable[[str, Path], Any], name: str) -> None:
    model = load("model", CLOUD / "models" / "image-scoring" / f"{name}.yml")
    assert (model.name, model.type) == (name, "custom_model")


def test_job(load: Callable[[str, Path], Any]) -> None:
    job = load("job", CLOUD / "jobs" / "image-scoring" / "evaluate.yml")
    assert job.inputs["model"].path.removeprefix("azureml:") == "image-classifier@latest"
    assert "evaluate.main" in job.command
