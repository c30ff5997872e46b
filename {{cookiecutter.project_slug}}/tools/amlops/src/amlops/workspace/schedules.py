"""`amlops schedule`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from amlops.workspace.record import Record


class Schedules(Protocol):
    """`amlops schedule`."""

    def create(self, file: Path, *, name: str | None = None, sets: Sequence[str] = ()) -> Record:
        """Make the schedule in `file`, or change the one of that name.

        Args:
            name: instead of the file's.
            sets: changes such as "trigger.interval=2" to what the file says.

        Raises:
            UserError: the file, its job or a change is wrong; nothing has been made.
        """
        ...

    def list(self, *, include_disabled: bool = False, disabled_only: bool = False) -> list[Record]:
        """The enabled schedules by name; with those that are disabled, or those alone."""
        ...

    def show(self, name: str) -> Record:
        """One schedule. Raises UserError."""
        ...

    def enable(self, name: str) -> Record:
        """Let a schedule start runs. Raises UserError."""
        ...

    def disable(self, name: str) -> Record:
        """Let a schedule start none; runs that have begun go on. Raises UserError."""
        ...

    def delete(self, name: str) -> Record:
        """Delete a schedule; the jobs that it has started stay. Raises UserError."""
        ...
