"""The batch driver keeps its speed. The benchmark also checks that all ways of scoring give the same labels."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from workload_support import ROOT


def test_images_per_second_and_core(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "image_scoring.py"),
        "--quick",
        f"--output={tmp_path / 'r.json'}",
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (case,) = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["cases"].values()
    rates = case["images_per_second_and_core"]
    assert rates["driver"] >= 5000
    assert rates["driver"] > rates["per-image loop"]
    assert "driver" in done.stdout
