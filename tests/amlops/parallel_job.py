"""A parallel job in a plain folder, without endpoint and project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlops.local.parallel.inputs import BatchInput
from amlops.local.parallel.plan import ParallelPlan
from amlops.local.parallel.settings import ParallelSettings

# What a file says is what happens to it. Each call of run() leaves a line in the file that TRACE names.
SCRIPT = """\
import os, time
from pathlib import Path

def init():
    pass

def run(mini_batch):
    with open(os.environ["TRACE"], "a", encoding="utf-8") as file:
        file.write("".join(f"{os.getpid()} {Path(item).name}\\n" for item in mini_batch))
    rows = []
    for item in mini_batch:
        text = Path(item).read_text(encoding="utf-8")
        if text.startswith("sleep"):
            time.sleep(float(text.split()[1]))
        if text == "raise":
            raise ValueError(f"cannot read {Path(item).name}")
        if text != "skip":
            rows.append(f"{Path(item).name} {text}")
    return rows
"""


@dataclass(frozen=True)
class ParallelJob:
    """The files of one job, below `root`."""

    root: Path

    @property
    def folder(self) -> Path:
        """The job's folder."""
        return self.root / "job"

    def plan(self, items: dict[str, str], *, script: str = SCRIPT, workers: int = 2, **settings: Any) -> ParallelPlan:
        """Write the input and the script; a plan for them."""
        for name, text in items.items():
            file = self.root / "in" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        code = self.root / "code"
        code.mkdir(parents=True, exist_ok=True)
        (code / "score.py").write_text(script, encoding="utf-8")
        values: dict[str, Any] = {
            "instance_count": 1,
            "max_concurrency_per_instance": workers,
            "mini_batch_size": 2,
            "output_action": "append_row",
            "output_file_name": "predictions.csv",
            "max_retries": 1,
            "timeout": 30,
            "error_threshold": -1,
            "logging_level": "info",
            "environment_variables": {"TRACE": str(self.root / "trace.txt")},
        }
        return ParallelPlan(
            name="scores",
            source=BatchInput(self.root / "in", self.root / "in", "uri_folder"),
            settings=ParallelSettings(**{**values, **settings}),
            code=code,
            script=code / "score.py",
            nodes=["node0"] * workers,
            cores=2,
            output=self.root / "out",
            output_file=self.root / "out" / "predictions.csv",
        )

    def start(self) -> subprocess.Popen[str]:
        """The job as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "amlops.local.parallel", str(self.folder)],
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=os.name != "nt",
        )

    def run(self) -> tuple[int, str]:
        """Run it to its end: exit code and what it said."""
        process = self.start()
        said = process.communicate(timeout=120)[1]
        return process.returncode, said

    @property
    def rows(self) -> list[str]:
        """The predictions."""
        return (self.root / "out" / "predictions.csv").read_text(encoding="utf-8").splitlines()

    @property
    def result(self) -> dict[str, Any]:
        """How the last start ended."""
        return json.loads((self.folder / "result.json").read_text(encoding="utf-8"))

    @property
    def lines(self) -> list[str]:
        """A line for each item that run() was given: process and item."""
        file = self.root / "trace.txt"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    @property
    def calls(self) -> list[str]:
        """The items that run() was given, in order of time."""
        return [line.split()[1] for line in self.lines]
