"""`amlops data`, `environment`, `component`, `datastore` and `compute`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from amlops.workspace.record import Record


class Assets(Protocol):
    """`amlops data`, `amlops environment`, `amlops component`: things with versions."""

    def create(self, file: Path | None, *, values: Mapping[str, Any], sets: Sequence[str] = ()) -> Record:
        """Register what a file and flags say under its version, or under the next whole number.

        Args:
            values: what flags gave, by key of the YAML ("build.path" for a key in a mapping); they win over the file.

        Raises:
            UserError: the file or a value is wrong, or the version exists with other content; nothing has been made.
        """
        ...

    def list(self, name: str | None = None) -> list[Record]:
        """Versions, newest first; of `name`, or of all names."""
        ...

    def show(self, name: str, version: str | None = None) -> Record:
        """One version; None or "latest" is the one made last. Raises UserError."""
        ...


class Resources(Protocol):
    """`amlops datastore`, `amlops compute`: things with a name and no versions."""

    def create(self, file: Path | None, *, values: Mapping[str, Any], sets: Sequence[str] = ()) -> Record:
        """Make one from a file and flags, or change the one of that name; see `Assets.create`. Raises UserError."""
        ...

    def list(self) -> list[Record]:
        """All of them."""
        ...

    def show(self, name: str) -> Record:
        """One of them. Raises UserError."""
        ...


class Computes(Resources, Protocol):
    """`amlops compute`."""

    def delete(self, name: str) -> Record:
        """Delete a compute target that a person made. Raises UserError."""
        ...
