"""`make demo`, as a newcomer runs it, and once more."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "tools" / "demo.py"
# Nobody who wants to look at a demo should have to install these.
HEAVY = ("azure/ai/ml", "torch", "tensorflow", "keras", "ruff", "pytest", "basedpyright", "hypothesis")

pytestmark = pytest.mark.slow


def run_demo(output: Path) -> str:
    command = [sys.executable, str(DEMO), "--output", str(output)]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=600, check=False, cwd=ROOT, env=environment()
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return result.stdout


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in {"VIRTUAL_ENV", "AMLOPS_ENV", "VENV"}}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    output = tmp_path_factory.mktemp("demo of a newcomer")
    return output, run_demo(output)


def test_scores_more_than_500_images_at_95_percent_and_says_where_everything_lies(demo: tuple[Path, str]) -> None:
    output, text = demo
    accuracy = re.search(r"[Aa]ccuracy ([\d.]+): (\d+) of (\d+)", text)
    assert accuracy, text
    assert float(accuracy[1]) >= 0.95
    assert int(accuracy[3]) >= 500
    project = output / "digit-scoring"
    predictions = next(project.glob(".amlops/jobs/*/outputs/score/predictions.csv"))
    with predictions.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.reader(file, delimiter=" "))) == int(accuracy[3])
    for path in (project / "build" / "image-scoring" / "report.html", output / "plan.html"):
        assert str(path) in text
        assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_brings_both_environments_up_with_the_real_engine(demo: tuple[Path, str]) -> None:
    _, text = demo
    if "make pulumi" in text:
        assert not os.environ.get("CI"), "CI must have the Pulumi CLI"
        pytest.skip("no Pulumi CLI: `make pulumi` builds it")
    created = [int(count) for count in re.findall(r"\+ (\d+) created", text)]
    assert len(created) == 2
    assert min(created) > 40


def test_installs_nothing_heavy(demo: tuple[Path, str]) -> None:
    output, _ = demo
    environments = [
        output / "digit-scoring" / ".venv",
        *(ROOT / ".tools" / "envs" / name for name in ("cookiecutter", "infra")),
    ]
    for folder in environments:
        packages = next(folder.glob("[Ll]ib*/**/site-packages"))
        assert [name for name in HEAVY if (packages / name).exists()] == []


def test_runs_a_second_time(demo: tuple[Path, str]) -> None:
    output, _ = demo
    text = run_demo(output)
    assert "Look at" in text


def test_does_not_empty_a_folder_of_somebody_else(tmp_path: Path) -> None:
    mine = tmp_path / "thesis.txt"
    mine.write_text("years of work", encoding="utf-8")
    command = [sys.executable, str(DEMO), "--output", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert str(tmp_path) in result.stderr
    assert mine.read_text(encoding="utf-8") == "years of work"
