"""What has happened in a parallel job so far, so that it can be resumed after any end of its process.

`journal.jsonl` gets one line for each start of the job, each finished mini-batch, and the moment when the outputs are
put in place. A line is one write at the end of the file: after `kill -9` it is there or not, and half a line at the end
(a machine that lost power) is cut off. The rows of a mini-batch (its part) take their final name before its line is
written, and the line has their size; a part that is missing or of another size is made again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amlops.local.parallel.minibatches import MiniBatch
from amlops.local.parallel.outcome import Failure, MiniBatchResult

JOURNAL = "journal.jsonl"
Entry = dict[str, Any]
# A power failure may cost this many seconds of work; a killed process costs nothing that was finished.
_SYNC_SECONDS = 1.0


@dataclass
class History:
    """What earlier starts of the job did.

    Attributes:
        starts: how often the job was started.
        first: when the job was started first (`time.time()`).
        seconds: how long these starts ran, as far as the journal knows.
        results: the last result of each finished mini-batch, by its index.
        again: the number of the last start that took up what had failed before it; 0: there was none.
        joining: the outputs were being put in place, so that what lies there is the job's own.
    """

    starts: int = 0
    first: float = 0.0
    seconds: float = 0.0
    results: dict[int, Entry] = field(default_factory=dict)
    again: int = 0
    joining: bool = False

    @classmethod
    def read(cls, path: Path) -> History:
        """The history in a journal; an empty one where there is no journal."""
        history = cls()
        began = last = 0.0
        for entry in entries(path):
            if entry["event"] == "start":
                history.seconds += last - began
                history.starts += 1
                history.first = history.first or entry["at"]
                if entry["again"]:
                    history.again = history.starts
                began = entry["at"]
            elif entry["event"] == "result":
                history.results[entry["mini_batch"]] = {**entry, "start": history.starts}
            elif entry["event"] == "joining":
                history.joining = True
            last = entry["at"]
        history.seconds += last - began
        return history

    def finished(self, batches: Sequence[MiniBatch], parts: Path, *, again: bool) -> list[MiniBatchResult]:
        """The results that need not be made again.

        Args:
            parts: the folder that the parts lie in.
            again: mini-batches with failed items are to be run again. So are those that an earlier start with `again`
                did not get to.
        """
        before = self.starts + 1 if again else self.again
        kept: list[MiniBatchResult] = []
        for index, entry in sorted(self.results.items()):
            result = _result(batches[index], entry, parts)
            if result is not None and not (result.failed and entry["start"] < before):
                kept.append(result)
        return kept


class Journal:
    """The journal of a running job."""

    def __init__(self, path: Path) -> None:
        _cut_half_line(path)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._synced = time.monotonic()

    def start(self, *, again: bool) -> None:
        """The job starts; with `again`, what has failed before is tried again."""
        self._add({"event": "start", "again": again})

    def result(self, result: MiniBatchResult, parts: Path) -> None:
        """A mini-batch is finished; its part, if it has one, is in place."""
        error = result.error
        self._add(
            {
                "event": "result",
                "mini_batch": result.batch.index,
                "status": result.status,
                "succeeded": result.succeeded,
                "returned": result.returned,
                "attempts": result.attempts,
                "seconds": round(result.seconds, 6),
                "worker": result.worker,
                "part": result.part.relative_to(parts).as_posix() if result.part else None,
                "sizes": [result.part.stat().st_size, result.rows.stat().st_size]
                if result.part and result.rows
                else [],
                "not_named": result.not_named,
                "error": error and {"type": error.type, "message": error.message, "traceback": error.traceback},
            }
        )

    def joining(self) -> None:
        """From here on the outputs are the job's own."""
        self._add({"event": "joining"})
        os.fsync(self._file)

    def close(self) -> None:
        """Write everything to the disk and close the file."""
        os.fsync(self._file)
        os.close(self._file)

    def _add(self, entry: Entry) -> None:
        line = (json.dumps({**entry, "at": round(time.time(), 6)}) + "\n").encode()
        if os.write(self._file, line) != len(line):
            raise OSError(f"the disk is full: {JOURNAL} could not be written")
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            os.fsync(self._file)
            self._synced = time.monotonic()


def entries(path: Path) -> list[Entry]:
    """The whole lines of a journal; none where there is no journal."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    whole: list[Entry] = []
    for line in data.split(b"\n")[:-1]:
        with suppress(ValueError):  # a damaged line: what it told of is done again
            whole.append(json.loads(line))
    return whole


def _cut_half_line(path: Path) -> None:
    if not path.exists():
        return
    data = path.read_bytes()
    if data and not data.endswith(b"\n"):
        with path.open("r+b") as stream:
            stream.truncate(data.rfind(b"\n") + 1)


def _result(batch: MiniBatch, entry: Entry, parts: Path) -> MiniBatchResult | None:
    """The result that a line tells of; None when its part is not what it was."""
    error = entry["error"]
    result = MiniBatchResult(
        batch,
        status=entry["status"],
        succeeded=entry["succeeded"],
        returned=entry["returned"],
        attempts=entry["attempts"],
        seconds=entry["seconds"],
        worker=entry["worker"],
        part=parts / entry["part"] if entry["part"] else None,
        not_named=entry["not_named"],
        error=error
        and Failure(
            None, error["type"], error["message"], error["traceback"], batch.index, entry["attempts"], entry["at"]
        ),
    )
    files = [file for file in (result.part, result.rows) if file is not None]
    return result if [_size(file) for file in files] == entry["sizes"] else None


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else -1
