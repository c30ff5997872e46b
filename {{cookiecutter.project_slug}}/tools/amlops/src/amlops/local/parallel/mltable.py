"""A folder with an `MLTable` file: which files the table has, and how they are read.

Facts: Azure ML, "CLI (v2) MLtable YAML schema" and the reference of the package mltable. Supported are the
transformations that say how files are read and what columns they have; those that compute on the rows are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amlops import references, yamlfile
from amlops.errors import UserError
from amlops.yamlfile import YamlFile

FILE = "MLTable"
_READERS = {"read_delimited": "delimited", "read_parquet": "parquet", "read_json_lines": "json_lines"}
_OPTIONS = {
    "delimited": {
        "delimiter": ",",
        "encoding": "utf8",
        "header": "all_files_same_headers",
        "infer_column_types": True,
        "empty_as_string": False,
        "include_path_column": False,
        "support_multi_line": False,
    },
    "parquet": {"include_path_column": False},
    "json_lines": {"encoding": "utf8", "include_path_column": False, "invalid_lines": "error"},
}
HEADERS = ("no_header", "from_first_file", "all_files_different_headers", "all_files_same_headers")
# Names of Azure ML -> Python's.
_ENCODINGS = {
    "utf8": "utf-8",
    "utf8bom": "utf-8-sig",
    "iso88591": "iso-8859-1",
    "latin1": "latin-1",
    "ascii": "ascii",
    "utf16": "utf-16",
    "utf32": "utf-32",
    "windows1252": "cp1252",
}
_KNOWN = (
    *_READERS,
    "keep_columns",
    "drop_columns",
    "convert_column_types",
    "take",
    "skip",
    "extract_columns_from_partition_format",
)
_DETAILS = ("formats", "true_values", "false_values")
_TYPES = ("string", "int", "float", "boolean", "bool", "datetime")
# {name} or {name:yyyy/MM/dd/HH/mm/ss} in a partition format.
_FIELD = re.compile(r"\{(\w+)(?::([^}]*))?\}|\*+|[^{}*]+")
_DATE_PARTS = re.compile(r"yyyy|MM|dd|HH|mm|ss")
_DIGITS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}


@dataclass
class Table:
    """A table as its MLTable file describes it.

    Attributes:
        format: delimited, parquet or json_lines.
        files: absolute paths, in the order of `paths`, each once.
        options: how a worker reads them; see `amlops_worker.tablereader`.
        first, last: the rows that the table has, of all that the files have; `last` is the number after the last one.
        partition_format: pattern with a group for each column that the path holds; None without.
    """

    root: Path
    document: YamlFile
    format: str = ""
    files: list[Path] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    first: int = 0
    last: int = 1 << 62
    partition_format: re.Pattern[str] | None = None

    def path_values(self, file: Path) -> dict[str, str]:
        """The columns that the path of a file stands for: partition format, or `key=value` folders.

        Raises:
            UserError: the path does not fit the partition format.
        """
        relative = file.relative_to(self.root)
        if self.partition_format is None:
            pairs = (part.partition("=") for part in relative.parts[:-1])
            return {key: value for key, equals, value in pairs if equals and key}
        match = self.partition_format.search(relative.as_posix())
        if match is None:
            raise self.document.error(
                f"the path of {relative.as_posix()} does not fit the partition format", "transformations"
            )
        return match.groupdict()


def load_table(folder: Path) -> Table:
    """Read the MLTable file in a folder.

    Raises:
        UserError: there is none, or it asks for something that is not done on the laptop.
    """
    if not (folder / FILE).is_file():
        raise UserError(
            f"type: mltable: '{folder}' has no file {FILE}; write one, for example paths: [{{pattern: ./*.csv}}] and "
            "transformations: [{read_delimited: {delimiter: ','}}]"
        )
    document = yamlfile.load(folder / FILE)
    table = Table(folder, document)
    _read_transformations(table)
    if not table.format:
        raise document.error(f"one of {', '.join(_READERS)} is needed; for example - read_delimited", "transformations")
    table.files = list(dict.fromkeys(_files(document, folder)))
    return table


def _files(document: YamlFile, folder: Path) -> Iterator[Path]:
    paths = document.get("paths")
    if not isinstance(paths, list) or not paths:
        raise document.error("must be a list of files, folders or patterns; for example - pattern: ./*.csv", "paths")
    for place, entry in enumerate(paths):
        kind, value = next(iter(entry.items())) if isinstance(entry, dict) and len(entry) == 1 else ("", "")
        if kind not in ("file", "folder", "pattern") or not isinstance(value, str):
            raise document.error("must be one of file, folder, pattern; for example file: ./a.csv", "paths", place)
        if references.is_address(value) or references.is_reference(value):
            raise document.error(f"'{value}' is not on this machine; copy the files beside the file", "paths", place)
        found = list(_found(folder, kind, value))
        if not found:
            raise document.error(f"'{value}' is no file; for example ./data/*.csv", "paths", place)
        for path in found:
            if not path.resolve().is_relative_to(folder.resolve()):
                raise document.error(f"'{value}' is outside the folder of the table, which alone is uploaded", "paths")
            yield path


def _found(folder: Path, kind: str, value: str) -> Iterator[Path]:
    path = folder / value
    if kind == "file":
        yield from [path] if path.is_file() else []
    elif kind == "folder":
        yield from sorted(each for each in path.rglob("*") if each.is_file() and each.name != FILE)
    elif Path(value).is_absolute() or ".." in Path(value).parts:
        yield path
    else:
        yield from sorted(each for each in folder.glob(value.removeprefix("./")) if each.is_file())


def _read_transformations(table: Table) -> None:
    steps = table.document.get("transformations") or []
    if not isinstance(steps, list):
        raise table.document.error("must be a list; for example - read_delimited: {delimiter: ','}", "transformations")
    for place, step in enumerate(steps):
        name, value = (step, None) if isinstance(step, str) else next(iter(step.items()))
        _Transformation(table, place, name, value).apply()


@dataclass
class _Transformation:
    table: Table
    place: int
    name: str
    value: Any

    def apply(self) -> None:
        options = self.table.options
        if self.name in _READERS:
            self._read()
        elif self.name in ("keep_columns", "drop_columns"):
            options.setdefault("columns", []).append([self.name, self._names(self.value)])
        elif self.name == "convert_column_types":
            options.setdefault("convert", []).extend(self._conversions())
        elif self.name in ("take", "skip"):
            self._rows()
        elif self.name == "extract_columns_from_partition_format":
            self._partition_format()
        else:
            raise self._error(f"is not done on the laptop; supported are {', '.join(_KNOWN)}")

    def _read(self) -> None:
        if self.table.format:
            raise self._error("a table is read once; leave one of the read_… out")
        self.table.format = _READERS[self.name]
        known = _OPTIONS[self.table.format]
        given = self.value or {}
        if not isinstance(given, Mapping) or set(given) - set(known):
            wrong = next(iter(set(given) - set(known)), given) if isinstance(given, Mapping) else given
            raise self._error(f"'{wrong}' is not an option; supported are {', '.join(known)}")
        options = {**known, **given}
        if "encoding" in options:
            if options["encoding"] not in _ENCODINGS:
                raise self._error(f"encoding '{options['encoding']}' is not one of {', '.join(_ENCODINGS)}")
            options["encoding"] = _ENCODINGS[options["encoding"]]
        if options.get("invalid_lines", "error") != "error":
            raise self._error("invalid_lines: drop is not done on the laptop; leave it out, and mend the lines")
        if options.get("header", HEADERS[0]) not in HEADERS:
            raise self._error(f"header '{options['header']}' is not one of {', '.join(HEADERS)}")
        self.table.options.update(options)

    def _rows(self) -> None:
        """take: the first rows of what the steps before have left; skip: all but these."""
        if not isinstance(self.value, int) or isinstance(self.value, bool) or self.value < 1:
            raise self._error(f"'{self.value}' must be a number of rows; for example {self.name}: 100")
        if self.name == "take":
            self.table.last = min(self.table.last, self.table.first + self.value)
        else:
            self.table.first += self.value

    def _names(self, value: Any) -> list[str]:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self._error(f"'{value}' must be names of columns; for example [store, brand]")
        return names

    def _conversions(self) -> Iterator[list[Any]]:
        """[names, type, details] for each entry; details are formats, true_values, false_values."""
        for entry in self.value if isinstance(self.value, list) else [self.value]:
            kind = entry.get("column_type") if isinstance(entry, dict) else None
            details: dict[str, Any] = {}
            if isinstance(kind, dict) and len(kind) == 1:
                kind, given = next(iter(kind.items()))
                details = {
                    key: [str(value) for value in each] for key, each in (given or {}).items() if key in _DETAILS
                }
                if set(given or {}) - set(details):
                    raise self._error(f"{kind} can have {', '.join(_DETAILS)} only")
            if kind not in _TYPES:
                raise self._error(
                    f"'{kind}' is not a column_type that the laptop converts to; one of {', '.join(_TYPES)}"
                )
            yield [self._names(entry.get("columns")), kind, details]

    def _partition_format(self) -> None:
        value = self.value.get("partition_format") if isinstance(self.value, dict) else self.value
        if not isinstance(value, str) or "{" not in value:
            raise self._error(f"'{value}' must be a format; for example /{{store}}/{{brand}}/*.parquet")
        # From the first key of the path to its end; where the format says nothing of the file, any will do.
        pattern, dates = "(?:^|/)", {}
        value = value.strip("/")
        for match in _FIELD.finditer(value):
            name, date = match[1], match[2]
            if name is None:
                pattern += r"[^/]*" if match[0].startswith("*") else re.escape(match[0])
            elif date is None:
                pattern += rf"(?P<{name}>[^/]+)"
            else:
                dates[name] = _DATE_PARTS.sub(lambda part: _DIGITS[part[0]], date)
                digits = re.sub(r"%[YmdHMS]", lambda part: r"\d{4}" if part[0] == "%Y" else r"\d{2}", dates[name])
                pattern += rf"(?P<{name}>{digits})"
        self.table.partition_format = re.compile(f"{pattern}(?:/[^/]*)?$")
        self.table.options["dates"] = dates

    def _error(self, message: str) -> UserError:
        return self.table.document.error(message, "transformations", self.place, self.name)
