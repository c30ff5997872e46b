"""register: the model folder as a new version in the model registry, with metrics and tags.

python -m register.main --model DIR --metrics DIR --model-name NAME --registration DIR
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from image_scoring.model_folder import Card, read_card
from image_scoring.steps import StepError, new_folder, run_step

from .content import HASH, content_hash
from .registry import register

WORKLOAD = "image-scoring"


def main(argv: Sequence[str]) -> None:
    """Run the step."""
    options = _parser().parse_args(argv)
    card = read_card(options.model)
    metrics = read_metrics(options.metrics)
    folder = new_folder(options.registration)
    commit = git_commit(Path.cwd())
    tags = model_tags(card, metrics, commit)
    properties = {**model_properties(metrics), **model_origin(options.model, commit)}
    description = f"{len(card.labels)} labels, {card.size} pixels, trained on {card.training['images']} images"
    registered = register(options.model_name, options.model, tags, properties, description)
    content = {"name": registered.name, "version": registered.version, "tags": tags}
    (folder / "registration.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"registered: {registered.name}:{registered.version}")


def read_metrics(folder: Path) -> dict[str, Any]:
    """Read the metrics.json that evaluate wrote.

    Raises:
        StepError: it is missing.
    """
    path = folder / "metrics.json"
    if not path.is_file():
        raise StepError(f"metrics: '{folder}' has no metrics.json; give the folder that the evaluate step wrote")
    return json.loads(path.read_text(encoding="utf-8"))


def model_tags(card: Card, metrics: dict[str, Any], commit: str | None) -> dict[str, str]:
    """What people search models by: accuracy, data fingerprint, workload, framework, and the commit if there is one."""
    tags = {
        "workload": WORKLOAD,
        "framework": card.framework,
        "accuracy": f"{metrics['accuracy']:.4f}",
        "data_fingerprint": card.training["fingerprint"],
    }
    return {**tags, "git_commit": commit} if commit else tags


def model_properties(metrics: dict[str, Any]) -> dict[str, str]:
    """The test metrics. Properties of a model cannot be changed later, unlike tags."""
    return {
        "accuracy": str(metrics["accuracy"]),
        "macro_f1": str(metrics["macro_f1"]),
        "test_images": str(metrics["images"]),
    }


def model_origin(folder: Path, commit: str | None) -> dict[str, str]:
    """The hash by which a copy of the model is checked (docs/promotion.md), and the job and commit it is from."""
    job = os.environ.get("AMLOPS_JOB_NAME") or os.environ.get("AZUREML_ROOT_RUN_ID") or os.environ.get("AZUREML_RUN_ID")
    known = {HASH: content_hash(folder), "job_name": job, "git_commit": commit}
    return {key: value for key, value in known.items() if value}


def git_commit(folder: Path) -> str | None:
    """The commit of the code in `folder`, with "-dirty" when its files differ from it.

    None where the folder's files are in no repository, as in an Azure ML job, which gets a copy of them.
    """
    if not _git(folder, "ls-files"):
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    return f"{commit}-dirty" if commit and _git(folder, "status", "--porcelain", ".") else commit


def _git(folder: Path, *words: str) -> str | None:
    """What git says in the folder; None where there is no git, no repository or no commit."""
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, check=False, encoding="utf-8")
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="register", description="Register the model with metrics and tags.")
    parser.add_argument("--model", type=Path, required=True, help="folder that train wrote")
    parser.add_argument("--metrics", type=Path, required=True, help="folder that evaluate wrote")
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--registration", type=Path, required=True, help="new folder for registration.json")
    return parser


if __name__ == "__main__":
    sys.exit(run_step("register", main))
