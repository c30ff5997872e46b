"""Which line of its logs says why a job failed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from amlops.watching.search import Line, lines
from amlops.workspace.jobs import LogFile

# The last line of a traceback, or of what programs write at their end: `ValueError: …`, `error: …`, `E1101 …: FATAL …`.
_EXCEPTION = re.compile(r"^\s*(?:[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Failure|Fault|Warning)\b.*|Killed)$")
_NO_EXCEPTION = re.compile(r"Warning\b")
_COMPLAINT = re.compile(r"\b(?:error|fatal|failed|exception|killed|out of memory)\b", re.IGNORECASE)
# What Azure ML writes about the job itself comes first, then what the scripts wrote.
_FIRST = ("job_error.txt", "user/error.txt", "std_log.txt")


def why(files: Iterable[LogFile], step: str | None = None) -> Line | None:
    """The line that says why: the last exception of a failed step's log, else the last complaint, else the last line.

    None when nothing was written.
    """
    last: Line | None = None
    complaint: Line | None = None
    for file in sorted(files, key=_rank):
        if step is not None and file.step not in (None, step):
            continue
        exception: Line | None = None
        for line in lines([file]):
            if not line.text.strip():
                continue
            last = line
            if _EXCEPTION.match(line.text) and not _NO_EXCEPTION.search(line.text.split(":")[0]):
                exception = line
            elif _COMPLAINT.search(line.text):
                complaint = line
        if exception is not None:
            return exception
    return complaint or last


def _rank(file: LogFile) -> tuple[int, str]:
    found = [rank for rank, name in enumerate(_FIRST) if file.path.endswith(name)]
    return (found[0] if found else len(_FIRST), file.path)
