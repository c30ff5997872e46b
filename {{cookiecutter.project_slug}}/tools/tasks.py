"""The project's everyday commands, the same on a laptop, in GitHub Actions and in Azure Pipelines.

    python tools/tasks.py setup       the Python environment (.venv)
    python tools/tasks.py frameworks  PyTorch and Keras in it, gigabytes; `frameworks keras` for one of them
    python tools/tasks.py azure       what `amlops … --env dev` needs to reach Azure
    python tools/tasks.py online      the environment of real-time deployments on this machine (.venv-online)
    python tools/tasks.py run         every workload on this machine: train, deploy, score, report
    python tools/tasks.py test        the project's tests
    python tools/tasks.py lint        style and format; `lint --fix` mends what it can
    python tools/tasks.py validate    the Azure ML files, without Azure
    python tools/tasks.py lock        writes requirements*.txt from requirements*.in
    python tools/tasks.py amlops WORDS    `amlops` with what it needs to reach Azure: what CI calls
    python tools/tasks.py watch --env dev                 what is wrong there; in CI it keeps an alert open

Words after the task go to the program behind it: `test -k names`, `validate pipelines`. Only the standard library is
used here; the environment that a task needs is made first.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence

import environment
from environment import PROJECT, EnvironmentFault, project_environment

# tools/amlops comes with the template and is linted there; an edit here would meet its next version.
LINTED = (".", "--extend-exclude", "tools/amlops")
ALONE = "requirements-online"
LOCK_HEADER = "# Written by `make lock`; change the .in file, not this one."
LOCK_FLAGS = ("--quiet", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate")


def _in_environment(*arguments: str, dev: bool = False, extras: Sequence[str] = ()) -> int:
    """Run the environment's Python with `arguments` in the project's folder; its exit code."""
    python = project_environment(dev=dev, extras=extras)
    return subprocess.run([str(python), *arguments], cwd=PROJECT, check=False).returncode


def setup(words: Sequence[str]) -> int:
    """The environment; `--dev` adds what tests and checks need."""
    return environment.main(words)


def frameworks(words: Sequence[str]) -> int:
    """The frameworks that are not part of every environment: all of requirements-<framework>.txt, or those named."""
    known = environment.frameworks()
    unknown = [word for word in words if word not in known]
    if unknown or not known:
        choice = f"is not one of {', '.join(known)}" if known else "is none: this project has no such frameworks"
        print(f"frameworks: '{(unknown or ['any'])[0]}' {choice}; for example: tasks.py frameworks", file=sys.stderr)
        return 2
    project_environment(extras=words or known)
    return 0


def azure(words: Sequence[str]) -> int:  # noqa: ARG001 (takes none)
    """The clients of Azure, in the project's environment."""
    project_environment(extras=[environment.AZURE])
    return 0


def online(words: Sequence[str]) -> int:  # noqa: ARG001 (takes none)
    """The environment of real-time deployments."""
    environment.online_environment()
    return 0


def run(words: Sequence[str]) -> int:
    """Each workload's whole way on this machine, one after the other."""
    for script in sorted(PROJECT.glob("pipelines/*/run.py")):
        code = _in_environment(str(script.relative_to(PROJECT)), *words)
        if code:
            return code
    return 0


def test(words: Sequence[str]) -> int:
    """The tests."""
    return _in_environment("-m", "pytest", *words, dev=True)


def lint(words: Sequence[str]) -> int:
    """Both checks run, so that one call shows all there is to mend."""
    fix = "--fix" in words
    check = _in_environment("-m", "ruff", "check", *LINTED, *(["--fix"] if fix else []), dev=True)
    layout = _in_environment("-m", "ruff", "format", *LINTED, *([] if fix else ["--check"]), dev=True)
    return check or layout


def validate(words: Sequence[str]) -> int:
    """The Azure ML files."""
    return _in_environment("-m", "amlops", "validate", *words)


def amlops(words: Sequence[str]) -> int:
    """The project's tool, in Azure too."""
    return _in_environment("-m", "amlops", *words, extras=[environment.AZURE])


def watch(words: Sequence[str]) -> int:
    """What is wrong in an environment."""
    return _in_environment("tools/watch.py", *words, extras=[environment.AZURE])


def lock(words: Sequence[str]) -> int:
    """Pins with hashes, without addresses. `--upgrade` takes the newest versions that fit."""
    held: list[str] = []
    together = ["requirements", "requirements-dev", "requirements-azure"]
    together += [f"requirements-{name}" for name in environment.frameworks()]
    for name in (*together, ALONE):
        files = [f"{name}.in", "--output-file", f"{name}.txt"]
        constraints = [] if name == ALONE else held
        command = [str(environment.find_uv()), "pip", "compile", *LOCK_FLAGS, *constraints, *words, *files]
        code = subprocess.run(command, cwd=PROJECT, check=False).returncode
        if code:
            return code
        pins = PROJECT / f"{name}.txt"
        pins.write_text(f"{LOCK_HEADER}\n{pins.read_text(encoding='utf-8')}", encoding="utf-8")
        # One environment can hold all of them: each is held to what those before it have.
        held += ["--constraint", pins.name]
    return 0


TASKS: dict[str, Callable[[Sequence[str]], int]] = {
    "setup": setup,
    "frameworks": frameworks,
    "azure": azure,
    "online": online,
    "run": run,
    "test": test,
    "lint": lint,
    "validate": validate,
    "lock": lock,
    "amlops": amlops,
    "watch": watch,
}


def main(words: Sequence[str]) -> int:
    if not words or words[0] in {"-h", "--help"}:
        print(__doc__)
        return 0 if words else 2
    if words[0] not in TASKS:
        print(f"task: '{words[0]}' is not one of {', '.join(TASKS)}; for example: tasks.py test", file=sys.stderr)
        return 2
    try:
        return TASKS[words[0]](words[1:])
    except EnvironmentFault as fault:
        print(f"setup: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
