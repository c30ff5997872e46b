"""Folders of labelled images: one sub-folder per label, the images in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from image_scoring.steps import StepError

Labelled = tuple[str, Path]
"""Label and file."""


def labelled_files(root: Path, argument: str) -> list[Labelled]:
    """List the files of a folder of labelled images, sorted by label and name.

    Hidden files and folders are left out, and so is what lies deeper than `<label>/<file>`.

    Args:
        root: the folder with one sub-folder per label.
        argument: the argument that named the folder, for the message.

    Raises:
        StepError: no such folder, no label folders, or only one label.
    """
    if not root.is_dir():
        raise StepError(f"{argument}: '{root}' is not a folder; give one such as digits/ with digits/0/, digits/1/")
    folders = sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not folders:
        raise StepError(
            f"{argument}: '{root}' has no label folders; put the images into one sub-folder per label, "
            "for example digits/0/a.png, digits/1/b.png"
        )
    if len(folders) == 1:
        raise StepError(
            f"{argument}: '{root}' has the single label '{folders[0].name}'; a classifier needs at least two"
        )
    for folder in folders:
        if not folder.name.isprintable():
            raise StepError(f"{argument}: label folder {folder.name!r} has unprintable characters; rename it")
    return [
        (folder.name, file)
        for folder in folders
        for file in sorted(folder.iterdir())
        if file.is_file() and not file.name.startswith(".")
    ]


def fingerprint(labels: Sequence[str], pixels: NDArray[np.uint8]) -> str:
    """A short name of a data set: it changes with any pixel or label, and not with order or file names.

    Returns:
        The first 16 hexadecimal digits of a SHA-256.
    """
    rows = sorted(
        hashlib.sha256(label.encode() + b"\0" + row.tobytes()).digest()
        for label, row in zip(labels, pixels, strict=True)
    )
    return hashlib.sha256(b"".join(rows)).hexdigest()[:16]
