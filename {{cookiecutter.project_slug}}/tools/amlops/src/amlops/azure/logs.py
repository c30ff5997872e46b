"""Logs of jobs in Azure: where the run history says they are, read from where the last look ended.

The run history names each log's file with an address that is signed for some hours (azure-ai-ml's own `stream` reads
them so); it is asked again at each look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from amlops.azure.errors import azure_errors
from amlops.workspace.jobs import LogFile

if TYPE_CHECKING:
    from amlops.azure.client import AzureContext

# What people and their programs write; the rest is the service's own.
_USER_LOGS = re.compile(r"user_logs/.+\.txt|logs/user/.+\.txt|logs/azureml/executionlogs\.txt")
_MAIN_LOG = "user_logs/std_log.txt"
_NOTHING_MORE = 416


class History:
    """The run history of the workspace."""

    def __init__(self, azure: AzureContext) -> None:
        self._azure = azure

    @property
    def _runs(self) -> Any:
        # azure-ai-ml's client of the run history, which has no public name; its version is held in requirements.
        return self._azure.ml.jobs._runs_operations

    def details(self, name: str) -> Any:
        """A run: times, error, log_files. None for one that the run history does not know yet. Raises UserError."""
        from azure.core.exceptions import ResourceNotFoundError

        with azure_errors(self._azure, f"job '{name}'"):
            try:
                return self._runs.get_run_details(name)
            except ResourceNotFoundError:
                return None

    def files(self, name: str) -> dict[str, str]:
        """The logs of a run: path, and address of what is in it. Raises UserError."""
        return dict(getattr(self.details(name), "log_files", None) or {})

    def children(self, name: str) -> list[Any]:
        """The steps of a pipeline, in the order in which they were made. Raises UserError."""
        scope = self._azure.environment
        with azure_errors(self._azure, f"job '{name}'"):
            operation = self._runs._operation
            found = operation.get_child(self._azure.subscription_id, scope.resource_group, scope.workspace, name)
            return sorted(found, key=lambda run: str(run.created_utc or ""))

    def read(self, address: str, start: int) -> bytes:
        """A log from the byte `start` to its present end. Raises UserError."""
        with azure_errors(self._azure, "log"):
            # The address is signed, so it goes without a token.
            pipeline: Any = self._azure.ml.jobs._requests_pipeline
            response = pipeline.get(address, headers={"Range": f"bytes={start}-"})
            if response.status_code in (404, _NOTHING_MORE):
                return b""
            response.raise_for_status()
            body: bytes = response.content
            return body[start:] if response.status_code == 200 else body


class _Tail:
    """One log that is read on."""

    def __init__(self, label: str) -> None:
        self.label = label
        self._position = 0
        self._rest = b""

    def lines(self, data: bytes, *, last: bool) -> list[str]:
        """The complete lines of what is new; with `last`, also one without an end."""
        self._position += len(data)
        *complete, self._rest = (self._rest + data).split(b"\n")
        if last and self._rest:
            complete.append(self._rest)
            self._rest = b""
        return [line.decode("utf-8", errors="replace").rstrip("\r") for line in complete]

    @property
    def position(self) -> int:
        return self._position


class Follower:
    """Writes what is new in the logs of a job and of its steps."""

    def __init__(self, history: History, name: str, write: Callable[[str], None]) -> None:
        self._history = history
        self._name = name
        self._write = write
        self._tails: dict[tuple[str, str], _Tail] = {}
        self._ended: set[str] = set()
        self._statuses: dict[str, str] = {}

    def look(self, *, is_pipeline: bool, last: bool = False) -> None:
        """Write what is new; `last` for a job that has ended. Raises UserError."""
        for run in self._history.children(self._name) if is_pipeline else ():
            label = run.display_name or run.run_id
            if run.run_id in self._ended:
                continue
            has_ended = run.end_time_utc is not None
            if run.status != self._statuses.get(run.run_id, "NotStarted"):
                self._statuses[run.run_id] = run.status
                self._write(f"{label}: {run.status}")
            self._read(run.run_id, label, last=last or has_ended)
            if has_ended:
                self._ended.add(run.run_id)
        self._read(self._name, "", last=last)

    def _read(self, run_id: str, step: str, *, last: bool) -> None:
        files = self._history.files(run_id)
        for path in sorted(path for path in files if _USER_LOGS.fullmatch(path)):
            tail = self._tails.setdefault((run_id, path), _Tail(_label(step, path)))
            data = self._history.read(files[path], tail.position)
            for line in tail.lines(data, last=last):
                self._write(f"{tail.label} | {line}")


def _label(step: str, path: str) -> str:
    """What a log is called in front of its lines: the step, or the file where a step has several."""
    if path == _MAIN_LOG:
        return step or "std_log"
    name = path.removeprefix("user_logs/").removeprefix("logs/").removesuffix(".txt")
    return f"{step}/{name}" if step else name


def log_files(history: History, name: str, *, is_pipeline: bool) -> list[LogFile]:
    """Every log of a job and of its steps that is there now. Raises UserError."""
    runs = [(run.run_id, run.display_name or run.run_id) for run in history.children(name)] if is_pipeline else []
    found: list[LogFile] = []
    for run_id, step in [*runs, (name, None)]:
        for path, address in sorted(history.files(run_id).items()):
            shown = f"{step}/{path}" if step else path
            found.append(LogFile(shown, step, partial(_lines, history, address)))
    return found


def _lines(history: History, address: str) -> Iterator[str]:
    yield from history.read(address, 0).decode("utf-8", errors="replace").splitlines()
