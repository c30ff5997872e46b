"""Waiting for something that goes on in Azure, over lost connections."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from amlops.azure.errors import is_passing
from amlops.errors import UserError

T = TypeVar("T")
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 20.0
_GROWTH = 1.4
LOST_AT_MOST_S = 30 * 60.0
"""How long Azure may be out of reach before a wait is given up. The job itself goes on."""


def pauses(first: float = _FIRST_PAUSE_S, longest: float = _LONGEST_PAUSE_S) -> Iterator[float]:
    """Seconds between looks: short at first, so that what is soon over is soon told, then longer."""
    seconds = first
    while True:
        yield seconds
        seconds = min(longest, seconds * _GROWTH)


class Patience:
    """Asks again while Azure is not reached or has a fault of its own.

    Args:
        tell: is told once when the connection is lost and once when it is back.
        go_on: the command that takes up the wait again, for the error.
        sleep, clock: the time; others in tests.
    """

    def __init__(
        self,
        tell: Callable[[str], None],
        go_on: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._go_on = go_on
        self._sleep = sleep
        self._clock = clock

    def ask(self, question: Callable[[], T]) -> T:
        """The answer to `question`, asked with growing pauses for at most LOST_AT_MOST_S.

        Raises:
            UserError: Azure was out of reach for longer. Errors that asking again does not change are passed on.
        """
        lost_at: float | None = None
        waits = pauses(1.0, 60.0)
        while True:
            try:
                answer = question()
            except Exception as error:
                cause = error.__cause__ if isinstance(error, UserError) and error.__cause__ else error
                if not is_passing(cause):
                    raise
                if lost_at is None:
                    lost_at = self._clock()
                    self._tell(f"lost Azure ({error}); the job goes on there, and so does the wait")
                elif self._clock() - lost_at > LOST_AT_MOST_S:
                    minutes = LOST_AT_MOST_S / 60
                    message = f"Azure was out of reach for {minutes:.0f} minutes; the job goes on there: {self._go_on}"
                    raise UserError(message) from error
                self._sleep(next(waits))
            else:
                if lost_at is not None:
                    self._tell("Azure is back")
                return answer
