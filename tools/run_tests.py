"""Lint, types and tests of the template, in an environment of their own.

python3 tools/run_tests.py            everything, what CI runs (`make test`)
python3 tools/run_tests.py --fast     without the tests marked slow or engine (`make check`)
python3 tools/run_tests.py PATH…      pytest on these paths only
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from envs import ROOT, environment, tests_python


def pulumi_cli() -> bool:
    """Have the Pulumi CLI, which the engine's tests need. A laptop may do without: they skip there and say so."""
    built = subprocess.run([sys.executable, str(ROOT / "tools" / "pulumi" / "build.py")], check=False).returncode == 0
    return built or not os.environ.get("CI")


def azurite() -> bool:
    """Have Azurite, to which uploads go in the tests. A laptop may do without Node.js: they skip there and say so."""
    built = subprocess.run([sys.executable, str(ROOT / "tools" / "azurite" / "build.py")], check=False).returncode == 0
    return built or not os.environ.get("CI")


class Stage:
    """One check, from the making of this object on. `aside`: it says what it has to say when it is waited for."""

    def __init__(self, title: str, command: list[str], *, aside: bool = False) -> None:
        self.title, self._start = title, time.monotonic()
        if not aside:
            print(f"\n== {title}", flush=True)
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
            stdout=subprocess.PIPE if aside else None,
            stderr=subprocess.STDOUT if aside else None,
            text=True,
        )

    def passed(self) -> bool:
        """Wait for its end; whether it passed."""
        output, _ = self._process.communicate()
        if output:
            print(f"\n== {self.title}\n{output}", end="")
        code, seconds = self._process.returncode, time.monotonic() - self._start
        print(
            f"== {self.title}: {'passed' if code == 0 else f'failed (exit code {code})'} in {seconds:.1f} s", flush=True
        )
        return code == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="leave out the tests marked slow or engine")
    parser.add_argument("paths", nargs="*", help="only these tests")
    options = parser.parse_args()
    try:
        python = str(tests_python())
    except environment.EnvironmentFault as error:
        print(f"tests: {error}", file=sys.stderr)
        return 1
    if not options.fast and not pulumi_cli():
        print("tests: CI is set, and the Pulumi CLI could not be built (its reason stands above)", file=sys.stderr)
        return 1
    if not options.fast and not azurite():
        print("tests: CI is set, and Azurite could not be installed (its reason stands above)", file=sys.stderr)
        return 1
    pytest = [python, "-m", "pytest", *options.paths]
    if not options.paths:
        # A file stays in one process: its fixtures are made once.
        pytest += ["-n", "auto", "--dist", "loadfile"]
    if options.fast:
        pytest += ["-m", "not slow and not engine"]
    stages = {
        "ruff check": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "basedpyright": [python, "-m", "basedpyright", "--pythonpath", python],
        "pytest": pytest,
    }
    if options.paths:
        stages = {"pytest": pytest}
    # Every stage runs, so that one call shows all there is to mend. Types are checked beside the others, on one core.
    types = [Stage(title, stages.pop(title), aside=True) for title in ("basedpyright",) if title in stages]
    passed = {title: Stage(title, command).passed() for title, command in stages.items()}
    passed |= {stage.title: stage.passed() for stage in types}
    print("\n" + "\n".join(f"{title}: {'passed' if good else 'FAILED'}" for title, good in passed.items()))
    return 0 if all(passed.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
