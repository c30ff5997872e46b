"""The files that tell what happened in a batch job, where Azure ML puts them.

logs/job_result.txt                              the status, and the figures
logs/report.html, report.json                    throughput, slowest items, error budgets, advice, sizing (not in Azure)
logs/job_error.txt                               why the job failed (only then)
logs/user/error.txt                              every failed attempt, in order of time
logs/user/error/<node>/process<NNN>.txt          the same per worker
logs/user/stdout/<node>/process<NNN>.stdout.txt  what the scoring script printed (stderr likewise)
logs/sys/job_report/processed_mini-batches.csv   one row per mini-batch
logs/failed_items.csv                            one row per failed item; .jsonl: for programs (not in Azure)
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amlops.files import write_text
from amlops.local.parallel.failures import FailedItem, ItemFailures
from amlops.local.parallel.figures import Figures
from amlops.local.parallel.outcome import Failure, MiniBatchResult
from amlops.local.parallel.report_page import page
from amlops.local.parallel.settings import ParallelSettings


class JobLogs:
    """Writes the logs of one job below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.failed_items = folder / "failed_items.csv"
        self.errors = folder / "user" / "error.txt"
        self.result = folder / "job_result.txt"
        self.report = folder / "report.html"

    def failure(self, failure: Failure) -> None:
        """Add one failed attempt to the error logs, at once: the job may run for long."""
        when = datetime.fromtimestamp(failure.at, UTC).isoformat(timespec="milliseconds")
        what = "init()" if failure.mini_batch is None else f"mini-batch {failure.mini_batch}, attempt {failure.attempt}"
        worker = failure.worker
        head = f"{when} {worker.label if worker else ''} {what}: {failure.type}: {failure.message}\n"
        for file in (self.errors, *([worker.log("error", "")] if worker else [])):
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(f"{head}{failure.traceback}\n")

    def mini_batches(self, results: Iterable[MiniBatchResult]) -> None:
        """Write the table of mini-batches."""
        rows = [
            (
                result.batch.index,
                result.status,
                len(result.batch.items),
                result.succeeded,
                result.failed,
                result.attempts,
                f"{result.seconds:.6f}",
                result.worker,
            )
            for result in results
        ]
        header = ("mini_batch", "status", "items", "succeeded", "failed", "attempts", "seconds", "worker")
        write_csv(self.folder / "sys" / "job_report" / "processed_mini-batches.csv", header, rows)

    def items(self, rows: Sequence[FailedItem]) -> None:
        """Write the table of failed items, and the same as JSON lines."""
        header = ("item", "attempt", "error_type", "message", "mini_batch", "traceback_hash")
        write_csv(self.failed_items, header, [tuple(getattr(row, key) for key in header) for row in rows])
        ItemFailures(rows).save(self.folder)

    def finish(
        self,
        name: str,
        record: Mapping[str, Any],
        settings: ParallelSettings,
        told: Figures,
        failed: Sequence[FailedItem],
    ) -> None:
        """Write the result of the job, the reason of its failure, and the report (`told`: see `figures`)."""
        error = record.get("error", "")
        items, batches, seconds = record["items"], record["mini_batches"], record["seconds"]
        lines = [
            f"Status: {record['status']}",
            *([f"Reason: {error}"] if error else []),
            f"Items: {items['total']} (succeeded {items['succeeded']}, failed {items['failed']})",
            f"Mini-batches: {batches['total']} (succeeded {batches['succeeded']}, failed {batches['failed']})",
            f"Error threshold: {settings.error_threshold} (-1: failed items are ignored)",
            f"Attempts per mini-batch: {settings.attempts}",
            f"Workers: {record['workers']}",
            f"Seconds: {seconds['total']} (all workers together: init {seconds['init']}, run {seconds['run']})",
            f"Items per second: {record['items_per_second']}",
            f"Output: {record['output_file'] or 'written by the scoring script, or none'}",
        ]
        write_text(self.result, "\n".join([*lines, "", *told["arithmetic"]]) + "\n")
        write_text(self.folder / "report.json", f"{json.dumps(told, indent=2)}\n")
        write_text(self.report, page(name, record, told, failed))
        if error:
            write_text(self.folder / "job_error.txt", f"{error}\n")
        else:  # of an earlier start of the same job
            (self.folder / "job_error.txt").unlink(missing_ok=True)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table: commas, a header, UTF-8. Names that are not UTF-8 are written with escapes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, text.getvalue().encode("utf-8", errors="backslashreplace").decode("utf-8"))
