"""Which items have failed, and why.

Azure ML only counts: an item has failed when `run()` returned fewer elements than it was given items, or failed as a
whole. Its logs never say which item. Here a scoring script can say it: one CSV file per mini-batch in
`<AZUREML_BI_OUTPUT_PATH>/failed_items/`, with the columns `item` and `reason`. That is a plain file, so that it works
in Azure too; there it lies beside the predictions.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from amlops.files import write_text
from amlops.local.parallel.inputs import BatchInput
from amlops.local.parallel.minibatches import MiniBatch
from amlops.local.parallel.scheduler import MiniBatchResult

FOLDER = "failed_items"
FAILED_ITEMS = "failed_items.jsonl"
MISSING = "missing from the result of run()"
_COLUMNS = ("item", "reason")


@dataclass(frozen=True)
class FailedItem:
    """One row of the report.

    Attributes:
        item: the path below the input folder, "" when nobody can tell which item it was.
        path: the whole path.
        traceback_hash: equal for failures with the same traceback, which stands in logs/user/error.txt; "" without one.
    """

    item: str
    attempt: int
    error_type: str
    message: str
    mini_batch: int
    path: str = ""
    traceback_hash: str = ""


@dataclass(frozen=True)
class ItemFailures:
    """The failed items of a job that has ended, from `logs/failed_items.jsonl`."""

    rows: Sequence[FailedItem]

    def save(self, logs: Path) -> None:
        """Write the file: one JSON object per failed item."""
        write_text(logs / FAILED_ITEMS, "".join(f"{json.dumps(asdict(row))}\n" for row in self.rows))

    @classmethod
    def load(cls, logs: Path) -> ItemFailures | None:
        """The failures of the job with these logs; None when it has not come to its end."""
        try:
            lines = (logs / FAILED_ITEMS).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return None
        return cls([FailedItem(**json.loads(line)) for line in lines])

    @property
    def nobody_knows(self) -> set[int]:
        """The mini-batches of which nobody can tell which items have failed: all of them are scored again."""
        return {row.mini_batch for row in self.rows if not row.path}

    def by_mini_batch(self, batches: Sequence[MiniBatch]) -> dict[int, set[str]]:
        """The items to score again, by mini-batch: all of one where nobody can tell which of them have failed."""
        chosen: dict[int, set[str]] = {}
        for row in self.rows:
            items = {row.path} if row.path else set(batches[row.mini_batch].items)
            chosen.setdefault(row.mini_batch, set()).update(items)
        return chosen


def traceback_hash(traceback: str) -> str:
    """Eight hex digits that are equal for equal tracebacks."""
    return hashlib.sha256(traceback.encode("utf-8", "backslashreplace")).hexdigest()[:8] if traceback else ""


@dataclass(frozen=True)
class Reasons:
    """What the scoring script said about its items: `by_item` is keyed by whatever name it used."""

    by_item: Mapping[str, str]
    notes: Sequence[str] = ()


def read_reasons(output: Path, since: float) -> Reasons:
    """Merge the script's files in `output`/failed_items, sorted by name; files older than `since` (seconds) are
    of an earlier job.
    """
    reasons: dict[str, str] = {}
    notes: list[str] = []
    for file in sorted((output / FOLDER).glob("*.csv")):
        if file.stat().st_mtime < since:
            continue
        try:
            with file.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
                rows = csv.DictReader(stream)
                if not set(_COLUMNS) <= set(rows.fieldnames or ()):
                    raise ValueError("no columns item and reason")
                reasons.update((row["item"], row["reason"] or "") for row in rows if row["item"])
        except (csv.Error, ValueError) as error:
            notes.append(f"{FOLDER}/{file.name} is not read: {error}; it needs a first line item,reason")
    return Reasons(reasons, notes)


def failed_items(results: Iterable[MiniBatchResult], source: BatchInput, reasons: Reasons) -> list[FailedItem]:
    """Every failed item, in the order of the input."""
    results = list(results)
    told = _by_path(results, source, reasons.by_item)
    rows: list[FailedItem] = []
    for result in results:
        if result.status == "failed" and result.error is not None:
            error = result.error
            shared = traceback_hash(error.traceback)
            rows += [_row(source, item, result, error.type, error.message, shared) for item in result.batch.items]
        elif result.status == "succeeded":
            rows += _of_a_counted_batch(result, source, told)
    return rows


def _of_a_counted_batch(result: MiniBatchResult, source: BatchInput, told: Mapping[str, str]) -> list[FailedItem]:
    """The failed items of a mini-batch whose `run()` ended well: those with a reason, then those that its result
    does not name. A reason that an earlier attempt left does not count against an item that was scored since.
    """
    if not result.failed:
        return []
    rows = [_row(source, item, result, "Reported", told[item]) for item in result.batch.items if item in told]
    left = result.failed - len(rows)
    if left <= 0:
        return rows
    unnamed = [item for item in result.not_named if item not in told]
    if len(unnamed) == left:
        return rows + [_row(source, item, result, "Missing", MISSING) for item in unnamed]
    message = f"{left} of {len(result.batch.items)} items {MISSING}; it does not tell which"
    return [*rows, FailedItem("", result.attempts, "Missing", message, result.batch.index)]


def _row(
    source: BatchInput, item: str, result: MiniBatchResult, error_type: str, message: str, shared: str = ""
) -> FailedItem:
    return FailedItem(source.name(item), result.attempts, error_type, message, result.batch.index, item, shared)


def _by_path(results: Sequence[MiniBatchResult], source: BatchInput, by_item: Mapping[str, str]) -> dict[str, str]:
    """Reasons by the item's absolute path.

    A script may have used that, the path below the input, or a file name that is unique.
    """
    if not by_item:
        return {}
    items = [item for result in results for item in result.batch.items]
    times = Counter(Path(item).name for item in items)
    told: dict[str, str] = {}
    for item in items:
        name = Path(item).name
        for key in (item, source.name(item), name):
            if key in by_item and (key != name or times[name] == 1):
                told[item] = by_item[key]
                break
    return told
