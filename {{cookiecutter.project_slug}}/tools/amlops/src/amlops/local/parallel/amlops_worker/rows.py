"""Which rows of which files a mini-batch has, and what they are called: /data/sales.csv#17, from 0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one file of a table.

    Attributes:
        spans: numbers of the rows, as [first, one after the last], ascending.
        offset: delimited text and JSON lines: where the reader starts, `length` bytes in all; -1: the whole file.
        row_groups: parquet: what the reader reads.
        base: number of the first row that the reader finds there.
        columns: values that the path of the file stands for (partition format of an MLTable, `key=value` folders).
    """

    path: str
    spans: list[list[int]]
    offset: int = -1
    length: int = 0
    row_groups: list[int] = field(default_factory=list)
    base: int = 0
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of rows."""
        return sum(stop - start for start, stop in self.spans)


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
