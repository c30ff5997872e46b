"""Renders of the template: one for each combination of answers, made once a session and never changed by a test."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from template_support import PROJECT_FOLDER, ROOT, Renders, Template, git, load_environment, template_files


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    folder = tmp_path_factory.mktemp("template") / "template"
    for path in template_files():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, folder / path)
    return Template(folder)


@pytest.fixture(scope="session")
def template_repository(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as a git repository with one commit."""
    folder = tmp_path_factory.mktemp("repository") / "template"
    shutil.copytree(template.folder, folder)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=first")
    return folder


@pytest.fixture(scope="session")
def renders(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Renders:
    return Renders(template, tmp_path_factory.mktemp("renders"))


@pytest.fixture(scope="session")
def uv() -> str:
    """The uv of this machine or of the template; made once, not for each project that a test makes."""
    return str(load_environment(ROOT / PROJECT_FOLDER).find_uv())
