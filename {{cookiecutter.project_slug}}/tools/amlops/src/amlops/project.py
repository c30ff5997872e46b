"""The project on disk: its root, its environments and the laptop's limits.

A project is a folder with `.cloud/environments/local.yml`. Any other folder is taken for one, with the laptop as its
only environment, when AMLOPS_ROOT names it. Each environment has a file there:

    local.yml   {environment: local, limits: {nodes: 2, cores: 2}}      see `Limits` and `Disputed`
    dev.yml     {environment: dev, subscription_id, resource_group, workspace, location, endpoints: {logical:
    physical}, ...}
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from amlops import yamlfile
from amlops.errors import UserError

ENVIRONMENTS = Path(".cloud") / "environments"
LOCAL = "local"
MARKER = ENVIRONMENTS / f"{LOCAL}.yml"
STATE_FOLDER = ".amlops"


@dataclass(frozen=True)
class Disputed:
    """Where Microsoft's own sources disagree about parallel jobs: one option each, with the documented default.

    Attributes:
        max_retries: "tries": `max_retries: 3` is three calls of `run()` in all (docstring of the client, v1's
            `run_max_try`); "retries": three more after the first (the words of the YAML reference).
        several_thresholds: "any": each threshold counts by itself, and the first that is exceeded ends the job (v1);
            "one": more than one threshold is refused (text of v2's schema).
        short_results: "counted": a mini-batch whose `run()` returned fewer elements than it had items counts for
            `mini_batch_error_threshold` (how-to); "ignored": not where `error_threshold` is -1 (README of Microsoft's
            example 1a_oj_sales_prediction, which returns one row per partition).
        task_overhead_timeout: seconds for loading a mini-batch where nothing is said: 30 (reference) or 600 (how-to).
    """

    max_retries: str = "tries"
    several_thresholds: str = "any"
    short_results: str = "counted"
    task_overhead_timeout: int = 30


@dataclass(frozen=True)
class Limits:
    """What a job on the laptop may use.

    Attributes:
        nodes: how many nodes a batch job may have.
        cores: how many processes run at once.
        workers: 0: the calling process runs scoring scripts itself, for a debugger; None: processes do.
        memory: megabytes that a worker process may have; 0: no limit.
        gpus: GPUs of a node; the first so many workers get one each.
        disputed: how to read what Microsoft's sources disagree about.
    """

    nodes: int
    cores: int
    workers: int | None = None
    memory: int = 0
    gpus: int = 0
    disputed: Disputed = field(default_factory=Disputed)


@dataclass(frozen=True)
class Environment:
    """One of the places where the project runs, as its file says."""

    name: str
    file: Path
    values: Mapping[str, Any]

    @property
    def is_local(self) -> bool:
        """True for the laptop."""
        return self.name == LOCAL

    @property
    def workspace(self) -> str:
        """Name of the Azure ML workspace; empty for the laptop."""
        return str(self.values.get("workspace") or "")

    @property
    def resource_group(self) -> str:
        """Resource group of the workspace; empty for the laptop."""
        return str(self.values.get("resource_group") or "")

    @property
    def subscription_id(self) -> str:
        """Azure subscription; empty until the platform has handed the environment over."""
        return str(self.values.get("subscription_id") or "")

    @property
    def endpoints(self) -> dict[str, str]:
        """Logical endpoint name -> physical name, which is unique in the Azure region."""
        return {str(key): str(value) for key, value in (self.values.get("endpoints") or {}).items()}


@dataclass(frozen=True)
class Project:
    """A project made from the template. `root` is absolute."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> Project:
        """The nearest project at or above `start` (default: AMLOPS_ROOT, then the current folder).

        A folder that AMLOPS_ROOT names need not be in a project: then it is one by itself, so that the files of others
        run where they lie.

        Raises:
            UserError: no project there.
        """
        given = os.environ.get("AMLOPS_ROOT") if start is None else None
        start = Path(given) if given else (start or Path.cwd())
        start = Path(os.path.abspath(start))  # noqa: PTH100 (without `..`, and links as they are)
        for folder in (start, *start.parents):
            if (folder / MARKER).is_file():
                return cls(folder)
        if not given:
            raise UserError(
                f"the current folder: '{start}' is not in a project (no parent has {MARKER.as_posix()}); go to a "
                "project's folder first, or name any folder to work in: export AMLOPS_ROOT=."
            )
        if not start.is_dir():
            raise UserError(f"AMLOPS_ROOT: '{start}' is not a folder; name the project's folder, or any other")
        return cls(start)

    @property
    def state_folder(self) -> Path:
        """Where the laptop keeps jobs, models and endpoints."""
        return self.root / STATE_FOLDER

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.root.name

    def environment_names(self) -> list[str]:
        """Names of the environments, local first."""
        names = {file.stem for file in (self.root / ENVIRONMENTS).glob("*.yml")} | {LOCAL}
        return sorted(names, key=lambda name: (name != LOCAL, name))

    def environment(self, name: str | None = None) -> Environment:
        """The environment called `name` (default: AMLOPS_ENV, then local).

        Raises:
            UserError: there is no such environment, or its file says another name.
        """
        source = "--env" if name else "AMLOPS_ENV"
        name = name or os.environ.get("AMLOPS_ENV") or LOCAL
        names = self.environment_names()
        if name not in names:
            raise UserError(f"{source}: '{name}' is not an environment of this project; one of {', '.join(names)}")
        file = self.root / ENVIRONMENTS / f"{name}.yml"
        if name == LOCAL and not file.is_file():
            return Environment(LOCAL, file, {"environment": LOCAL})
        document = yamlfile.load(file)
        if document.data.get("environment") != name:
            found = document.data.get("environment")
            raise document.error(f"'{found}' must be '{name}', as the file is called", "environment")
        return Environment(name, document.path, document.data)

    @cached_property
    def limits(self) -> Limits:
        """The laptop's limits from `local.yml` (default: 2 nodes, all cores).

        Raises:
            UserError: a limit is not a whole number, or too small.
        """
        marker = self.root / MARKER
        document = yamlfile.load(marker) if marker.is_file() else yamlfile.YamlFile(marker, {})
        nodes = _whole_number(document, "nodes", default=2, minimum=1)
        cores = _whole_number(document, "cores", default=0, minimum=0)
        workers = document.section("limits").get("workers")
        if workers not in (None, 0) or isinstance(workers, bool):
            raise document.error(
                f"'{workers}' must be 0, which runs scoring scripts in the calling process, or be left out",
                "limits",
                "workers",
            )
        return Limits(
            nodes=nodes,
            cores=cores or os.cpu_count() or 1,
            workers=workers,
            memory=_whole_number(document, "memory", default=0, minimum=0),
            gpus=_whole_number(document, "gpus", default=0, minimum=0),
            disputed=_disputed(document),
        )

    def shown(self, path: Path) -> str:
        """The path relative to the root where it lies inside, with forward slashes."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return path.as_posix()


_DISPUTED = {
    "max_retries": ("tries", "retries"),
    "several_thresholds": ("any", "one"),
    "short_results": ("counted", "ignored"),
}


def _disputed(document: yamlfile.YamlFile) -> Disputed:
    """The section `disputed:` of local.yml. Raises UserError."""
    section = document.section("disputed")
    chosen: dict[str, Any] = {}
    for key, value in section.values.items():
        if key == "task_overhead_timeout":
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise section.error(f"'{value}' must be a number of seconds, 1 or more; for example 30", key)
        elif key not in _DISPUTED:
            raise section.error(f"must be one of {', '.join((*_DISPUTED, 'task_overhead_timeout'))}", key)
        elif value not in _DISPUTED[key]:
            raise section.error(f"'{value}' must be {' or '.join(_DISPUTED[key])}", key)
        chosen[key] = value
    return Disputed(**chosen)


def _whole_number(document: yamlfile.YamlFile, key: str, *, default: int, minimum: int) -> int:
    value = document.section("limits").get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise document.error(f"'{value}' must be a whole number, {minimum} or more; for example 2", "limits", key)
    return value
