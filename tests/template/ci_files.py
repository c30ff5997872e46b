"""Reads the CI files of a rendered project, GitHub's and Azure's, into one form in which they can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Stage:
    """One stage: what it waits for, the environment whose approval it needs, and its commands in order."""

    name: str
    needs: tuple[str, ...]
    environment: str | None
    commands: tuple[str, ...]
    python: str
    minutes: int
    runner: str


@dataclass(frozen=True)
class Pipeline:
    """When it starts, and its stages."""

    pull_request: tuple[str, ...]
    push: tuple[str, ...]
    cron: tuple[str, ...]
    stages: tuple[Stage, ...]


def load(path: Path) -> dict[Any, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def as_tuple(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def github(project: Path, name: str) -> Pipeline:
    """A workflow with the reusable workflows that it calls."""
    workflow = load(project / ".github" / "workflows" / name)
    triggers = workflow[True]  # YAML 1.1 reads the key `on` as true
    branches = {event: as_tuple((triggers.get(event) or {}).get("branches")) for event in ("pull_request", "push")}
    stages = tuple(stage for key, job in workflow["jobs"].items() for stage in _github_stages(project, key, job))
    cron = tuple(entry["cron"] for entry in triggers.get("schedule") or [])
    return Pipeline(branches["pull_request"], branches["push"], cron, stages)


def _github_stages(project: Path, name: str, job: Mapping[str, Any]) -> Iterator[Stage]:
    needs = as_tuple(job.get("needs"))
    if "uses" not in job:
        yield _github_stage(name, needs, job, {})
        return
    called = load(project / job["uses"])
    inputs = {
        key: str(value.get("default", ""))
        for key, value in (called[True]["workflow_call"] or {}).get("inputs", {}).items()
    }
    inputs |= job.get("with", {})
    for inner in called["jobs"].values():
        yield _github_stage(name, needs, inner, inputs)


def _github_stage(name: str, needs: tuple[str, ...], job: Mapping[str, Any], inputs: Mapping[str, str]) -> Stage:
    def filled(text: str) -> str:
        return re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda match: inputs[match[1]], text)

    variables = {key: filled(value) for key, value in job.get("env", {}).items()}

    def expanded(command: str) -> str:
        return re.sub(r'"\$(\w+)"', lambda match: variables[match[1]], command)

    environment = job.get("environment")
    # The runner may be named by a variable of the repository; what stands behind || is the default.
    runner = re.sub(r"\$\{\{ vars\.\w+ \|\| '([^']+)' \}\}", r"\1", filled(job["runs-on"]))
    return Stage(
        name,
        needs,
        filled(environment) if environment else None,
        tuple(expanded(step["run"]) for step in job["steps"] if "run" in step),
        next(step["with"]["python-version"] for step in job["steps"] if "setup-python" in step.get("uses", "")),
        job["timeout-minutes"],
        runner,
    )


def azure(project: Path, name: str) -> Pipeline:
    """A pipeline with its templates filled in."""
    pipeline = load(project / ".ado" / name)
    branches = {key: _azure_branches(pipeline.get(key)) for key in ("pr", "trigger")}
    stages: list[Stage] = []
    for entry in pipeline["stages"]:
        path = project / ".ado" / entry["template"]
        # A stage waits for the one before it unless it says otherwise.
        stages += [_azure_stage(stage, stages[-1:]) for stage in resolve(path, entry.get("parameters", {}))["stages"]]
    cron = tuple(entry["cron"] for entry in pipeline.get("schedules") or [])
    return Pipeline(branches["pr"], branches["trigger"], cron, tuple(stages))


def _azure_branches(trigger: Any) -> tuple[str, ...]:
    return () if trigger in (None, "none") else as_tuple(trigger["branches"]["include"])


def resolve(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """A template with its parameters filled in. KeyError when a parameter has neither a value nor a default."""
    template = load(path)
    declared = {parameter["name"]: parameter for parameter in template.get("parameters", [])}
    unknown = set(given) - set(declared)
    if unknown:
        raise KeyError(f"{path.name} has no parameter {', '.join(sorted(unknown))}")
    values = {name: given[name] if name in given else parameter["default"] for name, parameter in declared.items()}
    return {key: _filled(value, values) for key, value in template.items() if key != "parameters"}


def _filled(node: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(item, values) for item in node]
    if not isinstance(node, str):
        return node
    whole = re.fullmatch(r"\$\{\{ parameters\.(\w+) \}\}", node)
    if whole:
        return values[whole[1]]
    return re.sub(r"\$\{\{ parameters\.(\w+) \}\}", lambda match: str(values[match[1]]), node)


def _azure_stage(stage: Mapping[str, Any], before: list[Stage]) -> Stage:
    (job,) = stage["jobs"]
    steps = job["steps"] if "job" in job else job["strategy"]["runOnce"]["deploy"]["steps"]
    needs = as_tuple(stage["dependsOn"]) if "dependsOn" in stage else tuple(earlier.name for earlier in before)
    commands = [step.get("script") or step.get("inputs", {}).get("inlineScript") for step in steps]
    return Stage(
        stage["stage"],
        needs,
        job.get("environment"),
        tuple(command for command in commands if command),
        next(step["inputs"]["versionSpec"] for step in steps if step.get("task") == "UsePythonVersion@0"),
        job["timeoutInMinutes"],
        job["pool"]["vmImage"],
    )


def commands_of(pipeline: Pipeline) -> list[str]:
    return [command for stage in pipeline.stages for command in stage.commands]
