"""What `run()` returned: counted, as text for the append_row file, and as typed rows. Workers import this: standard
library only, and pandas only where the script has imported it.

A mini-batch leaves two files, named by its index and attempt. They count when the worker has said that the mini-batch
is done; what a worker that died has left of an attempt is never looked at.

    000003.1.part   the lines that Azure would append to its output file
    000003.1.rows   the same rows with their types, one JSON document (Python's dialect: NaN is allowed):

        {"kind": "frame",                     or "list"
         "header": "file label\\n",            what `--append_row_dataframe_header True` puts on top; "" for lists
         "keyed_by": "name",                  "position" when no row names an item and there are as many rows as items;
                                              "" when nobody can tell which row belongs to which item
         "positions": [0, 2, null],           for each row the place of its item in the mini-batch
         "columns": [{"name": "file", "dtype": "str", "values": ["a.png", …]}, …]}

    A list has one column, "result". Values are those of JSON; dates are text in ISO format, whatever else JSON cannot
    hold is `str(value)`; what is missing is null, or NaN in a column of floats. `dtype` is pandas' name of it.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import logging
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .entryscript import ScriptError

_WORDS = re.compile(r"[\w.-]+")
Rows = dict[str, Any]
_BARE = (bool, int, float, str)
_log = logging.getLogger("amlops.parallel")


def count(result: Any) -> int:
    """How many elements a result of `run()` has: those of a list or tuple, or the rows of a DataFrame.

    Raises:
        ScriptError: `run()` returned something else; Azure ML refuses it too.
    """
    if isinstance(result, list | tuple) or is_frame(result):
        return len(result)
    kind = type(result).__name__
    raise ScriptError(
        f"run() returned {kind}; Azure ML takes a list, a tuple or a pandas DataFrame with one element per item"
    )


def is_frame(result: Any) -> bool:
    """True for a pandas DataFrame."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(result, pandas.DataFrame)


def rendered(result: Any) -> str:
    """A result as Azure ML appends it: of a list or tuple `str(element)`, one per line; of a DataFrame its rows,
    separated by one space, quoted where needed, without header and index, nothing where a value is missing.
    """
    if is_frame(result):
        return result.to_csv(sep=" ", header=False, index=False, lineterminator="\n") if len(result) else ""
    return "".join([f"{element}\n" for element in result])


def typed(result: Any, items: Sequence[str], *, table: bool) -> Rows:
    """A result as the document of the module's docstring. `table`: the items are rows of a table."""
    keyed_by, positions = _positions_in_table(result, len(items)) if table else _positions_of_files(result, items)
    if not is_frame(result):
        columns = [{"name": "result", "dtype": "object", "values": [_plain(element) for element in result]}]
        return {"kind": "list", "header": "", "keyed_by": keyed_by, "positions": positions, "columns": columns}
    names = [str(label) for label in result.columns]
    columns = [_column(name, values) for name, (_, values) in zip(names, result.items(), strict=True)]
    header = io.StringIO()
    csv.writer(header, delimiter=" ", lineterminator="\n").writerow(names)
    return {
        "kind": "frame",
        "header": header.getvalue(),
        "keyed_by": keyed_by,
        "positions": positions,
        "columns": columns,
    }


def write_part(path: Path, result: Any, items: Sequence[str], *, table: bool) -> str:
    """Write the two files of a mini-batch. Returns the text of the part."""
    text = rendered(result)
    try:
        document = json.dumps(typed(result, items, table=table))
    except Exception:  # Azure would not have looked at the types: that alone must not fail a mini-batch
        _log.exception("the types of what run() returned are lost")
        document = json.dumps(_untyped(text))
    _write(f"{str(path).removesuffix('.part')}.rows", document)
    _write(str(path), text)
    return text


def _untyped(text: str) -> Rows:
    lines = text.splitlines()
    column = {"name": "result", "dtype": "object", "values": lines}
    return {"kind": "list", "header": "", "keyed_by": "", "positions": [None] * len(lines), "columns": [column]}


def _write(path: str, text: str) -> None:
    # surrogateescape: file names that are not UTF-8 are written with the bytes they have on disk.
    with open(path, "wb") as file:  # noqa: PTH123 (a mini-batch may take a millisecond in all)
        file.write(text.encode("utf-8", errors="surrogateescape"))


