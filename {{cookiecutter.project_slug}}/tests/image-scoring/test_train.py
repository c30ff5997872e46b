"""train: the same model for the same seed, ONNX equal to scikit-learn, a model folder that says what it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from image_scoring.images import Size
from image_scoring.model_folder import find_model_folder, load_model, network_input, read_card
from image_scoring.steps import StepError
from image_scoring.training import load_training_data, shift_by_a_pixel
from PIL import Image

Step = Callable[[str], ModuleType]


def test_model_folder(model: Path) -> None:
    card = read_card(model)
    assert {path.name for path in model.iterdir()} == {"model.onnx", "model.json"}
    assert card.labels == list("0123456789")
    assert card.size == Size(8, 8)
    assert card.parameters["hidden_units"] == 64
    assert set(card.versions) >= {"python", "scikit-learn", "skl2onnx", "pillow"}


def test_same_seed_same_model(few: Path, tmp_path: Path, step: Step) -> None:
    def trained(name: str, seed: int) -> bytes:
        arguments = [f"--train-images={few}", f"--model={tmp_path / name}", "--epochs=3", f"--seed={seed}"]
        step("train.main").main(arguments)
        return (tmp_path / name / "model.onnx").read_bytes()

    assert trained("a", 1) == trained("b", 1)
    assert trained("a2", 1) != trained("c", 2)


def test_onnx_equals_scikit_learn(prepared: Path, tmp_path: Path, step: Step) -> None:
    data = load_training_data(prepared / "train")
    network = step("train.network")
    parameters = network.Hyperparameters(hidden_units=16, epochs=3, learning_rate=0.002, seed=1)
    trained = network.train(data.pixels, data.targets, data.size, parameters)
    (tmp_path / "model").mkdir()
    step("train.onnx_export").export_onnx(trained.network, data.pixels, tmp_path / "model" / "model.onnx")
    card = step("train.main").model_card(data, parameters, trained)
    step("train.main").write_card(tmp_path / "model", card)
    found = load_model(tmp_path / "model").probabilities(data.pixels)
    expected = trained.network.predict_proba(network_input(data.pixels))
    assert found.shape == (len(data.pixels), 10)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_images_move_by_a_pixel_at_most() -> None:
    images = np.zeros((500, 5, 5), dtype=np.float32)
    images[:, 2, 2] = 1
    moved = shift_by_a_pixel(images, np.random.default_rng(0))
    places = {(int(y), int(x)) for _, y, x in np.argwhere(moved)}
    assert places == {(2, 2), (1, 2), (3, 2), (2, 1), (2, 3)}
    assert moved.sum() == 500


def test_large_images_are_scaled_down(tmp_path: Path) -> None:
    for label, value in (("dark", 30), ("light", 220)):
        (tmp_path / label).mkdir()
        for number in range(3):
            Image.new("L", (200, 100), value + number).save(tmp_path / label / f"{number}.png")
    data = load_training_data(tmp_path)
    assert data.size == Size(32, 16)
    assert data.labels == ["dark", "light"]
    assert data.pixels.shape == (6, 512)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--hidden-units=0", "hidden_units: 0 must be at least 1, for example 256"),
        ("--epochs=0", "epochs: 0 must be at least 1"),
        ("--learning-rate=1.5", "learning_rate: 1.5 must lie between 0 and 1"),
        ("--seed=-1", "seed: -1 must be at least 0"),
        ("--train-images=nowhere", "train_images: 'nowhere' is not a folder"),
    ],
)
def test_wrong_arguments(few: Path, tmp_path: Path, step: Step, argument: str, message: str) -> None:
    with pytest.raises(StepError, match=message):
        step("train.main").main([f"--train-images={few}", f"--model={tmp_path / 'model'}", argument])
    assert not (tmp_path / "model").exists()


def test_broken_model_folders(model: Path, tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"has no model\.json"):
        read_card(tmp_path)
    card = json.loads((model / "model.json").read_text(encoding="utf-8"))
    (tmp_path / "model.json").write_text(json.dumps({**card, "format": 99}), encoding="utf-8")
    with pytest.raises(StepError, match="is not of format 1"):
        read_card(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(StepError, match=r"has none of model\.onnx, model\.safetensors, model\.keras"):
        load_model(tmp_path)
    assert find_model_folder(tmp_path) == tmp_path
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "model.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(StepError, match=r"2 files model\.json"):
        find_model_folder(tmp_path)


def test_a_file_that_was_changed_is_not_loaded(model: Path, tmp_path: Path) -> None:
    shutil.copytree(model, tmp_path / "model")
    with (tmp_path / "model" / "model.onnx").open("ab") as file:
        file.write(b"more")
    with pytest.raises(StepError, match=r"model\.onnx' is not the file that model\.json names \(SHA-256 differs\)"):
        load_model(tmp_path / "model")
