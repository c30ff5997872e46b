"""Training images as arrays, and how they move from epoch to epoch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from image_scoring.images import Failed, ImageError, Size, decode, read_gray
from image_scoring.labelled import labelled_files
from image_scoring.steps import StepError

LONGEST_SIDE = 32
"""Larger images are scaled down to it: the network is fully connected, its size grows with the number of pixels."""

IMAGES_FOR_SIZE = 200


def check_parameters(whole: Sequence[tuple[str, int, int, int]], learning_rate: float, example: float) -> None:
    """Refuse what cannot be trained with.

    Args:
        whole: whole numbers, each as name, value, lowest value, example.
        learning_rate: between 0 and 1; `example` is one that works.

    Raises:
        StepError: a value is out of range.
    """
    for name, value, lowest, better in whole:
        if value < lowest:
            raise StepError(f"{name}: {value} must be at least {lowest}, for example {better}")
    if not 0 < learning_rate < 1:
        raise StepError(f"learning_rate: {learning_rate} must lie between 0 and 1, for example {example}")


@dataclass(frozen=True)
class TrainingData:
    """Labelled images.

    Attributes:
        labels: the labels, sorted; a target is an index into them.
        size: width and height that the images were scaled to.
        pixels: uint8 [images, height * width].
        targets: int64 [images].
        skipped: files that could not be decoded.
    """

    labels: list[str]
    size: Size
    pixels: NDArray[np.uint8]
    targets: NDArray[np.int64]
    skipped: list[Failed]


def load_training_data(root: Path) -> TrainingData:
    """Read a folder of labelled images.

    Raises:
        StepError: no label folders, a single label, or no readable image.
    """
    files = labelled_files(root, "train_images")
    label_of = {path: label for label, path in files}
    size = image_size(list(label_of))
    decoded = decode(list(label_of), size)
    for item in decoded.failed:
        print(f"skipped: {item.path.relative_to(root).as_posix()}: {item.reason}")
    found = [label_of[path] for path in decoded.paths]
    labels = sorted(set(found))
    if len(labels) < 2:
        raise StepError(f"train_images: readable images of at least two labels are needed; '{root}' has {len(labels)}")
    index = {label: number for number, label in enumerate(labels)}
    targets = np.array([index[label] for label in found], dtype=np.int64)
    return TrainingData(labels, size, decoded.pixels, targets, decoded.failed)


def image_size(paths: Sequence[Path]) -> Size:
    """The most frequent size among (a spread of) the images, scaled down where it is larger than `LONGEST_SIDE`.

    Raises:
        StepError: none of them can be read.
    """
    step = max(1, len(paths) // IMAGES_FOR_SIZE)
    sizes: Counter[tuple[int, int]] = Counter()
    for path in paths[::step]:
        try:
            sizes[read_gray(path).size] += 1
        except ImageError:
            continue
    if not sizes:
        raise StepError("train_images: no readable image; PNG, JPEG, BMP and GIF files can be read")
    width, height = min(sizes, key=lambda size: (-sizes[size], size))
    factor = min(1.0, LONGEST_SIDE / max(width, height))
    return Size(max(1, round(width * factor)), max(1, round(height * factor)))


def shift_by_a_pixel(images: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Move each image by one pixel up, down, left or right, or not at all; black moves in.

    Args:
        images: float32 [images, height, width].
        random: decides where each image moves.
    """
    count, height, width = images.shape
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    moved = np.empty_like(images)
    choice = random.integers(0, 5, count)
    for number, (top, left) in enumerate(((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))):
        chosen = choice == number
        moved[chosen] = padded[chosen, top : top + height, left : left + width]
    return moved
