"""evaluate: the figures are scikit-learn's, and a model that is not good enough fails the step."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from image_scoring.predictions import read_test_predictions
from image_scoring.steps import StepError
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

Step = Callable[[str], ModuleType]


def test_metrics_are_those_of_scikit_learn(step: Step) -> None:
    random = np.random.default_rng(0)
    labels = ["a", "b", "c"]
    true = [str(label) for label in random.choice(labels, 200)]
    predicted = [str(random.choice(labels)) if random.random() < 0.3 else label for label in true]
    found = step("evaluate.metrics").classification_metrics(labels, true, predicted)
    assert found["accuracy"] == pytest.approx(accuracy_score(true, predicted))
    assert found["confusion_matrix"] == confusion_matrix(true, predicted, labels=labels).tolist()
    expected = np.array(precision_recall_fscore_support(true, predicted, labels=labels))
    for label, figures in zip(labels, expected.T, strict=True):
        assert list(found["per_label"][label].values()) == pytest.approx(list(figures), abs=1e-6)
    assert found["macro_f1"] == pytest.approx(float(expected[2].mean()))


def test_labels_that_do_not_occur_count_for_nothing(step: Step) -> None:
    found = step("evaluate.metrics").classification_metrics(["a", "b", "c"], ["a", "a", "b"], ["a", "a", "a"])
    assert found["per_label"]["b"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "images": 1}
    assert found["per_label"]["c"]["images"] == 0
    assert found["macro_f1"] == pytest.approx((0.8 + 0) / 2)


def test_metrics_file(model: Path, prepared: Path, tmp_path: Path, step: Step) -> None:
    arguments = [f"--model={model}", f"--test-images={prepared / 'test'}", f"--metrics={tmp_path / 'metrics'}"]
    step("evaluate.main").main([*arguments, "--min-accuracy=0.9"])
    metrics = json.loads((tmp_path / "metrics" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["accuracy"] >= 0.9
    assert sum(map(sum, metrics["confusion_matrix"])) == metrics["images"] == 287
    rows = read_test_predictions(tmp_path / "metrics" / "predictions.csv")
    assert len({row.file for row in rows}) == 287
    assert all(row.file.startswith(f"{row.true_label}/") and 0.1 < row.probability <= 1 for row in rows)
    assert sum(row.label == row.true_label for row in rows) / 287 == pytest.approx(metrics["accuracy"])


def test_not_good_enough(model: Path, prepared: Path, tmp_path: Path, step: Step) -> None:
    arguments = [f"--model={model}", f"--test-images={prepared / 'test'}", f"--metrics={tmp_path / 'metrics'}"]
    with pytest.raises(StepError, match=r"accuracy 0\.\d+ is below min_accuracy 1\.0"):
        step("evaluate.main").main([*arguments, "--min-accuracy=1"])
    assert (tmp_path / "metrics" / "metrics.json").is_file()


def test_an_unknown_label(model: Path, few: Path, tmp_path: Path, step: Step) -> None:
    (few / "1").rename(few / "x")
    with pytest.raises(StepError, match="label 'x' is unknown to the model; it knows 0, 1, 2"):
        step("evaluate.main").main([f"--model={model}", f"--test-images={few}", f"--metrics={tmp_path / 'metrics'}"])
    assert not (tmp_path / "metrics").exists()
