"""The items of a batch job and how they are cut into mini-batches.

Facts (Azure ML, batch endpoints with file input): the folder is walked with its subfolders, links are followed, every
file is an item; a mini-batch has at most `mini_batch_size` files and never files of two folders; the size of the files
plays no part. Azure does not sort; here the walk is sorted, so that two runs give the same mini-batches.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from amlops import references
from amlops.errors import UserError

INPUT_TYPES = ("uri_folder", "uri_file")


@dataclass(frozen=True)
class MiniBatch:
    """What one call of `run()` gets: absolute paths of files in one folder."""

    index: int
    items: list[str]


@dataclass(frozen=True)
class BatchInput:
    """The input of a job: `root` is the folder, or the one file's folder, that item names are relative to."""

    path: Path
    root: Path
    type: str

    def name(self, item: str) -> str:
        """The item's path below `root`, with forward slashes: how reports call it."""
        return Path(item).relative_to(self.root).as_posix()

    def mini_batches(self, size: int) -> list[MiniBatch]:
        """The mini-batches, in order.

        Raises:
            UserError: there is no file in the input.
        """
        if self.type == "uri_file":
            return [MiniBatch(0, [str(self.path)])]
        chunks = [files[start : start + size] for files in _folders(self.path) for start in range(0, len(files), size)]
        if not chunks:
            raise UserError(f"--input: '{self.path}' has no file in it; give a folder with the files to score")
        return [MiniBatch(index, chunk) for index, chunk in enumerate(chunks)]


def batch_input(value: str, input_type: str | None, base: Path) -> BatchInput:
    """The input that the user named.

    Args:
        value: path of a file or folder; relative to `base`.
        input_type: uri_folder or uri_file; None takes what the path is.

    Raises:
        UserError: there is nothing, it is of the other type, or it is not on this machine.
    """
    if input_type is not None and input_type not in INPUT_TYPES:
        raise UserError(f"--input-type: '{input_type}' is not a type of input; one of {', '.join(INPUT_TYPES)}")
    if references.is_address(value) or references.is_reference(value):
        raise UserError(f"--input: '{value}' is not on this machine; give a local file or folder, for example ./images")
    path = (base / Path(value).expanduser()).resolve()
    if not path.exists():
        raise UserError(
            f"--input: '{value}' does not exist (looked at {path}); give a file or folder, for example ./images"
        )
    found = "uri_folder" if path.is_dir() else "uri_file"
    if input_type not in (None, found):
        kind = "a folder" if found == "uri_folder" else "a file"
        raise UserError(f"--input: '{value}' is {kind}, not {input_type}; use --input-type {found}, or leave it out")
    return BatchInput(path, path if path.is_dir() else path.parent, found)


def _folders(root: Path) -> Iterator[list[str]]:
    """The files of each folder at or below `root`, sorted. A link back to a folder above is not entered again."""
    parents: dict[str, set[str]] = {str(root): {os.path.realpath(root)}}
    for folder, folders, files in os.walk(root, followlinks=True):
        above = parents.pop(folder)
        folders.sort()
        for name in list(folders):
            child = os.path.join(folder, name)  # noqa: PTH118 (os.walk gives strings; 100,000 files)
            real = os.path.realpath(child)
            if real in above:
                folders.remove(name)
            else:
                parents[child] = above | {real}
        yield [os.path.join(folder, name) for name in sorted(files)]  # noqa: PTH118
