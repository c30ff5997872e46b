"""A live project of the tests, and the commands that run in it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from amlplatform.cli import app
from amlplatform.cloud.state import CloudState

ROOT = Path(__file__).resolve().parents[2]
REQUEST = ROOT / "infra" / "requests" / "digit-scoring.yaml"
PRODUCT = "digit-scoring"
"""The product of the example request."""
BUILT_CLI = ROOT / ".tools" / "bin" / ("pulumi.exe" if os.name == "nt" else "pulumi")
TIMEOUT_S = 300

Result = subprocess.CompletedProcess[str]


def find_cli() -> Path | None:
    """The Pulumi CLI that the tests use."""
    on_path = shutil.which("pulumi")
    return Path(on_path) if on_path else BUILT_CLI if BUILT_CLI.is_file() else None


def amlplatform(*arguments: str | Path, env: dict[str, str] | None = None) -> Result:
    """Run the program as a person does: `offline` in a process of its own, the rest in this one, which is faster."""
    words = [str(argument) for argument in arguments]
    if words[0] != "offline":
        return _in_this_process(words)
    return subprocess.run(
        [sys.executable, "-m", "amlplatform", *words],
        env={**os.environ, **(env or {}), "PATH": _path()},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        check=False,
    )


def _in_this_process(words: list[str]) -> Result:
    result = CliRunner().invoke(app, words)
    failure = result.exception
    fault = "" if failure is None or isinstance(failure, SystemExit) else "".join(traceback.format_exception(failure))
    return Result(words, result.exit_code, result.stdout, result.stderr + fault)


def _path() -> str:
    cli = find_cli()
    return os.pathsep.join([*([str(cli.parent)] if cli else []), os.environ["PATH"]])


@dataclass(frozen=True)
class LiveProject:
    """A live project in a folder of its own."""

    folder: Path

    @property
    def offline_folder(self) -> Path:
        return self.folder / ".offline"

    def offline(self, *command: str | Path) -> Result:
        return amlplatform("offline", "--project", self.folder, "--", *command)

    def pulumi(self, verb: str, stack: str, *options: str) -> Result:
        """A Pulumi command on one stack; without `--yes` where the command only looks."""
        yes = ["--yes"] if verb in ("up", "destroy", "refresh") else []
        return self.offline("pulumi", *verb.split(), "--stack", stack, *yes, "--color=never", *options)

    @contextlib.contextmanager
    def azure(self) -> Iterator[CloudState]:
        """The state of the offline Azure, for looking at it and for changing it behind Pulumi's back."""
        with contextlib.closing(CloudState(self.offline_folder / "azure.sqlite")) as state:
            yield state

    def ids(self, containing: str = "") -> set[str]:
        """The ids of all resources in the offline Azure."""
        with self.azure() as state:
            return {document["id"] for document in state.all() if containing in document["id"]}

    def checkpoint(self, stack: str) -> dict[str, Any]:
        """What Pulumi keeps about a stack."""
        result = self.offline("pulumi", "stack", "export", "--stack", stack)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def copied_to(self, folder: Path) -> LiveProject:
        """The same project, stacks and Azure in another place, for a test that changes them."""
        shutil.copytree(self.folder, folder)
        return LiveProject(folder)


@dataclass(frozen=True)
class BroughtUp:
    """A live project with both environments up, and what the commands said."""

    project: LiveProject
    previews: dict[str, Result]
    ups: dict[str, Result]


def counts(result: Result) -> dict[str, int]:
    """The numbers under "Resources:" of a Pulumi command, for example {"created": 3, "unchanged": 1}."""
    summary = result.stdout.rsplit("Resources:", 1)[-1]
    found = re.findall(r"^\s+(?:[-+~]+ )?(\d+) (to \w+|\w+)", summary, re.MULTILINE)
    return {words.removeprefix("to "): int(number) for number, words in found}


def explained(result: Result) -> str:
    """All that a command said: for the message of a failed assertion."""
    return f"exit code {result.returncode}\n{result.stdout}\n{result.stderr}"
