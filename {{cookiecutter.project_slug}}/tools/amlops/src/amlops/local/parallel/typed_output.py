"""The rows of a job as a table with types, beside Azure's text file: predictions.parquet.

Azure's file has no header, no types, no order and no key. Here each row has

    item         the item's path below the input (of a row of a table: path#row); null when nobody can tell
    item_order   its place in the input, from 0; a replayed item has the place that it had in the first job
    mini_batch   the index of its mini-batch

then the script's own columns under their names and with their types; `value` where `run()` returned a list. A column of
the script that has one of our names gets a `_` at its end. Rows are in the order of the input.

Rows of a replayed job replace those of the first one by their key, as `write_merged` does it:

    old, new = pd.read_parquet(first), pd.read_parquet(replayed)
    merged = pd.concat([old[~old["item"].isin(new["item"])], new]).sort_values("item_order")
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlops.local.parallel.inputs import BatchInput
from amlops.local.parallel.outcome import MiniBatchResult
from amlops.local.parallel.worklist import WorkList

if TYPE_CHECKING:
    import pyarrow

KEY = ("item", "item_order", "mini_batch")
LIST_COLUMN = "value"
_DATE = re.compile(r"datetime64\[(?P<unit>s|ms|us|ns)(?:, (?P<zone>.+))?\]")
_Signature = tuple[tuple[str, str], ...]


def typed_file(output_file: Path) -> Path:
    """Where the typed rows go: predictions.csv -> predictions.parquet."""
    if output_file.suffix == ".parquet":  # of the text file; people name it as they like
        return output_file.with_name(f"{output_file.name}.typed.parquet")
    return output_file.with_suffix(".parquet")


def is_available() -> bool:
    """True when pyarrow is installed."""
    import importlib.util

    return importlib.util.find_spec("pyarrow") is not None


def write_typed(target: Path, results: Iterable[MiniBatchResult], work: WorkList, source: BatchInput) -> list[str]:
    """Write the typed rows of a job in one step.

    Args:
        results: in the order of the mini-batches; those without rows are left out.

    Returns: notes for the user: columns whose values had to become text.
    """
    blocks = list(_blocks(results, work, source))
    table, mixed = _joined([block.table() for block in blocks])
    mixed = list(dict.fromkeys([*mixed, *(name for block in blocks for name in block.mixed)]))
    _write(table, target)
    return [f"{target.name}: values of several types became text in {', '.join(mixed)}"] if mixed else []


def write_merged(target: Path, first: Path, replayed: Path, whole: Collection[int] = ()) -> None:
    """Write the typed rows of a job with those of its replay in their place.

    Args:
        first: the typed rows of the job; `replayed` those of the job with its failed items.
        whole: mini-batches of the first job that were scored again as a whole.
    """
    import pyarrow.parquet as pq

    old, new = pq.read_table(first), pq.read_table(replayed)
    again = set(new["item"].to_pylist()) - {None}
    rows = zip(old["item"].to_pylist(), old["mini_batch"].to_pylist(), strict=True)
    gone = [item in again or (item is None and batch in whole) for item, batch in rows]
    table, _ = _joined([old.take([row for row, out in enumerate(gone) if not out]), new])
    _write(table.sort_by("item_order"), target)


def _write(table: pyarrow.Table, target: Path) -> None:
    """Write a parquet file in one step."""
    import pyarrow.parquet

    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        pyarrow.parquet.write_table(table, temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@dataclass
class _Block:
    """Rows of mini-batches that follow each other and have the same columns.

    `mixed` are the columns whose values had to become text, known when the table has been made.
    """

    signature: _Signature
    item: list[str | None] = field(default_factory=list)
    item_order: list[int | None] = field(default_factory=list)
    mini_batch: list[int] = field(default_factory=list)
    columns: list[list[Any]] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)

    def add(self, rows: dict[str, Any], batch: int, names: list[str], places: list[int]) -> None:
        """Add the rows of a mini-batch in the order of its items; rows that nobody can place come last."""
        positions = rows["positions"]
        order = sorted(range(len(positions)), key=lambda row: (positions[row] is None, positions[row] or 0))
        for row in order:
            position: int | None = positions[row]
            self.item.append(None if position is None else names[position])
            self.item_order.append(None if position is None else places[position])
        self.mini_batch += [batch] * len(order)
        for values, column in zip(self.columns, rows["columns"], strict=True):
            values += [column["values"][row] for row in order]

    def table(self) -> pyarrow.Table:
        """The block as an Arrow table."""
        import pyarrow as pa

        own = {
            "item": _strings(self.item),
            "item_order": pa.array(self.item_order, pa.int64()),
            "mini_batch": pa.array(self.mini_batch, pa.int32()),
        }
        names = _names(name for name, _ in self.signature)
        arrays: list[pyarrow.Array] = []
        for name, (_, dtype), values in zip(names, self.signature, self.columns, strict=True):
            array = _typed(values, dtype)
            if array is None:
                self.mixed.append(name)
            arrays.append(_strings(values) if array is None else array)
        return pa.table([*own.values(), *arrays], names=[*own, *names])


def _blocks(results: Iterable[MiniBatchResult], work: WorkList, source: BatchInput) -> Iterator[_Block]:
    block = _Block(())
    for result in results:
        if result.rows is None:
            continue
        rows = json.loads(result.rows.read_text(encoding="utf-8"))
        if rows["kind"] == "list":
            rows["columns"][0]["name"] = LIST_COLUMN
        signature = tuple((column["name"], column["dtype"]) for column in rows["columns"])
        if signature != block.signature:
            if block.mini_batch:
                yield block
            block = _Block(signature, columns=[[] for _ in signature])
        names = [source.name(item) for item in result.batch.items]
        block.add(rows, result.batch.index, names, list(work.places(result.batch.index)))
    yield block


def _names(names: Iterable[str]) -> list[str]:
    """The script's column names, each once and none of ours."""
    taken: set[str] = set(KEY)
    unique: list[str] = []
    for name in names:
        free = name
        while free in taken:
            free += "_"
        taken.add(free)
        unique.append(free)
    return unique


