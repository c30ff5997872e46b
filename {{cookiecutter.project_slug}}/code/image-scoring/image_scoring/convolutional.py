"""The convolutional network that is trained with PyTorch and with Keras: its shape, its parameters, its training.

Two convolutions of 3x3, each followed by a maximum over 2x2, a hidden layer, the labels. Both frameworks get the same
shape, the same images in the same order and the same learning rate; their random initial weights differ.
"""

from __future__ import annotations

import argparse
import math
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from image_scoring import tracking
from image_scoring.labelled import fingerprint
from image_scoring.model_folder import Card, network_input, write_card
from image_scoring.steps import PROGRESS_SECONDS, new_folder
from image_scoring.training import TrainingData, check_parameters, load_training_data, shift_by_a_pixel

KERNEL = 3
POOL = 2
CONVOLUTIONS = 2
BATCH_SIZE = 64
WEIGHT_DECAY = 1e-4
LAST_RATE = 0.05
"""The learning rate falls along a cosine to this part of its start: the last steps are small, the network settles."""

Step = Callable[[NDArray[np.float32], NDArray[np.int64], float], float]
"""One step of the optimizer: images float32 [n, height, width], targets [n], learning rate; gives the mean loss."""


@dataclass(frozen=True)
class Hyperparameters:
    """What a person chooses.

    Raises:
        StepError: a value is out of range.
    """

    filters: int
    hidden_units: int
    epochs: int
    learning_rate: float
    seed: int

    def __post_init__(self) -> None:
        whole = (
            ("filters", self.filters, 1, 16),
            ("hidden_units", self.hidden_units, 1, 64),
            ("epochs", self.epochs, 1, 40),
            ("seed", self.seed, 0, 1),
        )
        check_parameters(whole, self.learning_rate, 0.003)

    def as_dict(self) -> dict[str, int | float]:
        """The parameters by name, with those that are fixed in this module."""
        return {**asdict(self), "batch_size": BATCH_SIZE, "weight_decay": WEIGHT_DECAY}


@dataclass(frozen=True)
class Shape:
    """What decides how many weights the network has."""

    width: int
    height: int
    labels: int
    filters: int
    hidden_units: int

    @classmethod
    def of(cls, card: Card) -> Shape:
        """The shape of a trained network."""
        parameters = card.parameters
        return cls(
            card.size.width, card.size.height, len(card.labels), parameters["filters"], parameters["hidden_units"]
        )

    @property
    def pooled(self) -> tuple[int, int]:
        """Height and width after the convolutions: halved twice, rounded up."""
        width, height = self.width, self.height
        for _ in range(CONVOLUTIONS):
            width, height = math.ceil(width / POOL), math.ceil(height / POOL)
        return height, width


def parser(framework: str, file: str) -> argparse.ArgumentParser:
    """The arguments of a training step."""
    found = argparse.ArgumentParser(description=f"Train a small convolutional network with {framework}.")
    found.add_argument("--train-images", type=Path, required=True, help="folder with one sub-folder per label")
    found.add_argument("--model", type=Path, required=True, help=f"new folder for {file} and model.json")
    found.add_argument("--filters", type=int, default=16, help="of the first convolution; the second has twice as many")
    found.add_argument("--hidden-units", type=int, default=64)
    found.add_argument("--epochs", type=int, default=40)
    found.add_argument("--learning-rate", type=float, default=0.003, help="at the start")
    found.add_argument("--seed", type=int, default=1)
    return found


def read_arguments(options: argparse.Namespace) -> tuple[Hyperparameters, TrainingData]:
    """What to train, and with what. Raises StepError."""
    parameters = Hyperparameters(
        filters=options.filters,
        hidden_units=options.hidden_units,
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        seed=options.seed,
    )
    data = load_training_data(options.train_images)
    print(f"data: {len(data.pixels)} images of {len(data.labels)} labels, scaled to {data.size} pixels")
    return parameters, data


def shape_for(data: TrainingData, parameters: Hyperparameters) -> Shape:
    """The shape of the network to train."""
    return Shape(data.size.width, data.size.height, len(data.labels), parameters.filters, parameters.hidden_units)


def fit(data: TrainingData, parameters: Hyperparameters, step: Step) -> list[float]:
    """Every image once per epoch, in random order, each moved by a pixel at random; the mean loss of each epoch.

    Everything random that is not in the framework comes from here: the same seed gives the same order and the same
    movements in both.
    """
    random = np.random.default_rng(parameters.seed)
    images = network_input(data.pixels).reshape(-1, data.size.height, data.size.width)
    batches = math.ceil(len(images) / BATCH_SIZE)
    losses: list[float] = []
    told = time.monotonic()
    for epoch in range(parameters.epochs):
        moved = shift_by_a_pixel(images, random)
        order = random.permutation(len(moved))
        total = 0.0
        for batch in range(batches):
            chosen = order[batch * BATCH_SIZE : (batch + 1) * BATCH_SIZE]
            rate = _rate(parameters.learning_rate, (epoch * batches + batch) / (parameters.epochs * batches))
            total += step(moved[chosen], data.targets[chosen], rate) * len(chosen)
        losses.append(total / len(moved))
        if time.monotonic() - told >= PROGRESS_SECONDS:
            told = time.monotonic()
            print(f"epoch {epoch + 1} of {parameters.epochs}: loss {losses[-1]:.4f}", flush=True)
    print(f"trained: {len(losses)} epochs, loss {losses[-1]:.4f}")
    return losses


def write_model(
    folder: Path,
    save: Callable[[Path], None],
    data: TrainingData,
    parameters: Hyperparameters,
    losses: Sequence[float],
    *,
    framework: str,
    versions: Mapping[str, str],
) -> None:
    """Write the network by `save(folder)`, and model.json beside it; tell MLflow.

    Args:
        folder: new folder.
        save: writes the network's file into a folder.
        data: what it was trained with.
        parameters: how.
        losses: mean loss of each epoch.
        framework: name and version.
        versions: packages of the framework with their versions.

    Raises:
        StepError: the folder is not empty.
    """
    save(new_folder(folder))
    card = Card(
        labels=data.labels,
        size=data.size,
        preprocessing={"mode": "L", "resize": "bilinear", "scale": "1/255", "layout": "rows, float32"},
        framework=framework,
        parameters=parameters.as_dict(),
        training={
            "images": len(data.pixels),
            "fingerprint": fingerprint([data.labels[i] for i in data.targets], data.pixels),
            "epochs": len(losses),
            "loss": round(losses[-1], 6),
        },
        versions={
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "pillow")},
            **versions,
        },
    )
    write_card(folder, card)
    print(f"model: {folder}")
    tracking.log(
        parameters={**card.parameters, "image_size": str(data.size), "data_fingerprint": card.training["fingerprint"]},
        metrics={"training_images": len(data.pixels), "skipped_images": len(data.skipped)},
        series={"loss": losses},
    )


def _rate(start: float, done: float) -> float:
    """The learning rate when the part `done` (0 to 1) of all steps is behind us."""
    return start * (LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * done)) / 2)
