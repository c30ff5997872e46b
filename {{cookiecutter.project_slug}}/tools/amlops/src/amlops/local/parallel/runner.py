"""One batch job from its input to its predictions file.

The rows of each mini-batch are committed by themselves (a part, written and renamed by the worker). When all is done
the parts that count are joined in the order of the mini-batches and the result takes its place in one step; so the
predictions never hold a row twice, and are never half a file. In Azure their order is not defined.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlops.errors import JobFailed, shown
from amlops.local.jobrecords import JobRecord
from amlops.local.parallel.failures import FailedItem, failed_items, read_reasons
from amlops.local.parallel.inputs import BatchInput, MiniBatch
from amlops.local.parallel.processes import WorkerSpec, thread_limits
from amlops.local.parallel.report import JobLogs
from amlops.local.parallel.scheduler import Failure, MiniBatchResult, Outcome, Rules, Scheduler
from amlops.local.parallel.settings import BatchSettings

# Azure's own words for a job in which no item was scored.
NOTHING_SUCCEEDED = "no item was scored: run() returned no element for any mini-batch"


@dataclass(frozen=True)
class BatchPlan:
    """What a job will do.

    Attributes:
        code: the deployment's code folder; `script` is the scoring script in it.
        model: what AZUREML_MODEL_DIR will be: the folder that contains the registered file or folder.
        nodes: the node of each worker.
        cores: cores of the machine that the workers share.
        output: folder of the predictions.
        input_label: what the user called the input.
    """

    source: BatchInput
    batches: Sequence[MiniBatch]
    settings: BatchSettings
    code: Path
    script: Path
    model: Path
    nodes: Sequence[str]
    cores: int
    output: Path

    @property
    def output_file(self) -> Path | None:
        """The predictions; None for summary_only."""
        return self.output / self.settings.output_file_name if self.settings.append_row else None

    @property
    def items(self) -> int:
        """How many items there are."""
        return sum(len(batch.items) for batch in self.batches)


@dataclass
class _Reporter:
    """What happens while the work goes on: logs at once, progress to whoever shows it."""

    logs: JobLogs
    progress: Callable[[int, int], None]

    def changed(self, outcome: Outcome, _: MiniBatchResult) -> None:
        self.progress(outcome.succeeded, outcome.failed)

    def failed(self, failure: Failure) -> None:
        self.logs.failure(failure)


def run_batch(plan: BatchPlan, record: JobRecord, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """Score the input and finish the job's record.

    Args:
        record: the job, just started.
        progress: called with the items scored and failed so far.

    Returns: the finished record.

    Raises:
        JobFailed: the job failed; its record is finished too.
    """
    logs = JobLogs(record.logs)
    started, clock = time.time(), time.monotonic()
    try:
        outcome = _score(plan, record, _Reporter(logs, progress))
        items = failed_items(outcome.results, plan.source, reasons := read_reasons(plan.output, started))
        error = _reason_of_failure(plan, outcome)
        if not error:
            _join_parts(outcome.results, plan.output_file)
        fields = _figures(plan, outcome, time.monotonic() - clock, logs, items)
        fields["notes"] = [*record.data.get("notes", []), *reasons.notes]
        logs.mini_batches(outcome.results)
        logs.items(items)
    except KeyboardInterrupt:
        record.finish("Canceled", "interrupted")
        raise
    except BaseException as fault:
        record.finish("Failed", " ".join(f"{type(fault).__name__}: {fault}".split()))
        raise
    finally:
        shutil.rmtree(record.folder / "work", ignore_errors=True)
    if error:
        fields["output_file"] = None
        data = record.finish("Failed", error, **fields)
        logs.finish(data, error)
        raise JobFailed(_explained(data, error, outcome, items, logs), data)
    data = record.finish("Completed", **fields)
    logs.finish(data, "")
    shutil.rmtree(record.folder / "parts", ignore_errors=True)
    return data


def _score(plan: BatchPlan, record: JobRecord, reporter: _Reporter) -> Outcome:
    parts, work = record.folder / "parts", record.folder / "work"
    for folder in (parts, work, plan.output):
        folder.mkdir(parents=True, exist_ok=True)
    settings = plan.settings
    spec = WorkerSpec(
        script=plan.script,
        search_path=list(dict.fromkeys([plan.script.parent, plan.code])),
        environment=_environment(plan),
        append_row=settings.append_row,
        logging_level=settings.logging_level,
        logs=record.logs,
        work=work,
        parts=parts,
    )
    rules = Rules(plan.nodes, settings.attempts, settings.timeout, settings.error_threshold)
    return Scheduler(plan.batches, spec, rules, reporter.changed, reporter.failed).run()


def _environment(plan: BatchPlan) -> Mapping[str, str]:
    """Variables of the workers: what Azure ML sets, then the deployment's own."""
    return {
        **thread_limits(min(len(plan.nodes), len(plan.batches)), plan.cores),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "AZUREML_MODEL_DIR": str(plan.model),
        "AZUREML_BI_OUTPUT_PATH": str(plan.output),
        **plan.settings.environment_variables,
    }


