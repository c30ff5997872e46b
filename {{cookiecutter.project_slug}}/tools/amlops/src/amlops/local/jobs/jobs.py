"""`amlops job` on the laptop: read the file, run the steps, keep the record."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from amlops import bindings
from amlops.bindings import StepOutput
from amlops.errors import JobFailed, UserError, shown
from amlops.jobspec import JobSpec, OutputTarget, Step, load_job
from amlops.jobspec.values import as_text
from amlops.local import tracking
from amlops.local.jobrecords import FINISHED, JobRecord, JobRecords
from amlops.local.jobs import process
from amlops.local.jobs.progress import last_lines, progress
from amlops.local.jobs.runner import FAILED, Runner, StepRun
from amlops.local.models import ModelStore
from amlops.local.state import LocalState
from amlops.project import LOCAL, Project
from amlops.workspace import Record

_LAST_LINES = 12


class LocalJobs:
    """See `amlops.workspace.Jobs`."""

    def __init__(self, state: LocalState, models: ModelStore, project: Project) -> None:
        self._state = state
        self._models = models
        self._project = project
        self._records = JobRecords(state)

    def create(
        self,
        file: Path,
        *,
        sets: Sequence[str] = (),
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        stream: bool = False,
    ) -> Record:
        """Run the job in `file`; see `amlops.workspace.Jobs.create`."""
        spec = load_job(file, sets, resolve_model=lambda reference: self._models.resolve(reference).path)
        _check_programs(spec)
        cores = self._project.limits.cores
        fields = _first_fields(spec, self._project, tags or {})
        record = self._records.start(spec.type, name=name or spec.name, prefix=spec.file.stem, fields=fields)
        runs = tracking.JobRuns()
        try:
            with _terminate_as_interrupt():
                runs = tracking.start_runs(self._state, record.name, spec)
                execution = _Execution(self._project, record, spec, runs)
                with progress(stream=stream) as watcher:
                    ended = Runner(spec, execution.logs, cores, execution.launch, execution.changed, watcher).run()
        except BaseException as error:
            interrupted = isinstance(error, KeyboardInterrupt)
            status, reason = ("Canceled", "interrupted") if interrupted else ("Failed", f"amlops failed: {error!r}")
            runs.end_job(status)
            record.finish(status, reason)
            raise
        return _finish(record, runs, ended)

    def show(self, name: str) -> Record:
        """One job; see `amlops.workspace.Jobs.show`."""
        return self._records.show(name)

    def list(self) -> list[Record]:
        """All jobs; see `amlops.workspace.Jobs.list`."""
        return self._records.list()


def _first_fields(spec: JobSpec, project: Project, tags: Mapping[str, str]) -> dict[str, Any]:
    return {
        "display_name": spec.display_name,
        "experiment_name": spec.experiment_name,
        "description": spec.description,
        "tags": {**spec.tags, **tags},
        "file": project.shown(spec.file),
        "inputs": dict(spec.inputs),
    }


def _check_programs(spec: JobSpec) -> None:
    """Raise UserError for a step whose program is not on this machine, before anything is made."""
    for step in spec.steps.values():
        word = bindings.words(step.component.command, present=step.inputs.keys())[0]
        if process.program(word, step.component.code or Path.cwd()) is None:
            raise UserError(
                f"step '{step.name}': command: the program '{word}' is not on this machine; for example python main.py",
                file=step.component.file,
            )


class _Execution:
    """How the steps of one job are started, and what is written down about them."""

    def __init__(self, project: Project, record: JobRecord, spec: JobSpec, runs: tracking.JobRuns) -> None:
        self._project = project
        self._record = record
        self._spec = spec
        self._runs = runs
        self.logs = {name: record.logs / f"{name}.log" for name in spec.steps}
        record.update(
            **({"mlflow_run_id": runs.job_run_id} if runs.job_run_id else {}),
            outputs={name: str(record.outputs / name) for name in spec.outputs},
            steps={name: {"status": "NotStarted", "log": str(log)} for name, log in self.logs.items()},
        )

    def launch(self, step: Step) -> subprocess.Popen[bytes]:
        """Make the folders of a step's outputs and start its process."""
        self._make_outputs(step)
        words = bindings.words(step.component.command, present=step.inputs.keys())
        filled = [bindings.fill(word, lambda binding: self._value(step, binding)) for word in words]
        cwd = step.component.code or self._step_folder(step.name)
        filled[0] = process.program(filled[0], cwd) or filled[0]
        return process.start(filled, cwd=cwd, variables=self._variables(step), log=self.logs[step.name])

    def changed(self, run: StepRun, runs: Mapping[str, StepRun]) -> None:
        """Write the record after a change of a step."""
        if run.status in FINISHED:
            self._runs.end_step(run.name, run.status)
        self._record.update(steps={name: self._step_record(name, each) for name, each in runs.items()})

    def _step_record(self, name: str, run: StepRun) -> dict[str, Any]:
        targets = self._spec.steps[name].outputs
        outputs = {key: str(self._output(name, target)) for key, target in targets.items()}
        return {**run.as_record(), "outputs": outputs, "mlflow_run_id": self._runs.step_run_ids.get(name)}

    def _variables(self, step: Step) -> dict[str, str]:
        return {
            **step.environment_variables,
            **self._runs.variables(step.name),
            "AMLOPS_ENV": LOCAL,
            "AMLOPS_ROOT": str(self._project.root),
            "AMLOPS_JOB_NAME": self._record.name,
        }

    def _value(self, step: Step, binding: bindings.Input | bindings.Output) -> str:
        if isinstance(binding, bindings.Output):
            return str(self._output(step.name, step.outputs[binding.name]))
        value = step.inputs[binding.name]
        if isinstance(value, StepOutput):
            return str(self._output(value.step, self._spec.steps[value.step].outputs[value.name]))
        return as_text(value)

    def _output(self, step: str, target: OutputTarget) -> Path:
        if target.pipeline_output is not None:
            return self._record.outputs / target.pipeline_output
        return self._step_folder(step) / "outputs" / target.spec.name

    def _step_folder(self, step: str) -> Path:
        return self._record.folder / "steps" / step

    def _make_outputs(self, step: Step) -> None:
        self._step_folder(step.name).mkdir(parents=True, exist_ok=True)
        for target in step.outputs.values():
            path = self._output(step.name, target)
            (path if target.spec.is_folder else path.parent).mkdir(parents=True, exist_ok=True)


