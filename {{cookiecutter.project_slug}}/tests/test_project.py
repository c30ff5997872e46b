"""The project's files agree with each other."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[1]
SKIPPED = {".venv", ".tools", ".amlops", "build", ".git"}
CI_FOLDERS = (".github", ".ado")


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def yaml_files(*folders: str) -> list[Path]:
    roots = [PROJECT / folder for folder in folders] if folders else [PROJECT]
    found = [path for root in roots for suffix in ("*.yml", "*.yaml") for path in root.rglob(suffix)]
    return sorted(path for path in found if SKIPPED.isdisjoint(path.relative_to(PROJECT).parts))


def environments() -> dict[str, dict[str, Any]]:
    files = (PROJECT / ".cloud" / "environments").glob("*.yml")
    return {path.stem: load(path) for path in sorted(files) if path.stem != "local"}


def values_of(key: str, data: Any) -> Iterator[str]:
    """Every value of `key`, however deep."""
    if isinstance(data, dict):
        for name, value in data.items():
            if name == key and isinstance(value, str):
                yield value
            yield from values_of(key, value)
    elif isinstance(data, list):
        for item in data:
            yield from values_of(key, item)


@pytest.mark.parametrize("path", yaml_files(), ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_every_yaml_file_can_be_read(path: Path) -> None:
    assert load(path) is not None


def test_amlops_finds_no_fault() -> None:
    command = [sys.executable, "-m", "amlops", "validate"]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, encoding="utf-8", check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_environments_are_those_that_the_request_asks_for() -> None:
    request = load(PROJECT / ".cloud" / "request.yaml")
    assert set(environments()) == set(request["environments"])
    for name, environment in environments().items():
        assert environment["environment"] == name
        assert environment["location"] == request["region"]
        assert environment["workspace"].endswith(f"-{request['product']}-{name}")
        for physical in environment["endpoints"].values():
            assert physical.endswith(f"-{name}-{request['name_suffix']}")


def test_every_endpoint_has_a_name_in_every_environment() -> None:
    logical = {load(path)["name"] for path in (PROJECT / ".cloud" / "endpoints").glob("*/endpoint*.yml")}
    assert logical
    for name, environment in environments().items():
        assert logical == set(environment["endpoints"]), f".cloud/environments/{name}.yml"


def test_every_compute_exists_in_every_environment() -> None:
    named = {
        value.removeprefix("azureml:")
        for path in yaml_files(".cloud/endpoints", "pipelines")
        for key in ("compute", "default_compute")
        for value in values_of(key, load(path))
        if value.startswith("azureml:")
    }
    assert named
    for name, environment in environments().items():
        assert named <= set(environment["compute"]), f".cloud/environments/{name}.yml"


def test_ci_calls_only_tasks_that_exist() -> None:
    spec = importlib.util.spec_from_file_location("tasks", PROJECT / "tools" / "tasks.py")
    assert spec and spec.loader
    sys.path.insert(0, str(PROJECT / "tools"))
    tasks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tasks)
    sys.path.remove(str(PROJECT / "tools"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in yaml_files(*CI_FOLDERS))
    called = set(re.findall(r"tools/tasks\.py (\w+)", text))
    assert called == {"lint", "test", "validate", "amlops", "watch"}
    assert called <= set(tasks.TASKS)


@pytest.mark.parametrize("name", sorted(path.stem for path in PROJECT.glob("requirements*.in")))
def test_every_package_is_pinned_with_hashes(name: str) -> None:
    asked = re.findall(r"^([A-Za-z][\w.-]*)", (PROJECT / f"{name}.in").read_text(encoding="utf-8"), flags=re.MULTILINE)
    pins = (PROJECT / f"{name}.txt").read_text(encoding="utf-8")
    for package in asked:
        pin = rf"^{re.escape(package)}==[^\n]*\\\n +--hash=sha256:"
        assert re.search(pin, pins, flags=re.MULTILINE), f"{package}: make lock"
