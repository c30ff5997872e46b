"""What the tests of the image-scoring workload share."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).resolve().parents[2]
CODE = PROJECT / "code" / "image-scoring"
STEPS = "image_scoring_steps"

sys.path.insert(0, str(CODE))
# Every workload has steps called prepare, train, ... ; a parent package of their own keeps them apart in one process.
package = ModuleType(STEPS)
package.__path__ = [str(CODE)]
sys.modules[STEPS] = package


def step_module(name: str) -> ModuleType:
    """A module of a step, for example `prepare.main`."""
    return importlib.import_module(f"{STEPS}.{name}")


@pytest.fixture(scope="session")
def step() -> Callable[[str], ModuleType]:
    """Imports a module of a step."""
    return step_module


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, prepared with the defaults: train, test, score, labels."""
    folder = tmp_path_factory.mktemp("prepared")
    step_module("prepare.main").main(prepare_arguments(folder))
    return folder


@pytest.fixture(scope="session")
def model(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was trained on the sample, quickly."""
    folder = tmp_path_factory.mktemp("registered") / "model"
    step_module("train.main").main(
        ["--train-images", str(prepared / "train"), "--model", str(folder), "--hidden-units=64", "--epochs=30"]
    )
    return folder


@pytest.fixture
def few(prepared: Path, tmp_path: Path) -> Path:
    """Four images each of 0 and 1, in folders by label."""
    for label in ("0", "1"):
        (tmp_path / "few" / label).mkdir(parents=True)
        for path in sorted((prepared / "train" / label).iterdir())[:4]:
            shutil.copy(path, tmp_path / "few" / label)
    return tmp_path / "few"


def prepare_arguments(folder: Path, *more: str) -> list[str]:
    """Arguments of prepare that write below a folder."""
    names = {"train-images": "train", "test-images": "test", "score-images": "score", "score-labels": "labels"}
    return [*(f"--{argument}={folder / name}" for argument, name in names.items()), *more]


@pytest.fixture(scope="session")
def prepare() -> Callable[..., None]:
    """Runs prepare: `prepare(FOLDER, ARGUMENT, …)` writes below the folder."""
    return lambda folder, *more: step_module("prepare.main").main(prepare_arguments(folder, *more))
