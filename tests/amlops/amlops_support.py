"""What the tests of amlops share: small projects in temporary folders, and the command line as a real process."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from amlops.cli import main

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "{{cookiecutter.project_slug}}"
TOOL = PROJECT / "tools" / "amlops"

LOCAL_YML = "environment: local\nlimits: {nodes: 2, cores: 4}\n"


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What the command printed."""
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """The one line on stderr; fails when there are more, or a traceback."""
        assert "Traceback" not in self.err, self.err
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


@dataclass(frozen=True)
class SmallProject:
    """A project with the files that a test writes."""

    root: Path
    cache: Path

    def write(self, path: str, text: str) -> Path:
        """Write a file below the root."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def environment(self, **variables: str) -> dict[str, str]:
        """Variables for a process: ours, without what the machine's own environment says about amlops or MLflow."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AMLOPS_", "MLFLOW_"))}
        return {**kept, "AMLOPS_CACHE": str(self.cache), **variables}

    def start(
        self, *words: str, cwd: Path | None = None, stdin: int = subprocess.DEVNULL, **variables: str
    ) -> subprocess.Popen[str]:
        """Start `amlops WORDS`; `stdin` is a file descriptor, by default of an empty file."""
        return subprocess.Popen(
            [sys.executable, "-m", "amlops", *words],
            cwd=cwd or self.root,
            env=self.environment(**variables),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def call(self, *words: str) -> Result:
        """Run `amlops WORDS` in this process: quicker, for commands that are refused before they start anything."""
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(self.root),
            mock.patch.dict(os.environ, self.environment(), clear=True),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main(words)
        return Result(code, out.getvalue(), err.getvalue())

    def run(self, *words: str, cwd: Path | None = None, stdin: int = subprocess.DEVNULL, **variables: str) -> Result:
        """Run `amlops WORDS` to its end."""
        process = self.start(*words, cwd=cwd, stdin=stdin, **variables)
        out, err = process.communicate(timeout=120)
        return Result(process.returncode, out, err)
