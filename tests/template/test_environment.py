"""tools/environment.py of a project: what it refuses, when it does nothing, what it brings up to date."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from template_support import PROJECT_FOLDER, ROOT, load_environment

TOOLS = ROOT / PROJECT_FOLDER / "tools"
PACKAGE = """[project]
name = "mine"
version = "1.0"
[build-system]
requires = ["uv_build>=0.8,<1"]
build-backend = "uv_build"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the tool and nothing else."""
    (tmp_path / "a project" / "tools").mkdir(parents=True)
    for name in ("environment.py", "uv.txt"):
        shutil.copy(TOOLS / name, tmp_path / "a project" / "tools" / name)
    return tmp_path / "a project"


@pytest.fixture
def tool(project: Path, uv: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("UV", uv)
    return load_environment(project)


@pytest.fixture
def requirements(project: Path) -> Path:
    """One small package, pinned as in the project's own lock file."""
    lock = (ROOT / PROJECT_FOLDER / "requirements.txt").read_text(encoding="utf-8")
    pin = re.search(r"^mdurl==.*(?:\n    .*)+", lock, flags=re.MULTILINE)
    assert pin
    path = project / "requirements.txt"
    path.write_text(pin[0] + "\n", encoding="utf-8")
    return path


def imports(python: Path, name: str) -> bool:
    return subprocess.run([str(python), "-c", f"import {name}"], capture_output=True, check=False).returncode == 0


