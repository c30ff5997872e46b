"""`az ml` commands for schedules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from amlops.azcli.commands import AzCli, options_of, sets_of
from amlops.workspace import Record


class AzCliSchedules:
    """See `amlops.workspace.Schedules`."""

    def __init__(self, az: AzCli) -> None:
        self._az = az

    def create(self, file: Path, *, name: str | None = None, sets: Sequence[str] = ()) -> Record:
        self._az.answer("schedule", "create", *self._az.file(file), *options_of(name=name), *sets_of(sets))

    def list(self, *, include_disabled: bool = False, disabled_only: bool = False) -> list[Record]:
        words = options_of(include_disabled=include_disabled, disabled_only=disabled_only)
        self._az.answer("schedule", "list", *words)

    def show(self, name: str) -> Record:
        self._az.answer("schedule", "show", *options_of(name=name))

    def enable(self, name: str) -> Record:
        self._az.answer("schedule", "enable", *options_of(name=name))

    def disable(self, name: str) -> Record:
        self._az.answer("schedule", "disable", *options_of(name=name))

    def delete(self, name: str) -> Record:
        self._az.answer("schedule", "delete", *options_of(name=name, yes=True))
