"""Online driver with ONNX Runtime: `init()` once per worker, `run(raw_data)` once per request.

    {"images": ["<base64 of a PNG, JPEG, BMP or GIF>", [[0, 255, ...], ...]]}
    -> {"predictions": [{"label": "7", "probability": 0.98, "probabilities": {"0": 0.001, ...}}, ...]}

A request that cannot be scored gets 400 with the reason; see `image_scoring.requests`.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the code folder; the server may start us from elsewhere

from image_scoring.model_folder import Model
from image_scoring.requests import RequestError, read_images
from image_scoring.scoring import load_deployed_model, predictions

_model: Model | None = None


def init() -> None:
    """Load the model, with one thread: the workers of an instance share its cores."""
    global _model  # noqa: PLW0603 - the contract of an online driver has no other place for it
    _model = load_deployed_model()


def run(raw_data: str) -> Any:
    """Score the images of one request with one call of the network.

    Args:
        raw_data: the request's body.

    Returns:
        The predictions, or an answer with status 400 that says what is wrong with the request.
    """
    if _model is None:
        raise RuntimeError("init() has not been called")
    try:
        pixels = read_images(raw_data, _model.card.size)
    except RequestError as error:
        return _refused(str(error))
    return {"predictions": predictions(_model, pixels)}


def _refused(reason: str) -> Any:
    """An answer with status 400. Its class is the server's, which only the environment of deployments has."""
    server = importlib.import_module("azureml_inference_server_http.api.aml_response")
    return server.AMLResponse({"message": reason}, 400, json_str=True)
