"""The engine of parallel jobs without an endpoint: files, a script, workers."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amlops.local.parallel.inputs import BatchInput
from amlops.local.parallel.minibatches import MiniBatch
from amlops.local.parallel.outcome import Failure, MiniBatchResult, Outcome, Rules
from amlops.local.parallel.processes import WorkerSpec
from amlops.local.parallel.scheduler import Scheduler

# What a file says is what happens to it; each call leaves a line in the file that TRACE names.
SCRIPT = """\
import json, os, signal, sys, time
from pathlib import Path

def trace(**fields):
    with open(os.environ["TRACE"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"pid": os.getpid(), **fields}) + "\\n")

def init():
    trace(call="init", cwd=os.getcwd(), argv=sys.argv, gpu=os.environ.get("CUDA_VISIBLE_DEVICES"))

def run(mini_batch):
    trace(call="run", items=[Path(item).name for item in mini_batch])
    rows = []
    for item in mini_batch:
        text = Path(item).read_text(encoding="utf-8")
        if text == "raise":
            raise ValueError(f"cannot read {Path(item).name}")
        if text == "hang":
            time.sleep(60)
        if text == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if text == "segv":
            os.kill(os.getpid(), signal.SIGSEGV)
        if text == "memory":
            rows.append(bytearray(8 << 30))
        if text == "stop":
            breakpoint()
        if text == "more":
            rows.append("more")
        if text != "skip":
            rows.append(f"{Path(item).name} {text}")
    return rows

def shutdown():
    trace(call="shutdown")
"""


@dataclass
class Engine:
    """A folder, a script, and what happened the last time it was run."""

    root: Path
    script: str = SCRIPT
    options: dict[str, Any] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    results: list[MiniBatchResult] = field(default_factory=list)

    def files(self, items: dict[str, str]) -> BatchInput:
        """Write items: file name -> what shall happen to it."""
        folder = self.root / "input"
        for name, text in items.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        return BatchInput(folder, folder, "uri_folder")

    @property
    def spec(self) -> WorkerSpec:
        """What workers are started with."""
        code = self.root / "code"
        for name in ("code", "work", "parts", "out"):
            (self.root / name).mkdir(exist_ok=True)
        (code / "driver.py").write_text(self.script, encoding="utf-8")
        known: dict[str, Any] = {
            "script": code / "driver.py",
            "search_path": [code],
            "environment": {"TRACE": str(self.root / "trace.jsonl"), "PYTHONUNBUFFERED": "1"},
            "append_row": True,
            "logging_level": "info",
            "logs": self.root / "logs",
            "work": self.root / "work",
            "parts": self.root / "parts",
            "output": self.root / "out",
        }
        return WorkerSpec(**{**known, **self.options})

    def run(
        self, batches: Sequence[MiniBatch] | dict[str, str], *, workers: int = 0, size: int = 1, **rules: Any
    ) -> Outcome:
        """Run the engine; without workers in this process."""
        if isinstance(batches, dict):
            batches = self.files(batches).mini_batches(size)
        nodes = ["node0"] * workers
        known: dict[str, Any] = {"nodes": nodes, "attempts": 1, "timeout": 30.0}
        return Scheduler(
            batches,
            self.spec,
            Rules(**{**known, **rules}),
            lambda _, result: self.results.append(result),
            self.failures.append,
        ).run()

    def text(self, outcome: Outcome) -> str:
        """The parts that count, joined."""
        return "".join(result.part.read_text(encoding="utf-8") for result in outcome.results if result.part)

    def trace(self, call: str) -> list[dict[str, Any]]:
        """What the script has left behind."""
        file = self.root / "trace.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [entry for entry in map(json.loads, lines) if entry["call"] == call]

    def log(self, *parts: str) -> str:
        """The text of a log file."""
        return self.root.joinpath("logs", *parts).read_text(encoding="utf-8")


def read_typed(result: MiniBatchResult) -> dict[str, Any]:
    """The typed rows of a mini-batch."""
    assert result.rows is not None
    return json.loads(result.rows.read_text(encoding="utf-8"))


def own_variables() -> dict[str, str]:
    """This process' environment, to see that it is left as it was."""
    return dict(os.environ)
