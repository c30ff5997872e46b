"""Tables cut into mini-batches: by bytes, or by the values of keys.

Facts (Azure ML, parallel job): the size is approximate, a mini-batch never has rows of two files, and a parquet file
with one row group is not cut. With `partition_keys` there is one mini-batch for each combination of their values, which
come from the paths of the files or from columns. A file without rows gives no mini-batch.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from amlops.errors import UserError
from amlops.local.parallel.amlops_worker.rows import Piece
from amlops.local.parallel.minibatches import MiniBatch, TableRows, number_of_bytes
from amlops.local.parallel.mltable import Table, load_table

# What v1 took when nothing was said; v2's own default, "1", would be one byte.
DEFAULT_SIZE = "1mb"
_WHOLE_FILE = 1 << 62


def table_batches(folder: Path, size: int | str, partition_keys: Sequence[str], within: float) -> list[MiniBatch]:
    """The mini-batches of the table in `folder`, which has an MLTable file.

    Args:
        size: bytes, for example 10kb; the default of parallel steps, "1", stands for 1 MB.
        within: seconds in which the first mini-batch has to exist.

    Raises:
        UserError: the table cannot be read, has no rows, or has no such key.
    """
    table = load_table(folder)
    until = time.monotonic() + within
    if partition_keys:
        groups = _by_keys(table, partition_keys)
    else:
        limit = number_of_bytes(DEFAULT_SIZE if str(size) == "1" else size)
        groups = (({}, [piece]) for piece in _taken(table, _pieces(table, limit)))
    batches = []
    for values, pieces in groups:
        batches.append(MiniBatch(len(batches), [], values, TableRows(table.format, pieces, table.options)))
        if len(batches) == 1 and time.monotonic() > until:
            raise UserError(
                f"--first_task_creation_timeout: the first mini-batch of {folder} took longer than {within:g} s; give "
                "the option more seconds, for example 1200"
            )
    if not batches:
        raise UserError(f"'{folder}' has no rows; give a table with the rows to score")
    return batches


def _pieces(table: Table, limit: int) -> Iterator[Piece]:
    """The table in pieces of about `limit` bytes."""
    if table.options.get("header") == "from_first_file":
        # The other files have none of their own.
        table.options["names_from"] = str(table.files[0])
    for place, file in enumerate(table.files):
        columns = table.path_values(file)
        header = table.format == "delimited" and (
            table.options["header"].startswith("all_files")
            or (table.options["header"] == "from_first_file" and place == 0)
        )
        try:
            if table.format == "parquet":
                yield from _parquet_pieces(file, limit, columns)
            else:
                yield from _text_pieces(file, limit, columns, table.options, header=header)
        except OSError as error:
            raise UserError(f"cannot be read: {error.strerror or error}", file=file) from None


def _text_pieces(
    file: Path, limit: int, columns: dict[str, str], options: Mapping[str, Any], *, header: bool
) -> Iterator[Piece]:
    if options["encoding"] in ("utf-16", "utf-32"):  # their lines cannot be found as bytes
        text = file.read_text(encoding=options["encoding"])
        rows = sum(1 for line in text.splitlines() if line.strip()) - header
        if rows > 0:
            yield Piece(str(file), [[0, rows]], columns=columns)
        return
    first, row, start, last = 0, 0, -1, 0
    for offset, end in _records(file, multi_line=bool(options.get("support_multi_line"))):
        if header:
            header = False
            continue
        if start >= 0 and end - start > limit:
            yield Piece(str(file), [[first, row]], start, offset - start, base=first, columns=columns)
            first, start = row, -1
        start = offset if start < 0 else start
        row, last = row + 1, end
    if row > first:
        yield Piece(str(file), [[first, row]], start, last - start, base=first, columns=columns)


def _records(file: Path, *, multi_line: bool) -> Iterator[tuple[int, int]]:
    """Where each record starts and ends, in bytes. Lines that are empty are no records.

    As in Azure a line end inside quotes ends the record, unless `support_multi_line` is set.
    """
    offset = start = 0
    inside = False
    with file.open("rb") as stream:
        for line in stream:
            offset += len(line)
            if multi_line and line.count(b'"') % 2:
                inside = not inside
            if inside:
                continue
            if offset - start > len(line) or line.strip():
                yield start, offset
            start = offset
    if inside:
        yield start, offset


def _parquet_pieces(file: Path, limit: int, columns: dict[str, str]) -> Iterator[Piece]:
    groups: list[int] = []
    first = row = size = 0
    for number, (rows, length) in enumerate(_row_groups(file)):
        if groups and size + length > limit:
            yield Piece(str(file), [[first, row]], row_groups=groups, base=first, columns=columns)
            groups, first, size = [], row, 0
        groups = [*groups, number]
        row, size = row + rows, size + length
    if row > first:
        yield Piece(str(file), [[first, row]], row_groups=groups, base=first, columns=columns)


def _row_groups(file: Path) -> list[tuple[int, int]]:
    """Rows and bytes on disk of each row group."""
    try:
        from pyarrow import ArrowException  # pyright: ignore[reportMissingImports]
        from pyarrow.parquet import ParquetFile  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise UserError("parquet files need the package pyarrow: python -m pip install pyarrow", file=file) from None
    try:
        with ParquetFile(file) as parquet:
            groups = [parquet.metadata.row_group(number) for number in range(parquet.metadata.num_row_groups)]
    except (ArrowException, OSError, ValueError) as error:
        raise UserError(f"is not a parquet file: {' '.join(str(error).split())}", file=file) from None
    return [
        (group.num_rows, sum(group.column(place).total_compressed_size for place in range(group.num_columns)))
        for group in groups
    ]


def _taken(table: Table, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces without the rows that `take` and `skip` leave out."""
    before = 0
    for piece in pieces:
        start, count = piece.spans[0][0], piece.count
        first, last = max(table.first - before, 0), min(table.last - before, count)
        if first < last:
            yield replace(piece, spans=[[start + first, start + last]]) if (first, last) != (0, count) else piece
        before += count
        if before >= table.last:
            return


