"""The files of a comparison: every difference as a table, and a page that a person can read."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from amlops.files import write_text
from amlops.local.batch.compare_rows import NUMBER, Difference
from amlops.local.parallel.report import write_csv

DIFFERENCES, PAGE = "differences.csv", "report.html"
_SHOWN = 100
_HEADER = ("item", "kind", "row", "column", "first", "second", "difference")
_STYLE = """
body { font-family: system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1b1b1b; }
table { border-collapse: collapse; margin: 1rem 0; } td, th { padding: .25rem .75rem; border-bottom: 1px solid #ddd; }
th { text-align: left; } .verdict { font-size: 1.2rem; font-weight: 600; } code { background: #f3f3f3; }
"""


def write_files(folder: Path, summary: dict[str, Any], differences: Sequence[Difference]) -> None:
    """Write `differences.csv` and `report.html` into `folder`."""
    write_csv(folder / DIFFERENCES, _HEADER, (_cells(each) for each in differences))
    write_text(folder / PAGE, _page(summary, differences))


def most_telling(differences: Sequence[Difference]) -> list[Difference]:
    """What a person should see first: other labels, rows and failures; then numbers, the largest difference on top."""
    return sorted(differences, key=lambda each: (each.kind == NUMBER, -(each.difference or 0)))


def _cells(each: Difference) -> tuple[Any, ...]:
    distance = "" if each.difference is None else f"{each.difference:.9g}"
    values = ["" if value is None else value for value in (each.first, each.second)]
    return (each.item, each.kind, each.row or "", each.column, *values, distance)


def _page(summary: dict[str, Any], differences: Sequence[Difference]) -> str:
    title = f"{summary['name']} and {summary['with']} of {summary['endpoint_name']}"
    counts = [(kind, number) for kind, number in summary["differences"].items()]
    jobs = [
        (name, job["name"], job["items_per_second"], job["seconds"], job["workers"], job["failed"])
        for name, job in summary["jobs"].items()
    ]
    shown = [_cells(each) for each in most_telling(differences)[:_SHOWN]]
    more = (
        f"<p>{len(differences) - _SHOWN} more in {DIFFERENCES}, in the order of the input.</p>"
        if len(differences) > _SHOWN
        else ""
    )
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in summary["notes"])
    switch = f"amlops batch-endpoint update --name {summary['endpoint_name']} --set defaults.deployment_name="
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>',
        f"<style>{_STYLE}</style><h1>{html.escape(title)}</h1>",
        f'<p class="verdict">{html.escape(summary["verdict"])}</p>',
        f"<p>Input: <code>{html.escape(summary['input'])}</code>, tolerance {summary['tolerance']}</p>{notes}",
        _table(("items with this difference", "number"), counts),
        _table(("deployment", "job", "items per second", "seconds", "workers", "failed items"), jobs),
        _table(_HEADER, shown) + more if shown else "",
        f"<p>Switch: <code>{html.escape(switch + summary['with'])}</code><br>",
        f"and back: <code>{html.escape(switch + summary['name'])}</code></p></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _table(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(str(cell))}</td>' for cell in row)}</tr>\n" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>"
