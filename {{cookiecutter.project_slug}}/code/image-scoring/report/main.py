"""report: predictions and true labels to one HTML page that needs nothing beside it.

    python -m report.main --predictions FILE --images DIR --labels FILE --report FILE [--facts FILE]

Not a step of the pipeline: it needs what a batch endpoint has written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from image_scoring.predictions import compare, read_failed_items, read_labels, read_predictions
from image_scoring.steps import StepError, run_step

from .page import render
from .results import Results


def main(argv: Sequence[str]) -> None:
    """Run the step."""
    options = _parser().parse_args(argv)
    write_report(options.report, options.predictions, options.labels, options.images, _read_facts(options.facts))
    print(f"report: {options.report}")


def write_report(report: Path, predictions: Path, labels: Path, images: Path, facts: Mapping[str, Any]) -> None:
    """Write the page; one that is there already stays whole until the new one is.

    Args:
        report: the HTML file.
        predictions: predictions.csv of a batch endpoint; the failed items are looked for beside it.
        labels: CSV with the columns file and label.
        images: the folder that was scored.
        facts: see `Results.facts`.

    Raises:
        StepError: a file is missing or malformed, or predictions and labels have no file in common.
    """
    true = read_labels(labels)
    comparison = compare(read_predictions(predictions), true)
    page = render(Results(comparison, true, read_failed_items(predictions.parent), images, facts))
    report.parent.mkdir(parents=True, exist_ok=True)
    scratch = report.with_name(f".{report.name}.new")
    scratch.write_text(page, encoding="utf-8", errors="backslashreplace")
    scratch.replace(report)


def _read_facts(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    if not path.is_file():
        raise StepError(f"facts: '{path}' is not a file; give the JSON file that pipelines/image-scoring/run.py writes")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StepError(f"facts: '{path}' is not JSON ({error})") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="report", description="Write a page about predictions and true labels.")
    parser.add_argument("--predictions", type=Path, required=True, help="predictions.csv of a batch endpoint")
    parser.add_argument("--images", type=Path, required=True, help="folder that was scored")
    parser.add_argument("--labels", type=Path, required=True, help="CSV with the columns file,label")
    parser.add_argument("--report", type=Path, required=True, help="HTML file to write")
    parser.add_argument("--facts", type=Path, help="JSON: model, parameters, steps, scoring, test (each may be absent)")
    return parser


if __name__ == "__main__":
    sys.exit(run_step("report", main))
