"""Make the project's Python environment, from pinned requirements only.

    python tools/environment.py            .venv with what the project needs to run
    python tools/environment.py --dev      and what its tests, checks and notebooks need
    python tools/environment.py --with keras     and a framework of its own requirement file

What was added once stays: a later call without these words keeps it.

Only the standard library is used, so that any Python 3.11 or newer can start it. The environment is `.venv`, or the
folder that the variable VENV names. Packages are installed by uv: the one that the variable UV names, the one on PATH,
or one of our own in `.tools/uv`. A second call finds the stamp of the first one and returns at once.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
MINIMUM_PYTHON = (3, 11)
# From here on uv carries the build backend of tools/amlops inside, so that nothing is fetched to build it.
MINIMUM_UV = (0, 8)
# What bootstraps uv where there is none: its version and hashes, read by pip.
UV_REQUIREMENTS = HERE / "uv.txt"
STAMP = "project-environment.json"
DEV = "dev"
AZURE = "azure"
ONLINE = "online"


class EnvironmentFault(Exception):
    """The environment could not be made; the message is one line for the user."""


def python_of(folder: Path) -> Path:
    """Interpreter of the virtual environment `folder`."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def find_uv() -> Path:
    """The uv to use. Makes `.tools/uv` when the machine has none. Raises EnvironmentFault."""
    for candidate in (os.environ.get("UV"), shutil.which("uv")):
        if candidate and _uv_is_recent(candidate):
            return Path(candidate)
    # In the template this file lies in the folder that projects are made from, which must stay clean.
    home = PROJECT.parent if (PROJECT.parent / "cookiecutter.json").exists() else PROJECT
    folder = home / ".tools" / "uv"
    uv = python_of(folder).with_name("uv.exe" if os.name == "nt" else "uv")
    if not uv.exists():
        _bootstrap_uv(folder)
    return uv


def make_environment(
    folder: Path,
    requirement_files: Sequence[Path],
    *,
    editable: Sequence[Path] = (),
    compile_bytecode: bool = True,
) -> Path:
    """Make or refresh the virtual environment `folder` and return its interpreter.

    `requirement_files` hold pins with hashes; what they do not list is removed. `editable` are folders of Python
    packages whose own source is used in place; their dependencies must be in the requirement files.
    Raises EnvironmentFault.
    """
    folder = folder.absolute()
    _check_python()
    _check_inputs(folder, requirement_files, editable)
    wanted = _fingerprint(requirement_files, editable)
    stamp = folder / STAMP
    known = _read_stamp(stamp)
    usable = known.get("folder") == str(folder) and _interpreter_works(folder)
    if usable and _covers(known, wanted):
        return python_of(folder)

    started = time.monotonic()
    names = ", ".join(path.name for path in requirement_files)
    _say(f"{_shown(folder)}: installing {names} (minutes the first time, seconds later)")
    uv = find_uv()
    stamp.unlink(missing_ok=True)
    if not usable:
        _uv(uv, "venv", "--clear", "--python", sys.executable, str(folder))
    python = python_of(folder)
    flags = ["--compile-bytecode"] if compile_bytecode else []
    files = [str(path) for path in requirement_files]
    _uv(uv, "pip", "sync", "--python", str(python), "--require-hashes", "--allow-empty-requirements", *flags, *files)
    if editable:
        sources = [word for path in editable for word in ("--editable", str(path))]
        _uv(uv, "pip", "install", "--python", str(python), "--no-deps", "--offline", *sources)
    _write_stamp(stamp, {"folder": str(folder), **wanted})
    _say(f"{_shown(folder)}: ready in {time.monotonic() - started:.0f} s")
    return python


def _check_python() -> None:
    if sys.version_info < MINIMUM_PYTHON:
        found, needed = (".".join(map(str, version[:2])) for version in (sys.version_info, MINIMUM_PYTHON))
        raise EnvironmentFault(f"Python: {found} ({sys.executable}) is too old; start this with {needed} or newer")


def _check_inputs(folder: Path, requirement_files: Iterable[Path], editable: Iterable[Path]) -> None:
    """Refuse what would fail half-way, and a folder that is somebody's data."""
    for path in (*requirement_files, *(source / "pyproject.toml" for source in editable)):
        if not path.is_file():
            raise EnvironmentFault(f"file: {path} is not there; it is part of the repository, take it from git")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
        raise EnvironmentFault(f"VENV: {folder} is no virtual environment and not empty; for example VENV=.venv")


