"""The benchmark runs, and checks itself that all ways of scoring agree. Its figures are not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from workload_support import ROOT

pytestmark = pytest.mark.slow


def test_the_benchmark_runs_and_its_ways_of_scoring_agree(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "image_scoring.py"),
        "--quick",
        f"--output={tmp_path / 'r.json'}",
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (case,) = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["cases"].values()
    ways = {f"{framework}{way}" for framework in ("", "PyTorch ", "Keras ") for way in ("driver", "per-image loop")}
    assert ways <= set(case["images_per_second_and_core"])
    assert "driver" in done.stdout
