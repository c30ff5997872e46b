"""train_pytorch: labelled images to a model folder with a state dict of PyTorch.

python -m train_pytorch.main --train-images DIR --model DIR [--filters 16] [--hidden-units 64] [--epochs 40] [--seed 1]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from image_scoring.convolutional import (
    WEIGHT_DECAY,
    Hyperparameters,
    Shape,
    Step,
    fit,
    parser,
    read_arguments,
    shape_for,
    write_model,
)
from image_scoring.frameworks import PYTORCH
from image_scoring.pytorch_model import MODEL_FILE, build_network, one_thread, save_network
from image_scoring.steps import run_step
from image_scoring.training import TrainingData
from numpy.typing import NDArray


def main(argv: Sequence[str]) -> None:
    """Run the step."""
    options = parser("PyTorch", MODEL_FILE).parse_args(argv)
    PYTORCH.load()
    parameters, data = read_arguments(options)
    module, losses = train(data, parameters)
    write_model(
        options.model,
        lambda folder: save_network(module, folder / MODEL_FILE),
        data,
        parameters,
        losses,
        framework=f"PyTorch {version('torch')}",
        versions={name: version(name) for name in ("torch", "safetensors")},
    )


def train(data: TrainingData, parameters: Hyperparameters) -> tuple[Any, list[float]]:
    """The trained network and the mean loss of each epoch; the same seed gives the same network."""
    import torch  # noqa: PLC0415 - slow to import; bad arguments are told first

    one_thread()
    torch.manual_seed(parameters.seed)
    module = build_network(shape_for(data, parameters))
    losses = fit(data, parameters, optimizer_step(module, shape_for(data, parameters), parameters))
    return module, losses


def optimizer_step(module: Any, shape: Shape, parameters: Hyperparameters) -> Step:
    """AdamW on the cross entropy."""
    import torch  # noqa: PLC0415

    optimizer = torch.optim.AdamW(module.parameters(), lr=parameters.learning_rate, weight_decay=WEIGHT_DECAY)

    def step(images: NDArray[np.float32], targets: NDArray[np.int64], rate: float) -> float:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        inputs = torch.from_numpy(images).reshape(-1, 1, shape.height, shape.width)
        loss = torch.nn.functional.cross_entropy(module(inputs), torch.from_numpy(targets))
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


if __name__ == "__main__":
    sys.exit(run_step("train_pytorch", main))
