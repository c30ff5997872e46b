"""The script for a real subscription goes its whole way against the offline Azure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from engine_support import ROOT, TIMEOUT_S

SCRIPT = ROOT / "tools" / "live.py"


@pytest.mark.engine
def test_an_environment_is_made_changed_taken_down_and_made_again(pulumi_cli: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--offline", "--output", str(tmp_path / "live")],
        env={**os.environ, "PATH": os.pathsep.join([str(pulumi_cli.parent), os.environ["PATH"]])},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    report = tmp_path / "live" / "report.md"
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    text = report.read_text(encoding="utf-8")
    assert "**not so**" not in text
    for shown in ("in one go", "finds nothing to change", "update in place", "made again the same day"):
        assert shown in text


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--subscription", "s"], "--group is missing; or try --offline first"),
        (
            ["--subscription", "s", "--group", "g", "--email", "a@example.com"],
            "this costs money, up to 20 USD; say --yes",
        ),
    ],
)
def test_nothing_is_made_in_azure_without_being_asked(words: list[str], expected: str) -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert expected in done.stderr
