"""The model folder: `model.onnx` and `model.json`. What train writes, and evaluate, register and score read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from image_scoring.images import Size
from image_scoring.steps import StepError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

MODEL_FILE = "model.onnx"
CARD_FILE = "model.json"
CARD_FORMAT = 1
INPUT = "pixels"
PROBABILITIES = "probabilities"


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
    """

    labels: list[str]
    size: Size
    preprocessing: dict[str, Any]
    framework: str
    parameters: dict[str, Any]
    training: dict[str, Any]
    versions: dict[str, str]


@dataclass(frozen=True)
class Model:
    """A loaded model."""

    card: Card
    session: InferenceSession

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """One call of the network for all images.

        Args:
            pixels: uint8 [n, height * width].

        Returns:
            float32 [n, labels], each row sums to one.
        """
        if len(pixels) == 0:
            return np.empty((0, len(self.card.labels)), dtype=np.float32)
        result = self.session.run([PROBABILITIES], {INPUT: network_input(pixels)})[0]
        return np.asarray(result, dtype=np.float32)


def network_input(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Grey values 0..255 to what the network was trained on: float32 0..1."""
    return pixels.astype(np.float32) / np.float32(255)


def write_card(folder: Path, card: Card) -> None:
    """Write `model.json`."""
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
        StepError: a file is missing or of another format.
    """
    import onnxruntime  # noqa: PLC0415 - only the steps that run the network pay for this import

    card = read_card(folder)
    path = folder / MODEL_FILE
    if not path.is_file():
        raise StepError(f"model: '{folder}' has no {MODEL_FILE}; give the folder that the train step wrote")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return Model(card, onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"]))


def find_model_folder(root: Path) -> Path:
    """Find the model folder at or below a folder. Azure ML hands over a folder that contains the registered one.

    Raises:
        StepError: there is none, or more than one.
    """
    found = sorted(root.rglob(CARD_FILE)) if root.is_dir() else []
    if len(found) != 1:
        raise StepError(f"model: {len(found)} files {CARD_FILE} under '{root}'; exactly one model folder must be there")
    return found[0].parent