def _column(name: str, values: Any) -> Rows:
    kind = values.dtype.kind
    if kind in "biuf" and isinstance(values.dtype.type, type) and type(values.dtype).__module__.startswith("numpy"):
        cells = values.tolist()
    else:
        missing = values.isna().tolist()
        cells = [None if gone else _plain(value) for value, gone in zip(values.tolist(), missing, strict=True)]
    return {"name": name, "dtype": str(values.dtype), "values": cells}


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if value is None or type(value) in _BARE:
        return value
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    bare = value.tolist() if type(value).__module__ == "numpy" and hasattr(value, "tolist") else value
    if bare is not value and type(bare) is not type(value):  # arrays, and scalars
        return _plain(bare)
    return next((kind(value) for kind in _BARE if isinstance(value, kind)), str(value))


def _file_name(path: str) -> str:
    """The last part of a path; `Path` would take ten times as long, for every item."""
    return path.replace("\\", "/").rpartition("/")[2] if os.name == "nt" else path.rpartition("/")[2]


class ItemNames:
    """Finds the item that a row of the result names: by its path, or by its file name where that is unique."""

    def __init__(self, items: Sequence[str]) -> None:
        self._places: dict[str, int | None] = {item: place for place, item in enumerate(items)}
        names = [_file_name(item) for item in items]
        for place, name in enumerate(names):
            self._places[name] = None if name in self._places else place
        # Names with spaces or signs are no words: they are looked for in the text.
        self._odd = [name for name in names if not _WORDS.fullmatch(name)]

    def exact(self, value: str) -> int | None:
        """The place of the item that `value` is the name or a path of."""
        place = self._places.get(value)
        return self._places.get(_file_name(value)) if place is None else place

    def inside(self, text: str) -> int | None:
        """The place of the one item whose name stands in the text as a word; None for none or several."""
        get = self._places.get
        places = {get(word) for word in _WORDS.findall(text)}
        if self._odd:
            places |= {get(name) for name in self._odd if name in text}
        places.discard(None)
        return places.pop() if len(places) == 1 else None


def _positions_of_files(result: Any, items: Sequence[str]) -> tuple[str, list[int | None]]:
    names = ItemNames(items)
    positions: list[int | None]
    if is_frame(result):
        positions = [None] * len(result)
        for _, values in result.items():
            if values.dtype.kind in "biufcmM":
                continue
            for row, value in enumerate(values.tolist()):
                if positions[row] is None and isinstance(value, str):
                    positions[row] = names.exact(value)
    else:
        positions = [_named_in(names, element) for element in result]
    if any(place is not None for place in positions):
        return "name", positions
    return ("position", list(range(len(items)))) if len(positions) == len(items) else ("", positions)


def _named_in(names: ItemNames, element: Any) -> int | None:
    """The item that an element of a list names: in one of its values, or somewhere in its text."""
    values = element.values() if isinstance(element, dict) else element if isinstance(element, list | tuple) else ()
    for value in (element, *values):
        if isinstance(value, str) and (place := names.exact(value)) is not None:
            return place
    return names.inside(str(element))


def _positions_in_table(result: Any, rows: int) -> tuple[str, list[int | None]]:
    """Rows of a table have no names: the index of the DataFrame tells, or as many elements as there are rows.

    An index that counts from 0 tells nothing about a result with fewer rows: the script may have made it anew.
    """
    number = len(result)
    if number == rows:
        return "position", list(range(rows))
    if is_frame(result):
        index = result.index.tolist()
        places = set(index)
        known = all(type(place) is int and 0 <= place < rows for place in index)
        if known and len(places) == number and index != list(range(number)):
            return "position", index
    return "", [None] * number


def rows_left_out(result: Any, items: Sequence[str]) -> list[str]:
    """The rows of a table that a result which is too short has no element for; none where it does not tell."""
    keyed_by, positions = _positions_in_table(result, len(items))
    left = set(range(len(items))).difference(place for place in positions if place is not None)
    return [item for place, item in enumerate(items) if place in left] if keyed_by else []


def not_named(items: Sequence[str], text: str) -> list[str]:
    """The items whose file name does not stand in `text`, as far as words go: 1.png is not found in 11.png."""
    words = set(_WORDS.findall(text))
    return [item for item in items if not _is_named(_file_name(item), words, text)]


def _is_named(name: str, words: set[str], text: str) -> bool:
    """Whether the name is one of the words; one with spaces or signs in it is looked for in the text."""
    if _WORDS.fullmatch(name):
        return name in words
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", text) is not None
