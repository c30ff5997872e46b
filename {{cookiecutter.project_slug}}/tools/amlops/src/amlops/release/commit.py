"""The commit that is released."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from amlops.errors import UserError

_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_LENGTH = 12


def full(root: Path, given: str | None) -> str:
    """`given`, or what is checked out at `root`. Raises UserError for what is no commit, or where there is none."""
    if given is not None:
        if not _COMMIT.fullmatch(given):
            raise UserError(f"--commit: '{given}' must be 7 to 40 hexadecimal digits; for example 1a2b3c4d5e6f")
        return given
    git = shutil.which("git")
    if git is None:
        raise UserError("git: is not on PATH; name the commit, for example --commit 1a2b3c4d5e6f")
    done = subprocess.run([git, "rev-parse", "HEAD"], cwd=root, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise UserError("git: there is no commit to release; for example git commit -am 'first version'")
    return done.stdout.strip()


def short(commit: str) -> str:
    """As it stands in names of jobs and deployments: at most 12 characters."""
    return commit[:_LENGTH]
