"""The convolutional network in PyTorch: how it is built, and how its state dict is read.

The weights lie in `model.safetensors`: a state dict as plain numbers, no pickle.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from image_scoring.chunks import in_chunks
from image_scoring.convolutional import KERNEL, POOL, Shape
from image_scoring.frameworks import PYTORCH

if TYPE_CHECKING:
    from image_scoring.model_folder import Card

MODEL_FILE = "model.safetensors"


@dataclass(frozen=True)
class PytorchNetwork:
    """See `image_scoring.model_folder.Network`."""

    module: Any
    shape: Shape

    def probabilities(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n, labels]."""
        return in_chunks(self.forward, inputs)

    def forward(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """One call of the network, with as many images as there are."""
        import torch  # noqa: PLC0415 - loaded with the network

        with torch.inference_mode():
            images = torch.from_numpy(inputs).reshape(-1, 1, self.shape.height, self.shape.width)
            return torch.softmax(self.module(images), dim=1).numpy()


def one_thread() -> None:
    """Have PyTorch use one thread: sums in one fixed order, and no threads that fight over the cores of the workers."""
    import torch  # noqa: PLC0415 - slow to import

    torch.set_num_threads(1)
    if torch.get_num_interop_threads() != 1:
        with contextlib.suppress(RuntimeError):  # somebody's code has run in parallel already; ours does not
            torch.set_num_interop_threads(1)


def build_network(shape: Shape) -> Any:
    """The untrained network: images [n, 1, height, width] to logits [n, labels]."""
    from torch import nn  # noqa: PLC0415 - slow to import

    height, width = shape.pooled
    return nn.Sequential(
        OrderedDict(
            convolution_1=nn.Conv2d(1, shape.filters, KERNEL, padding="same"),
            relu_1=nn.ReLU(),
            maximum_1=nn.MaxPool2d(POOL, ceil_mode=True),
            convolution_2=nn.Conv2d(shape.filters, 2 * shape.filters, KERNEL, padding="same"),
            relu_2=nn.ReLU(),
            maximum_2=nn.MaxPool2d(POOL, ceil_mode=True),
            flat=nn.Flatten(),
            hidden=nn.Linear(2 * shape.filters * height * width, shape.hidden_units),
            relu_3=nn.ReLU(),
            labels=nn.Linear(shape.hidden_units, shape.labels),
        )
    )


def save_network(module: Any, path: Path) -> None:
    """Write `model.safetensors`."""
    from safetensors.torch import save_file  # noqa: PLC0415 - comes with PyTorch

    save_file(module.state_dict(), path)


def load_network(path: Path, card: Card) -> PytorchNetwork:
    """Read `model.safetensors`.

    Raises:
        StepError: PyTorch is not installed.
    """
    PYTORCH.load()
    from safetensors.torch import load_file  # noqa: PLC0415

    one_thread()
    shape = Shape.of(card)
    module = build_network(shape)
    module.load_state_dict(load_file(path))
    return PytorchNetwork(module.eval(), shape)
