"""Parallel components: a script whose `run()` gets an input in mini-batches. In a file, or written in the step itself.

A step may change what its component says of mini-batches, retries, thresholds and workers, key by key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from amlops import bindings
from amlops.jobspec.components import check_command, code_folder, declared_inputs, declared_outputs
from amlops.jobspec.keys import PARALLEL_COMPONENT, PARALLEL_SETTINGS, PARALLEL_TASK, check_keys
from amlops.jobspec.model import Component, InputSpec, OutputSpec, ParallelTask
from amlops.yamlfile import Section

_TASK = "run_function"


def parallel_component(section: Section, default_name: str) -> Component:
    """The parallel component that a mapping describes. Raises UserError."""
    check_keys(section, PARALLEL_COMPONENT, "parallel component")
    name = section.text("name", default_name)
    return with_task(section, name, declared_inputs(section), declared_outputs(section))


def with_task(
    section: Section, name: str, inputs: Mapping[str, InputSpec], outputs: Mapping[str, OutputSpec]
) -> Component:
    """The component that the `task` at `section` makes of these inputs and outputs. Raises UserError."""
    task = section.section("task")
    if not task.values:
        raise section.error(
            f"a task is needed; for example {{type: {_TASK}, code: ./src, entry_script: score.py}}", "task"
        )
    check_keys(task, PARALLEL_TASK, "parallel task")
    if str(task.get("type") or "").lower() != _TASK:
        raise task.error(f"'{task.get('type')}' is not run on the laptop; type must be {_TASK}", "type")
    code = code_folder(task)
    component = Component(
        name=name,
        file=section.document.path,
        command=task.text("program_arguments"),
        code=code,
        inputs=inputs,
        outputs=outputs,
        parallel=ParallelTask(
            entry_script=_entry_script(task, code),
            input_data=_input_data(section, inputs),
            append_row_to=_append_row_to(task, outputs),
            settings=_complete(settings(section)),
        ),
    )
    if component.command.strip():
        check_command(task, component, "program_arguments")
    return component


def changed(component: Component, step: Section) -> Component:
    """A parallel component with what a step says differently. Raises UserError."""
    task, own = component.parallel, settings(step)
    if task is None or not own:
        return component
    input_data = _input_data(step, component.inputs) if "input_data" in own else task.input_data
    merged = {**task.settings, **own}
    for key, value in own.items():
        before = task.settings.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            merged[key] = {**before, **value}
    return replace(component, parallel=replace(task, input_data=input_data, settings=_complete(merged)))


def settings(section: Section) -> dict[str, Any]:
    """What is said at `section` of mini-batches, retries, thresholds and workers. Raises UserError."""
    # Only files with a parallel step pay for this import.
    from amlops.validate.schema import schema_faults
    from amlops.validate.schema.parallel import ParallelSettings

    given = {key: section.get(key) for key in sorted(PARALLEL_SETTINGS) if section.get(key) is not None}
    for fault in schema_faults(ParallelSettings, given):
        raise section.error(f"{fault.message}; {fault.fix}", *fault.keys)
    return given


def _complete(given: Mapping[str, Any]) -> dict[str, Any]:
    """Valid settings with Azure ML's defaults, without what says where the input comes from."""
    from amlops.validate.schema.parallel import ParallelSettings

    return ParallelSettings.model_validate(given).model_dump(exclude={"input_data"})


def _entry_script(task: Section, code: Path | None) -> Path:
    value = task.get("entry_script")
    if not isinstance(value, str) or not value.strip():
        raise task.error("the script with init() and run() is needed; for example score.py", "entry_script")
    if code is None:
        raise task.error(f"the folder that holds '{value}' is needed; for example ./src", "code")
    path = (code / value).resolve()
    if not path.is_relative_to(code.resolve()):
        raise task.error(f"'{value}' is outside the code folder; give a path below 'code'", "entry_script")
    if not path.is_file():
        raise task.error(f"'{value}' is not in the code folder (looked at {path})", "entry_script")
    return path.relative_to(code.resolve())


def _input_data(section: Section, inputs: Mapping[str, InputSpec]) -> str:
    data = [name for name, spec in inputs.items() if not spec.is_literal]
    example = f"for example ${{{{inputs.{data[0] if data else 'images'}}}}}"
    name = _bound(section, "input_data", bindings.Input)
    if name is None:
        raise section.error(f"must say which input is cut into mini-batches; {example}", "input_data")
    if name not in inputs:
        raise section.error(f"there is no input '{name}'; inputs: {', '.join(inputs) or 'none'}", "input_data")
    if inputs[name].is_literal:
        raise section.error(f"the input '{name}' is {inputs[name].type}, not data; {example}", "input_data")
    return name


def _append_row_to(task: Section, outputs: Mapping[str, OutputSpec]) -> str | None:
    if task.get("append_row_to") is None:
        return None
    name = _bound(task, "append_row_to", bindings.Output)
    if name is None or name not in outputs:
        known = ", ".join(f"${{{{outputs.{output}}}}}" for output in outputs) or "none is declared"
        raise task.error(
            f"'{task.get('append_row_to')}' is not an output of this step; one of {known}", "append_row_to"
        )
    return name


def _bound(section: Section, key: str, form: type[bindings.Input | bindings.Output]) -> str | None:
    """The name in `${{inputs.NAME}}` or `${{outputs.NAME}}`; None when the value is something else, or missing."""
    value = section.get(key)
    try:
        binding = bindings.parse(value) if isinstance(value, str) else None
    except ValueError as error:
        raise section.error(str(error), key) from None
    return binding.name if isinstance(binding, form) else None
