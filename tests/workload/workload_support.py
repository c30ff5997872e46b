"""Where the workload lies, and a project made of its files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "{{cookiecutter.project_slug}}"
CODE = PROJECT / "code" / "image-scoring"
RUN = "pipelines/image-scoring/run.py"
NEEDED = (".cloud", "code/image-scoring", "pipelines/image-scoring", "tests/smoke")


@dataclass(frozen=True)
class Project:
    """The workload's files, as they stand in the template, in a folder of their own."""

    root: Path

    @classmethod
    def make(cls, root: Path) -> Project:
        """Copy the files to `root`."""
        for folder in NEEDED:
            shutil.copytree(PROJECT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
        return cls(root)

    @classmethod
    def rendered(cls, folder: Path) -> Project:
        """Make a project from the template below `folder`, with the default answers, as cookiecutter does."""
        from cookiecutter.main import cookiecutter

        settings = folder / "cookiecutter.yaml"
        lines = [f'{name}: "{(folder / name).as_posix()}"\n' for name in ("cookiecutters_dir", "replay_dir")]
        settings.write_text("".join(lines), encoding="utf-8")
        made = cookiecutter(str(ROOT), no_input=True, output_dir=str(folder), config_file=str(settings))
        return cls(Path(made))

    def python(self, *words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run Python in it, with these variables beside those of the tests."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("AMLOPS_", "MLFLOW_"))}
        command = [sys.executable, *(str(word) for word in words)]
        return subprocess.run(
            command, cwd=self.root, env=environment | variables, capture_output=True, encoding="utf-8", check=False
        )


def told(output: str) -> dict[str, str]:
    """The list at the end of what run.py prints (model, predictions, report, …), and the accuracy."""
    found = {}
    for line in output.splitlines():
        words = line.split()
        if line.startswith("  ") and words[0] != "$":
            found[" ".join(words[:-1])] = words[-1]
        elif line.startswith("Accuracy"):
            found["accuracy"] = words[1].rstrip(":")
            found["images"] = words[4]
    return found
