"""The project's own tests of PyTorch and Keras, which a project without them skips, are run here with both."""

from __future__ import annotations

import subprocess
import sys

import pytest
from workload_support import PROJECT

pytestmark = pytest.mark.slow


def test_the_tests_of_both_frameworks_pass_and_none_is_skipped() -> None:
    """In a process of its own: what they import would stay in this one."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/image-scoring/test_frameworks.py"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout
