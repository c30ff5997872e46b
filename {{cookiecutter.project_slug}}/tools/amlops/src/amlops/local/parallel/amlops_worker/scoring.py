"""One mini-batch in the process that runs the script: read, given to `run()`, counted, written. Standard library only;
a table is read by `tablereader`, which has pandas.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import returned
from .entryscript import MiniBatchContext, Script, described

Message = dict[str, Any]
# What the system says when there is no memory for a file or a library.
_OUT_OF_MEMORY = ("cannot allocate memory", "failed to map segment", "can't start new thread")
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_log = logging.getLogger("amlops.parallel")


def described_with_limit(error: BaseException, memory: int) -> dict[str, str]:
    """The exception, and the limit of memory (MB, 0 for none) where it may be the reason."""
    told = described(error)
    # OpenBLAS interrupts its own process when it cannot start a thread.
    short = isinstance(error, MemoryError | KeyboardInterrupt)
    if memory and (short or any(text in told["message"].lower() for text in _OUT_OF_MEMORY)):
        told["message"] = f"{told['message'] or 'out of memory'}; a worker may have {memory} MB (limits.memory)"
    return told


@dataclass(frozen=True)
class Scoring:
    """Runs mini-batches through a script.

    `memory` is the limit in MB that the process has, 0 for none. `interactive`: a person may sit at its terminal.
    """

    script: Script
    append_row: bool
    memory: int = 0
    interactive: bool = False

    def score(self, command: Message, loaded: Callable[[], None] = lambda: None) -> Message:
        """Do what the command of the parent says.

        Args:
            command: `mini_batch`, `attempt`, `files` or `table` (see `minibatches.TableRows`), `partition`, `part`.
            loaded: called when a table has been read and `run()` is next.

        Returns: the answer: `event` is "done" or "failed"; "leave" is true when the process should be replaced.
        """
        answer: Message = {"mini_batch": command["mini_batch"], "attempt": command["attempt"]}
        started = time.perf_counter()
        try:
            items, mini_batch = self._load(command, loaded)
            started = time.perf_counter()
            result = self.script.run(mini_batch, MiniBatchContext(command["mini_batch"], dict(command["partition"])))
            answer["seconds"] = time.perf_counter() - started
            return {**answer, "event": "done", **self._keep(result, items, command)}
        except BaseException as error:  # a script may call sys.exit()
            if self.interactive and (isinstance(error, KeyboardInterrupt) or type(error).__name__ == "BdbQuit"):
                raise KeyboardInterrupt from error  # a person pressed Ctrl-C, or left the debugger
            return self._failed(answer, error, started)

    @staticmethod
    def _load(command: Message, loaded: Callable[[], None]) -> tuple[Sequence[str], Any]:
        if command["table"] is None:
            return command["files"], list(command["files"])
        from .rows import Piece, RowNames
        from .tablereader import read_rows

        frame = read_rows(command["table"])
        loaded()
        return RowNames([Piece(**piece) for piece in command["table"]["pieces"]]), frame

    def _keep(self, result: Any, items: Sequence[str], command: Message) -> Message:
        number, text = returned.count(result), None
        if number > len(items):
            _log.warning("run() returned %d elements for %d items; %d are counted", number, len(items), len(items))
        if self.append_row:
            text = returned.write_part(Path(command["part"]), result, items, table=command["table"] is not None)
        missing: list[str] = []
        if number < len(items):
            _log.warning("run() returned %d elements for %d items: %d failed", number, len(items), len(items) - number)
            if command["table"] is not None:
                missing = returned.rows_left_out(result, items)
            else:
                missing = returned.not_named(items, returned.rendered(result) if text is None else text)
        return {"returned": number, "not_named": missing}

    def _failed(self, answer: Message, error: BaseException, started: float) -> Message:
        traceback.print_exc()
        told = described_with_limit(error, self.memory)
        # In Azure a process that needs too much is ended; what is left of its memory is not to be trusted here either.
        leave = isinstance(error, MemoryError)
        seconds = time.perf_counter() - started
        return {**answer, "event": "failed", "seconds": seconds, "error": told, "leave": leave}
