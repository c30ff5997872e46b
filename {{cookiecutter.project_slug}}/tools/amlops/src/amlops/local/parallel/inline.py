"""`workers: 0`: the calling process runs the script itself, so that `breakpoint()` and a debugger work in it.

Standard input and output stay those of the terminal. Variables, arguments, working folder and import path are those of
a worker while it runs, and what they were afterwards. No timeout and no memory limit can be kept.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterator

from amlops.local.parallel.amlops_worker.entryscript import Script, described, load_script, script_arguments
from amlops.local.parallel.amlops_worker.scoring import LOG_FORMAT, Scoring
from amlops.local.parallel.outcome import Failure, Ledger
from amlops.local.parallel.processes import HELPERS, WorkerPlace, WorkerSpec

_NODE = "node0"


def run_inline(ledger: Ledger, spec: WorkerSpec) -> None:
    """Run every mini-batch that waits, one after the other."""
    place = WorkerPlace(_NODE, 0, spec)
    with _as_in_a_worker(place):
        ledger.outcome.workers_started += 1
        started = time.perf_counter()
        try:
            script = Script(load_script(spec.script, [str(path) for path in spec.search_path]))
            script.init()
        except (Exception, SystemExit) as error:
            told = described(error)
            ledger.fail(Failure(place, told["type"], told["message"], told["traceback"]))
            ledger.outcome.stop("init", "init() failed in the calling process")
            return
        finally:
            ledger.outcome.init_seconds += time.perf_counter() - started
        _score_all(ledger, place, Scoring(script, spec.append_row, interactive=True))
        try:
            script.shutdown()
        except Exception:  # the results are safe by now, as in a worker
            traceback.print_exc()


def _score_all(ledger: Ledger, place: WorkerPlace, scoring: Scoring) -> None:
    while ledger.has_work:
        batch, attempt = ledger.take()
        answer = scoring.score(ledger.command(batch, attempt))
        ledger.outcome.run_seconds += answer["seconds"]
        if answer["event"] == "done":
            ledger.done(place, answer)
        else:
            ledger.attempt_failed(place, (batch.index, attempt), answer["error"], answer["seconds"])


@contextlib.contextmanager
def _as_in_a_worker(place: WorkerPlace) -> Iterator[None]:
    """Give this process what a worker has, for a while."""
    spec = place.spec
    place.folder.mkdir(parents=True, exist_ok=True)
    variables, arguments, path, modules = dict(os.environ), sys.argv, list(sys.path), set(sys.modules)
    here = os.getcwd()  # noqa: PTH109
    # As in a worker, where nobody else has set up logging.
    root = logging.getLogger()
    level, handler = root.level, logging.StreamHandler() if not root.handlers else None
    try:
        if handler is not None:
            handler.setFormatter(logging.Formatter(LOG_FORMAT))
            root.addHandler(handler)
            root.setLevel(spec.logging_level.upper())
        os.environ.update(place.environment())
        sys.argv = script_arguments(str(spec.script), spec.logging_level, spec.program_arguments)
        sys.path.append(str(HELPERS))
        os.chdir(place.folder)
        yield
    finally:
        if handler is not None:
            root.removeHandler(handler)
            root.setLevel(level)
        _close_handlers(logging.getLogger("azureml_user.entry_script"))
        os.chdir(here)
        sys.argv, sys.path[:] = arguments, path
        os.environ.clear()
        os.environ.update(variables)
        # The script's own modules: another job in this process may have others of the same name.
        folders = tuple(str(folder) + os.sep for folder in spec.search_path)
        for name in set(sys.modules) - modules:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith((*folders, str(HELPERS))):
                del sys.modules[name]


def _close_handlers(logger: logging.Logger) -> None:
    """The next job in this process has a log file of its own."""
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
