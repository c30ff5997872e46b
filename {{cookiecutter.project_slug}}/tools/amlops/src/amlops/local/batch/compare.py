"""Two deployments of an endpoint on the same input, before the default is switched from one to the other.

Both jobs are ordinary ones and stay. The files of the comparison lie in `.amlops/comparisons/<name>/`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amlops.errors import JobFailed, UserError
from amlops.local.batch.compare_report import DIFFERENCES, PAGE, write_files
from amlops.local.batch.compare_results import read_rows
from amlops.local.batch.compare_rows import KINDS, LABEL, NUMBER, Comparison, compared
from amlops.workspace import CompareOptions

Record = dict[str, Any]
_LIMIT = re.compile(r"(\d+(?:\.\d+)?)(%?)")


def compare(
    invoke: Callable[[str], Record], deployments: tuple[Record, Record], folder: Path, options: CompareOptions
) -> Record:
    """Run both deployments and compare their results.

    Args:
        invoke: runs the deployment of that name on the input and returns the job's record.
        deployments: the records of the two.
        folder: where the files of the comparison go.

    Returns: counts, throughput, the verdict in one line, and where the files lie.

    Raises:
        UserError: the deployments cannot be compared; nothing was run.
        JobFailed: one of the jobs failed, or more items differ than the options allow.
    """
    allowed = _allowed(options.fail_over)
    _check(deployments, options.tolerance, folder)
    first, second = (invoke(deployment["name"]) for deployment in deployments)
    result = compared(read_rows(first, options.key), read_rows(second, options.key), options.tolerance)
    summary = _summary(result, first, second, options.input, options.tolerance)
    write_files(folder, summary, result.differences)
    summary |= {"differences_file": str(folder / DIFFERENCES), "report": str(folder / PAGE)}
    if allowed is not None and result.different > allowed(result.items):
        raise JobFailed(f"{summary['verdict']}; --fail-over allows {options.fail_over}", summary)
    return summary


def new_folder_name(endpoint: str) -> str:
    """A name for the folder of a comparison, for example scorer-20260301-120000-ab12."""
    return f"{endpoint}-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


def _check(deployments: tuple[Record, Record], tolerance: float, folder: Path) -> None:
    if deployments[0]["name"] == deployments[1]["name"]:
        raise UserError(f"--with: '{deployments[1]['name']}' is the same deployment; name another of the endpoint")
    if not tolerance >= 0:
        raise UserError(f"--tolerance: '{tolerance}' must be 0 or more; for example 1e-6")
    for deployment in deployments:
        if deployment["type"] != "model":
            raise UserError(f"--name: '{deployment['name']}' is a pipeline; only deployments of models are compared")
        if deployment["settings"]["output_action"] != "append_row":
            raise UserError(
                f"--name: '{deployment['name']}' writes its results itself (summary_only), so nothing is known about "
                "them; only deployments with output_action append_row are compared"
            )
    if (folder / PAGE).exists():
        raise UserError(f"--report: '{folder / PAGE}' exists; give another folder")


def _allowed(fail_over: str | None) -> Callable[[int], float] | None:
    if fail_over is None:
        return None
    match = _LIMIT.fullmatch(fail_over.strip())
    if match is None:
        raise UserError(f"--fail-over: '{fail_over}' must be a number of items or a percentage; for example 10 or 1%")
    limit = float(match[1])
    return (lambda items: items * limit / 100) if match[2] else (lambda _: limit)


def _summary(result: Comparison, first: Record, second: Record, input: str, tolerance: float) -> Record:
    largest = result.largest
    return {
        "endpoint_name": first["endpoint_name"],
        "name": first["deployment_name"],
        "with": second["deployment_name"],
        "input": input,
        "tolerance": tolerance,
        "verdict": _verdict(result, tolerance),
        "items": {
            "total": result.items,
            "equal": result.equal,
            "different": result.different,
            "failed_in_both": result.failed_in_both,
        },
        "differences": {kind: result.items_with(kind) for kind in KINDS},
        "largest_difference": None
        if largest is None
        else {"difference": largest.difference, "item": largest.item, "column": largest.column},
        "jobs": {record["deployment_name"]: _job(record) for record in (first, second)},
        "notes": result.notes,
    }


def _job(record: Record) -> Record:
    return {
        "name": record["name"],
        "items_per_second": record["items_per_second"],
        "seconds": record["seconds"]["total"],
        "workers": record["workers"],
        "failed": record["items"]["failed"],
        "output_file": record["output_file"],
    }


def _verdict(result: Comparison, tolerance: float) -> str:
    """The comparison in one line."""
    failed = f"; {result.failed_in_both} failed in both" if result.failed_in_both else ""
    if not result.different:
        return f"equal: {result.equal} of {result.items} items have the same result (tolerance {tolerance:g}){failed}"
    words = {LABEL: "in a label", NUMBER: "in a number"}
    parts = [f"{number} {words.get(kind, kind)}" for kind in KINDS if (number := result.items_with(kind))]
    largest = result.largest
    by = f"; largest difference {largest.difference:.3g} in {largest.column} of {largest.item}" if largest else ""
    share = 100 * result.different / result.items
    return f"different: {result.different} of {result.items} items ({share:.3g}%): {', '.join(parts)}{by}{failed}"
