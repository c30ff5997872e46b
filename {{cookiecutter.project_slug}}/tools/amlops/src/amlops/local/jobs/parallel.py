"""A parallel step as the plan of a parallel job, and what is told of it when it has ended.

The step is a process like every other, which works in the step's own folder; see `parallel_step`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amlops import bindings
from amlops.bindings import StepOutput
from amlops.errors import UserError
from amlops.files import read_json
from amlops.jobspec import Step
from amlops.jobspec.arguments import runner_options
from amlops.jobspec.model import ParallelTask
from amlops.jobspec.values import as_text
from amlops.local.parallel.inputs import BatchInput
from amlops.local.parallel.plan import ParallelPlan
from amlops.local.parallel.settings import ParallelSettings
from amlops.project import Limits

# The name that the rows get in an output that is a folder (Azure ML, ParallelRunStep: append_row_file_name).
ROWS_FILE = "parallel_run_step.txt"
_RESULT = "result.json"
_AS_FILES = ("ro_mount", "rw_mount", "mount", "download")
_TOLD = (
    "items", "mini_batches", "workers", "seconds", "items_per_second", "output_file", "typed_file", "failed_items_file",
    "report_file", "advice", "notes",
)  # fmt: skip
Value = Callable[[bindings.Input | bindings.Output], str]


def command(folder: Path) -> list[str]:
    """The command line of the step whose plan lies in `folder`."""
    return [sys.executable, "-P", "-m", "amlops.local.jobs.parallel_step", str(folder)]


def check(step: Step) -> None:
    """Raise UserError for a wrong option of the runner among the step's `program_arguments`, or a table as files."""
    task = step.component.parallel
    if (
        task
        and step.component.inputs[task.input_data].type == "mltable"
        and step.modes.get(task.input_data) in _AS_FILES
    ):
        # Azure ML, "Use parallel jobs in pipelines": rows with mode direct, otherwise the files that the table names.
        raise UserError(
            f"step '{step.name}': inputs.{task.input_data}.mode: '{step.modes[task.input_data]}' of an mltable gives "
            "its files, which is not done on the laptop; write mode: direct for its rows, or "
            "type: uri_folder for files",
            file=step.component.file,
        )
    try:
        runner_options(_arguments(step, lambda binding: _literal(step, binding)))
    except ValueError as error:
        message = f"step '{step.name}': program_arguments: {error}"
        raise UserError(message, file=step.component.file) from None


def _literal(step: Step, binding: bindings.Input | bindings.Output) -> str:
    """The text of an input; that of a path, which no option of the runner takes, does not matter."""
    value = step.inputs[binding.name] if isinstance(binding, bindings.Input) else Path()
    return as_text(value) if not isinstance(value, StepOutput) else "path"


def _arguments(step: Step, value: Value) -> list[str]:
    text = step.component.command
    words = bindings.words(text, present=step.inputs.keys()) if text.strip() else []
    return [bindings.fill(word, value) for word in words]


def plan_of(step: Step, task: ParallelTask, folder: Path, value: Value, limits: Limits) -> ParallelPlan:
    """What a parallel step will do.

    Args:
        folder: the step's own; files that the script writes for amlops are looked for in its `outputs`.
        value: the path or the text of an input or output.

    Raises:
        ValueError: see `check`.
    """
    settings = _settings(task, step.environment_variables, _arguments(step, value)).limited(limits)
    path = Path(value(bindings.Input(task.input_data)))
    source = BatchInput(path, path if path.is_dir() else path.parent, step.component.inputs[task.input_data].type)
    nodes, note = settings.nodes(limits)
    code = step.component.code or folder
    rows = None
    if task.append_row_to is not None:
        rows = rows_file(step, task.append_row_to, Path(value(bindings.Output(task.append_row_to))))
    return ParallelPlan(
        name=step.name,
        source=source,
        settings=settings,
        code=code,
        script=code / task.entry_script,
        nodes=nodes,
        cores=limits.cores,
        output=folder / "outputs",
        output_file=rows,
        notes=[note] if note else [],
    )


def rows_file(step: Step, output: str, place: Path) -> Path:
    """The file that gets the rows of a step, in the output at `place`."""
    return place / ROWS_FILE if step.component.outputs[output].is_folder else place


def _settings(task: ParallelTask, variables: Mapping[str, str], arguments: Sequence[str]) -> ParallelSettings:
    given = task.settings
    return ParallelSettings(
        instance_count=given["resources"]["instance_count"],
        max_concurrency_per_instance=given["max_concurrency_per_instance"],
        mini_batch_size=given["mini_batch_size"],
        output_action="append_row" if task.append_row_to else "summary_only",
        output_file_name=ROWS_FILE,
        max_retries=given["retry_settings"]["max_retries"],
        timeout=given["retry_settings"]["timeout"],
        logging_level=given["logging_level"].lower(),
        environment_variables=dict(variables),
        partition_keys=given["partition_keys"],
        program_arguments=arguments,
        **{
            "error_threshold": given["error_threshold"],
            "mini_batch_error_threshold": given["mini_batch_error_threshold"],
            **runner_options(arguments),
        },
    )


def result_of(folder: Path) -> dict[str, Any]:
    """How the step in `folder` ended, for the job's record: its figures, where its logs are. Empty before its end."""
    try:
        result = read_json(folder / _RESULT)
    except (OSError, ValueError):
        return {}
    told = {key: result[key] for key in _TOLD if key in result}
    return {**told, **({"error": result["error"]} if result.get("error") else {})}
