"""The model folder: the network's file and `model.json`. What train writes, and evaluate, register and score read."""

from __future__ import annotations

import hashlib
import importlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from image_scoring.images import Size
from image_scoring.steps import StepError

CARD_FILE = "model.json"
CARD_FORMAT = 1
LOADERS = {
    "model.onnx": "image_scoring.onnx_model",
    "model.safetensors": "image_scoring.pytorch_model",
    "model.keras": "image_scoring.keras_model",
}
"""The network's file, and the module whose `load_network(path, card)` reads it. None of these files is a pickle."""


@dataclass(frozen=True)
class Card:
    """What `model.json` says.

    Attributes:
        labels: the labels in the order of the probabilities.
        size: width and height that images are scaled to.
        preprocessing: what happens to an image before the network, in words and numbers, for readers.
        framework: what the model was trained with, for example `scikit-learn 1.9.1`.
        parameters: hyperparameters of the training.
        training: number of images, fingerprint of the data, epochs, last loss.
        versions: package name to version.
        sha256: name of a file of the folder to its SHA-256; `write_card` fills it in.
    """

    labels: list[str]
    size: Size
    preprocessing: dict[str, Any]
    framework: str
    parameters: dict[str, Any]
    training: dict[str, Any]
    versions: dict[str, str]
    sha256: dict[str, str] = field(default_factory=dict)


class Network(Protocol):
    """A loaded network, whatever it was made with."""

    def probabilities(self, inputs: NDArray[np.float32]) -> NDArray[Any]:
        """Float32 [n, height * width], 0 to 1, gives [n, labels]; each row sums to one."""
        ...


@dataclass(frozen=True)
class Model:
    """A loaded model."""

    card: Card
    network: Network

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """The probabilities of all images at once.

        Args:
            pixels: uint8 [n, height * width].

        Returns:
            Floats [n, labels], each row sums to one.
        """
        if len(pixels) == 0:
            return np.empty((0, len(self.card.labels)))
        return self.network.probabilities(network_input(pixels))


def network_input(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Grey values 0..255 to what the network was trained on: float32 0..1."""
    return pixels.astype(np.float32) / np.float32(255)


def write_card(folder: Path, card: Card) -> None:
    """Write `model.json`, with the hashes of the files that are in the folder."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != CARD_FILE)
    card = replace(card, sha256={path.name: _sha256(path) for path in files})
    text = json.dumps({"format": CARD_FORMAT, **asdict(card)}, indent=2, ensure_ascii=False)
    (folder / CARD_FILE).write_text(text + "\n", encoding="utf-8")


def read_card(folder: Path) -> Card:
    """Read `model.json`.

    Raises:
        StepError: the file is missing or was written by another format.
    """
    path = folder / CARD_FILE
    if not path.is_file():
        raise StepError(f"model: '{folder}' has no {CARD_FILE}; give the folder that the train step wrote")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StepError(f"model: '{path}' is not JSON ({error})") from None
    if content.pop("format", None) != CARD_FORMAT:
        raise StepError(f"model: '{path}' is not of format {CARD_FORMAT}; train the model again with this code")
    return Card(**{**content, "size": Size(**content["size"])})


def load_model(folder: Path) -> Model:
    """Load a model folder for the CPU with one thread: parallel work is done by processes, one model each.

    Raises:
        StepError: a file is missing, of another format or not the one that was written, or the framework that reads it
            is not installed.
    """
    card = read_card(folder)
    path = next((folder / name for name in LOADERS if (folder / name).is_file()), None)
    if path is None:
        raise StepError(
            f"model: '{folder}' has none of {', '.join(LOADERS)}; give the folder that the train step wrote"
        )
    # Folders that were written before hashes were part of the card have none.
    if card.sha256 and card.sha256.get(path.name) != _sha256(path):
        raise StepError(
            f"model: '{path}' is not the file that {CARD_FILE} names (SHA-256 differs); "
            "train the model again, or copy its folder once more"
        )
    return Model(card, importlib.import_module(LOADERS[path.name]).load_network(path, card))


def find_model_folder(root: Path) -> Path:
    """Find the model folder at or below a folder. Azure ML hands over a folder that contains the registered one.

    Raises:
        StepError: there is none, or more than one.
    """
    found = sorted(root.rglob(CARD_FILE)) if root.is_dir() else []
    if len(found) != 1:
        raise StepError(f"model: {len(found)} files {CARD_FILE} under '{root}'; exactly one model folder must be there")
    return found[0].parent


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
