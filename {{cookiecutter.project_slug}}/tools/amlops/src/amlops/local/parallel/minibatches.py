"""What one call of `run()` gets: files, or rows of tables, all or those of one partition.

Facts (Azure ML, parallel job YAML reference): `mini_batch_size` is a number of files where the input is files, and an
approximate number of bytes (`10kb`, `100MB`) where it is a table. With `partition_keys` there is one mini-batch for
each distinct combination of their values, and the size plays no part.

An item is a file or a row. A row is called by its file and its number there, from 0: /data/sales.csv#17.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from amlops.errors import UserError

# What the service accepts; a space before the unit is refused, although the documentation shows one.
_SIZE = re.compile(r"(\d+)(?:([kKmMgG])[bB])?")
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one file of a table.

    Attributes:
        spans: numbers of the rows, as [first, one after the last], ascending.
        offset: delimited text and JSON lines: the byte where the first row starts, `length` bytes in all; -1 when the
            whole file has to be read to find the rows.
        row_groups: parquet: the row groups that the rows are in.
        columns: values that the path of the file stands for (partition format of an MLTable, `key=value` folders).
    """

    path: str
    spans: list[list[int]]
    offset: int = -1
    length: int = 0
    row_groups: list[int] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of rows."""
        return sum(stop - start for start, stop in self.spans)


@dataclass(frozen=True, slots=True)
class TableRows:
    """Rows of a table, as a worker reads them.

    Attributes:
        format: delimited, parquet or json_lines.
        options: how to read, and what to do with the columns; see `tablereader`.
    """

    format: str
    pieces: list[Piece]
    options: dict[str, Any] = field(default_factory=dict)


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


class RowNames(Sequence[str]):
    """The names of rows, made when they are asked for: a mini-batch may have many."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._length = sum(piece.count for piece in pieces)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[str]:
        for piece in self._pieces:
            for start, stop in piece.spans:
                for row in range(start, stop):
                    yield f"{piece.path}#{row}"

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return list(self)[index]
        wanted = index + self._length if index < 0 else index
        if wanted < 0:
            raise IndexError(index)
        for piece in self._pieces:
            for start, stop in piece.spans:
                if wanted < stop - start:
                    return f"{piece.path}#{start + wanted}"
                wanted -= stop - start
        raise IndexError(index)


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
