"""What the tests of the template share: its questions and combinations, how it is rendered, what lies in a render."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from cookiecutter.main import cookiecutter

ROOT = Path(__file__).resolve().parents[2]
PROJECT_FOLDER = "{{cookiecutter.project_slug}}"
# What a clone needs for rendering; the rest of the repository is left out here.
TEMPLATE_PATHS = (
    "cookiecutter.json",
    "hooks",
    "infra/amlplatform/__init__.py",
    "infra/amlplatform/names.py",
    "infra/amlplatform/regions.py",
    "infra/amlplatform/rules.py",
    "infra/amlplatform/vm_sizes.csv",
    "infra/amlplatform/vm_sizes.py",
    "local_extensions.py",
    "options.yaml",
    "templates",
    PROJECT_FOLDER,
)
OPTIONS: dict[str, Any] = yaml.safe_load((ROOT / "options.yaml").read_text(encoding="utf-8"))
QUESTIONS: dict[str, Any] = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
CHOICES: dict[str, list[str]] = {field: QUESTIONS[field] for field in OPTIONS["options"]}
COMBINATIONS = [dict(zip(CHOICES, values, strict=True)) for values in itertools.product(*CHOICES.values())]


def label(answers: Mapping[str, str]) -> str:
    """A combination as the name of a test."""
    return "-".join(answers.values())


@dataclass(frozen=True)
class Template:
    """The template as a clone has it: only what git would carry."""

    folder: Path

    def render(self, output: Path, **answers: str) -> Path:
        """Make a project in process; its folder."""
        output.parent.mkdir(parents=True, exist_ok=True)
        config = output.parent / "cookiecutter.yaml"
        folders = {name: str(output.parent / name) for name in ("cookiecutters_dir", "replay_dir")}
        config.write_text(yaml.safe_dump(folders), encoding="utf-8")
        arguments: dict[str, Any] = {"extra_context": dict(answers), "config_file": str(config)}
        return Path(cookiecutter(str(self.folder), no_input=True, output_dir=str(output), **arguments))


def git(folder: Path, *arguments: str) -> str:
    """Run git with an identity of its own; what it printed."""
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, encoding="utf-8").stdout


def template_files() -> list[Path]:
    """Files of the template that are, or would be, in git."""
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *TEMPLATE_PATHS)
    return sorted(Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file())


def load_environment(project: Path) -> ModuleType:
    """tools/environment.py of a project as a module."""
    path = project / "tools" / "environment.py"
    spec = importlib.util.spec_from_file_location(f"environment_{abs(hash(project))}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Renders:
    """Renders by their answers, made on demand."""

    def __init__(self, template: Template, folder: Path) -> None:
        self._template = template
        self._folder = folder
        self._made: dict[str, Path] = {}

    def __call__(self, **answers: str) -> Path:
        key = label(answers) or "default"
        if key not in self._made:
            self._made[key] = self._template.render(self._folder / key / "out", **answers)
        return self._made[key]


def files_of(project: Path) -> set[str]:
    """Every file of a project with forward slashes, without git's own."""
    found = (path.relative_to(project) for path in project.rglob("*") if path.is_file())
    return {path.as_posix() for path in found if path.parts[0] != ".git"}


def chosen(answers: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Entries of options.yaml that the answers ask for, computed here independently of the template's own code."""
    entries = [OPTIONS["always"]]
    for field, values in OPTIONS["options"].items():
        wanted = [name for name, entry in values.items() if entry["offered"] and answers[field] in (name, "all")]
        entries += [values[name] for name in wanted]
    return entries


def run_cookiecutter(
    template: Template, output: Path, *arguments: str, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """The command `cookiecutter`, as a person calls it."""
    output.mkdir(parents=True, exist_ok=True)
    config = output.parent / "cookiecutter.yaml"
    folders = {name: str(output.parent / name) for name in ("cookiecutters_dir", "replay_dir")}
    config.write_text(yaml.safe_dump(folders), encoding="utf-8")
    command = [sys.executable, "-m", "cookiecutter", str(template.folder), "--config-file", str(config)]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "TERM": "dumb"}
    return subprocess.run(
        [*command, "--output-dir", str(output), *arguments],
        input=stdin, capture_output=True, encoding="utf-8", env=environment, check=False,
    )  # fmt: skip


# `make check` takes the first and the last: each option has another value there.
every_combination = pytest.mark.parametrize(
    "answers",
    [
        pytest.param(answers, id=label(answers), marks=() if number in (0, len(COMBINATIONS) - 1) else pytest.mark.slow)
        for number, answers in enumerate(COMBINATIONS)
    ],
)
either_ci = pytest.mark.parametrize("ci", CHOICES["ci"])
