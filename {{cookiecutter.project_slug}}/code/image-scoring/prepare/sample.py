"""The sample: 1,797 handwritten digits of 8x8 pixels that are part of scikit-learn.

They come from the UCI data set "Optical Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak, 1998).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from image_scoring.steps import StepError
from PIL import Image

MARKER = "sample.json"
DATASET = "scikit-learn-digits"
SIDE = 8
BRIGHTEST = 16
"""The data set counts ink from 0 to 16."""


def is_sample(folder: Path) -> bool:
    """Whether a folder stands for the sample: it then holds `sample.json` with the name of the data set.

    A pipeline job of Azure ML must give a path for every folder input, it has no optional ones (azure-ai-ml 1.35.2
    rejects `optional` there); so the default path of the pipeline is such a folder.

    Raises:
        StepError: the file names another data set.
    """
    marker = folder / MARKER
    if not marker.is_file():
        return False
    try:
        dataset = json.loads(marker.read_text(encoding="utf-8")).get("dataset")
    except (ValueError, AttributeError):
        dataset = None
    if dataset != DATASET:
        raise StepError(f"images: '{marker}' names data set {dataset!r}; the only one is '{DATASET}'")
    return True


def write_sample(root: Path) -> int:
    """Write the digits as PNG files `<label>/<number>.png`, 0 black, 255 white.

    Returns:
        The number of images.
    """
    from sklearn.datasets import load_digits  # noqa: PLC0415 - a folder of one's own does without scikit-learn

    ink, labels = load_digits(return_X_y=True)
    images = np.rint(np.asarray(ink) * (255 / BRIGHTEST)).astype(np.uint8).reshape(-1, SIDE, SIDE)
    for number, (image, label) in enumerate(zip(images, np.asarray(labels), strict=True)):
        folder = root / str(label)
        folder.mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / f"{number:04d}.png")
    return len(images)
