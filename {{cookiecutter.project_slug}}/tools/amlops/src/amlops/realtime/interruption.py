"""Ctrl-C and the end that somebody else wants, as a flag: traffic is put back before the command ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import TracebackType


class Interruption:
    """While the block runs, Ctrl-C, SIGTERM and a closed terminal set `wanted` instead of ending the process.

    Args:
        tell: gets one line when that happens.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._wanted = threading.Event()
        self._previous: dict[int, object] = {}

    @property
    def wanted(self) -> bool:
        return self._wanted.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until an interruption; True for the latter."""
        return self._wanted.wait(seconds)

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
            numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
            # A process that was started to outlive its terminal (nohup) still does.
            wanted = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
            self._previous = {number: signal.signal(number, self._set) for number in wanted}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType]

    def _set(self, number: int, frame: object) -> None:  # noqa: ARG002
        if not self.wanted:
            self._wanted.set()
            self._tell("interrupted: the traffic is put back first; wait a moment")
