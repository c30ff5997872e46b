"""evaluate: the model on images it has not seen; ends with exit code 1 when it is not good enough.

python -m evaluate.main --model DIR --test-images DIR --metrics DIR [--min-accuracy 0.95]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from image_scoring import tracking
from image_scoring.images import decode
from image_scoring.labelled import labelled_files
from image_scoring.model_folder import Model, find_model_folder, load_model
from image_scoring.predictions import TestPrediction, write_test_predictions
from image_scoring.steps import StepError, new_folder, run_step

from .metrics import classification_metrics


def main(argv: Sequence[str]) -> None:
    """Run the step."""
    options = _parser().parse_args(argv)
    if not 0 <= options.min_accuracy <= 1:
        raise StepError(f"min_accuracy: {options.min_accuracy} must lie between 0 and 1, for example 0.95")
    metrics, predictions = evaluate(load_model(find_model_folder(options.model)), options.test_images)
    path = new_folder(options.metrics) / "metrics.json"
    write_test_predictions(options.metrics / "predictions.csv", predictions)
    path.write_text(json.dumps(metrics, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    tracking.log(
        parameters={"min_accuracy": options.min_accuracy},
        metrics={"accuracy": metrics["accuracy"], "macro_f1": metrics["macro_f1"], "test_images": metrics["images"]},
    )
    print(f"accuracy: {metrics['accuracy']:.4f} on {metrics['images']} images that the model has not seen")
    if metrics["accuracy"] < options.min_accuracy:
        raise StepError(
            f"accuracy {metrics['accuracy']:.4f} is below min_accuracy {options.min_accuracy}; "
            f"the metrics are in '{path}'"
        )


def evaluate(model: Model, images: Path) -> tuple[dict[str, Any], list[TestPrediction]]:
    """Metrics of the model on a folder of labelled images, and what it said about each of them.

    Returns:
        The keys of `classification_metrics`, and `skipped`; one prediction per readable image.

    Raises:
        StepError: no readable image, or a label that the model does not know.
    """
    files = labelled_files(images, "test_images")
    label_of = {path: label for label, path in files}
    unknown = sorted(set(label_of.values()) - set(model.card.labels))
    if unknown:
        raise StepError(
            f"test_images: label '{unknown[0]}' is unknown to the model; it knows {', '.join(model.card.labels)}"
        )
    decoded = decode(list(label_of), model.card.size)
    if not decoded.paths:
        raise StepError(f"test_images: no readable image in '{images}'")
    probabilities = model.probabilities(decoded.pixels)
    predictions = [
        TestPrediction(path.relative_to(images).as_posix(), label_of[path], model.card.labels[best], float(row[best]))
        for path, row, best in zip(decoded.paths, probabilities, probabilities.argmax(axis=1), strict=True)
    ]
    true, predicted = [row.true_label for row in predictions], [row.label for row in predictions]
    metrics = classification_metrics(model.card.labels, true, predicted)
    return {**metrics, "skipped": len(decoded.failed)}, predictions


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="evaluate", description="Evaluate the model on images it has not seen.")
    parser.add_argument("--model", type=Path, required=True, help="folder that train wrote")
    parser.add_argument("--test-images", type=Path, required=True, help="folder with one sub-folder per label")
    parser.add_argument("--metrics", type=Path, required=True, help="new folder for metrics.json and predictions.csv")
    parser.add_argument("--min-accuracy", type=float, default=0.95, help="0 to 1; below it the step fails")
    return parser


if __name__ == "__main__":
    sys.exit(run_step("evaluate", main))
