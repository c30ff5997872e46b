"""The file that a job with `output_action: summary_only` leaves beside what the scoring script wrote.

Azure ML ("Customize outputs in batch deployments") puts a file with the output's name there, which "contains the
summary of the processed files"; its form is not documented. Here it has one line for each mini-batch, without header,
separated by one space: the first item, and how many items there were, succeeded and failed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from amlops.files import write_text
from amlops.local.parallel.inputs import BatchInput
from amlops.local.parallel.outcome import MiniBatchResult


def write_summary(path: Path, results: Iterable[MiniBatchResult], source: BatchInput) -> None:
    """Write the file in one step."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=" ", lineterminator="\n")
    for result in results:
        items = result.batch.items
        if items:
            writer.writerow([source.name(items[0]), len(items), result.succeeded, result.failed])
    write_text(path, text.getvalue().encode("utf-8", errors="backslashreplace").decode("utf-8"))
