"""The batch driver, called as Azure ML calls it."""

from __future__ import annotations

import csv
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from image_scoring.images import Size
from image_scoring.predictions import compare, read_failed_items, read_labels, read_predictions
from image_scoring.steps import StepError
from PIL import Image

Step = Callable[[str], ModuleType]


@pytest.fixture
def driver(model: Path, tmp_path: Path, step: Step, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The driver after `init()`, with an output folder."""
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(model.parent))
    monkeypatch.setenv("AZUREML_BI_OUTPUT_PATH", str(tmp_path / "output"))
    module = step("score.batch_driver")
    module.init()
    return module


def test_every_image_gets_a_row(driver: ModuleType, prepared: Path, tmp_path: Path) -> None:
    files = sorted(str(path) for path in (prepared / "score").iterdir())
    rows = driver.run(files)
    assert list(rows.columns) == ["file", "label", "probability"]
    assert list(rows["file"]) == [Path(path).name for path in files]
    assert rows["probability"].between(0.1, 1).all()
    rows.to_csv(tmp_path / "predictions.csv", sep=" ", header=False, index=False)  # what Azure ML does with it
    found = compare(read_predictions(tmp_path / "predictions.csv"), read_labels(prepared / "labels" / "labels.csv"))
    assert found.compared == len(files)
    assert found.accuracy > 0.9
    assert not found.not_predicted


def test_a_mini_batch_is_one_call_and_gives_what_single_calls_give(
    driver: ModuleType, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sorted(str(path) for path in (prepared / "score").iterdir())[:20]
    single = [driver.run([path]).iloc[0] for path in files]
    calls = []
    network = driver._model.network

    class Counting:
        def probabilities(self, inputs: object) -> object:
            calls.append(inputs)
            return network.probabilities(inputs)

    object.__setattr__(driver._model, "network", Counting())
    together = driver.run(files)
    assert len(calls) == 1
    for row, expected in zip(together.itertuples(), single, strict=True):
        assert (row.file, row.label) == (expected.file, expected.label)
        assert row.probability == pytest.approx(expected.probability, abs=1e-6, rel=0)


def test_bad_files_become_failed_items(
    driver: ModuleType, prepared: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = prepared / "score" / "00001.png"
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    (tmp_path / "a b.png").write_bytes(good.read_bytes()[:60])
    batch = [str(tmp_path / name) for name in ("empty.png", "notes.txt", "a b.png")]
    with caplog.at_level(logging.WARNING):
        rows = driver.run([batch[0], str(good), *batch[1:]])
    assert list(rows["file"]) == ["00001.png"]
    assert read_failed_items(tmp_path / "output") == {
        "empty.png": "the file is empty",
        "notes.txt": "not a PNG, JPEG, BMP or GIF image",
        "a b.png": "damaged image: image file is truncated",
    }
    assert "item 'empty.png' failed: the file is empty" in caplog.messages


def test_a_second_try_writes_the_same_failed_items_file(driver: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    for _ in range(2):
        rows = driver.run([str(tmp_path / "empty.png")])
        assert len(rows) == 0
        assert list(rows.columns) == ["file", "label", "probability"]
    (file,) = (tmp_path / "output" / "failed_items").iterdir()
    with file.open(encoding="utf-8", newline="") as stream:
        assert list(csv.reader(stream)) == [["item", "reason"], ["empty.png", "the file is empty"]]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file names that are not Unicode")
def test_a_name_that_is_not_utf8(driver: ModuleType, prepared: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    (tmp_path / name).write_bytes((prepared / "score" / "00001.png").read_bytes())
    (tmp_path / f"x{name}").write_bytes(b"")
    assert list(driver.run([str(tmp_path / name), str(tmp_path / f"x{name}")])["file"]) == [name]
    assert read_failed_items(tmp_path / "output") == {f"x{name}": "the file is empty"}


def test_names_with_spaces_and_quotes_survive_the_file(driver: ModuleType, prepared: Path, tmp_path: Path) -> None:
    names = ["a b.png", 'c"d.png', "e,f.png"]
    for name in names:
        (tmp_path / name).write_bytes((prepared / "score" / "00001.png").read_bytes())
    rows = driver.run([str(tmp_path / name) for name in names])
    rows.to_csv(tmp_path / "predictions.csv", sep=" ", header=False, index=False)
    assert [row.file for row in read_predictions(tmp_path / "predictions.csv")] == sorted(names)


def test_a_model_for_other_sizes_scales(driver: ModuleType, prepared: Path, tmp_path: Path) -> None:
    with Image.open(prepared / "score" / "00001.png") as image:
        image.resize((40, 40), Image.Resampling.BOX).save(tmp_path / "large.png")
    assert driver._model.card.size == Size(8, 8)
    small = driver.run([str(prepared / "score" / "00001.png")])
    large = driver.run([str(tmp_path / "large.png")])
    assert list(small["label"]) == list(large["label"])


def test_found_from_any_folder(model: Path, prepared: Path, tmp_path: Path, step: Step) -> None:
    """Azure ML loads the script by its path, in a working folder of its own."""
    script = Path(str(step("score.batch_driver").__file__))
    program = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('entry', {str(script)!r})\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "module.init()\n"
        "print(len(module.run(sys.argv[1:])))\n"
    )
    files = [str(prepared / "score" / f"0000{n}.png") for n in (1, 2, 3)]
    environment = {**os.environ, "AZUREML_MODEL_DIR": str(model.parent), "PYTHONPATH": ""}
    environment.pop("AZUREML_BI_OUTPUT_PATH", None)
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, *files], cwd=tmp_path, env=environment, capture_output=True,
        encoding="utf-8", check=False,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == ("3", "")


def test_comparing(tmp_path: Path) -> None:
    (tmp_path / "predictions.csv").write_text("a.png 1 0.9\nb.png 2 0.8\nc.png 1 0.7\n", encoding="utf-8")
    (tmp_path / "labels.csv").write_text("file,label\na.png,1\nb.png,1\nd.png,2\n", encoding="utf-8")
    predictions = read_predictions(tmp_path / "predictions.csv")
    found = compare(predictions, read_labels(tmp_path / "labels.csv"))
    assert (found.accuracy, found.compared) == (0.5, 2)
    assert (found.not_predicted, found.not_labelled) == (["d.png"], ["c.png"])
    with pytest.raises(StepError, match="occurs twice"):
        compare([*predictions, predictions[0]], {"a.png": "1"})
    with pytest.raises(StepError, match="none of the predicted files is in it"):
        compare(predictions, {"z.png": "1"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name;label\n", "has the columns .*; file and label must be among them"),
        ("file,label\na.png,1\na.png,2\n", "line 3 names 'a.png' a second time"),
    ],
)
def test_wrong_labels(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "labels.csv").write_text(content, encoding="utf-8")
    with pytest.raises(StepError, match=message):
        read_labels(tmp_path / "labels.csv")


def test_wrong_predictions(tmp_path: Path) -> None:
    (tmp_path / "predictions.csv").write_text("a.png,1,0.9\n", encoding="utf-8")
    with pytest.raises(StepError, match="line 1 is not 'file label probability'"):
        read_predictions(tmp_path / "predictions.csv")
