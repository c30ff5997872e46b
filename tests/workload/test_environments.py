"""The conda files for Azure ML have the versions that the project is tested with on a laptop."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from workload_support import CODE, PROJECT

FILES = {"steps": CODE / "environment.yml", "score": CODE / "score" / "environment.yml"}
ONLY_IN_AZURE = {"azure-ai-ml", "azure-identity", "azureml-core", "azureml-dataset-runtime", "azureml-mlflow"}
OTHER_VERSION = {
    ("score", "numpy"): "azureml-dataset-runtime 1.62.0.post1 needs numpy below 2.3.3",
}


def conda(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def pip_requirements(path: Path) -> dict[str, Requirement]:
    (group,) = [entry["pip"] for entry in conda(path)["dependencies"] if isinstance(entry, dict)]
    return {requirement.name: requirement for requirement in map(Requirement, group)}


def laptop_versions(python: str) -> dict[str, str]:
    """Versions in requirements.txt for a version of Python; some packages have a line for each."""
    text = (PROJECT / "requirements.txt").read_text(encoding="utf-8")
    lines = re.findall(r"^([A-Za-z0-9][^\s;]*==[^\s;]+(?: *;[^\\\n]*)?)", text, flags=re.MULTILINE)
    where = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    found = [Requirement(line) for line in lines]
    return {
        requirement.name: str(requirement.specifier).removeprefix("==")
        for requirement in found
        if requirement.marker is None or requirement.marker.evaluate(where)
    }


@pytest.mark.parametrize("name", FILES)
def test_versions(name: str) -> None:
    entries = conda(FILES[name])["dependencies"]
    python = next(entry for entry in entries if str(entry).startswith("python=")).removeprefix("python=")
    laptop = laptop_versions(python)
    for package, requirement in pip_requirements(FILES[name]).items():
        pinned = str(requirement.specifier)
        assert re.fullmatch(r"==[\w.]+", pinned), f"{package}: pin one version"
        if package not in ONLY_IN_AZURE and (name, package) not in OTHER_VERSION:
            assert pinned == f"=={laptop[package]}", package


def test_the_scoring_environment_has_what_batch_deployments_need() -> None:
    requirements = pip_requirements(FILES["score"])
    assert "azureml-core" in requirements
    assert "fuse" in requirements["azureml-dataset-runtime"].extras


@pytest.mark.parametrize("name", FILES)
def test_every_package_that_the_code_imports_is_there(name: str) -> None:
    packages = {"PIL": "pillow", "sklearn": "scikit-learn", "mlflow": "mlflow-skinny"}
    known = {"numpy", "PIL", "sklearn", "onnxruntime", "skl2onnx", "pandas", "mlflow"}
    folders = ["image_scoring", *(["score"] if name == "score" else ["prepare", "train", "evaluate", "register"])]
    text = "\n".join(path.read_text(encoding="utf-8") for folder in folders for path in (CODE / folder).glob("*.py"))
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", text, flags=re.MULTILINE)) & known
    if name == "score":
        imported.discard("mlflow")  # image_scoring.tracking, which the driver does not use
    missing = {packages.get(module, module) for module in imported} - set(pip_requirements(FILES[name]))
    assert not missing
