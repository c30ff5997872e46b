"""One parallel job from its input to its predictions, in a folder of its own.

    plan.json       what to do                     mini_batches.jsonl   the work, fixed at the first start
    journal.jsonl   what is done                   parts, work          rows so far, folders of workers
    logs            what people read               result.json          how the last start ended

The rows of each mini-batch are committed by themselves (a part, written and renamed by the worker, then a line in the
journal). When all is done the parts that count are joined in the order of the mini-batches and the result takes its
place in one step; so the predictions never hold a row twice, and are never half a file. In Azure their order is not
defined.
"""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amlops.errors import UserError
from amlops.files import read_json, write_text
from amlops.local.locks import HeldLock
from amlops.local.parallel.failures import FailedItem, failed_items, read_reasons
from amlops.local.parallel.figures import figures
from amlops.local.parallel.journal import JOURNAL, History, Journal
from amlops.local.parallel.message import failure_message
from amlops.local.parallel.plan import PLAN, ParallelPlan
from amlops.local.parallel.processes import WorkerSpec, thread_limits
from amlops.local.parallel.progress import Progress
from amlops.local.parallel.report import JobLogs
from amlops.local.parallel.scheduler import MiniBatchResult, Outcome, Rules, Scheduler
from amlops.local.parallel.summary import write_summary
from amlops.local.parallel.typed_output import is_available, typed_file, write_typed
from amlops.local.parallel.worklist import WorkList

RESULT = "result.json"
# Azure's own words for a job in which no item was scored.
NOTHING_SUCCEEDED = "no item was scored: run() returned no element for any mini-batch"
_LOCK = ".parallel.lock"


