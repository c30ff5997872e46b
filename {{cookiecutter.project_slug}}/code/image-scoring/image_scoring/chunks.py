"""The network is always called with the same number of images, so that a mini-batch does not change its numbers.

PyTorch and TensorFlow choose by the shape of their input how they form sums. In float32 the last digits of a
probability then depend on how many images are scored together: up to 1e-6 was measured between one image and a hundred.
With one shape there is one way, and an image gets the same bits in every mini-batch, at every place in it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

SIZE = 50
"""Images per call. More are not faster on one core, and a single image costs as much as these."""


def in_chunks(
    network: Callable[[NDArray[np.float32]], NDArray[np.float32]], inputs: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Call `network` with `SIZE` rows at a time, the last ones filled up with zeros.

    Args:
        network: float32 [SIZE, pixels] to probabilities, float32 [SIZE, labels].
        inputs: float32 [n, pixels], n at least 1.

    Returns:
        The probabilities, float32 [n, labels].
    """
    missing = -len(inputs) % SIZE
    filled = np.pad(inputs, ((0, missing), (0, 0)))
    found = [network(filled[start : start + SIZE]) for start in range(0, len(filled), SIZE)]
    return np.concatenate(found)[: len(inputs)]