def test_an_environment_is_made_once_and_follows_its_files(
    tool: ModuleType, project: Path, requirements: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = project / ".venv"
    python = tool.make_environment(folder, [requirements])
    assert imports(python, "mdurl")
    assert list(folder.rglob("mdurl/__pycache__/*.pyc"))
    assert capfd.readouterr().err.count("setup: ") >= 2

    stamp = folder / tool.STAMP
    before = stamp.stat().st_mtime_ns
    assert tool.make_environment(folder, [requirements]) == python
    assert stamp.stat().st_mtime_ns == before
    assert capfd.readouterr().err == ""

    requirements.write_text("", encoding="utf-8")
    tool.make_environment(folder, [requirements])
    assert not imports(python, "mdurl")


def test_a_package_of_ones_own_is_used_in_place_and_needs_no_index(
    tool: ModuleType, project: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "mine" / "src" / "mine").mkdir(parents=True)
    (project / "mine" / "pyproject.toml").write_text(PACKAGE, encoding="utf-8")
    (project / "mine" / "src" / "mine" / "__init__.py").write_text("", encoding="utf-8")
    requirements.write_text("", encoding="utf-8")
    monkeypatch.setenv("UV_OFFLINE", "1")
    python = tool.make_environment(project / ".venv", [requirements], editable=[project / "mine"])
    assert imports(python, "mine")
    assert sorted(path.name for path in (project / "mine").iterdir()) == ["pyproject.toml", "src"]


def test_asking_for_less_keeps_what_is_there(tool: ModuleType, project: Path, requirements: Path) -> None:
    more = project / "more.txt"
    more.write_text("", encoding="utf-8")
    tool.make_environment(project / ".venv", [requirements, more])
    before = (project / ".venv" / tool.STAMP).stat().st_mtime_ns
    tool.make_environment(project / ".venv", [requirements])
    assert (project / ".venv" / tool.STAMP).stat().st_mtime_ns == before


def test_a_framework_that_was_asked_for_once_stays(tool: ModuleType, project: Path, requirements: Path) -> None:
    """It takes gigabytes: neither the tests' packages nor a changed requirement file may take it away again."""
    requirements.rename(project / "requirements-keras.txt")
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-dev.in", "requirements-keras.in"):
        (project / name).write_text("", encoding="utf-8")
    (project / "tools" / "amlops" / "src" / "mine").mkdir(parents=True)
    (project / "tools" / "amlops" / "src" / "mine" / "__init__.py").write_text("", encoding="utf-8")
    (project / "tools" / "amlops" / "pyproject.toml").write_text(PACKAGE, encoding="utf-8")
    assert tool.frameworks() == ["keras"]
    assert not imports(tool.project_environment(), "mdurl")
    assert imports(tool.project_environment(extras=["keras"]), "mdurl")
    assert imports(tool.project_environment(dev=True), "mdurl")
    (project / "requirements.txt").write_text("# changed\n", encoding="utf-8")
    assert imports(tool.project_environment(), "mdurl")


def test_an_interrupted_set_up_is_done_again(tool: ModuleType, project: Path, requirements: Path) -> None:
    python = tool.make_environment(project / ".venv", [requirements])
    (project / ".venv" / tool.STAMP).write_text("{", encoding="utf-8")
    next((project / ".venv").rglob("mdurl/__init__.py")).unlink()
    shutil.rmtree(next((project / ".venv").rglob("mdurl")))
    for info in list((project / ".venv").rglob("mdurl-*.dist-info")):
        shutil.rmtree(info)
    tool.make_environment(project / ".venv", [requirements])
    assert imports(python, "mdurl")


def test_an_environment_that_was_moved_is_made_anew(tool: ModuleType, project: Path, requirements: Path) -> None:
    tool.make_environment(project / ".venv", [requirements])
    (project / ".venv").rename(project / "moved")
    python = tool.make_environment(project / "moved", [requirements])
    assert json.loads((project / "moved" / tool.STAMP).read_text(encoding="utf-8"))["folder"] == str(project / "moved")
    assert imports(python, "mdurl")


def test_a_folder_of_somebody_elses_is_left_alone(tool: ModuleType, project: Path, requirements: Path) -> None:
    (project / "data").mkdir()
    (project / "data" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(tool.EnvironmentFault, match="is no virtual environment and not empty"):
        tool.make_environment(project / "data", [requirements])
    assert [path.name for path in (project / "data").iterdir()] == ["mine.txt"]


def test_a_missing_file_is_told_before_anything_is_made(tool: ModuleType, project: Path) -> None:
    with pytest.raises(tool.EnvironmentFault, match="txt is not there"):
        tool.make_environment(project / ".venv", [project / "requirements.txt"])
    assert not (project / ".venv").exists()


def test_an_old_python_gets_one_line(
    tool: ModuleType, project: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool.sys, "version_info", (3, 9, 2))
    with pytest.raises(tool.EnvironmentFault, match=r"Python: 3\.9 .* is too old; start this with 3\.11 or newer"):
        tool.make_environment(project / ".venv", [requirements])


def test_a_wrong_hash_is_refused(
    tool: ModuleType, project: Path, requirements: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = requirements.read_text(encoding="utf-8")
    requirements.write_text(re.sub(r"sha256:\w{8}", "sha256:00000000", text), encoding="utf-8")
    with pytest.raises(tool.EnvironmentFault, match="`uv pip sync` ended with exit code"):
        tool.make_environment(project / ".venv", [requirements])
    assert "ash" in capfd.readouterr().err
    assert not (project / ".venv" / tool.STAMP).exists()


@pytest.mark.slow
def test_a_machine_without_uv_gets_the_pinned_one(
    tool: ModuleType, project: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV")
    monkeypatch.setattr(tool.shutil, "which", lambda _name: None)
    python = tool.make_environment(project / ".venv", [requirements])
    assert imports(python, "mdurl")
    uv = tool.find_uv()
    assert uv.is_relative_to(project / ".tools" / "uv")
    version = subprocess.run([str(uv), "--version"], capture_output=True, encoding="utf-8", check=True).stdout.split()[
        1
    ]
    pinned = re.search(r"^uv==(\S+)", (TOOLS / "uv.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert pinned and version == pinned[1]


def test_in_the_template_tools_do_not_go_into_the_project_folder() -> None:
    tool = load_environment(ROOT / PROJECT_FOLDER)
    assert sys.version_info >= tool.MINIMUM_PYTHON
    assert (tool.PROJECT.parent / "cookiecutter.json").is_file()
