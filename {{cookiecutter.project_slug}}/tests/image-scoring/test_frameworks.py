"""PyTorch and Keras: trained, evaluated and deployed like the default, with the same answer in every mini-batch."""

from __future__ import annotations

import importlib.util
import logging
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from image_scoring.convolutional import Hyperparameters, Shape
from image_scoring.frameworks import KERAS, PYTORCH
from image_scoring.images import Size
from image_scoring.model_folder import LOADERS, Card, load_model, read_card, write_card
from image_scoring.predictions import TestPrediction, read_failed_items, read_test_predictions
from image_scoring.steps import StepError
from PIL import Image

Step = Callable[[str], ModuleType]
PROJECT = Path(__file__).resolve().parents[2]
FRAMEWORKS = {"pytorch": PYTORCH, "keras": KERAS}


@dataclass(frozen=True)
class Trained:
    """A model of one framework, and what its evaluation said about the test images."""

    name: str
    model: Path
    predictions: dict[str, TestPrediction]


@pytest.fixture(scope="session", params=FRAMEWORKS)
def trained(
    request: pytest.FixtureRequest, prepared: Path, step: Step, tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    """Trained on the sample, quickly."""
    framework = FRAMEWORKS[request.param]
    for module in framework.modules:
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            pytest.skip(f"{framework.name} is not installed: python tools/tasks.py frameworks {framework.task}")
    if request.param == "pytorch" and "tensorflow" in sys.modules and "torch._dynamo" not in sys.modules:
        # Both bring LLVM; PyTorch's optimizers, loaded second, would end the process. Jobs use one of them only.
        pytest.skip("TensorFlow is loaded already: run the tests of PyTorch in a process of their own")
    folder = tmp_path_factory.mktemp(request.param)
    model, metrics = folder / "registered" / "model", folder / "metrics"
    step(f"train_{request.param}.main").main(
        [f"--train-images={prepared / 'train'}", f"--model={model}", "--epochs=12"]
    )
    evaluate = [f"--model={model}", f"--test-images={prepared / 'test'}", f"--metrics={metrics}", "--min-accuracy=0.8"]
    step("evaluate.main").main(evaluate)
    rows = read_test_predictions(metrics / "predictions.csv")
    return Trained(request.param, model, {Path(row.file).name: row for row in rows})


@pytest.fixture
def driver(trained: Trained, tmp_path: Path, step: Step, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The framework's driver after `init()`, with an output folder."""
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(trained.model.parent))
    monkeypatch.setenv("AZUREML_BI_OUTPUT_PATH", str(tmp_path / "output"))
    module = step(f"score_{trained.name}.batch_driver")
    module.init()
    return module


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 7, 100])
def test_every_mini_batch_gives_what_evaluation_gave(
    driver: ModuleType, trained: Trained, prepared: Path, size: int
) -> None:
    files = sorted((prepared / "test").rglob("*.png"))
    assert len(files) == len(trained.predictions) == 287
    for start in range(0, len(files), size):
        rows = driver.run([str(path) for path in files[start : start + size]])
        assert list(rows.columns) == ["file", "label", "probability"]
        for row in rows.itertuples():
            expected = trained.predictions[row.file]
            assert row.label == expected.label
            assert row.probability == pytest.approx(expected.probability, abs=1e-6, rel=0)


@pytest.mark.slow
def test_an_image_gets_the_same_bits_whatever_it_is_scored_with(driver: ModuleType, trained: Trained) -> None:
    size = driver._model.card.size
    pixels = np.random.default_rng(1).integers(0, 256, (100, size.width * size.height), dtype=np.uint8)
    together = driver._model.probabilities(pixels)
    assert (np.concatenate([driver._model.probabilities(pixels[i : i + 1]) for i in range(100)]) == together).all()
    assert (driver._model.probabilities(pixels[::-1]) == together[::-1]).all()


