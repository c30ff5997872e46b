"""The logs of a job in one place, searched line by line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from amlops.errors import UserError
from amlops.workspace.jobs import LogFile


@dataclass(frozen=True)
class Line:
    """One line of a log; `number` counts from 1."""

    path: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.number}: {self.text}"


def pattern(text: str | None, option: str = "--grep") -> re.Pattern[str] | None:
    """A regular expression, without regard to case. Raises UserError."""
    if text is None:
        return None
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise UserError(
            f"{option}: '{text}' is not a regular expression ({error}); for example {option} error"
        ) from None


def lines(files: Iterable[LogFile], wanted: re.Pattern[str] | None = None, step: str | None = None) -> Iterator[Line]:
    """The lines of all logs that `wanted` is found in, or all of them; of one step where `step` names one."""
    for file in files:
        if step is not None and file.step != step:
            continue
        for number, text in enumerate(file.lines(), start=1):
            if wanted is None or wanted.search(text):
                yield Line(file.path, number, text)
