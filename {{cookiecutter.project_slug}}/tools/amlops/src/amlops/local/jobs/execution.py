"""How the steps of a job are started, where they find things, and what is written down about them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from amlops import bindings
from amlops.bindings import StepOutput
from amlops.datastores import DEFAULT
from amlops.errors import UserError
from amlops.jobspec import JobSpec, OutputTarget, Step
from amlops.jobspec.model import ParallelTask
from amlops.jobspec.modes import DOWNLOAD, EFFECTS
from amlops.jobspec.values import as_text
from amlops.local import tracking
from amlops.local.data.uploads import private_copy
from amlops.local.jobrecords import FINISHED, JobRecord
from amlops.local.jobs import parallel, process
from amlops.local.jobs.runner import FAILED, StepRun
from amlops.local.parallel.message import failed_line
from amlops.project import LOCAL, Project


def check_programs(spec: JobSpec) -> None:
    """Raise UserError for a step whose program is not on this machine, before anything is made."""
    for step in spec.steps.values():
        if step.component.parallel:
            parallel.check(step)
            continue
        word = bindings.words(step.component.command, present=step.inputs.keys())[0]
        if process.program(word, step.component.code or Path.cwd()) is None:
            raise UserError(
                f"step '{step.name}': command: the program '{word}' is not on this machine; for example python main.py",
                file=step.component.file,
            )


def output_places(spec: JobSpec, job: str, find: Callable[[str], Path]) -> dict[str, Path]:
    """Where the outputs lie that are given an address in a data store, by that address as it is written.

    Args:
        job: the job's name, which `${{name}}` means.
        find: finds the place of an address.

    Raises:
        UserError: an address is not one that a job can write to.
    """
    given = dict(spec.output_paths)
    for step in spec.steps.values():
        given |= {f"{step.name}.{name}": target.path for name, target in step.outputs.items() if target.path}
    words = {"${{name}}": job, "${{default_datastore}}": spec.default_datastore or DEFAULT}
    found: dict[str, Path] = {}
    for output, path in given.items():
        full = bindings.EXPRESSION.sub(lambda match: words.get(f"${{{{{match[1]}}}}}", match[0]), path)
        try:
            found[path] = find(full)
        except UserError as error:
            raise UserError(f"outputs.{output}.path: {error.message}", file=spec.file) from None
    return found


def check_rows(spec: JobSpec, places: Mapping[str, Path]) -> None:
    """Raise UserError for a parallel step whose rows would go to a file in a data store that is there already."""
    for step in spec.steps.values():
        name = step.component.parallel.append_row_to if step.component.parallel else None
        if name is None:
            continue
        target = step.outputs[name]
        address = spec.output_paths.get(target.pipeline_output) if target.pipeline_output else target.path
        if address is not None and (file := parallel.rows_file(step, name, places[address])).exists():
            raise UserError(
                f"step '{step.name}': outputs.{name}.path: {file} exists, and rows are never put over others; "
                "for example azureml://datastores/workspaceblobstore/paths/${{name}}/scores.csv",
                file=spec.file,
            )


class Execution:
    """How the steps of one job are started, and what is written down about them.

    `places` is where the outputs lie that are given an address in a data store.
    """

    def __init__(
        self, project: Project, record: JobRecord, spec: JobSpec, runs: tracking.JobRuns, places: Mapping[str, Path]
    ) -> None:
        self._project = project
        self._places = places
        self._record = record
        self._spec = spec
        self._runs = runs
        self.logs = {name: record.logs / f"{name}.log" for name in spec.steps}
        record.update(
            **({"mlflow_run_id": runs.job_run_id} if runs.job_run_id else {}),
            outputs={name: str(self._job_output(name)) for name in spec.outputs},
            steps={name: {"status": "NotStarted", "log": str(log)} for name, log in self.logs.items()},
        )

    def launch(self, step: Step) -> subprocess.Popen[bytes]:
        """Make the folders of a step's outputs and start its process."""
        self._make_outputs(step)
        if step.component.parallel:
            return self._launch_parallel(step, step.component.parallel)
        words = bindings.words(step.component.command, present=step.inputs.keys())
        filled = [bindings.fill(word, lambda binding: self._value(step, binding)) for word in words]
        cwd = step.component.code or self._step_folder(step.name)
        filled[0] = process.program(filled[0], cwd) or filled[0]
        return process.start(filled, cwd=cwd, variables=self._variables(step), log=self.logs[step.name])

    def _launch_parallel(self, step: Step, task: ParallelTask) -> subprocess.Popen[bytes]:
        folder = self._step_folder(step.name)
        limits = self._project.limits
        plan = parallel.plan_of(step, task, folder, lambda binding: self._value(step, binding), limits)
        plan.save(folder)
        words = parallel.command(folder)
        # Messages name files relative to where the user is.
        variables, log = self._variables(step), self.logs[step.name]
        return process.start(words, cwd=Path.cwd(), variables=variables, log=log, lifeline=True)

    def changed(self, run: StepRun, runs: Mapping[str, StepRun]) -> None:
        """Write the record after a change of a step."""
        if run.status in FINISHED and self._spec.steps[run.name].component.parallel:
            result = parallel.result_of(self._step_folder(run.name))
            if run.status == FAILED:
                run.reason = result.get("error") or run.reason
            elif result.get("items", {}).get("failed"):
                run.remark = failed_line(result)
        if run.status in FINISHED:
            if run.status != FAILED:
                shutil.rmtree(self._copies(run.name), ignore_errors=True)
            self._runs.end_step(run.name, run.status)
        self._record.update(steps={name: self._step_record(name, each) for name, each in runs.items()})

    def _step_record(self, name: str, run: StepRun) -> dict[str, Any]:
        targets = self._spec.steps[name].outputs
        record = {
            **run.as_record(),
            "outputs": {key: str(self._output(name, target)) for key, target in targets.items()},
            "mlflow_run_id": self._runs.step_run_ids.get(name),
        }
        if modes := self._spec.steps[name].modes:
            record["inputs"] = {key: f"{mode}: {EFFECTS[mode]}" for key, mode in modes.items()}
        if self._spec.steps[name].component.parallel:
            folder = self._step_folder(name)
            record |= {"type": "parallel", "logs": str(folder / "logs"), **parallel.result_of(folder)}
        return record

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
            value = self._output(value.step, self._spec.steps[value.step].outputs[value.name])
        if isinstance(value, Path) and step.modes.get(binding.name) == DOWNLOAD and not step.component.parallel:
            value = private_copy(value, self._copies(step.name) / binding.name)
        return as_text(value)

    def _output(self, step: str, target: OutputTarget) -> Path:
        if target.pipeline_output is not None:
            return self._job_output(target.pipeline_output)
        if target.path is not None:
            return self._places[target.path]
        return self._step_folder(step) / "outputs" / target.spec.name

    def _job_output(self, name: str) -> Path:
        path = self._spec.output_paths.get(name)
        return self._record.outputs / name if path is None else self._places[path]

    def _step_folder(self, step: str) -> Path:
        return self._record.folder / "steps" / step

    def _copies(self, step: str) -> Path:
        """Inputs of a step that are copies of its own (`mode: download`)."""
        return self._step_folder(step) / "inputs"

    def _make_outputs(self, step: Step) -> None:
        self._step_folder(step.name).mkdir(parents=True, exist_ok=True)
        for target in step.outputs.values():
            path = self._output(step.name, target)
            (path if target.spec.is_folder else path.parent).mkdir(parents=True, exist_ok=True)
