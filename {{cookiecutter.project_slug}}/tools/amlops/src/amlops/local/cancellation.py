"""Canceling a job that another process runs: a file in the job's folder, which that process looks for.

A file works on every system, reaches only the process that holds the job's lock, and cannot hit another process whose
number was used again. The process then does what Ctrl-C does: it stops all it has started and finishes the record.
"""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amlops.files import write_text
from amlops.local.interrupts import terminate_as_interrupt

_FILE = ".cancel"
_LOOK_SECONDS = 0.2


def request(folder: Path) -> None:
    """Ask the process that runs the job in `folder` to cancel it."""
    write_text(folder / _FILE, "")


def reason(folder: Path) -> str:
    """Why a job was interrupted: somebody asked for it from elsewhere, or ended its process.

    The request is done with.
    """
    asked = (folder / _FILE).exists()
    forget(folder)
    return "canceled by `amlops job cancel`" if asked else "interrupted"


def forget(folder: Path) -> None:
    """Take back a request that nobody has answered: its process was killed first. Called before a job is resumed."""
    (folder / _FILE).unlink(missing_ok=True)


@contextmanager
def cancelable(folder: Path) -> Iterator[None]:
    """While the block runs in the main thread, a request in `folder`, SIGTERM and a closed terminal interrupt it.

    Raises KeyboardInterrupt in the block.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(folder / _FILE, done), daemon=True, name="cancel")
    with terminate_as_interrupt():
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def _watch(file: Path, done: threading.Event) -> None:
    while not done.wait(_LOOK_SECONDS):
        if file.exists() and not done.is_set():
            interrupt_main()
            return


def interrupt_main() -> None:
    """SIGTERM in the main thread, so that what it waits for is interrupted too; Ctrl-C may be ignored there (`&` in a
    script).
    """
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGTERM)
    else:
        _thread.interrupt_main(signal.SIGTERM)
