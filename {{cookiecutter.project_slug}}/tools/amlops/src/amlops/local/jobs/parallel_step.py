"""`python -P -m amlops.local.jobs.parallel_step FOLDER`: the process of a parallel step.

It is `amlops.local.parallel` with a lifeline: standard input is a pipe from the process that runs the job. When that
process is gone, however it ended, the pipe is closed; the step then stops with all its workers instead of going on for
nobody.

There is no terminal, then. With `workers: 0` a `breakpoint()` in the script says how to get one instead of waiting for
an answer that never comes.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import NoReturn

from amlops.errors import shown
from amlops.local.cancellation import interrupt_main
from amlops.local.parallel.__main__ import main as run


def main(arguments: list[str]) -> int:
    """Run the step and return its exit code."""
    sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 (for as long as the process lives)
    place = shown(Path(*arguments))  # as the user sees it, who is where the job was started
    sys.breakpointhook = lambda *_, **__: _no_terminal(place)
    threading.Thread(target=_follow_the_job, daemon=True, name="lifeline").start()
    return run(arguments)


def _no_terminal(folder: str) -> NoReturn:
    raise RuntimeError(
        "breakpoint() needs a terminal, which a step of a job does not have; run the step alone: "
        f"python -P -m amlops.local.parallel {folder}"
    )


def _follow_the_job() -> None:
    # Nothing is written there. Not through sys.stdin, whose lock a thread must not hold when Python ends.
    while os.read(0, 1):
        pass
    interrupt_main()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
