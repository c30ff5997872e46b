"""The whole way on this machine: train and register a model, deploy it, score images, write a report.

    python pipelines/image-scoring/run.py
    python pipelines/image-scoring/run.py --images FOLDER                   train on your own labelled images
    python pipelines/image-scoring/run.py --score FOLDER --labels FILE      score other images

Each step is shown with the `amlops` command that does it alone. Exit codes: 0 done, 1 a file or an argument is wrong or
the accuracy is too low, 2 usage, 3 a job failed.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amlops.errors import AmlopsError, shown
from amlops.workspace import Workspace, connect
from rich.console import Console

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "code" / "image-scoring"))

from image_scoring.predictions import Comparison, compare, read_labels, read_predictions  # noqa: E402
from image_scoring.steps import StepError  # noqa: E402
from report.main import write_report  # noqa: E402

PIPELINE = PROJECT / "pipelines" / "image-scoring" / "train.yml"
ENDPOINT = PROJECT / ".cloud" / "endpoints" / "image-scoring"
BUILD = PROJECT / "build" / "image-scoring"
SHOWN_INPUTS = ("min_accuracy", "test_fraction", "score_fraction", "hidden_units", "epochs", "learning_rate", "seed")

console = Console(highlight=False, markup=False, soft_wrap=True)


@dataclass(frozen=True)
class Scored:
    """A folder of images that the endpoint has scored.

    Attributes:
        images: the folder.
        labels: CSV with the true labels.
        job: record of the scoring job.
        comparison: predictions beside the true labels.
    """

    images: Path
    labels: Path
    job: dict[str, Any]
    comparison: Comparison

    @property
    def predictions(self) -> Path:
        """predictions.csv."""
        return Path(self.job["output_file"])


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; returns the exit code."""
    options = _options(argv)
    try:
        return _run(options)
    except AmlopsError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except StepError as error:
        print(error, file=sys.stderr)
        return 1


def _run(options: argparse.Namespace) -> int:
    workspace = connect("local", PROJECT)
    training = _train(workspace, options)
    registration = json.loads((Path(training["outputs"]["registration"]) / "registration.json").read_text("utf-8"))
    _deploy(workspace)
    scored = _score(workspace, training, options)
    _report(training, registration, scored, options.report)
    return _summary(training, registration, scored, options.report)


def _train(workspace: Workspace, options: argparse.Namespace) -> dict[str, Any]:
    sets = []
    if options.images:
        sets.append(f"inputs.images={json.dumps(str(options.images.resolve()))}")  # quoted: the values are YAML
    if options.score:  # then no image needs to be kept back for scoring
        sets.append("inputs.score_fraction=0")
    words = "".join(f" --set {shlex.quote(entry)}" for entry in sets)
    _heading("Train, test and register a model", f"amlops job create -f {shown(PIPELINE)}{words}")
    return workspace.jobs.create(PIPELINE, sets=sets)


def _deploy(workspace: Workspace) -> None:
    endpoint, deployment = ENDPOINT / "endpoint.yml", ENDPOINT / "deployment.yml"
    _heading("Batch endpoint and its deployment", f"amlops batch-endpoint create -f {shown(endpoint)}")
    workspace.batch_endpoints.create(endpoint)
    console.print(f"  $ amlops batch-deployment create -f {shown(deployment)} --set-default", style="dim")
    workspace.batch_deployments.create(deployment, set_default=True)


def _score(workspace: Workspace, training: dict[str, Any], options: argparse.Namespace) -> Scored:
    images = options.score or Path(training["outputs"]["score_images"])
    labels = options.labels or Path(training["outputs"]["score_labels"]) / "labels.csv"
    name = ENDPOINT.name
    _heading("Score images", f"amlops batch-endpoint invoke --name {name} --input {shown(images)}")
    job = workspace.batch_endpoints.invoke(name, input=str(images))
    comparison = compare(read_predictions(Path(job["output_file"])), read_labels(labels))
    return Scored(images, labels, job, comparison)


def _report(training: dict[str, Any], registration: dict[str, Any], scored: Scored, report: Path) -> None:
    facts = BUILD / "facts.json"
    facts.parent.mkdir(parents=True, exist_ok=True)
    content = _facts(training, registration, scored)
    facts.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    write_report(report, scored.predictions, scored.labels, scored.images, content)


def _facts(training: dict[str, Any], registration: dict[str, Any], scored: Scored) -> dict[str, Any]:
    """What the report says about the run (see `report.results.Results.facts`)."""
    metrics = json.loads((Path(training["outputs"]["metrics"]) / "metrics.json").read_text("utf-8"))
    seconds, items = scored.job["seconds"], scored.job["items"]
    steps = [{"name": name, "seconds": step["duration_s"]} for name, step in training["steps"].items()]
    return {
        "created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "model": registration,
        "parameters": {name: training["inputs"][name] for name in SHOWN_INPUTS},
        "steps": [*steps, {"name": "score (batch endpoint)", "seconds": seconds["total"]}],
        "scoring": {
            "workers": scored.job["workers"],
            "seconds": seconds["total"],
            "images_per_second_and_core": items["total"] / seconds["run"] if seconds["run"] else 0,
        },
        "test": {"accuracy": metrics["accuracy"], "images": metrics["images"]},
        "files": {"predictions": shown(scored.predictions), "labels": shown(scored.labels)},
    }


def _summary(training: dict[str, Any], registration: dict[str, Any], scored: Scored, report: Path) -> int:
    """Say how good it was and where everything lies; returns 1 when it was not good enough."""
    comparison, items = scored.comparison, scored.job["items"]
    wanted = training["inputs"]["min_accuracy"]
    good = comparison.accuracy >= wanted
    console.print()
    console.print(
        f"Accuracy {comparison.accuracy:.4f}: {len(comparison.right)} of {comparison.compared} images right, "
        f"{items['failed']} failed items",
        style="bold green" if good else "bold red",
    )
    logs = Path(next(iter(training["steps"].values()))["log"]).parent
    for name, value in (
        ("model", f"{registration['name']}:{registration['version']}"),
        ("predictions", shown(scored.predictions)),
        ("report", shown(report)),
        ("training logs", shown(logs)),
        ("scoring logs", shown(logs.parents[1] / scored.job["name"] / "logs")),
    ):
        console.print(f"  {name:<14} {value}")
    if not good:
        print(f"run: accuracy {comparison.accuracy:.4f} is below min_accuracy {wanted}", file=sys.stderr)
    return 0 if good else 1


def _heading(title: str, command: str) -> None:
    console.print()
    console.print(title, style="bold")
    console.print(f"  $ {command}", style="dim")


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train, deploy and score on this machine, and write a report.")
    parser.add_argument("--images", type=Path, metavar="FOLDER", help="images to train on, one sub-folder per label")
    parser.add_argument("--score", type=Path, metavar="FOLDER", help="images to score; needs --labels")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="CSV with the columns file,label; needs --score")
    parser.add_argument("--report", type=Path, metavar="FILE", default=BUILD / "report.html", help="HTML file to write")
    options = parser.parse_args(argv)
    if bool(options.score) != bool(options.labels):
        parser.error("--score and --labels go together, for example --score scans/ --labels scans.csv")
    for name, path, there in (
        ("--images", options.images, Path.is_dir),
        ("--score", options.score, Path.is_dir),
        ("--labels", options.labels, Path.is_file),
    ):
        if path is not None and not there(path):
            parser.error(f"{name}: '{path}' is not a {'folder' if there is Path.is_dir else 'file'}")
    return options


if __name__ == "__main__":
    sys.exit(main())