def _typed(values: list[Any], dtype: str) -> pyarrow.Array | None:
    """Values of a column of that (pandas) type; None where they are of several kinds."""
    import pyarrow as pa

    try:
        if date := _DATE.fullmatch(dtype):
            return pa.array(values, pa.string()).cast(pa.timestamp(date["unit"], date["zone"]))
        named = pa.type_for_alias(dtype.lower())
        return pa.array(values, named)
    except (ValueError, TypeError, OverflowError):  # pyarrow's own errors are of these kinds
        return _inferred(values)


def _inferred(values: list[Any]) -> pyarrow.Array | None:
    import pyarrow as pa

    try:
        return pa.array(values)
    except UnicodeEncodeError:  # names of files that are not UTF-8
        return _strings(values)
    except (ValueError, TypeError, OverflowError):
        return None


def _strings(values: Sequence[Any]) -> pyarrow.Array:
    """Values as text. Names of files that are not UTF-8 are written with escapes, as in the logs."""
    import pyarrow as pa

    texts = [each if each is None or isinstance(each, str) else json.dumps(each) for each in values]
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        escaped = (each and each.encode("utf-8", "backslashreplace").decode("utf-8") for each in texts)
        return pa.array(list(escaped), pa.string())


def _joined(tables: Sequence[pyarrow.Table]) -> tuple[pyarrow.Table, list[str]]:
    """The tables one below the other: what fits becomes the wider type, what does not becomes text.

    Returns: the table, and the columns that became text.
    """
    import pyarrow as pa

    try:
        return pa.concat_tables(tables, promote_options="permissive"), []
    except pa.ArrowException:
        kinds: dict[str, set[pyarrow.DataType]] = {}
        for table in tables:
            for column in table.schema:
                kinds.setdefault(column.name, set()).add(column.type)
        mixed = [name for name, types in kinds.items() if len(types - {pa.null()}) > 1]
        texts = [_with_text(table, mixed) for table in tables]
        return pa.concat_tables(texts, promote_options="permissive"), mixed


def _with_text(table: pyarrow.Table, names: Sequence[str]) -> pyarrow.Table:
    for name in names:
        if name in table.column_names:
            place = table.column_names.index(name)
            values = [each if each is None else str(each) for each in table.column(name).to_pylist()]
            table = table.set_column(place, name, _strings(values))
    return table
