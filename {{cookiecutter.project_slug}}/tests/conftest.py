"""What the project's tests share."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
CARRIED = (".cloud", "code", "pipelines", "tools", "tests/smoke")
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*_cache")


@pytest.fixture
def project_copy(tmp_path: Path) -> Path:
    """The project's files in a repository of their own with one commit, to change and to build in."""
    copy = tmp_path / PROJECT.name
    for folder in CARRIED:
        shutil.copytree(PROJECT / folder, copy / folder, ignore=LEFT_BEHIND)
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    for command in (("init", "--quiet"), ("add", "--all"), (*identity, "commit", "--quiet", "--message=first")):
        subprocess.run(["git", *command], cwd=copy, check=True)
    return copy
