"""The results of a batch job, read for a comparison: the typed file where there is one, else Azure's text file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amlops.errors import UserError
from amlops.local.batch.compare_rows import Rows
from amlops.local.parallel.failures import ItemFailures
from amlops.local.parallel.typed_output import KEY, LIST_COLUMN, is_available

_TEXT_COLUMN = "column "


def read_rows(record: dict[str, Any], key: str | None) -> Rows:
    """The rows of a finished job.

    Args:
        record: the job's record.
        key: the column that names the item, by name or number (from 1); None takes what the typed file tells, or the
            first column of the text file.

    Raises:
        UserError: there is no such column, or nobody can tell which row belongs to which item.
    """
    typed = record.get("typed_file")
    if typed and is_available():
        columns, rows, items = _typed(Path(typed))
        words = frozenset({LIST_COLUMN})
    else:
        columns, rows = _text(Path(record["output_file"]))
        items, words = None, frozenset(columns)
    by_path = key is None and items is not None
    if key is not None or items is None:
        place = _place(key or "1", columns, record)
        items = [str(row[place]) for row in rows]
    if None in items:
        known = ", ".join(columns)
        raise UserError(
            f"--key: the result of the deployment '{record['deployment_name']}' does not tell which row belongs to "
            f"which item; name the column that does: one of {known}"
        )
    by_item: dict[str, list[Sequence[Any]]] = {}
    for item, row in zip(items, rows, strict=True):
        by_item.setdefault(str(item), []).append(row)
    return Rows(by_item, columns, words, _failed(record, by_item, by_path=by_path))


def _typed(file: Path) -> tuple[list[str], list[Sequence[Any]], list[str | None]]:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(file)
    own = [place for place, name in enumerate(table.column_names) if name not in KEY]
    values = [table.column(place).to_pylist() for place in own]
    rows: list[Sequence[Any]] = [*zip(*values, strict=True)] if values else [()] * table.num_rows
    return [table.column_names[place] for place in own], rows, table.column("item").to_pylist()


def _text(file: Path) -> tuple[list[str], list[Sequence[Any]]]:
    with file.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
        rows: list[Sequence[Any]] = [row for row in csv.reader(stream, delimiter=" ") if row]
    width = max(map(len, rows), default=0)
    return [f"{_TEXT_COLUMN}{place}" for place in range(1, width + 1)], [
        [*row, *[""] * (width - len(row))] for row in rows
    ]


def _place(key: str, columns: Sequence[str], record: dict[str, Any]) -> int:
    if key in columns:
        return columns.index(key)
    if key.isdecimal() and 1 <= int(key) <= len(columns):
        return int(key) - 1
    known = ", ".join(columns) or "none"
    raise UserError(
        f"--key: the result of the deployment '{record['deployment_name']}' has no column '{key}'; it has: {known}"
    )


def _failed(record: dict[str, Any], by_item: dict[str, Any], *, by_path: bool) -> dict[str, str]:
    """The failed items that have no row, under the names that rows have: paths below the input, or file names."""
    failures = ItemFailures.load(Path(record["logs"]))
    rows = [row for row in failures.rows if row.item] if failures else []
    names = {row.item if by_path else Path(row.item).name: f"{row.error_type}: {row.message}" for row in rows}
    return {name: reason for name, reason in names.items() if name not in by_item}
