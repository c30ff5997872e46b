"""The trained network as ONNX, checked against scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from image_scoring.model_folder import network_input
from image_scoring.onnx_model import INPUT, PROBABILITIES
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier

OPSET = {"": 17, "ai.onnx.ml": 3}
"""Pinned, so that a newer skl2onnx does not write files that the onnxruntime of a running deployment cannot read."""

LARGEST_DIFFERENCE = 1e-4
IMAGES_COMPARED = 1000


def export_onnx(network: MLPClassifier, pixels: NDArray[np.uint8], path: Path) -> float:
    """Write the network as an ONNX file with the float32 input `pixels` and the output `probabilities`.

    Args:
        network: the trained network.
        pixels: uint8 [images, height * width], to compare the two on.
        path: the file.

    Returns:
        The largest difference between a probability of ONNX and of scikit-learn.

    Raises:
        RuntimeError: the two differ by more than `LARGEST_DIFFERENCE`. That is a fault of the export, not of the data.
    """
    import onnxruntime  # noqa: PLC0415 - all three are slow to import
    from skl2onnx import to_onnx  # noqa: PLC0415
    from skl2onnx.common.data_types import FloatTensorType  # noqa: PLC0415

    input_types: Any = [(INPUT, FloatTensorType([None, pixels.shape[1]]))]  # skl2onnx's annotation is too narrow
    model: Any = to_onnx(
        network, name="image_scoring", initial_types=input_types, options={"zipmap": False}, target_opset=OPSET
    )
    content = model.SerializeToString()
    inputs = network_input(pixels[:IMAGES_COMPARED])
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    found = np.asarray(session.run([PROBABILITIES], {INPUT: inputs})[0])
    difference = float(np.abs(found - np.asarray(network.predict_proba(inputs))).max())
    if not difference <= LARGEST_DIFFERENCE:
        raise RuntimeError(
            f"ONNX and scikit-learn differ by {difference}; check the versions of skl2onnx and onnxruntime"
        )
    path.write_bytes(content)
    return difference
