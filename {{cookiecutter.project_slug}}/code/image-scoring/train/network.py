"""The network: one hidden layer, trained with scikit-learn on images that move by a pixel from epoch to epoch."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from image_scoring.images import Size
from image_scoring.model_folder import network_input
from image_scoring.steps import PROGRESS_SECONDS
from image_scoring.training import check_parameters, shift_by_a_pixel
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier

BATCH_SIZE = 64
SETTLING_BATCH_SIZE = 256
SETTLING_EPOCHS = 10
"""The last epochs take larger batches: their steps are less noisy, and the network settles near the optimum."""

L2_PENALTY = 1e-3
CONVERGED_LOSS = 0.02
"""Mean loss of an epoch at which training stops: by then nearly all images are right with a high probability."""


@dataclass(frozen=True)
class Hyperparameters:
    """What a person chooses.

    Raises:
        StepError: a value is out of range.
    """

    hidden_units: int
    epochs: int
    learning_rate: float
    seed: int

    def __post_init__(self) -> None:
        whole = (
            ("hidden_units", self.hidden_units, 1, 256),
            ("epochs", self.epochs, 1, 170),
            ("seed", self.seed, 0, 1),
        )
        check_parameters(whole, self.learning_rate, 0.002)

    def as_dict(self) -> dict[str, int | float]:
        """The parameters by name, with those that are fixed in this module."""
        return {**asdict(self), "batch_size": BATCH_SIZE, "l2_penalty": L2_PENALTY}


@dataclass(frozen=True)
class Trained:
    """The trained network and the mean loss of each epoch."""

    network: MLPClassifier
    losses: list[float]

    @property
    def epochs(self) -> int:
        """Epochs that were needed."""
        return len(self.losses)


def train(pixels: NDArray[np.uint8], targets: NDArray[np.int64], size: Size, parameters: Hyperparameters) -> Trained:
    """Train until the loss is small, then settle, within the given epochs; the same seed gives the same network.

    Args:
        pixels: uint8 [images, height * width].
        targets: int64 [images], 0 .. labels - 1.
        size: width and height.
        parameters: hyperparameters.
    """
    from sklearn.neural_network import MLPClassifier  # noqa: PLC0415 - slow to import; bad arguments are told first
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    network = MLPClassifier(
        hidden_layer_sizes=(parameters.hidden_units,),
        learning_rate_init=parameters.learning_rate,
        alpha=L2_PENALTY,
        random_state=parameters.seed,
    )
    images = network_input(pixels).reshape(-1, size.height, size.width)
    fitting = _Fitting(network, images, targets, np.random.default_rng(parameters.seed))
    # One thread: the matrices are small, and sums in one fixed order make the result the same on any number of cores.
    with threadpool_limits(1):
        # Few epochs are all settling: what was asked for is never exceeded.
        settling = min(SETTLING_EPOCHS, parameters.epochs)
        for epoch in range(1, parameters.epochs - settling + 1):
            if fitting.epoch(BATCH_SIZE, f"epoch {epoch} of at most {parameters.epochs}") < CONVERGED_LOSS:
                break
        for epoch in range(1, settling + 1):
            fitting.epoch(SETTLING_BATCH_SIZE, f"settling epoch {epoch} of {settling}")
    return Trained(network, fitting.losses)


class _Fitting:
    """A training in progress."""

    def __init__(
        self,
        network: MLPClassifier,
        images: NDArray[np.float32],
        targets: NDArray[np.int64],
        random: np.random.Generator,
    ) -> None:
        self.losses: list[float] = []
        self._network = network
        self._images = images
        self._targets = targets
        self._classes = np.unique(targets)
        self._random = random
        self._told = time.monotonic()

    def epoch(self, batch_size: int, name: str) -> float:
        """Every image once, each moved at random; returns the mean loss."""
        moved = shift_by_a_pixel(self._images, self._random).reshape(len(self._images), -1)
        self._network.batch_size = min(batch_size, len(moved))
        self._network.partial_fit(moved, self._targets, classes=self._classes)
        self.losses.append(float(self._network.loss_))
        if time.monotonic() - self._told >= PROGRESS_SECONDS:
            self._told = time.monotonic()
            print(f"{name}: loss {self.losses[-1]:.4f}", flush=True)
        return self.losses[-1]
