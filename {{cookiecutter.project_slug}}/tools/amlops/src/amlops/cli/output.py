"""Printing results: JSON when piped, a table on a terminal, other formats on request; `--query` picks a part
(JMESPath).

Tab-separated values and the silence about a query that finds nothing are as in `az` (microsoft/knack, output.py): no
header, a row for each element of a list, values in the order of the query's keys and otherwise by key, `None` for null,
the length of a list inside a row, nothing for a mapping inside a row.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import typer

from amlops.errors import UsageError

FORMATS = ("json", "jsonc", "table", "tsv", "yaml", "yamlc", "none")
_WIDTH_WHEN_PIPED = 200


def emit(result: Any, output: str | None = None, query: str | None = None, columns: tuple[str, ...] = ()) -> None:
    """Print `result` on stdout.

    Args:
        result: what JSON can hold.
        output: one of FORMATS; None chooses by whether stdout is a terminal.
        query: a JMESPath expression applied first.
        columns: keys that a table shows, in order; all plain values when empty or when a query was given.

    Raises:
        UsageError: an unknown format, or a query that is not JMESPath.
    """
    chosen = chosen_format(output)
    if query is not None:
        result, columns = _search(result, query), ()
        if result is None:
            return
    if chosen == "json":
        typer.echo(json.dumps(result, indent=2, ensure_ascii=False))
    elif chosen == "tsv":
        for line in _tsv(result, by_key=query is None):
            typer.echo(line)
    elif chosen == "yaml":
        import yaml

        typer.echo(yaml.safe_dump(result, allow_unicode=True, sort_keys=False), nl=False)
    elif chosen == "table":
        _print_table(result, columns)


def chosen_format(output: str | None) -> str:
    """json, table, tsv, yaml or none. Commands that take long call it first: it raises UsageError for another word."""
    if output is not None and output.lower() not in FORMATS:
        raise UsageError(f"--output: '{output}' is not a format; one of {', '.join(FORMATS)}")
    # jsonc and yamlc are the coloured ones of az, which have no colours when piped.
    return (output or ("table" if sys.stdout.isatty() else "json")).lower().replace("nc", "n").replace("lc", "l")


def _search(result: Any, query: str) -> Any:
    import jmespath  # not needed by most calls
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.search(query, result)
    except JMESPathError as error:
        reason = " ".join(str(error).split("\n", maxsplit=1)[0].split())
        raise UsageError(f"--query: '{query}' is not JMESPath ({reason}); for example --query status") from None


def _rows(result: Any, columns: tuple[str, ...]) -> tuple[list[str], list[list[str]]]:
    """Header and rows. One object becomes a row of its plain values, or key and value when there are no columns."""
    items = result if isinstance(result, list) else [result]
    if not all(isinstance(item, dict) for item in items):
        return [], [[_cell(value) for value in item] if isinstance(item, list) else [_cell(item)] for item in items]
    names = list(columns) or list(dict.fromkeys(key for item in items for key, value in item.items() if _plain(value)))
    return names, [[_cell(item.get(name)) for name in names] for item in items]


def _tsv(result: Any, *, by_key: bool) -> list[str]:
    rows = [_tsv_row(item, by_key=by_key) for item in (result if isinstance(result, list) else [result])]
    # A tab or a line break in a value would shift what follows.
    return ["\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row) for row in rows]


def _tsv_row(item: Any, *, by_key: bool) -> list[str]:
    if isinstance(item, bool):
        return [str(item).lower()]
    if isinstance(item, dict):
        item = [item[key] for key in sorted(item)] if by_key else list(item.values())
    return [_tsv_cell(value) for value in (item if isinstance(item, list) else [item])]


def _tsv_cell(value: Any) -> str:
    if isinstance(value, list):
        return str(len(value))
    return "" if isinstance(value, dict) else str(value)


def _print_table(result: Any, columns: tuple[str, ...]) -> None:
    from rich.console import Console
    from rich.table import Table

    if result is None or result == []:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    if isinstance(result, dict) and not columns:
        table.show_header = False
        rows = [[str(key), _cell(value)] for key, value in result.items()]
        names = ["", ""]
    else:
        names, rows = _rows(result, columns)
        table.show_header = bool(names)
    for name in names or [""] * max(map(len, rows), default=1):
        table.add_column(name, overflow="fold", no_wrap=name == "name")  # names are copied into the next command
    for row in rows:
        table.add_row(*row)
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, width=_WIDTH_WHEN_PIPED)
    console.print(table)


def _plain(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
