"""Rows of tables, read by the process that runs the script. Needs pandas, and pyarrow for parquet files.

The message has `format`, `pieces` (see `rows.Piece`) and `options`:

    encoding, delimiter, header, infer_column_types, empty_as_string, support_multi_line    of read_delimited
    include_path_column    a column Path with the file of each row
    names_from             the file whose first line has the names of all
    dates                  columns of the path that are dates -> their format
    convert, columns       [[names, type, {formats, true_values, false_values}], …], then [["keep_columns", names], …]

Types are those of the first rows of the file (Azure ML looks at 200): a column that is text there is text everywhere.
"""

from __future__ import annotations

import csv
import io
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pandas as pd

_SAMPLE_ROWS = 200
_SAMPLE_BYTES = 1 << 20
_CACHED_BYTES = 64 << 20
_ERRORS: Any = "coerce"
Options = dict[str, Any]

# The rows of a key may lie all over a file: mini-batches after the first take theirs from here.
_read: OrderedDict[str, tuple[pd.DataFrame, int]] = OrderedDict()
_samples: dict[str, dict[str, Any]] = {}


def read_rows(message: dict[str, Any]) -> pd.DataFrame:
    """The rows as one DataFrame with an index from 0.

    Raises:
        OSError, ValueError: a file cannot be read as what it should be.
    """
    frames = [_read_piece(message["format"], piece, message["options"]) for piece in message["pieces"]]
    frame = frames[0].reset_index(drop=True) if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    return _with_columns(frame, message["options"])


def _read_piece(format: str, piece: dict[str, Any], options: Options) -> pd.DataFrame:
    read = _cached(format, piece, options)
    base = piece["base"]
    parts = [read.iloc[start - base : stop - base] for start, stop in piece["spans"]]
    frame = parts[0] if len(parts) == 1 else pd.concat(parts)
    if len(frame) != sum(stop - start for start, stop in piece["spans"]):
        raise ValueError(f"{piece['path']} has other rows than when the job began")
    # A copy, so that what a script does to its mini-batch does not reach the next one.
    frame = frame.assign(**_path_columns(piece["columns"], options))
    return frame.assign(Path=piece["path"]) if options.get("include_path_column") else frame


def _cached(format: str, piece: dict[str, Any], options: Options) -> pd.DataFrame:
    """What the reader finds for a piece."""
    key = repr((piece["path"], piece["offset"], piece["length"], piece["row_groups"]))
    if key not in _read:
        frame = _read_file(format, piece, options)
        _read[key] = frame, int(frame.memory_usage().sum())
        while len(_read) > 1 and sum(size for _, size in _read.values()) > _CACHED_BYTES:
            _read.popitem(last=False)
    _read.move_to_end(key)
    return _read[key][0]


def _read_file(format: str, piece: dict[str, Any], options: Options) -> pd.DataFrame:
    if format == "parquet":
        import pyarrow.parquet  # pyright: ignore[reportMissingImports]

        with pyarrow.parquet.ParquetFile(piece["path"]) as file:
            return file.read_row_groups(piece["row_groups"]).to_pandas()
    with Path(piece["path"]).open("rb") as stream:
        if piece["offset"] >= 0:
            stream.seek(piece["offset"])
        data = stream.read(piece["length"] if piece["offset"] >= 0 else -1)
    if format == "json_lines":
        return pd.read_json(io.StringIO(data.decode(options["encoding"])), lines=True)
    # Without an offset (UTF-16 and UTF-32) the header is still there.
    headed = piece["offset"] < 0 and options["header"] != "no_header"
    return _parsed(data, options, _types(piece["path"], options), skip=int(headed))


def _parsed(data: bytes, options: Options, known: dict[str, Any], *, skip: int = 0, rows: int | None = None) -> Any:
    encoding = "utf-8" if options["encoding"] == "utf-8-sig" else options["encoding"]
    return pd.read_csv(
        io.BytesIO(data),
        sep=options["delimiter"],
        header=None,
        names=known["names"],
        dtype=known["dtypes"],
        skiprows=skip,
        nrows=rows,
        encoding=encoding,
        index_col=False,
        keep_default_na=not options["empty_as_string"],
        quoting=csv.QUOTE_MINIMAL,
    )


def _types(path: str, options: Options) -> dict[str, Any]:
    """Names of the columns of a file, and which of them are text. Looked at once in each process."""
    source = options.get("names_from") or path
    if source not in _samples:
        with Path(source).open(encoding=options["encoding"], newline="") as stream:
            reader = csv.reader(stream, delimiter=options["delimiter"])
            first = next((line for line in reader if line), [])
            names = first if options["header"] != "no_header" else [f"Column{place + 1}" for place in range(len(first))]
        with Path(source).open("rb") as stream:
            data = stream.read(_SAMPLE_BYTES if options["encoding"] not in ("utf-16", "utf-32") else -1)
        known: dict[str, Any] = {"names": names, "dtypes": {}}
        if not options["infer_column_types"]:
            known["dtypes"] = dict.fromkeys(names, str)
        else:
            head = int(options["header"] != "no_header")
            sample = _parsed(_whole_lines(data), options, known, skip=head, rows=_SAMPLE_ROWS)
            texts = [name for name in sample.columns if not _is_number(sample[name])]
            known["dtypes"] = dict.fromkeys(texts, str)
        _samples[source] = known
    return _samples[source]


def _whole_lines(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1] if len(data) == _SAMPLE_BYTES and b"\n" in data else data


def _is_number(column: Any) -> bool:
    """Number or boolean; a column without any value may be anything."""
    return column.dtype.kind in "biuf"


def _path_columns(columns: dict[str, str], options: Options) -> dict[str, Any]:
    dates = options.get("dates", {})
    return {
        name: pd.to_datetime(value, format=dates[name]) if name in dates else value for name, value in columns.items()
    }


def _with_columns(frame: Any, options: Options) -> Any:
    """The columns that the MLTable file asks for, of the types that it asks for."""
    for names, kind, details in options.get("convert", []):
        for name in names:
            frame[name] = _converted(frame[name], kind, details)
    for what, names in options.get("columns", []):
        frame = frame[names] if what == "keep_columns" else frame.drop(columns=names, errors="ignore")
    return frame


def _converted(column: Any, kind: str, details: dict[str, list[str]]) -> Any:
    """A column of another type; what cannot be converted is missing then, as in Azure ML."""
    if kind == "string":
        return column.map(str, na_action="ignore")
    if kind == "datetime":
        formats = details.get("formats", [])
        result: Any = pd.to_datetime(column, format=formats[0] if formats else None, errors=_ERRORS)
        for each in formats[1:]:
            result = result.fillna(pd.to_datetime(column, format=each, errors=_ERRORS))
        return result
    if kind in ("boolean", "bool"):
        words = dict.fromkeys(details.get("true_values", ["true", "1"]), True)
        words |= dict.fromkeys(details.get("false_values", ["false", "0"]), False)
        return column.map(lambda value: words.get(str(value), words.get(str(value).lower())))
    numbers: Any = pd.to_numeric(column, errors=_ERRORS)
    return numbers.astype("Int64").astype("int64" if numbers.notna().all() else "Int64") if kind == "int" else numbers
