"""A network as ONNX, run by ONNX Runtime: the light default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from image_scoring.model_folder import Card

MODEL_FILE = "model.onnx"
INPUT = "pixels"
PROBABILITIES = "probabilities"


@dataclass(frozen=True)
class OnnxNetwork:
    """See `image_scoring.model_folder.Network`."""

    session: InferenceSession

    def probabilities(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n, labels]."""
        return np.asarray(self.session.run([PROBABILITIES], {INPUT: inputs})[0], dtype=np.float32)


def load_network(path: Path, card: Card) -> OnnxNetwork:  # noqa: ARG001 - the file says all
    """Read `model.onnx`."""
    import onnxruntime  # noqa: PLC0415 - only the steps that run the network pay for this import

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return OnnxNetwork(onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"]))
