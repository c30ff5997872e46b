"""The record of every job of the laptop: `jobs/<name>/job.json`, written atomically at each change.

    record = JobRecords(state).start("pipeline", prefix="train", fields={"display_name": "Train"})
    record.update(steps={...})
    record.finish("Completed")

A record is a mapping with name, type, status, created_at, ended_at (UTC, ISO 8601), duration_s and what else the kind
of job adds. Status is one of Azure ML's: Running, Completed, Failed, Canceled.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amlops import jobnames
from amlops.errors import UserError
from amlops.files import read_json, write_json
from amlops.local.locks import HeldLock, is_held
from amlops.local.parallel.progress import note
from amlops.local.state import LocalState

FINISHED = ("Completed", "Failed", "Canceled")
_FILE = "job.json"
_LOCK = ".running"


def utc_now() -> str:
    """The current time in UTC, for example 2026-03-01T12:00:00.250Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class JobRecord:
    """One job while it runs. Safe to update from several threads."""

    def __init__(self, folder: Path, data: dict[str, Any], lock: HeldLock) -> None:
        self.folder = folder
        self.data = data
        self._lock = lock
        self._started = time.monotonic()
        self._guard = threading.Lock()

    @property
    def name(self) -> str:
        """The job's name."""
        return self.data["name"]

    @property
    def logs(self) -> Path:
        """Folder of the job's logs."""
        return self.folder / "logs"

    @property
    def outputs(self) -> Path:
        """Folder of the job's outputs."""
        return self.folder / "outputs"

    def update(self, **fields: Any) -> None:
        """Set fields and write the record."""
        with self._guard:
            self.data.update(fields)
            write_json(self.folder / _FILE, self.data)

    def finish(self, status: str, error: str | None = None, **fields: Any) -> dict[str, Any]:
        """Write the last state (one of FINISHED) and let go of the job. Returns the record."""
        duration = round(time.monotonic() - self._started, 3)
        self.update(
            **fields, status=status, ended_at=utc_now(), duration_s=duration, **({"error": error} if error else {})
        )
        self._lock.release()
        (self.folder / _LOCK).unlink(missing_ok=True)
        return self.data


class JobRecords:
    """The records of all jobs."""

    def __init__(self, state: LocalState) -> None:
        self._state = state

    def start(
        self,
        kind: str,
        *,
        name: str | None = None,
        prefix: str = "job",
        fields: dict[str, Any] | None = None,
        option: str = "--name",
        reserved: bool = False,
    ) -> JobRecord:
        """Make the job's folder and its first record, with status Running.

        Args:
            kind: pipeline, command or batch.
            reserved: `name` is from `reserved()`.
            name: the job's name; by default made from `prefix`, the time and four random letters.
            option: what the name came from, for errors.

        Raises:
            UserError: the name is not allowed, or taken.
        """
        self._state.prepare()
        folder = self._state.jobs / name if reserved and name else self._make_folder(name, prefix, option)
        (folder / "logs").mkdir()
        (folder / "outputs").mkdir()
        data = {"name": folder.name, "type": kind, "status": "Running", "created_at": utc_now(), **(fields or {})}
        record = JobRecord(folder, data, HeldLock(folder / _LOCK))
        record.update()
        return record

    @contextmanager
    def reserved(self, name: str | None, prefix: str, option: str = "--name") -> Iterator[str]:
        """The name of a job that starts inside the block; its folder is there, so that inputs can be fetched into it.

        The folder is gone again when the block raises before the job has started.

        Raises:
            UserError: the name is not allowed, or taken.
        """
        self._state.prepare()
        folder = self._make_folder(name, prefix, option)
        try:
            yield folder.name
        except BaseException:
            if not (folder / _FILE).exists():
                shutil.rmtree(folder, ignore_errors=True)
                with suppress(OSError):  # other jobs are there
                    folder.parent.rmdir()
            raise

    def reopen(self, name: str) -> JobRecord:
        """Take up a job that has ended before it was completed: its status is Running again.

        Raises:
            UserError: there is no such job, it is completed, or a process runs it.
        """
        self.show(name)
        folder = self._state.jobs / name
        try:
            lock = HeldLock(folder / _LOCK)
        except BlockingIOError:
            raise UserError(f"--name: job '{name}' is running; `amlops job show -n {name}` shows it") from None
        data = _record(folder)
        if data["status"] == "Completed":  # by another process, meanwhile
            lock.release()
            raise UserError(f"--name: job '{name}' is completed")
        kept = {key: value for key, value in data.items() if key not in {"error", "ended_at", "duration_s"}}
        record = JobRecord(folder, {**kept, "status": "Running", "resumed_at": utc_now()}, lock)
        record.update()
        return record

    def check_name(self, name: str, option: str = "--name") -> None:
        """Raise UserError when a new job cannot have this name."""
        jobnames.check(name, option)
        if (self._state.jobs / name).exists():
            raise UserError(f"{option}: job '{name}' exists; names are used once, for example {name}-2")

    def show(self, name: str) -> dict[str, Any]:
        """One record. Raises UserError when there is no such job, or its record cannot be read."""
        folder = self._state.jobs / name
        if not jobnames.PATTERN.fullmatch(name) or not (folder / _FILE).is_file():
            raise UserError(f"--name: there is no job '{name}'; `amlops job list` shows them")
        return self._read(folder)

    def list(self) -> list[dict[str, Any]]:
        """All records, newest first. One that cannot be read is told and left out: it must not hide the others."""
        records: list[dict[str, Any]] = []
        for file in self._state.jobs.glob(f"*/{_FILE}"):
            try:
                records.append(self._read(file.parent))
            except UserError as error:
                note(str(error))
        return sorted(records, key=lambda data: data["created_at"], reverse=True)

    def _make_folder(self, name: str | None, prefix: str, option: str) -> Path:
        if name is not None:
            self.check_name(name, option)
        folder = self._state.jobs / (name or jobnames.new(prefix))
        try:
            folder.mkdir(parents=True)
        except FileExistsError:  # another process was faster
            raise UserError(f"{option}: job '{folder.name}' exists; names are used once") from None
        return folder

    def _read(self, folder: Path) -> dict[str, Any]:
        data = _record(folder)
        if data["status"] not in FINISHED and not is_held(folder / _LOCK):
            data = _record(folder)  # the job may have ended between the first look and the lock's
        if data["status"] not in FINISHED and not is_held(folder / _LOCK):
            # The process was killed or the machine stopped: nobody is left to say so in the file.
            hint = f"; `amlops job resume -n {data['name']}` goes on with it" if data["type"] == "batch" else ""
            data |= {"status": "Failed", "error": f"the process that ran the job ended before the job did{hint}"}
            for step in data.get("steps", {}).values():
                if step["status"] not in FINISHED:
                    step["status"] = "Canceled"
        return data


def _record(folder: Path) -> dict[str, Any]:
    """What the job's file says. Raises UserError when it is damaged."""
    try:
        return read_json(folder / _FILE)
    except ValueError:
        message = "the job's record is not valid JSON; delete the job's folder"
        raise UserError(message, file=folder / _FILE) from None
