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

from amlops.errors import UserError


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
