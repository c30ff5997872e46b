"""Where a live project is, and what its Pulumi.yaml says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml")


class ProjectError(Exception):
    """A folder that is no usable live project. The message is one line for the person."""


@dataclass(frozen=True)
class Project:
    """A live project."""

    file: Path
    """Its Pulumi.yaml."""
    settings: dict[str, Any]
    """What the file says."""

    @property
    def folder(self) -> Path:
        return self.file.parent

    @property
    def name(self) -> str:
        return str(self.settings.get("name", ""))

    @property
    def request_key(self) -> str:
        """The key of a stack file that names the stack's request."""
        return f"{self.name}:request"

    @property
    def stack_folder(self) -> Path:
        """Where the stack files lie, relative to the project."""
        old_spelling = self.settings.get("config")
        return Path(self.settings.get("stackConfigDir") or (old_spelling if isinstance(old_spelling, str) else "."))

    def stack_file(self, stack: str) -> Path:
        """Relative to the project."""
        return self.stack_folder / f"Pulumi.{stack}.yaml"

    def is_settings(self, relative: Path) -> bool:
        """Whether a path relative to the project is its Pulumi.yaml or one of its stack files."""
        if relative.name in PROJECT_FILES:
            return relative.parent == Path()
        return relative.parent == self.stack_folder and relative.match("Pulumi.?*.yaml")

    def stacks(self) -> list[str]:
        """The stacks that have a file."""
        files = (self.folder / self.stack_folder).glob("Pulumi.?*.yaml")
        return sorted(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in files)


def find_project(start: Path) -> Project:
    """The live project in `start` or in the nearest folder above. Raises ProjectError."""
    start = start.resolve()
    if not start.is_dir():
        raise ProjectError(f"--project: '{start}' is not a folder; for example --project infra")
    for folder in (start, *start.parents):
        for name in PROJECT_FILES:
            if (folder / name).is_file():
                return _checked(Project(folder / name, read_mapping(folder / name)))
    raise ProjectError(
        f"--project: no Pulumi.yaml in '{start}' or above it; name a live project, for example --project infra, "
        "or make one with amlplatform init DIR"
    )


def _checked(project: Project) -> Project:
    if not project.name:
        raise ProjectError(f"{project.file}: name: is missing; for example name: amlplatform")
    if not (project.folder / project.stack_folder).resolve().is_relative_to(project.folder):
        shown = project.stack_folder.as_posix()
        raise ProjectError(f"{project.file}: stackConfigDir: '{shown}' must be inside the project; for example stacks")
    return project


def read_mapping(file: Path) -> dict[str, Any]:
    """The content of a YAML file that Pulumi reads, too. An empty file is an empty mapping. Raises ProjectError."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProjectError(f"{file}: is not YAML ({' '.join(str(error).split())})") from None
    except OSError as error:
        raise ProjectError(f"{file}: cannot be read ({error.strerror})") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ProjectError(f"{file}: must be a mapping (key: value)")
    return content
