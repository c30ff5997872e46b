"""A new project works as it is: what CI runs for a pull request passes in it, and notices what is broken."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ci_files import commands_of, github
from template_support import Template, git

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(template: Template, uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in a folder with a space, under git, with its environment."""
    made = template.render(tmp_path_factory.mktemp("a place") / "out", workload="all", licence="Apache-2.0")
    git(made, "add", "--all")
    git(made, "commit", "--quiet", "--message=made")
    result = run(made, uv, "python tools/tasks.py setup")
    assert result.returncode == 0, result.stderr
    return made


def run(project: Path, uv: str, command: str) -> subprocess.CompletedProcess[str]:
    """A command of the project, as CI runs it: with a Python that knows nothing of the project."""
    words = [sys.executable if word == "python" else word for word in command.split()]
    variables = {key: value for key, value in os.environ.items() if key not in {"VIRTUAL_ENV", "PYTHONPATH", "VENV"}}
    variables |= {"UV": uv, "PYTHON": sys.executable}
    return subprocess.run(words, cwd=project, capture_output=True, encoding="utf-8", env=variables, check=False)


def test_what_ci_runs_for_a_pull_request_passes(project: Path, uv: str) -> None:
    commands = commands_of(github(project, "pull-request.yml"))
    assert len(commands) == 3
    for command in commands:
        result = run(project, uv, command)
        assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.parametrize("target", ["setup", "lint", "validate", "help"])
def test_make(project: Path, uv: str, target: str) -> None:
    result = run(project, uv, f"make {target}")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    "fault",
    [
        ("tools/watch.py", "import json\n", "import json\nimport csv\n", "lint"),
        (".cloud/environments/prod.yml", "  image-scoring: ", "  image-scorin: ", "test tests/test_project.py"),
        (".cloud/environments/dev.yml", "  cpu-cluster: ", "  cpu: ", "test tests/test_project.py"),
        (".cloud/release/image-scoring.yml", "trial: ../../tests", "trial: ../../tets", "validate"),
        ("requirements.in", "numpy\n", "numpy\nunpinned\n", "test tests/test_project.py"),
    ],
)
def test_what_is_broken_is_noticed(project: Path, uv: str, fault: tuple[str, str, str, str]) -> None:
    path, old, new, command = fault
    file = project / path
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    try:
        result = run(project, uv, f"python tools/tasks.py {command}")
    finally:
        file.write_text(text, encoding="utf-8")
    assert result.returncode == 1, result.stdout


def test_an_unknown_task_gets_one_line(project: Path, uv: str) -> None:
    result = run(project, uv, "python tools/tasks.py tests")
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "task: 'tests' is not one of setup, frameworks, azure, online, run, test, lint, validate, lock, amlops, watch; "
        "for example: tasks.py test"
    ]


def test_locking_again_changes_nothing(project: Path, uv: str) -> None:
    result = run(project, uv, "make lock")
    assert result.returncode == 0, result.stderr
    assert git(project, "status", "--porcelain") == ""
