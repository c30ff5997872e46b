"""The convolutional network in Keras on TensorFlow: how it is built, and how its file is read.

`model.keras` is Keras's own format. Only the weights are read from it; the layers are those of `build_network`, so no
code or configuration from a file is ever run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from image_scoring.chunks import in_chunks
from image_scoring.convolutional import KERNEL, POOL, Shape
from image_scoring.frameworks import KERAS

if TYPE_CHECKING:
    from image_scoring.model_folder import Card

MODEL_FILE = "model.keras"


@dataclass(frozen=True)
class KerasNetwork:
    """See `image_scoring.model_folder.Network`."""

    function: Callable[[Any], Any]
    shape: Shape

    def probabilities(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n, labels]."""
        return in_chunks(self.forward, inputs)

    def forward(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """One call of the network, with as many images as there are."""
        return self.function(inputs.reshape(-1, self.shape.height, self.shape.width, 1)).numpy()


def load_framework() -> tuple[Any, Any]:
    """TensorFlow and Keras, with one thread: sums in one fixed order, no threads that fight over the workers' cores.

    Raises:
        StepError: Keras is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # its greetings would fill the log
    os.environ["KERAS_BACKEND"] = "tensorflow"
    tensorflow, keras = KERAS.load()
    tensorflow.config.threading.set_intra_op_parallelism_threads(1)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    return tensorflow, keras


def build_network(keras: Any, shape: Shape) -> tuple[Any, Any]:
    """The untrained network: images [n, height, width, 1] to logits [n, labels], and the same one to probabilities."""
    layers = keras.layers
    images = keras.Input((shape.height, shape.width, 1), name="images")
    values = images
    for number, filters in enumerate((shape.filters, 2 * shape.filters), start=1):
        name = f"convolution_{number}"
        values = layers.Conv2D(filters, KERNEL, padding="same", activation="relu", name=name)(values)
        values = layers.MaxPooling2D(POOL, padding="same", name=f"maximum_{number}")(values)
    values = layers.Flatten(name="flat")(values)
    values = layers.Dense(shape.hidden_units, activation="relu", name="hidden")(values)
    logits = layers.Dense(shape.labels, name="labels")(values)
    probabilities = layers.Softmax(name="probabilities")(logits)
    return keras.Model(images, logits), keras.Model(images, probabilities, name="image_scoring")


def save_network(model: Any, path: Path) -> None:
    """Write `model.keras`."""
    model.save(path)


def load_network(path: Path, card: Card) -> KerasNetwork:
    """Read `model.keras`.

    Raises:
        StepError: Keras is not installed.
    """
    tensorflow, keras = load_framework()
    shape = Shape.of(card)
    _, model = build_network(keras, shape)
    model.load_weights(path)
    # One graph for any number of images: `predict` would set up a data pipeline for every mini-batch.
    signature = [tensorflow.TensorSpec([None, shape.height, shape.width, 1], tensorflow.float32)]
    return KerasNetwork(
        tensorflow.function(lambda images: model(images, training=False), input_signature=signature), shape
    )
