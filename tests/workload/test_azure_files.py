"""The workload's Azure ML files, read by Azure ML's own client."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
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


def test_pipeline(load: Callable[[str, Path], Any]) -> None:
    job = load("job", PROJECT / "pipelines" / "image-scoring" / "train.yml")
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
    assert deterministic == {"prepare": True, "train": True, "evaluate": True, "register": False}


def test_endpoint_and_deployment(load: Callable[[str, Path], Any]) -> None:
    endpoint = load("batch_endpoint", CLOUD / "endpoints" / "image-scoring" / "endpoint.yml")
    deployment = load("model_batch_deployment", CLOUD / "endpoints" / "image-scoring" / "deployment.yml")
    assert deployment.endpoint_name == endpoint.name == "image-scoring"
    assert str(deployment.model).removeprefix("azureml:") == "image-classifier@latest"
    assert deployment.environment.conda_file["dependencies"]
    code = (CLOUD / "endpoints" / "image-scoring" / deployment.code_configuration.code).resolve()
    assert (code / deployment.code_configuration.scoring_script).is_file()


@pytest.mark.parametrize("name", ["cpu-cluster", "gpu-cluster"])
def test_computes(load: Callable[[str, Path], Any], name: str) -> None:
    compute = load("compute", CLOUD / "compute" / f"{name}.yml")
    assert (compute.name, compute.min_instances) == (name, 0)


def test_model_and_job(load: Callable[[str, Path], Any]) -> None:
    model = load("model", CLOUD / "models" / "image-scoring" / "image-classifier.yml")
    assert (model.name, model.type) == ("image-classifier", "custom_model")
    job = load("job", CLOUD / "jobs" / "image-scoring" / "evaluate.yml")
    assert job.inputs["model"].path.removeprefix("azureml:") == "image-classifier@latest"
    assert "evaluate.main" in job.command