def run_parallel(plan: ParallelPlan, folder: Path, progress: Progress = lambda *_: None) -> dict[str, Any]:
    """Run the job in `folder`, or go on with it, to its end.

    Finished mini-batches of an earlier start are not run again. Where the earlier start ended as Failed, those with
    failed items are.

    Args:
        folder: the job's own; the plan is written there at the first start.
        progress: called with the items in all, scored, and failed so far.

    Returns: the result, which is in `folder`/result.json too: `status` is Completed or Failed, `error` says in one line
        why it failed, `message` in several; `items`, `mini_batches`, `seconds` are the figures.

    Raises:
        UserError: the input is empty, an output is there already, or another process runs the job.
        KeyboardInterrupt: interrupted; the result says Canceled.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = HeldLock(folder / _LOCK)
    except BlockingIOError:
        raise UserError(f"another process runs the job '{plan.name}'", file=folder) from None
    try:
        return _Start(plan, folder, progress).run()
    finally:
        lock.release()
        shutil.rmtree(folder / "work", ignore_errors=True)


class _Start:
    """One start of a job; `history` is what earlier ones did."""

    def __init__(self, plan: ParallelPlan, folder: Path, progress: Progress) -> None:
        self.plan, self.folder, self.progress = plan, folder, progress
        self.history = History.read(folder / JOURNAL)
        self.logs = JobLogs(folder / "logs")
        self.parts = folder / "parts"
        self._clock = time.monotonic()
        self._first = self.history.first or time.time()
        # A job that failed is taken up to try again what had failed. Killed or canceled, it only goes on.
        self.again = read_status(folder) == "Failed"
        if not self.history.joining:
            refuse_existing(plan)
        # Only when it is clear that the job can run is anything written.
        self.work = WorkList.load_or_make(plan, folder)
        if not (folder / PLAN).exists():
            plan.save(folder)
        changes = self.work.changes(plan.source) if self.history.starts else ""
        self.notes = [*plan.notes, *([changes] if changes else [])]

    @property
    def seconds(self) -> float:
        """How long the job has run, all starts together."""
        return self.history.seconds + time.monotonic() - self._clock

    def run(self) -> dict[str, Any]:
        """Do the work and write the result."""
        if read_status(self.folder) == "Completed":  # killed between its last two steps
            shutil.rmtree(self.parts, ignore_errors=True)
            return read_json(self.folder / RESULT)
        journal = Journal(self.folder / JOURNAL)
        try:
            journal.start(again=self.again)
            (self.folder / RESULT).unlink(missing_ok=True)  # of the start before
            outcome = self._score(journal)
            return self._end(journal, outcome)
        except KeyboardInterrupt:
            self._write_result({"status": "Canceled", "error": "interrupted"})
            raise
        finally:
            journal.close()

    def _score(self, journal: Journal) -> Outcome:
        plan, settings = self.plan, self.plan.settings
        # A folder for each start: a worker of a killed one may still write for a moment.
        parts = self.parts / f"{self.history.starts + 1:04d}"
        for folder in (parts, self.folder / "work", plan.output):
            folder.mkdir(parents=True, exist_ok=True)
        spec = WorkerSpec(
            script=plan.script,
            search_path=list(dict.fromkeys([plan.script.parent, plan.code])),
            environment=self._environment(),
            append_row=plan.output_file is not None,
            logging_level=settings.logging_level,
            logs=self.logs.folder,
            work=self.folder / "work",
            parts=parts,
            output=plan.output,
            program_arguments=settings.program_arguments,
            memory=settings.memory,
            gpus=settings.gpus,
            monitor_interval=settings.resource_monitor_interval,
        )
        rules = Rules.of(settings, plan.nodes)
        finished = self.history.finished(self.work.batches, self.parts, again=self.again)

        def changed(outcome: Outcome, result: MiniBatchResult) -> None:
            journal.result(result, self.parts)
            self.progress(self.work.items, outcome.succeeded, outcome.failed)

        self.progress(
            self.work.items, sum(result.succeeded for result in finished), sum(result.failed for result in finished)
        )
        return Scheduler(self.work.batches, spec, rules, changed, self.logs.failure, finished).run()

    def _environment(self) -> Mapping[str, str]:
        """Variables of the workers: what Azure ML sets, then the job's own."""
        return {
            **thread_limits(min(len(self.plan.nodes), len(self.work.batches)), self.plan.cores),
            "PYTHONUNBUFFERED": "1",
            "PYTHONIOENCODING": "utf-8",
            **self.plan.variables,
            **self.plan.settings.environment_variables,
        }

    def _end(self, journal: Journal, outcome: Outcome) -> dict[str, Any]:
        plan = self.plan
        reasons = read_reasons(plan.output, self._first)
        items = failed_items(outcome.results, plan.source, reasons)
        error = self._reason_of_failure(outcome)
        result: dict[str, Any] = {
            "status": "Failed" if error else "Completed",
            **({"error": error} if error else {}),
            **self._figures(outcome, items),
            "notes": [*self.notes, *reasons.notes],
            "output_file": None,
            "typed_file": None,
            "starts": self.history.starts + 1,
        }
        if not error and plan.output_file:
            journal.joining()
            self._write_outputs(outcome, plan.output_file, result)
        if not error and plan.summary_file:
            journal.joining()
            write_summary(plan.summary_file, outcome.results, plan.source)
        if error:
            result["message"] = failure_message(plan.name, result, outcome, items, self.logs)
        self.logs.mini_batches(outcome.results)
        self.logs.items(items)
        told = figures(plan, self.work, outcome, self.folder / JOURNAL)
        result["report_file"] = str(self.logs.report)
        result["advice"] = told["advice"] and {key: told["advice"][key] for key in ("mini_batch_size", "timeout")}
        self.logs.finish(plan.name, result, plan.settings, told, items)
        self._write_result(result)
        if not error:
            shutil.rmtree(self.parts, ignore_errors=True)
        return result

    def _write_outputs(self, outcome: Outcome, output_file: Path, result: dict[str, Any]) -> None:
        """Put Azure's text file and the typed one in place."""
        output_file.parent.mkdir(parents=True, exist_ok=True)
        header = self.plan.settings.append_row_dataframe_header
        _join_parts(outcome.results, output_file, header=header)
        result["output_file"] = str(output_file)
        typed = typed_file(output_file)
        if not is_available():
            result["notes"].append(f"{typed.name} is not written, because pyarrow is not installed")
            return
        result["notes"] += write_typed(typed, outcome.results, self.work, self.plan.source)
        result["typed_file"] = str(typed)

    def _write_result(self, result: dict[str, Any]) -> None:
        # ASCII: names of files that are not UTF-8 survive.
        write_text(self.folder / RESULT, f"{json.dumps(result, indent=2)}\n")

    def _reason_of_failure(self, outcome: Outcome) -> str:
        """Why the job failed, in one line; "" when it did not."""
        if outcome.stopped:
            return outcome.stopped
        if self.plan.output_file and not outcome.succeeded:
            return NOTHING_SUCCEEDED
        return ""

    def _figures(self, outcome: Outcome, items: Sequence[FailedItem]) -> dict[str, Any]:
        plan, seconds = self.plan, self.seconds
        done = outcome.succeeded + outcome.failed
        statuses = [result.status for result in outcome.results]
        return {
            "items": {"total": self.work.items, "succeeded": outcome.succeeded, "failed": outcome.failed},
            "mini_batches": {
                "total": len(statuses),
                "succeeded": statuses.count("succeeded"),
                "failed": statuses.count("failed"),
            },
            "workers": min(len(plan.nodes), len(statuses)),
            "workers_started": outcome.workers_started,
            "seconds": {
                "total": round(seconds, 3),
                "init": round(outcome.init_seconds, 3),
                "run": round(outcome.run_seconds, 3),
            },
            "items_per_second": round(done / seconds, 1) if seconds else 0.0,
            "failed_items_file": str(self.logs.failed_items) if items else None,
        }


def refuse_existing(plan: ParallelPlan) -> None:
    """Raise UserError when an output of the job is there already and may not be replaced."""
    files = [plan.output_file, plan.output_file and typed_file(plan.output_file), plan.summary_file]
    for file in files:
        if file and file.exists() and not plan.overwrite:
            raise UserError(
                f"--output-path: '{file}' exists; --overwrite replaces it, --set output_file_name=… writes beside it"
            )


def read_status(folder: Path) -> str:
    """How the last start of the job in `folder` ended: Completed, Failed, Canceled; "" when it was killed, or never
    started.
    """
    file = folder / RESULT
    return read_json(file)["status"] if file.exists() else ""


def _join_parts(results: Sequence[MiniBatchResult], target: Path, *, header: bool) -> None:
    """Write the predictions: the parts in order, under a name of this job's own, then the final one.

    Args:
        header: the names of a DataFrame's columns come first (`--append_row_dataframe_header`).
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    with temporary.open("wb") as output:
        if header and (first := next((result.rows for result in results if result.rows), None)):
            output.write(read_json(first)["header"].encode("utf-8", "surrogateescape"))
        for result in results:
            if result.part is not None:
                with result.part.open("rb") as part:
                    shutil.copyfileobj(part, output)
    temporary.replace(target)
