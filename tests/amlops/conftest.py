"""Fixtures of the tests of amlops."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from amlops_support import LOCAL_YML, SmallProject


@pytest.fixture(scope="session")
def amlops_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all tests, so that MLflow's tables are made once; shared by the workers of pytest-xdist."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "amlops-cache"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def make_project(tmp_path: Path, amlops_cache: Path) -> Callable[[str], SmallProject]:
    """Makes an empty project in a folder of this name."""

    def make(name: str) -> SmallProject:
        project = SmallProject(tmp_path / name, amlops_cache)
        project.write(".cloud/environments/local.yml", LOCAL_YML)
        return project

    return make


@pytest.fixture
def project(make_project: Callable[[str], SmallProject]) -> SmallProject:
    """An empty project whose path has a space."""
    return make_project("my project")
