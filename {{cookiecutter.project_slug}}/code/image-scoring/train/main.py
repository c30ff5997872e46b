"""train: labelled images to a model folder (ONNX).

python -m train.main --train-images DIR --model DIR [--hidden-units 256] [--epochs 170] [--seed 1]
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from image_scoring import tracking
from image_scoring.labelled import fingerprint
from image_scoring.model_folder import Card, write_card
from image_scoring.onnx_model import MODEL_FILE
from image_scoring.steps import new_folder, run_step
from image_scoring.training import TrainingData, load_training_data

from .network import Hyperparameters, Trained, train
from .onnx_export import export_onnx

PACKAGES = ("numpy", "onnx", "pillow", "scikit-learn", "skl2onnx")


def main(argv: Sequence[str]) -> None:
    """Run the step."""
    options = _parser().parse_args(argv)
    parameters = Hyperparameters(
        hidden_units=options.hidden_units, epochs=options.epochs, learning_rate=options.learning_rate, seed=options.seed
    )
    data = load_training_data(options.train_images)
    print(f"data: {len(data.pixels)} images of {len(data.labels)} labels, scaled to {data.size} pixels")
    trained = train(data.pixels, data.targets, data.size, parameters)
    print(f"trained: {trained.epochs} epochs, loss {trained.losses[-1]:.4f}")
    folder = new_folder(options.model)
    difference = export_onnx(trained.network, data.pixels, folder / MODEL_FILE)
    print(f"exported: {folder / MODEL_FILE}, probabilities within {difference:.1e} of scikit-learn's")
    card = model_card(data, parameters, trained)
    write_card(folder, card)
    tracking.log(
        parameters={**card.parameters, "image_size": str(data.size), "data_fingerprint": card.training["fingerprint"]},
        metrics={"training_images": len(data.pixels), "skipped_images": len(data.skipped)},
        series={"loss": trained.losses},
    )


def model_card(data: TrainingData, parameters: Hyperparameters, trained: Trained) -> Card:
    """Describe the model for those who use it without this code."""
    return Card(
        labels=data.labels,
        size=data.size,
        preprocessing={"mode": "L", "resize": "bilinear", "scale": "1/255", "layout": "rows, flattened, float32"},
        framework=f"scikit-learn {version('scikit-learn')}",
        parameters=parameters.as_dict(),
        training={
            "images": len(data.pixels),
            "fingerprint": fingerprint([data.labels[i] for i in data.targets], data.pixels),
            "epochs": trained.epochs,
            "loss": round(trained.losses[-1], 6),
        },
        versions={"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="train", description="Train a small network and export it to ONNX.")
    parser.add_argument("--train-images", type=Path, required=True, help="folder with one sub-folder per label")
    parser.add_argument("--model", type=Path, required=True, help="new folder for model.onnx and model.json")
    parser.add_argument("--hidden-units", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=170, help="at most; training stops earlier when it has converged")
    parser.add_argument("--learning-rate", type=float, default=0.002)
    parser.add_argument("--seed", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(run_step("train", main))
