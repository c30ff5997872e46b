"""The files around scoring: `predictions.csv` as a batch endpoint writes it, `labels.csv`, the failed items."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from image_scoring.steps import StepError

FAILED_FOLDER = "failed_items"
"""Folder beside predictions.csv with one CSV file (item, reason) per mini-batch that had failed items."""

NOT_UTF8 = "surrogateescape"
"""How file names that are not UTF-8 pass through CSV files: with the bytes that they have on disk."""


DECIMALS = 9
"""Of a probability in a file: more than a network in float32 has, so that nothing is lost."""


@dataclass(frozen=True)
class Prediction:
    """One row of predictions.csv: the columns file, label, probability, in this order."""

    file: str
    label: str
    probability: float


@dataclass(frozen=True)
class TestPrediction:
    """What the model said about a test image: `file` is its path below the folder, with forward slashes."""

    __test__ = False  # no test, whatever pytest makes of the name

    file: str
    true_label: str
    label: str
    probability: float


def write_test_predictions(path: Path, rows: Sequence[TestPrediction]) -> None:
    """Write what evaluate found, as CSV with a header: file, true_label, label, probability."""
    with path.open("w", encoding="utf-8", errors=NOT_UTF8, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(TestPrediction))
        writer.writerows((row.file, row.true_label, row.label, f"{row.probability:.{DECIMALS}f}") for row in rows)


def read_test_predictions(path: Path) -> list[TestPrediction]:
    """Read what `write_test_predictions` wrote."""
    with path.open(encoding="utf-8", errors=NOT_UTF8, newline="") as file:
        return [
            TestPrediction(row["file"], row["true_label"], row["label"], float(row["probability"]))
            for row in csv.DictReader(file)
        ]


def read_predictions(path: Path) -> list[Prediction]:
    """Read what a batch endpoint appended.

    Azure ML writes the rows of a DataFrame separated by spaces, without header and in no particular order, and quotes
    only where it must (reference: deployment setting `output_action: append_row`).

    Raises:
        StepError: no such file, or a row does not have three columns.
    """
    if not path.is_file():
        raise StepError(f"predictions: '{path}' is not a file; give the predictions.csv of a batch endpoint")
    rows = []
    with path.open(encoding="utf-8", errors=NOT_UTF8, newline="") as file:
        for number, row in enumerate(csv.reader(file, delimiter=" "), start=1):
            try:
                name, label, probability = row
                rows.append(Prediction(name, label, float(probability)))
            except ValueError:
                raise StepError(
                    f"predictions: '{path}' line {number} is not 'file label probability', as in '00001.png 7 0.98'"
                ) from None
    return sorted(rows, key=lambda row: row.file)


def read_labels(path: Path) -> dict[str, str]:
    """Read `labels.csv`: file name to label. Needs a header with the columns file and label; others are ignored.

    Raises:
        StepError: no such file, a column is missing, or a file is named twice.
    """
    if not path.is_file():
        raise StepError(f"labels: '{path}' is not a file; give a CSV with the columns file,label")
    labels: dict[str, str] = {}
    with path.open(encoding="utf-8-sig", errors=NOT_UTF8, newline="") as file:
        reader = csv.DictReader(file)
        if not {"file", "label"} <= set(reader.fieldnames or ()):
            raise StepError(f"labels: '{path}' has the columns {reader.fieldnames}; file and label must be among them")
        for row in reader:
            if row["file"] in labels:
                raise StepError(f"labels: '{path}' line {reader.line_num} names '{row['file']}' a second time")
            labels[row["file"]] = row["label"]
    return labels


@dataclass(frozen=True)
class Comparison:
    """Predictions beside the true labels.

    Attributes:
        right: predictions with the true label; `wrong` those with another one.
        not_predicted: labelled files without a prediction, sorted.
        not_labelled: predicted files without a label, sorted.
    """

    right: list[Prediction]
    wrong: list[Prediction]
    not_predicted: list[str]
    not_labelled: list[str]

    @property
    def compared(self) -> int:
        """Number of images with both a prediction and a label."""
        return len(self.right) + len(self.wrong)

    @property
    def accuracy(self) -> float:
        """Share of right ones among the compared, 0 to 1."""
        return len(self.right) / self.compared


def compare(predictions: Sequence[Prediction], labels: Mapping[str, str]) -> Comparison:
    """Join predictions and labels by file name.

    Raises:
        StepError: they have no file in common, or a file is predicted twice.
    """
    seen: set[str] = set()
    for row in predictions:
        if row.file in seen:
            raise StepError(f"predictions: '{row.file}' occurs twice; file names must be unique over the scored folder")
        seen.add(row.file)
    known = [row for row in predictions if row.file in labels]
    if not known:
        raise StepError("labels: none of the predicted files is in it; its column file holds names such as 00001.png")
    return Comparison(
        right=[row for row in known if row.label == labels[row.file]],
        wrong=[row for row in known if row.label != labels[row.file]],
        not_predicted=sorted(labels.keys() - seen),
        not_labelled=sorted(seen - labels.keys()),
    )


def read_failed_items(output: Path) -> dict[str, str]:
    """Read the failed items beside predictions.csv: item to reason."""
    failed: dict[str, str] = {}
    for path in sorted((output / FAILED_FOLDER).glob("*.csv")):
        with path.open(encoding="utf-8", errors=NOT_UTF8, newline="") as file:
            failed.update({row["item"]: row["reason"] for row in csv.DictReader(file)})
    return failed
