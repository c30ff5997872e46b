"""Warnings that a file accepts: a comment `# amlops: accept RULE` at the end of the line that the warning names.

Only warnings can be accepted. A fault stops Azure ML or the laptop, whatever a comment says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from amlops.validate.fault import Fault

_COMMENT = re.compile(r"#\s*amlops:\s*accept\s+([a-z-]+)\s*$")


def without_accepted(faults: Iterable[Fault]) -> Iterator[Fault]:
    """The faults, less the warnings that their line accepts."""
    for fault in faults:
        if not (fault.is_warning and fault.line and _accepted_rule(fault.file, fault.line) == fault.rule):
            yield fault


def _accepted_rule(file: Path, line: int) -> str | None:
    lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    found = _COMMENT.search(lines[line - 1]) if line <= len(lines) else None
    return found[1] if found else None
