"""train_keras: labelled images to a model folder with a model of Keras (TensorFlow).

python -m train_keras.main --train-images DIR --model DIR [--filters 16] [--hidden-units 64] [--epochs 40] [--seed 1]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from image_scoring.convolutional import (
    WEIGHT_DECAY,
    Hyperparameters,
    Step,
    fit,
    parser,
    read_arguments,
    shape_for,
    write_model,
)
from image_scoring.keras_model import MODEL_FILE, build_network, load_framework, save_network
from image_scoring.steps import run_step
from image_scoring.training import TrainingData
from numpy.typing import NDArray


def main(argv: Sequence[str]) -> None:
    """Run the step."""
    options = parser("Keras", MODEL_FILE).parse_args(argv)
    tensorflow, keras = load_framework()
    parameters, data = read_arguments(options)
    model, losses = train(data, parameters)
    write_model(
        options.model,
        lambda folder: save_network(model, folder / MODEL_FILE),
        data,
        parameters,
        losses,
        framework=f"Keras {keras.__version__} on TensorFlow {tensorflow.__version__}",
        versions={"keras": keras.__version__, "tensorflow": tensorflow.__version__},
    )


def train(data: TrainingData, parameters: Hyperparameters) -> tuple[Any, list[float]]:
    """The trained network and the mean loss of each epoch; the same seed gives the same network."""
    tensorflow, keras = load_framework()
    keras.utils.set_random_seed(parameters.seed)
    tensorflow.config.experimental.enable_op_determinism()
    logits, model = build_network(keras, shape_for(data, parameters))
    return model, fit(data, parameters, optimizer_step(tensorflow, keras, logits, parameters))


def optimizer_step(tensorflow: Any, keras: Any, logits: Any, parameters: Hyperparameters) -> Step:
    """AdamW on the cross entropy, as one graph."""
    optimizer = keras.optimizers.AdamW(parameters.learning_rate, weight_decay=WEIGHT_DECAY)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    height, width = logits.input_shape[1:3]
    signature = [
        tensorflow.TensorSpec([None, height, width, 1], tensorflow.float32),
        tensorflow.TensorSpec([None], tensorflow.int64),
    ]

    @tensorflow.function(input_signature=signature)
    def minimize(images: Any, targets: Any) -> Any:
        with tensorflow.GradientTape() as tape:
            loss = loss_of(targets, logits(images, training=True))
        weights = logits.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss

    def step(images: NDArray[np.float32], targets: NDArray[np.int64], rate: float) -> float:
        optimizer.learning_rate.assign(rate)
        return float(minimize(images[..., np.newaxis], targets))

    return step


if __name__ == "__main__":
    sys.exit(run_step("train_keras", main))
