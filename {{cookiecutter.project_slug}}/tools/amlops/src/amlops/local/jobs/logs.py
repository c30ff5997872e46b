"""Every log of a job of the laptop, wherever its steps wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from amlops.workspace.jobs import LogFile

_TEXT = frozenset({".txt", ".log", ".csv", ".jsonl"})


def log_files(record: dict[str, Any], folder: Path) -> list[LogFile]:
    """The logs of the steps and of the job itself, by path below the job's `folder`."""
    found: dict[Path, str | None] = {}
    for name, step in (record.get("steps") or {}).items():
        for path in [Path(step["log"]), *_below(step.get("logs"))]:
            found.setdefault(path, name)
    for path in _below(record.get("logs")):
        found.setdefault(path, None)
    return [
        LogFile(_shown(path, folder), step, partial(_lines, path))
        for path, step in sorted(found.items())
        if path.is_file()
    ]


def _below(folder: str | None) -> list[Path]:
    if folder is None:
        return []
    return [path for path in Path(folder).rglob("*") if path.suffix in _TEXT]


def _shown(path: Path, folder: Path) -> str:
    try:
        return path.relative_to(folder).as_posix()
    except ValueError:
        return path.as_posix()


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            yield line.rstrip("\r\n")
