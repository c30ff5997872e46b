"""The conda files for Azure ML have the versions that the project is tested with on a laptop."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from workload_support import CODE, PROJECT

KINDS = ("train", "score")
FRAMEWORKS = ("pytorch", "keras")
FILES = {
    "steps": CODE / "environment.yml",
    "score": CODE / "score" / "environment.yml",
    "score_online": CODE / "score_online" / "environment.yml",
    **{f"{kind}_{name}": CODE / f"{kind}_{name}" / "environment.yml" for name in FRAMEWORKS for kind in KINDS},
}
# Which folders' code runs in which environment; image_scoring is in all of them.
FOLDERS = {
    "steps": ("prepare", "train", "evaluate", "register"),
    "score": ("score",),
    **{f"train_{name}": (f"train_{name}", "evaluate") for name in FRAMEWORKS},
    **{f"score_{name}": (f"score_{name}",) for name in FRAMEWORKS},
    "score_online": ("score_online",),
}
# Modules of image_scoring that only some environments import.
ONLY_WITH = {
    "scoring.py": ("score", "score_online", "score_pytorch", "score_keras"),
    "tracking.py": ("steps", "train_pytorch", "train_keras"),
    "onnx_model.py": ("steps", "score", "score_online"),
    "pytorch_model.py": ("train_pytorch", "score_pytorch"),
    "keras_model.py": ("train_keras", "score_keras"),
}
ONLY_IN_AZURE = {
    "azureml-inference-server-http",
    "azure-ai-ml",
    "azure-identity",
    "azureml-core",
    "azureml-dataset-runtime",
    "azureml-mlflow",
}
OTHER_VERSION = {
    (name, "numpy"): "azureml-dataset-runtime 1.62.0.post1 needs numpy below 2.3.3"
    for name in ("score", "score_pytorch", "score_keras")
}


def conda(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def pip_requirements(path: Path) -> dict[str, Requirement]:
    (group,) = [entry["pip"] for entry in conda(path)["dependencies"] if isinstance(entry, dict)]
    return {requirement.name: requirement for requirement in map(Requirement, group)}


def laptop_versions(python: str) -> dict[str, str]:
    """Versions in the requirement files for a version of Python; some packages have a line for each."""
    files = [PROJECT / "requirements.txt", *(PROJECT / f"requirements-{name}.txt" for name in FRAMEWORKS)]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    lines = re.findall(r"^([A-Za-z0-9][^\s;]*==[^\s;]+(?: *;[^\\\n]*)?)", text, flags=re.MULTILINE)
    where = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_machine": "x86_64",
    }
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


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("score") and name != "score_online"])
def test_the_scoring_environment_has_what_batch_deployments_need(name: str) -> None:
    requirements = pip_requirements(FILES[name])
    assert "azureml-core" in requirements
    assert "fuse" in requirements["azureml-dataset-runtime"].extras


@pytest.mark.parametrize("name", FILES)
def test_every_package_that_the_code_imports_is_there(name: str) -> None:
    packages = {
        "PIL": "pillow",
        "sklearn": "scikit-learn",
        "mlflow": "mlflow-skinny",
        "tensorflow": "tensorflow-cpu",
    }
    known = {"numpy", "sklearn", "onnxruntime", "skl2onnx", "pandas", "torch", "safetensors", "keras", *packages}
    shared = [path for path in (CODE / "image_scoring").glob("*.py") if name in ONLY_WITH.get(path.name, FILES)]
    own = [path for folder in FOLDERS[name] for path in (CODE / folder).glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in [*shared, *own])
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", text, flags=re.MULTILINE)) & known
    # Frameworks are imported by name: `image_scoring.frameworks`.
    imported |= {"keras": {"keras", "tensorflow"}, "pytorch": {"torch"}}.get(name.partition("_")[2], set())
    missing = {packages.get(module, module) for module in imported} - set(pip_requirements(FILES[name]))
    assert not missing


def test_the_table_of_folders_is_complete() -> None:
    assert {path.parent for path in CODE.rglob("environment.yml")} == {path.parent for path in FILES.values()}
    assert all((CODE / "image_scoring" / name).is_file() for name in ONLY_WITH)
