"""The input of a parallel job and how it is cut into mini-batches.

Facts (Azure ML, batch endpoints and parallel jobs with file input): the folder is walked with its subfolders, links are
followed, every file is an item; a mini-batch has at most `mini_batch_size` files and never files of two folders; the
size of the files plays no part. Azure does not sort; here the walk is sorted, so that two runs give the same
mini-batches. With `partition_keys` the folders are called `key=value`. Tables: see `tables`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from amlops.errors import UserError
from amlops.files import walk_links
from amlops.local.parallel.minibatches import MiniBatch, number_of_files
from amlops.local.parallel.settings import FIRST_TASK_CREATION_TIMEOUT

TABLE = "mltable"


@dataclass(frozen=True)
class BatchInput:
    """The input of a job.

    Attributes:
        root: the folder, or the one file's folder, that item names are relative to.
        type: uri_folder, uri_file or mltable.
    """

    path: Path
    root: Path
    type: str

    def name(self, item: str) -> str:
        """The item's path below `root`, with forward slashes: how reports call it."""
        above = os.path.join(self.root, "")  # noqa: PTH118 (called for every item)
        if item.startswith(above):
            return item[len(above) :].replace(os.sep, "/")
        try:
            return Path(item).relative_to(self.root).as_posix()
        except ValueError:  # an MLTable may name files outside its folder
            return Path(item).as_posix()

    def mini_batches(
        self, size: int | str, partition_keys: Sequence[str] = (), *, within: float = FIRST_TASK_CREATION_TIMEOUT
    ) -> list[MiniBatch]:
        """The mini-batches, in order.

        Args:
            size: `mini_batch_size`: a number of files, or of bytes for a table.
            partition_keys: one mini-batch for each combination of their values, whatever the size.
            within: seconds in which the first mini-batch has to exist (`--first_task_creation_timeout`).

        Raises:
            UserError: there is nothing in the input, the size or a key does not fit it, or it took too long.
        """
        if self.type == TABLE:
            from amlops.local.parallel.tables import table_batches

            return table_batches(self.path, size, partition_keys, within)
        if self.type == "uri_file":
            chunks = [([str(self.path)], {})]
        else:
            folders = _folders(self.path, time.monotonic() + within)
            chunks = list(_by_keys(self.path, folders, partition_keys) if partition_keys else _by_count(folders, size))
        if not chunks:
            raise UserError(f"--input: '{self.path}' has no file in it; give a folder with the files to score")
        return [MiniBatch(index, files, values) for index, (files, values) in enumerate(chunks)]


_Chunk = tuple[list[str], dict[str, str]]


def _by_count(folders: Iterator[list[str]], size: int | str) -> Iterator[_Chunk]:
    number = number_of_files(size)
    for files in folders:
        for start in range(0, len(files), number):
            yield files[start : start + number], {}


def _by_keys(root: Path, folders: Iterator[list[str]], keys: Sequence[str]) -> Iterator[_Chunk]:
    """The files of each combination of values, in the order of the first file of each."""
    found: dict[tuple[str, ...], list[str]] = {}
    for files in folders:
        if files:
            values = folder_values(root, files[0])
            missing = [key for key in keys if key not in values]
            if missing:
                raise UserError(
                    f"partition_keys: '{missing[0]}' is not in the path of {files[0]}; the folders must be called "
                    f"key=value, for example {'/'.join(f'{key}=…' for key in keys)}/file.csv"
                )
            found.setdefault(tuple(values[key] for key in keys), []).extend(files)
    for combination, files in found.items():
        yield files, dict(zip(keys, combination, strict=True))


def folder_values(root: Path, file: str) -> dict[str, str]:
    """The `key=value` folders between `root` and the file."""
    pairs = (part.partition("=") for part in Path(file).relative_to(root).parts[:-1])
    return {key: value for key, equals, value in pairs if equals and key}


def _folders(root: Path, until: float) -> Iterator[list[str]]:
    """The files of each folder at or below `root`, sorted."""
    found = False
    for folder, files in walk_links(root):
        found = found or bool(files)
        if not found and time.monotonic() > until:
            raise UserError(
                "--first_task_creation_timeout: no mini-batch was there in time, because there are many folders and no "
                f"file yet in {root}; give the option more seconds, for example 1200"
            )
        yield [os.path.join(folder, name) for name in files]  # noqa: PTH118 (100,000 files)
