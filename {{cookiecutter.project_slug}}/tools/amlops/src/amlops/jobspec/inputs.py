"""Inputs of jobs and steps: values, data, and bindings to something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amlops import bindings
from amlops.bindings import ParentInput, StepOutput
from amlops.jobspec import values
from amlops.jobspec.keys import JOB_INPUT, check_keys
from amlops.jobspec.model import LITERAL_TYPES, PATH_TYPES, InputSpec, InputValue, Literal, OutputSpec
from amlops.jobspec.values import Resolve
from amlops.references import WebAddress
from amlops.yamlfile import Section


@dataclass(frozen=True)
class JobInput:
    """What a job gives its steps under a name. `value` is None for data whose path is left open.

    For a pipeline inside a pipeline it may be the output of a step around it.
    """

    type: str
    value: Literal | Path | WebAddress | StepOutput | None
    mode: str = ""


def job_inputs(section: Section, resolve: Resolve) -> dict[str, JobInput]:
    """The `inputs` of a pipeline or command job. Raises UserError."""
    return {name: _given(section, name, resolve) for name in section.values}


def _given(section: Section, name: str, resolve: Resolve) -> JobInput:
    """An input that is written out: a literal, `{value: literal}`, or `{type, path}`."""
    value = section.get(name)
    if not isinstance(value, dict):
        return JobInput(_literal_type(section, name, value), _literal(value))
    entry = section.section(name)
    check_keys(entry, JOB_INPUT, "job's input")
    if "value" in value:
        return JobInput(_literal_type(entry, "value", value["value"]), _literal(value["value"]))
    kind = value.get("type") or "uri_folder"
    if kind not in PATH_TYPES:
        hint = f"; write the value itself: {name}: 0.1" if kind in LITERAL_TYPES else ""
        raise entry.error(f"'{kind}' is not a type of a job's data; one of {', '.join(PATH_TYPES)}{hint}", "type")
    path = value.get("path")
    if path is None:
        return JobInput(kind, None, _mode(entry))
    try:
        return JobInput(kind, values.data(str(path), kind, section.document.folder, resolve), _mode(entry))
    except ValueError as error:
        raise entry.error(str(error), "path") from None


def _mode(entry: Section) -> str:
    return entry.text("mode").lower()


def _literal(value: Any) -> Literal:
    return value if isinstance(value, bool | int | float) else values.literal(value, InputSpec("", "string"))


def _literal_type(section: Section, name: str, value: Any) -> str:
    if value is None or isinstance(value, list):
        raise section.error("must have a value; for example 0.1, or {type: uri_folder, path: ./data}", name)
    if isinstance(value, bool):
        return "boolean"
    return "integer" if isinstance(value, int) else "number" if isinstance(value, float) else "string"


@dataclass(frozen=True)
class StepContext:
    """What the inputs of a step may refer to: the pipeline's inputs, and the outputs of every step.

    `results` has for each of these outputs that is known so far the step of the job that writes it.
    """

    parent: Mapping[str, JobInput]
    outputs: Mapping[str, Mapping[str, OutputSpec]]
    resolve: Resolve
    results: Mapping[tuple[str, str], StepOutput] = field(default_factory=dict)


def component_inputs(section: Section, specs: Mapping[str, InputSpec], context: StepContext) -> dict[str, InputValue]:
    """Values for the inputs that a component declares; optional ones without a value are left out.

    Args:
        section: the step's `inputs`.

    Raises:
        UserError: an input is not declared, is missing, or has a value that does not fit.
    """
    for name in section.values:
        if name not in specs:
            raise section.error(f"the component has no such input; it has: {', '.join(specs) or 'none'}", name)
    found: dict[str, InputValue] = {}
    for name, spec in specs.items():
        value = _component_input(section, spec, context) if section.get(name) is not None else None
        value = spec.default if value is None else value
        if value is not None:
            found[name] = value
        elif spec.required:
            raise section.error(f"the input '{name}' ({spec.type}) needs a value", name)
    return found


def _component_input(section: Section, spec: InputSpec, context: StepContext) -> InputValue | None:
    binding = _binding(section, spec.name)
    if isinstance(binding, StepOutput):
        output = _step_output(section, spec.name, binding, context)
        if spec.is_literal or (spec.type == "uri_file") != (output.type == "uri_file"):
            raise section.error(f"the output is {output.type}, the component needs {spec.type}", spec.name)
        return context.results[binding.step, binding.name]
    given = (
        _parent_input(section, spec.name, binding, context) if binding else _given(section, spec.name, context.resolve)
    )
    if spec.is_literal == (given.type in PATH_TYPES):
        raise section.error(f"the value is {given.type}, the component needs {spec.type}", spec.name)
    if not spec.is_literal:
        if (spec.type == "uri_file") != (given.type == "uri_file"):
            raise section.error(f"the value is {given.type}, the component needs {spec.type}", spec.name)
        return given.value
    try:
        return values.literal(given.value, spec)
    except ValueError as error:
        raise section.error(str(error), spec.name) from None


def free_inputs(section: Section, context: StepContext) -> dict[str, tuple[InputSpec, InputValue]]:
    """Inputs of a command step without a component: they declare themselves by their values. Raises UserError."""
    found: dict[str, tuple[InputSpec, InputValue]] = {}
    for name in section.values:
        binding = _binding(section, name)
        if isinstance(binding, StepOutput):
            spec = InputSpec(name, _step_output(section, name, binding, context).type)
            found[name] = (spec, context.results[binding.step, binding.name])
            continue
        given = _parent_input(section, name, binding, context) if binding else _given(section, name, context.resolve)
        if given.value is None:
            raise section.error(f"the input '{name}' ({given.type}) needs a path", name)
        found[name] = (InputSpec(name, given.type), given.value)
    return found


def _binding(section: Section, name: str) -> ParentInput | StepOutput | None:
    """The binding of an input, given as text or as the `path` of a mapping."""
    value = section.get(name)
    keys = (name,)
    if isinstance(value, dict):
        value, keys = value.get("path"), (name, "path")
    try:
        binding = bindings.parse(value) if isinstance(value, str) else None
    except ValueError as error:
        raise section.error(str(error), *keys) from None
    if binding is None or isinstance(binding, ParentInput | StepOutput):
        return binding
    raise section.error(
        f"'{value}' is not an input; use ${{{{parent.inputs.NAME}}}} or ${{{{parent.jobs.STEP.outputs.NAME}}}}", *keys
    )


def _parent_input(section: Section, name: str, binding: ParentInput, context: StepContext) -> JobInput:
    if binding.name not in context.parent:
        known = ", ".join(context.parent) or "none"
        raise section.error(f"the pipeline has no input '{binding.name}'; inputs: {known}", name)
    return context.parent[binding.name]


def _step_output(section: Section, name: str, binding: StepOutput, context: StepContext) -> OutputSpec:
    if binding.step not in context.outputs:
        raise section.error(f"there is no step '{binding.step}'; steps: {', '.join(context.outputs)}", name)
    outputs = context.outputs[binding.step]
    if binding.name not in outputs:
        known = ", ".join(outputs) or "none"
        raise section.error(f"the step '{binding.step}' has no output '{binding.name}'; outputs: {known}", name)
    return outputs[binding.name]