_Group = tuple[dict[str, Any], list[Piece]]


def _by_keys(table: Table, keys: Sequence[str]) -> Iterator[_Group]:
    """The rows of each combination of values, in the order of the first row of each."""
    found: dict[tuple[Any, ...], list[Piece]] = {}
    for piece in _taken(table, _pieces(table, _WHOLE_FILE)):
        if all(key in piece.columns for key in keys):
            found.setdefault(tuple(piece.columns[key] for key in keys), []).append(piece)
            continue
        for values, spans in _spans_of(table, piece, keys).items():
            found.setdefault(values, []).append(replace(piece, spans=spans))
    for values, pieces in found.items():
        yield dict(zip(keys, values, strict=True)), pieces


def _spans_of(table: Table, piece: Piece, keys: Sequence[str]) -> dict[tuple[Any, ...], list[list[int]]]:
    """For each combination of values in one file the rows that have it."""
    from amlops.local.parallel.amlops_worker.tablereader import read_rows

    try:
        frame = read_rows(TableRows(table.format, [piece], table.options).as_message())
    except (OSError, ValueError) as error:
        raise UserError(f"cannot be read: {' '.join(str(error).split())}", file=Path(piece.path)) from None
    missing = [key for key in keys if key not in frame.columns]
    if missing:
        raise UserError(
            f"partition_keys: '{missing[0]}' is no column of {piece.path}; it has {', '.join(map(str, frame.columns))}"
        )
    first = piece.spans[0][0]
    found: dict[tuple[Any, ...], list[list[int]]] = {}
    columns = [_values(frame[key]) for key in keys]
    for row, values in enumerate(zip(*columns, strict=True), start=first):
        spans = found.setdefault(values, [])
        if spans and spans[-1][1] == row:
            spans[-1][1] = row + 1
        else:
            spans.append([row, row + 1])
    return found


def _values(column: Any) -> list[Any]:
    """The values of a column of keys as they can be sent to a worker: dates become text, what is missing None."""
    pairs = zip(column.tolist(), column.isna().tolist(), strict=True)
    return [
        None if missing else value if isinstance(value, str | int | float | bool) else str(value)
        for value, missing in pairs
    ]
