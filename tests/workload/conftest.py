"""Makes workload_support importable in the tests beside it, and shares what is slow to make."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from workload_support import Project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a state of its own."""
    return Project.make(tmp_path_factory.mktemp("workload") / "project")
