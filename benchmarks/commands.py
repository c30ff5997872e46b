"""How long the commands take that people wait for: wall seconds of whole processes, and their memory.

    python benchmarks/commands.py [--runs 5] [--output FILE]

A project is made with the default answers first. Needs the packages of the tests (`.tools/envs/tests`).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def make_project(folder: Path) -> Path:
    """A project with the default answers."""
    settings = folder / "cookiecutter.yaml"
    paths = (f'{key}: "{(folder / key).as_posix()}"\n' for key in ("cookiecutters_dir", "replay_dir"))
    settings.write_text("".join(paths), encoding="utf-8")
    command = [sys.executable, "-m", "cookiecutter", str(ROOT), "--no-input", "--output-dir", str(folder)]
    variables = {**os.environ, "COOKIECUTTER_CONFIG": str(settings)}
    subprocess.run(command, check=True, capture_output=True, env=variables)
    return folder / "digit-scoring"


def measure(command: list[str], folder: Path, runs: int) -> dict[str, float]:
    """Minimum and median wall seconds over `runs`, after one that warms caches; the largest resident memory in MB.

    Raises CalledProcessError when a run fails: the time of a failure means nothing.
    """
    seconds: list[float] = []
    memory = 0
    for run in range(runs + 1):
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code:
            raise subprocess.CalledProcessError(code, command)
        if run:
            seconds.append(time.perf_counter() - start)
            memory = max(memory, used.ru_maxrss // 1024)
    return {"minimum_s": min(seconds), "median_s": statistics.median(seconds), "memory_mb": memory}


def measure_all(runs: int) -> dict[str, dict[str, float]]:
    """All commands, by name."""
    amlops, amlplatform = ([sys.executable, "-m", name] for name in ("amlops", "amlplatform"))
    request = ".cloud/request.yaml"
    commands = {
        "amlops --help": [*amlops, "--help"],
        "amlops job list": [*amlops, "job", "list"],
        "amlops validate": [*amlops, "validate"],
        "amlplatform check": [*amlplatform, "check", request],
        "amlplatform plan, one environment": [*amlplatform, "plan", request, "--environment", "prod"],
        "amlplatform plan, both": [*amlplatform, "plan", request],
        "amlplatform plan, both, HTML": [*amlplatform, "plan", request, "--html", "plan.html"],
    }
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder))
        return {name: measure(command, project, runs) for name, command in commands.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="runs that count, after one that does not")
    parser.add_argument("--output", type=Path, help="also write the figures as JSON")
    options = parser.parse_args()
    figures = measure_all(options.runs)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(machine)
    for name, row in figures.items():
        print(f"{name:<36} {row['minimum_s']:6.2f} s  median {row['median_s']:6.2f} s  {row['memory_mb']:5.0f} MB")
    if options.output:
        document: dict[str, Any] = {"machine": machine, "commands": figures}
        options.output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
