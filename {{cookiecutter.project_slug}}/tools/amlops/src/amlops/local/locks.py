"""A lock that the operating system lets go of when its process ends, however it ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    def _try_lock(stream: IO[bytes], *, shared: bool) -> bool:  # noqa: ARG001
        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(stream: IO[bytes], *, shared: bool) -> bool:
        try:
            fcntl.flock(stream, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


class HeldLock:
    """Holds `path` from here until `release` or the end of the process. Child processes do not inherit it.

    Raises:
        BlockingIOError: another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self._stream = path.open("ab")
        if not _try_lock(self._stream, shared=False):
            self._stream.close()
            raise BlockingIOError(f"{path} is held by another process")

    def release(self) -> None:
        """Let go; a second call does nothing."""
        self._stream.close()


def is_held(path: Path) -> bool:
    """True while a process holds the lock."""
    try:
        stream = path.open("r+b")
    except OSError:
        return False
    with stream:
        return not _try_lock(stream, shared=True)
