"""A request to the online driver, read: JSON with images, as base64 of a file or as rows of grey values."""

from __future__ import annotations

import base64
import binascii
import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from image_scoring.images import ImageError, Size, pixels_of, read_gray

MOST_IMAGES = 1000
"""More belong into a batch: one request has to be answered within seconds."""
_EXAMPLE = 'for example {"images": ["iVBORw0KGgo..."]}, base64 of a PNG'


class RequestError(ValueError):
    """The request cannot be scored; the message says what is wrong, where, and what would be right."""


def read_images(raw_data: str | bytes, size: Size) -> NDArray[np.uint8]:
    """The pixels of a request's images, scaled to the model's size: uint8 [n, height * width].

    Raises:
        RequestError: it is not JSON, has no images or too many, or one of them is none.
    """
    try:
        data = json.loads(raw_data)
    except ValueError as error:
        raise RequestError(f"the request is not JSON ({error}); {_EXAMPLE}") from None
    images = data.get("images") if isinstance(data, dict) else None
    if not isinstance(images, list) or not images:
        raise RequestError(f"images: must be a list of one image or more; {_EXAMPLE}")
    if len(images) > MOST_IMAGES:
        raise RequestError(f"images: has {len(images)}, and at most {MOST_IMAGES} are scored in one request")
    pixels = np.empty((len(images), size.height * size.width), dtype=np.uint8)
    for index, image in enumerate(images):
        try:
            pixels[index] = pixels_of(_image(image), size)
        except ImageError as error:
            raise RequestError(f"images[{index}]: {error}") from None
    return pixels


def _image(value: Any) -> Image.Image:
    if isinstance(value, str):
        try:
            return read_gray(io.BytesIO(base64.b64decode(value, validate=True)))
        except (binascii.Error, ValueError) as error:
            if isinstance(error, ImageError):
                raise
            raise ImageError("is not base64; give the bytes of an image file in base64") from None
    try:
        array = np.asarray(value)
    except ValueError:
        raise ImageError("its rows have different lengths") from None
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "iuf":
        raise ImageError("must be base64 of an image file, or rows of grey values from 0 (black) to 255")
    if not (array.min() >= 0 and array.max() <= 255):  # so that NaN is refused too
        raise ImageError(f"has values from {array.min()} to {array.max()}; they must be from 0 (black) to 255")
    return Image.fromarray(array.astype(np.uint8))
