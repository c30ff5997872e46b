"""Two checkouts do not share the environments that `amlplatform` runs in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from platform_requests import ROOT

PROJECT = "{{cookiecutter.project_slug}}"


@pytest.mark.parametrize("script", ["demo.py", "run_tests.py"])
def test_tools_of_another_checkout_are_left_alone(tmp_path: Path, script: str) -> None:
    here, other = tmp_path / "here", tmp_path / "other"
    for name in (f"tools/{script}", "tools/envs.py", f"{PROJECT}/tools/environment.py"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, here / name)
    (other / ".tools").mkdir(parents=True)
    (other / "cookiecutter.json").touch()
    (here / ".tools").symlink_to(other / ".tools")
    command = [sys.executable, str(here / "tools" / script)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert f".tools: {here / '.tools'} is a link to the tools of {other}" in line
    assert list((other / ".tools").iterdir()) == []
