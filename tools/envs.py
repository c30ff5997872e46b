"""The Python environments of this repository: made once, under `.tools/envs/`, never the system's.

The making itself is the project's own `tools/environment.py`: one implementation serves the template and every project
made from it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT / "{{cookiecutter.project_slug}}"
ENVIRONMENTS = ROOT / ".tools" / "envs"


def _load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


environment = _load(PROJECT / "tools" / "environment.py", "project_environment")


def _environment(name: str, requirements: Path, *editable: Path) -> Path:
    """The interpreter of an environment with these packages. Raises EnvironmentFault.

    Packages of ours are used in place, so an environment belongs to one checkout: made from another one, it would run
    that one's code from then on.
    """
    tools = ENVIRONMENTS.parent
    other = tools.resolve().parent
    if tools.is_symlink() and other != ROOT and (other / "cookiecutter.json").is_file():
        rule = f"is a link to the tools of {other}, whose environments run the code there"
        raise environment.EnvironmentFault(f".tools: {tools} {rule}; delete the link, and the next call makes its own")
    return environment.make_environment(ENVIRONMENTS / name, [requirements], editable=editable)


def cookiecutter_python() -> Path:
    """Interpreter that can make a project."""
    return _environment("cookiecutter", ROOT / "requirements" / "cookiecutter.txt")


def infra_python() -> Path:
    """Interpreter that runs `amlplatform`."""
    return _environment("infra", ROOT / "infra" / "requirements.txt", ROOT / "infra")


def tests_python() -> Path:
    """Interpreter with both programs, the project's packages and the tools that check them."""
    return _environment("tests", ROOT / "requirements" / "tests.txt", ROOT / "infra", PROJECT / "tools" / "amlops")


def online_python() -> Path:
    """Interpreter with the server of real-time endpoints: what `.venv-online` is in a project."""
    return _environment("online", PROJECT / "requirements-online.txt")


def checkov_python() -> Path:
    """Interpreter with the scanner of ARM templates, and nothing else."""
    return _environment("checkov", ROOT / "requirements" / "checkov.txt")


def find_uv() -> str:
    """uv of the machine, else one of our own."""
    return str(environment.find_uv())