def _reason_of_failure(plan: BatchPlan, outcome: Outcome) -> str:
    """Why the job failed, in one line; "" when it did not."""
    if outcome.stopped:
        return outcome.stopped
    if plan.settings.append_row and not outcome.succeeded:
        return NOTHING_SUCCEEDED
    return ""


def _join_parts(results: Sequence[MiniBatchResult], target: Path | None) -> None:
    """Write the predictions: the parts in order, under a name of this job's own, then the final one."""
    if target is None:
        return
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    with temporary.open("wb") as output:
        for result in results:
            if result.part is not None:
                with result.part.open("rb") as part:
                    shutil.copyfileobj(part, output)
    temporary.replace(target)


def _figures(
    plan: BatchPlan, outcome: Outcome, seconds: float, logs: JobLogs, items: Sequence[FailedItem]
) -> dict[str, Any]:
    done = outcome.succeeded + outcome.failed
    statuses = [result.status for result in outcome.results]
    return {
        "output_file": str(plan.output_file) if plan.output_file else None,
        "items": {"total": plan.items, "succeeded": outcome.succeeded, "failed": outcome.failed},
        "mini_batches": {
            "total": len(statuses),
            "succeeded": statuses.count("succeeded"),
            "failed": statuses.count("failed"),
        },
        "workers": min(len(plan.nodes), len(plan.batches)),
        "workers_started": outcome.workers_started,
        "seconds": {
            "total": round(seconds, 3),
            "init": round(outcome.init_seconds, 3),
            "run": round(outcome.run_seconds, 3),
        },
        "items_per_second": round(done / seconds, 1) if seconds else 0.0,
        "failed_items_file": str(logs.failed_items) if items else None,
    }


def failed_line(data: Mapping[str, Any]) -> str:
    """ "3 of 526 items failed: PATH", from the record of a finished job."""
    items, file = data["items"], data["failed_items_file"]
    return f"{items['failed']} of {items['total']} items failed{f': {shown(Path(file))}' if file else ''}"


def _explained(data: dict[str, Any], error: str, outcome: Outcome, items: Sequence[FailedItem], logs: JobLogs) -> str:
    """The message of a failed job: the first thing that went wrong on top, then where to read on."""
    lines = [f"job {data['name']} failed: {error}"]
    failure = outcome.failures[0] if outcome.failures else None
    if failure is not None:
        where = "init()" if failure.mini_batch is None else _first_item(items, outcome.results[failure.mini_batch])
        lines.insert(0, f"{where}: {failure.type}: {failure.message}{_place(failure.traceback)}")
        lines.append(f"every failure: {shown(logs.errors)}")
    elif items:
        lines.insert(0, f"{items[0].item or 'an item'}: {items[0].message}")
    if items:
        lines.append(failed_line(data))
    lines.append(f"logs: {shown(logs.folder)}")
    return "\n".join(lines)


def _first_item(items: Sequence[FailedItem], result: MiniBatchResult) -> str:
    """Names the mini-batch of a failed attempt by its first item."""
    name = next(
        (item.item for item in items if item.mini_batch == result.batch.index), Path(result.batch.items[0]).name
    )
    others = len(result.batch.items) - 1
    return f"{name} (and {others} more in its mini-batch)" if others else name


def _place(traceback: str) -> str:
    """ " (score.py, line 12)": the innermost frame of a traceback, where there is one."""
    frames = [line.strip() for line in traceback.splitlines() if line.strip().startswith('File "')]
    if not frames:
        return ""
    file, _, rest = frames[-1].removeprefix('File "').partition('", ')
    return f" ({Path(file).name}, {rest.partition(', in ')[0]})"
