"""Jobs of batch endpoints once they exist: run, resumed after whatever ended them, and the failed items of one scored
again.

`resume` goes on with the same job: what is finished stays. It takes a job whose process was killed, one that was
canceled, and one that failed; of the last, mini-batches with failed items are run again too.
`replay` is a new job with the failed items only, on the same copy of code and model. Its items keep their names and
their places in the input; `merged.parquet` beside its output has the typed rows of both jobs, those of the new one in
the place of the old ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from amlops import references
from amlops.errors import JobFailed, UserError
from amlops.local.batch.settings import changed_again
from amlops.local.batch.snapshot import check_snapshot
from amlops.local.cancellation import cancelable, forget, reason
from amlops.local.jobrecords import FINISHED, JobRecord, JobRecords
from amlops.local.models import ModelStore
from amlops.local.parallel.failures import ItemFailures
from amlops.local.parallel.message import failed_line
from amlops.local.parallel.plan import PLAN, ParallelPlan
from amlops.local.parallel.progress import note, progress_of
from amlops.local.parallel.runner import run_parallel
from amlops.local.parallel.typed_output import is_available, write_merged
from amlops.local.parallel.worklist import WorkList
from amlops.local.state import LocalState
from amlops.project import Project

Record = dict[str, Any]
JOB_TYPE = "batch"
OUTPUT = "score"
MERGED = "merged.parquet"
# What a resumed job can still change: its mini-batches and its output are what they were.
_FIXED = ("mini_batch_size", "output_file_name")
_KEPT = ("display_name", "endpoint_name", "deployment_name", "model", "input", "input_type")


def jobs_of(state: LocalState, endpoint: str) -> list[Record]:
    """The jobs of an endpoint, newest first; those of an endpoint of that name that was deleted are among them."""
    return [job for job in JobRecords(state).list() if job.get("endpoint_name") == endpoint]


class BatchJobs:
    """The jobs of all batch endpoints."""

    def __init__(self, state: LocalState, models: ModelStore, project: Project) -> None:
        self._state = state
        self._models = models
        self._project = project
        self._records = JobRecords(state)

    def run(self, record: JobRecord, plan: ParallelPlan) -> Record:
        """Run a job to its end and finish its record. Raises JobFailed."""
        try:
            with cancelable(record.folder), progress_of(record.name, with_bar=bool(plan.nodes)) as progress:
                result = run_parallel(plan, record.folder, progress)
        except KeyboardInterrupt:
            record.finish("Canceled", reason(record.folder))
            note(f"`amlops job resume -n {record.name}` goes on where it was")
            raise
        except BaseException as fault:
            record.finish("Failed", " ".join(f"{type(fault).__name__}: {fault}".split()))
            raise
        status, error, message = result.pop("status"), result.pop("error", None), result.pop("message", "")
        done = record.finish(status, error, **result)
        if status != "Completed":
            raise JobFailed(message, done)
        if done["items"]["failed"]:
            note(failed_line(done))
        return done

    def resume(self, name: str, *, sets: Sequence[str] = ()) -> Record:
        """Go on with a job; see `amlops.workspace.Jobs.resume`."""
        data = self._batch_job(name)
        if data["status"] == "Completed":
            failed = (data.get("items") or {}).get("failed")
            hint = f"; its failed items: amlops job replay -n {name}" if failed else ""
            raise UserError(f"--name: job '{name}' is completed, so there is nothing to resume{hint}")
        plan = self._plan(name)
        fixed = [key for key in _FIXED if any(entry.partition("=")[0].strip() == key for entry in sets)]
        if fixed:
            raise UserError(f"--set: '{fixed[0]}' is fixed when a job starts; replay or a new job can change it")
        settings = changed_again(plan.settings, sets)
        nodes, limit_note = settings.nodes(self._project.limits)
        plan = replace(plan, settings=settings, nodes=nodes, notes=[limit_note] if limit_note else [])
        record = self._records.reopen(name)
        forget(record.folder)
        plan.save(record.folder)
        record.update(settings=settings.as_record())
        if changes := WorkList.load(record.folder).changes(plan.source):
            note(changes)
        return self.run(record, plan)

    def replay(self, name: str, *, job_name: str | None = None, sets: Sequence[str] = ()) -> Record:
        """Score the failed items of a job again, in a new job; see `amlops.workspace.Jobs.replay`."""
        data = self._batch_job(name)
        old = self._plan(name)
        settings = changed_again(old.settings, sets)
        folder = self._state.jobs / name
        failures = ItemFailures.load(folder / "logs")
        if data["status"] not in FINISHED:
            raise UserError(f"--name: job '{name}' is running; its failed items are known at its end")
        if failures is None:
            raise UserError(f"--name: job '{name}' has not come to its end; first: amlops job resume -n {name}")
        work = WorkList.load(folder)
        chosen = failures.by_mini_batch(work.batches)
        if not chosen:
            raise UserError(f"--name: no item of job '{name}' has failed, so there is nothing to replay")
        size = settings.mini_batch_size
        work = work.only(chosen, int(size) if str(size).isdecimal() else None)
        if changes := WorkList.load(folder).changes(old.source):
            note(changes)
        nodes, limit_note = settings.nodes(self._project.limits)
        fields = {key: data[key] for key in _KEPT if key in data}
        fields |= {"replays": name, "settings": settings.as_record(), "notes": [limit_note] if limit_note else []}
        record = self._records.start(
            JOB_TYPE, name=job_name, prefix=f"{name}-replay", fields=fields, option="--job-name"
        )
        output = record.outputs / OUTPUT
        plan = replace(
            old,
            name=record.name,
            settings=settings,
            nodes=nodes,
            output=output,
            output_file=output / settings.output_file_name if settings.append_row else None,
            summary_file=None if settings.append_row else output / settings.output_file_name,
            overwrite=False,
            variables={**old.variables, "AZUREML_BI_OUTPUT_PATH": str(output)},
            notes=fields["notes"],
        )
        done = self.begin(record, plan, work)
        first = data.get("merged_file") or data.get("typed_file")
        if first and Path(first).is_file() and done["typed_file"] and is_available():
            merged = output / MERGED
            write_merged(merged, Path(first), Path(done["typed_file"]), failures.nobody_knows)
            record.update(merged_file=str(merged))
        return record.data

    def begin(self, record: JobRecord, plan: ParallelPlan, work: WorkList) -> Record:
        """Run a job that has just been recorded: with its plan and its work written first, it can be resumed."""
        work.save(record.folder)
        plan.save(record.folder)
        record.update(output_path=str(plan.output), outputs={OUTPUT: str(plan.output)}, logs=str(record.logs))
        for text in plan.notes:
            note(text)
        return self.run(record, plan)

    def _batch_job(self, name: str) -> Record:
        job, _, step = name.partition(".")
        data = self._records.show(job)
        if step or data["type"] != JOB_TYPE:
            what = f"'{name}' is a step" if step else f"job '{name}' is a {data['type']} job"
            endpoint = data.get("endpoint_name")
            again = f"amlops batch-endpoint invoke --name {endpoint}" if endpoint else "amlops job create -f FILE"
            raise UserError(
                f"--name: {what}; this goes with jobs of deployments of models. Start the whole job again: {again}"
            )
        return data

    def _plan(self, name: str) -> ParallelPlan:
        """The plan of a job, whose code and model are still there. Raises UserError."""
        folder = self._state.jobs / name
        if not (folder / PLAN).exists():
            raise UserError(
                f"--name: job '{name}' was ended before it had begun; start it anew: amlops batch-endpoint invoke"
            )
        plan = ParallelPlan.load(folder)
        for path in (plan.script, Path(plan.variables["AZUREML_MODEL_DIR"])):
            if not path.exists():
                raise UserError(f"--name: {path}, which job '{name}' ran with, is gone; start a new job")
        model = str(self._records.show(name).get("model", ""))
        if references.is_reference(model):
            self._models.resolve(model)
        else:
            check_snapshot(Path(plan.variables["AZUREML_MODEL_DIR"]))
        return plan
