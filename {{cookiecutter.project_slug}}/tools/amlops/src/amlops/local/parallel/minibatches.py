"""What one call of `run()` gets: files, or rows of tables, all or those of one partition.

Facts (Azure ML, parallel job YAML reference): `mini_batch_size` is a number of files where the input is files, and an
approximate number of bytes (`10kb`, `100MB`) where it is a table. With `partition_keys` there is one mini-batch for
each distinct combination of their values, and the size plays no part.

An item is a file or a row. A row is called by its file and its number there, from 0: /data/sales.csv#17.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from amlops.errors import UserError
from amlops.local.parallel.amlops_worker.rows import Piece, RowNames

# What the service accepts; a space before the unit is refused, although the documentation shows one.
_SIZE = re.compile(r"(\d+)(?:([kKmMgG])[bB])?")
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


@dataclass(frozen=True, slots=True)
class TableRows:
    """Rows of a table, as a worker reads them.

    Attributes:
        format: delimited, parquet or json_lines.
        options: how to read, and what to do with the columns; see `amlops_worker.tablereader`.
    """

    format: str
    pieces: list[Piece]
    options: dict[str, Any] = field(default_factory=dict)

    def as_message(self) -> dict[str, Any]:
        """What a worker is told."""
        return {"format": self.format, "pieces": [asdict(piece) for piece in self.pieces], "options": self.options}


@dataclass(frozen=True, slots=True)
class MiniBatch:
    """What one call of `run()` gets.

    Attributes:
        files: absolute paths of the files that are given to `run()`; empty where it gets rows.
        partition: what `mini_batch_context.partition_key_value` will be.
        table: the rows that `run()` gets as one DataFrame; None for files.
    """

    index: int
    files: list[str] = field(default_factory=list)
    partition: dict[str, Any] = field(default_factory=dict)
    table: TableRows | None = None

    @property
    def items(self) -> Sequence[str]:
        """Names of the items, in order: paths, or path#row."""
        return self.files if self.table is None else RowNames(self.table.pieces)

    @property
    def sources(self) -> list[str]:
        """The files that the items are, or lie in."""
        return self.files if self.table is None else [piece.path for piece in self.table.pieces]


def number_of_files(size: int | str) -> int:
    """`mini_batch_size` where the input is files. Raises UserError for a size in bytes."""
    if isinstance(size, str) and not size.isdecimal():
        raise UserError(
            f"mini_batch_size: '{size}' is a number of bytes, which is for tables (type: mltable); the input is files, "
            'so give their number, for example "10"'
        )
    return _positive(int(size), size)


def number_of_bytes(size: int | str) -> int:
    """`mini_batch_size` where the input is a table; a number without unit is bytes. Raises UserError."""
    match = _SIZE.fullmatch(str(size))
    if match is None:
        raise UserError(f"mini_batch_size: '{size}' is not a number of bytes; for example 10kb or 100MB, without space")
    return _positive(int(match[1]) * _UNITS[(match[2] or "").lower()], size)


def _positive(number: int, size: int | str) -> int:
    if number < 1:
        raise UserError(f"mini_batch_size: '{size}' must be at least 1; for example 10")
    return number