def _interpreter_works(folder: Path) -> bool:
    """Whether the environment's Python is there and the Python it was made from still is."""
    configuration = folder / "pyvenv.cfg"
    if not python_of(folder).exists() or not configuration.exists():
        return False
    lines = configuration.read_text(encoding="utf-8").splitlines()
    homes = [line.partition("=")[2].strip() for line in lines if line.startswith("home")]
    return bool(homes) and Path(homes[0]).is_dir()


def _fingerprint(requirement_files: Iterable[Path], editable: Iterable[Path]) -> dict[str, dict[str, str]]:
    """What decides whether an environment is still the one asked for: hashes of the files by path."""
    return {
        "requirements": {path.name: _sha256(path) for path in requirement_files},
        "editable": {str(path.resolve()): _sha256(path / "pyproject.toml") for path in editable},
    }


def _covers(known: dict, wanted: dict[str, dict[str, str]]) -> bool:
    """Whether everything wanted is installed; more may be, so that the plain call keeps what `--dev` added."""
    return all(wanted[part].items() <= known.get(part, {}).items() for part in wanted)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_stamp(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_stamp(path: Path, content: dict) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def _uv_is_recent(program: str) -> bool:
    """Whether `program` is a uv that can do what is asked of it here."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()
        return tuple(int(part) for part in answer[1].split(".")[:2]) >= MINIMUM_UV
    except (OSError, subprocess.CalledProcessError, IndexError, ValueError):
        return False


def _bootstrap_uv(folder: Path) -> None:
    """Install the pinned uv into a virtual environment of its own, by Python's own venv and pip."""
    _check_python()
    _say(f"{_shown(folder)}: no uv on this machine, installing one here")
    if subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=False).returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise EnvironmentFault(
            f"Python: {sys.executable} has no working venv module; for example: apt install python3-venv"
        )
    pip = [str(python_of(folder)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, "--require-hashes", "--requirement", str(UV_REQUIREMENTS)], check=False).returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise EnvironmentFault("uv: pip could not install it (its reason stands above); is a package index reachable?")


def _uv(uv: Path, *arguments: str) -> None:
    """Run uv, with progress bars on a terminal and silent elsewhere; its own error text stands above our line."""
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    ours = {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"}
    variables = {key: value for key, value in os.environ.items() if key not in ours}
    variables["UV_PYTHON_DOWNLOADS"] = "never"
    result = subprocess.run([str(uv), *arguments, *quiet], env=variables, check=False)
    if result.returncode:
        command = " ".join(("uv", *arguments[:2]))
        raise EnvironmentFault(f"uv: `{command}` ended with exit code {result.returncode} (its reason stands above)")


def _shown(path: Path) -> str:
    """The path as seen from where the user is, when it lies below."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _say(line: str) -> None:
    print(f"setup: {line}", file=sys.stderr, flush=True)


def frameworks() -> list[str]:
    """Names of the frameworks that have a requirement file of their own: requirements-<name>.in."""
    names = (path.stem.removeprefix("requirements-") for path in PROJECT.glob("requirements-*.in"))
    return sorted(name for name in names if name not in {DEV, AZURE, ONLINE})


def project_environment(*, dev: bool = False, extras: Sequence[str] = ()) -> Path:
    """Make or refresh the project's own environment and return its interpreter.

    `extras` are names of `frameworks()`, or AZURE. What an earlier call added stays: a framework takes gigabytes.
    Raises EnvironmentFault.
    """
    folder = PROJECT / os.environ.get("VENV", ".venv")
    wanted = [*([DEV] if dev else []), *extras]
    known = _read_stamp(folder / STAMP).get("requirements", {})
    kept = [name for name in (DEV, AZURE, *frameworks()) if name not in wanted and f"requirements-{name}.txt" in known]
    files = [PROJECT / "requirements.txt", *(PROJECT / f"requirements-{name}.txt" for name in [*wanted, *kept])]
    return make_environment(folder, files, editable=[PROJECT / "tools" / "amlops"])


def online_environment() -> Path:
    """Make or refresh the environment of real-time deployments on this machine, `.venv-online`; its interpreter.

    It is apart, as a deployment's is in Azure: the inference server holds packages to older versions than the project.
    Raises EnvironmentFault.
    """
    return make_environment(PROJECT / ".venv-online", [PROJECT / f"requirements-{ONLINE}.txt"])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", action="store_true", help="also what tests, checks and notebooks need")
    parser.add_argument("--with", dest="extras", action="append", default=[], choices=frameworks(), metavar="FRAMEWORK")
    options = parser.parse_args(arguments)
    try:
        python = project_environment(dev=options.dev, extras=options.extras)
    except EnvironmentFault as fault:
        _say(str(fault))
        return 1
    _say(f"use {_shown(python)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