@pytest.mark.slow
def test_a_mini_batch_is_one_call_of_the_network(
    driver: ModuleType, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, calls = driver._model.network, []

    class Counting:
        def probabilities(self, inputs: object) -> object:
            calls.append(inputs)
            return network.probabilities(inputs)

    object.__setattr__(driver._model, "network", Counting())
    assert len(driver.run([str(path) for path in sorted((prepared / "score").iterdir())[:50]])) == 50
    assert len(calls) == 1


@pytest.mark.slow
def test_bad_files_become_failed_items(
    driver: ModuleType, prepared: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        rows = driver.run([str(tmp_path / "empty.png"), str(prepared / "score" / "00001.png")])
    assert list(rows["file"]) == ["00001.png"]
    assert read_failed_items(tmp_path / "output") == {"empty.png": "the file is empty"}
    assert "item 'empty.png' failed: the file is empty" in caplog.messages
    assert len(driver.run([str(tmp_path / "empty.png")])) == 0


@pytest.mark.slow
def test_the_model_says_what_it_is_and_holds_no_pickle(trained: Trained) -> None:
    card = read_card(trained.model)
    assert card.framework.startswith(FRAMEWORKS[trained.name].name)
    (file,) = set(LOADERS) & {path.name for path in trained.model.iterdir()}
    assert set(card.sha256) == {file}
    content = (trained.model / file).read_bytes()
    assert not content.startswith(b"\x80") and b".pkl" not in content
    assert content[:2] == b"PK" or content[8:9] == b"{"  # a zip without pickles, or the header of safetensors


@pytest.mark.slow
def test_a_file_that_was_changed_is_not_loaded(trained: Trained, tmp_path: Path) -> None:
    shutil.copytree(trained.model, tmp_path / "model")
    (file,) = read_card(trained.model).sha256
    with (tmp_path / "model" / file).open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(StepError, match="SHA-256 differs"):
        load_model(tmp_path / "model")


@pytest.mark.slow
def test_same_seed_same_probabilities_and_any_size_of_image(trained: Trained, tmp_path: Path, step: Step) -> None:
    images = tmp_path / "images"
    for label, value in (("dark", 30), ("light", 220)):
        (images / label).mkdir(parents=True)
        for number in range(3):
            Image.new("L", (1, 7), value + 3 * number).save(images / label / f"{number}.png")
    found = []
    for name in ("a", "b"):
        arguments = [f"--train-images={images}", f"--model={tmp_path / name}", "--epochs=2"]
        step(f"train_{trained.name}.main").main(arguments)
        model = load_model(tmp_path / name)
        assert str(model.card.size) == "1x7"
        pixels = step("evaluate.main").decode(sorted(images.rglob("*.png")), model.card.size).pixels
        found.append(model.probabilities(pixels).tolist())
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("width", "height", "pooled"), [(8, 8, (2, 2)), (28, 28, (7, 7)), (1, 7, (2, 1)), (5, 9, (3, 2))]
)
def test_shape_after_the_convolutions(width: int, height: int, pooled: tuple[int, int]) -> None:
    assert Shape(width, height, 10, 16, 64).pooled == pooled


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"filters": 0}, "filters: 0 must be at least 1, for example 16"),
        ({"epochs": 0}, "epochs: 0 must be at least 1"),
        ({"learning_rate": 1.5}, "learning_rate: 1.5 must lie between 0 and 1"),
    ],
)
def test_wrong_parameters(change: dict[str, float], message: str) -> None:
    good = {"filters": 16, "hidden_units": 64, "epochs": 40, "learning_rate": 0.003, "seed": 1}
    with pytest.raises(StepError, match=message):
        Hyperparameters(**{**good, **change})


@pytest.mark.parametrize("task", FRAMEWORKS)
def test_a_missing_framework_gets_one_line(
    task: str, few: Path, tmp_path: Path, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the model is loaded, and where one would be trained."""
    framework = FRAMEWORKS[task]
    monkeypatch.setitem(sys.modules, framework.modules[0], None)  # as if it were not installed
    line = (
        f"{framework.name} is not installed in this Python environment (no module '{framework.modules[0]}'); "
        f"install it: python tools/tasks.py frameworks {task}"
    )
    assert (PROJECT / f"requirements-{task}.txt").is_file()
    with pytest.raises(StepError) as told:
        step(f"train_{task}.main").main([f"--train-images={few}", f"--model={tmp_path / 'new'}"])
    assert str(told.value) == line
    folder = tmp_path / "registered" / "model"
    folder.mkdir(parents=True)
    (folder / {"pytorch": "model.safetensors", "keras": "model.keras"}[task]).write_bytes(b"weights")
    write_card(folder, Card(["0", "1"], Size(8, 8), {}, framework.name, {}, {}, {}))
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(folder.parent))
    with pytest.raises(StepError) as told:
        step(f"score_{task}.batch_driver").init()
    assert str(told.value) == line