def _finish(record: JobRecord, runs: tracking.JobRuns, ended: Mapping[str, StepRun]) -> Record:
    """Write the end of the job. Raises JobFailed when a step failed."""
    failed = [run for run in ended.values() if run.status == FAILED]
    status = "Failed" if failed else "Completed"
    runs.end_job(status)
    if not failed:
        return record.finish(status)
    first = min(failed, key=lambda run: run.ended_at or "")
    data = record.finish(status, f"step '{first.name}' {first.reason}")
    raise JobFailed(_failure(record.name, first, len(failed)), data)


def _failure(job: str, run: StepRun, count: int) -> str:
    """The failing step, the end of its log, and where the log lies."""
    others = f" (and {count - 1} more)" if count > 1 else ""
    lines = [f"job '{job}' failed: step '{run.name}' {run.reason}{others}"]
    tail = last_lines(run.log, _LAST_LINES)
    lines += [f"  {run.name} | {line}" for line in tail] or ["  (the step wrote nothing)"]
    return "\n".join([*lines, f"  log: {shown(run.log)}"])


@contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """While the block runs, SIGTERM and a closed terminal do what Ctrl-C does: the job is canceled."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: object) -> None:  # noqa: ARG001 (signature of signal handlers)
        raise KeyboardInterrupt

    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    previous = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
