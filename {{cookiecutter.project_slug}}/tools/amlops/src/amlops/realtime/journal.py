"""The record of a rollout, kept while it goes on, so that the next call can put back what a killed one left.

`.amlops/rollouts/<environment>/<endpoint>/<time>.json`; `lock` beside it is held while a rollout of the endpoint runs.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amlops.errors import UserError
from amlops.files import read_json, write_json
from amlops.local.locks import HeldLock
from amlops.local.state import LocalState
from amlops.workspace import Record, Workspace

RUNNING, COMPLETED, RETURNED, LEFT = "Running", "Completed", "Returned", "Left"


class Journal:
    """The record of one rollout. `record` is what is printed and stored."""

    def __init__(self, file: Path, record: Record) -> None:
        self.file = file
        self.record = record

    @classmethod
    def begin(cls, folder: Path, record: Record) -> Journal:
        """A new one, stored."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        journal = cls(folder / f"{stamp}.json", {**record, "status": RUNNING, "reason": None, "started_at": now()})
        journal.save()
        return journal

    def save(self, **changes: Any) -> None:
        """Store it with changes."""
        self.record.update(changes)
        write_json(self.file, self.record)

    def end(self, status: str, reason: str | None = None) -> None:
        """Store its end."""
        self.save(status=status, reason=reason, ended_at=now())


def rollout_folder(ws: Workspace, endpoint: str) -> Path:
    """Where the records of an endpoint's rollouts lie; made when it is missing."""
    folder = state_folder(ws) / "rollouts" / ws.environment.name / endpoint
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def state_folder(ws: Workspace) -> Path:
    """`.amlops`; made, and ignored by git, when it is missing."""
    return LocalState(ws.project).prepare()


def lock(folder: Path) -> HeldLock:
    """The right to change the endpoint's traffic. Raises UserError while another rollout has it."""
    try:
        return HeldLock(folder / "lock")
    except BlockingIOError:
        raise UserError(
            f"--name: a rollout of '{folder.name}' is going on; wait for its end, or end it first"
        ) from None


def unfinished(folder: Path) -> Journal | None:
    """The last rollout, when it was killed before it ended; asked while the lock is held."""
    for file in sorted(folder.glob("*.json"), reverse=True)[:1]:
        with suppress(ValueError, OSError):
            record = read_json(file)
            if record["status"] == RUNNING:
                return Journal(file, record)
    return None


def now() -> str:
    """Now, UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
