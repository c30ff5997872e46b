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

from image_scoring.convolutional import KERNEL, POOL, Shape
from image_scoring.frameworks import KERAS

if TYPE_CHECKING:
    from image_scoring.model_folder import Card

MODEL_FILE = "model.keras"


@dataclass(frozen=True)
class KerasNetwork:
    """See `image_scoring.model_folder.Network`.

    It computes in float64. In float32 the last digits of a probability depend on how many images are scored in one
    call, because the sums are then formed in another order: up to 1e-6 was measured. In float64 that is below 1e-12,
    so an image gets the same label and the same probability in every mini-batch.
    """

    function: Callable[[Any], Any]
    shape: Shape

    def probabilities(self, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """float64 [n, labels]."""
        images = inputs.astype(np.float64).reshape(-1, self.shape.height, self.shape.width, 1)
        return self.function(images).numpy()


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


def build_network(keras: Any, shape: Shape, dtype: str) -> tuple[Any, Any]:
    """The untrained network: images [n, height, width, 1] to logits [n, labels], and the same one to probabilities."""
    layers = keras.layers
    images = keras.Input((shape.height, shape.width, 1), dtype=dtype, name="images")
    values = images
    for number, filters in enumerate((shape.filters, 2 * shape.filters), start=1):
        options = {"padding": "same", "dtype": dtype}
        values = layers.Conv2D(filters, KERNEL, activation="relu", name=f"convolution_{number}", **options)(values)
        values = layers.MaxPooling2D(POOL, name=f"maximum_{number}", **options)(values)
    values = layers.Flatten(dtype=dtype, name="flat")(values)
    values = layers.Dense(shape.hidden_units, activation="relu", dtype=dtype, name="hidden")(values)
    logits = layers.Dense(shape.labels, dtype=dtype, name="labels")(values)
    probabilities = layers.Softmax(dtype=dtype, name="probabilities")(logits)
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
    _, model = build_network(keras, shape, "float64")
    model.load_weights(path)
    # One graph for any number of images: `predict` would set up a data pipeline for every mini-batch.
    signature = [tensorflow.TensorSpec([None, shape.height, shape.width, 1], tensorflow.float64)]
    return KerasNetwork(
        tensorflow.function(lambda images: model(images, training=False), input_signature=signature), shape
    )
