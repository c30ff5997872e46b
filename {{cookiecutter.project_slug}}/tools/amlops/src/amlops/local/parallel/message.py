"""What a person reads on the terminal when a job has failed: the first thing that went wrong on top, with the end of
its traceback, then where to read on.

Azure shows `SystemExit: 42` (MachineLearningNotebooks#1930).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amlops.errors import shown
from amlops.local.parallel.failures import FailedItem
from amlops.local.parallel.outcome import Failure, MiniBatchResult, Outcome
from amlops.local.parallel.report import JobLogs

_FRAMES = 3


def failed_line(data: Mapping[str, Any]) -> str:
    """ "3 of 526 items failed: PATH", from the record of a finished job."""
    items, file = data["items"], data["failed_items_file"]
    return f"{items['failed']} of {items['total']} items failed{f': {shown(Path(file))}' if file else ''}"


def failure_message(
    name: str, result: Mapping[str, Any], outcome: Outcome, items: Sequence[FailedItem], logs: JobLogs
) -> str:
    """The message of a job that failed.

    Args:
        result: what `run_parallel` returns.
        items: the failed items, in the order of the input.
    """
    lines: list[str] = []
    failure = _first_failure(outcome, items)
    if failure is not None:
        where = "init()" if failure.mini_batch is None else _first_item(items, outcome.results[failure.mini_batch])
        lines.append(f"{where}: {failure.type}: {failure.message}{_place(failure.traceback)}")
        lines += _frames(failure.traceback)
    elif items:
        lines.append(f"{items[0].item or 'an item'}: {items[0].message}")
    lines.append(f"job {name} failed: {result['error']}")
    if outcome.failures:
        lines.append(f"every failure: {shown(logs.errors)}")
    if items:
        lines.append(failed_line(result))
    lines.append(f"report: {shown(logs.report)}")
    lines.append(f"logs: {shown(logs.folder)}")
    return "\n".join(lines)


def _first_failure(outcome: Outcome, items: Sequence[FailedItem]) -> Failure | None:
    """What stopped the job, or made its first item fail; an attempt that was made good by the next one is neither."""
    of_init = [failure for failure in outcome.failures if failure.mini_batch is None]
    if of_init and (outcome.stopped_by == "init" or not items):
        return of_init[0]
    return outcome.results[items[0].mini_batch].error if items else None


def _first_item(items: Sequence[FailedItem], result: MiniBatchResult) -> str:
    """Names the mini-batch of a failed attempt by its first item."""
    name = next(
        (item.item for item in items if item.mini_batch == result.batch.index), Path(result.batch.items[0]).name
    )
    others = len(result.batch.items) - 1
    return f"{name} (and {others} more in its mini-batch)" if others else name


def _place(traceback: str) -> str:
    """ " (score.py, line 12)": the innermost frame of a traceback, where there is one."""
    frames = [line.strip() for line in traceback.splitlines() if line.strip().startswith('File "')]
    if not frames:
        return ""
    file, _, rest = frames[-1].removeprefix('File "').partition('", ')
    return f" ({Path(file).name}, {rest.partition(', in ')[0]})"


def _frames(traceback: str) -> list[str]:
    """The innermost frames of a traceback, without the error itself, which stands above them."""
    lines = traceback.splitlines()
    starts = [number for number, line in enumerate(lines) if line.strip().startswith('File "')]
    if not starts:
        return []
    end = next(
        (number for number in range(starts[-1] + 1, len(lines)) if not lines[number].startswith(" ")), len(lines)
    )
    return [f"  | {line.strip()}" for line in lines[starts[-_FRAMES:][0] : end] if set(line.strip()) - {"^", "~"}]
