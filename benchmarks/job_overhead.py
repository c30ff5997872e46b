"""What the local runner costs beside the steps' own processes.

    python benchmarks/job_overhead.py

A chain of steps that do nothing. Overhead per step = (duration of the job − the steps' processes) / steps; start-up is
the time of the whole command less the job. MLflow's tables are in the cache, as after the first job on a machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STEPS = 20
RUNS = 3


def write_project(root: Path) -> Path:
    """A pipeline in which each step waits for the one before."""
    (root / ".cloud" / "environments").mkdir(parents=True)
    (root / ".cloud" / "environments" / "local.yml").write_text("environment: local\n", encoding="utf-8")
    (root / "main.py").write_text("", encoding="utf-8")
    lines = ["type: pipeline", "experiment_name: overhead", "jobs:"]
    for number in range(STEPS):
        lines += [f"  s{number}:", "    type: command", "    code: .", "    environment: azureml:none@latest"]
        lines += ["    outputs: {out: {type: uri_folder}}"]
        if number:
            lines += ["    command: python main.py ${{inputs.before}} ${{outputs.out}}"]
            lines += [f"    inputs: {{before: '${{{{parent.jobs.s{number - 1}.outputs.out}}}}'}}"]
        else:
            lines += ["    command: python main.py ${{outputs.out}}"]
    file = root / "chain.yml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def run(file: Path) -> tuple[float, dict]:
    """Seconds of the whole command, and the job's record."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "amlops", "job", "create", "-f", str(file)]
    done = subprocess.run(command, cwd=file.parent, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started, json.loads(done.stdout)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = write_project(Path(folder))
        run(file)
        print(f"{STEPS} steps one after the other, that do nothing")
        print(f"{'command s':>10} {'job s':>8} {'processes s':>12} {'overhead per step ms':>22} {'start-up s':>11}")
        for _ in range(RUNS):
            seconds, record = run(file)
            processes = sum(step["duration_s"] for step in record["steps"].values())
            overhead = (record["duration_s"] - processes) / STEPS * 1000
            start_up = seconds - record["duration_s"]
            print(
                f"{seconds:>10.2f} {record['duration_s']:>8.2f} {processes:>12.2f} {overhead:>22.1f} {start_up:>11.2f}"
            )


if __name__ == "__main__":
    main()
