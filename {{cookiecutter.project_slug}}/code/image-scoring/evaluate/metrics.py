"""Metrics of a classifier, by the definitions that scikit-learn uses (a test compares the two)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def confusion_matrix(labels: Sequence[str], true: Sequence[str], predicted: Sequence[str]) -> NDArray[np.int64]:
    """Count pairs of true label (row) and predicted label (column), both in the order of `labels`."""
    index = {label: number for number, label in enumerate(labels)}
    matrix = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(matrix, ([index[label] for label in true], [index[label] for label in predicted]), 1)
    return matrix


def classification_metrics(labels: Sequence[str], true: Sequence[str], predicted: Sequence[str]) -> dict[str, Any]:
    """Accuracy, macro F1, figures per label, confusion matrix.

    A label that never occurs, or is never predicted, has 0 where the definition would divide by zero.

    Returns:
        `accuracy`, `macro_f1` (mean over the labels that occur), `images`, `labels`,
        `per_label` (label to precision, recall, f1, images), `confusion_matrix` (rows true, columns predicted).
    """
    matrix = confusion_matrix(labels, true, predicted)
    hits = np.diag(matrix)
    occurring = matrix.sum(axis=1)
    recall = _divide(hits, occurring)
    precision = _divide(hits, matrix.sum(axis=0))
    f1 = _divide(2 * hits, occurring + matrix.sum(axis=0))
    return {
        "accuracy": float(hits.sum() / len(true)),
        "macro_f1": float(f1[occurring > 0].mean()),
        "images": len(true),
        "labels": list(labels),
        "per_label": {
            label: {
                "precision": round(float(precision[i]), 6),
                "recall": round(float(recall[i]), 6),
                "f1": round(float(f1[i]), 6),
                "images": int(occurring[i]),
            }
            for i, label in enumerate(labels)
        },
        "confusion_matrix": matrix.tolist(),
    }


def _divide(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return part / np.where(whole == 0, 1, whole)
