"""How much memory a tree of processes uses; Linux only."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def tree_gib(pids: Iterable[int], proc: Path = Path("/proc")) -> float | None:
    """GiB that the processes and everything they started use; what they share counts once.

    None where the system does not tell.
    """
    sizes = [size for pid in _tree(pids, proc) if (size := _kibibytes(proc / str(pid) / "smaps_rollup")) is not None]
    return sum(sizes) / 2**20 if sizes else None


def _tree(pids: Iterable[int], proc: Path) -> set[int]:
    found: set[int] = set()
    waiting = list(pids)
    while waiting:
        pid = waiting.pop()
        if pid in found:
            continue
        found.add(pid)
        for task in (proc / str(pid) / "task").glob("*"):
            try:
                waiting += [int(word) for word in (task / "children").read_text().split()]
            except OSError:  # it has ended meanwhile
                continue
    return found


def _kibibytes(file: Path) -> int | None:
    """The proportional set size: memory that several processes share is divided among them."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), None)
