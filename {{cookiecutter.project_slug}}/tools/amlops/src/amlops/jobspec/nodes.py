"""The steps of a pipeline as they are written: which component each runs, and what goes in and out of it.

A component is a file (`component: ./prepare.yml`), is written in the step, is registered (`azureml:prepare:1`), or is
the step itself, which then has a command or a task of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from amlops import bindings, references, yamlfile
from amlops.errors import UserError
from amlops.jobspec.components import command_component, declared_inputs, declared_outputs, output_spec
from amlops.jobspec.keys import (
    COMMAND_STEP,
    JOB_OUTPUT,
    PARALLEL_STEP,
    PIPELINE_COMPONENT,
    PIPELINE_STEP,
    check_keys,
)
from amlops.jobspec.model import Component, InputSpec, OutputSpec
from amlops.jobspec.parallel import changed, parallel_component
from amlops.yamlfile import Section

# azure-ai-ml: is_valid_node_name.
_STEP_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_STEP_KEYS = {"command": COMMAND_STEP, "parallel": PARALLEL_STEP, "pipeline": PIPELINE_STEP}
ResolveComponent = Callable[[str], Path]


@dataclass(frozen=True)
class PipelineComponent:
    """A pipeline with declared inputs and outputs; `section` is where its `jobs` stand."""

    name: str
    section: Section
    inputs: Mapping[str, InputSpec]
    outputs: Mapping[str, OutputSpec]


@dataclass(frozen=True)
class Node:
    """A step of one pipeline.

    `component` is None for a step with a command or a task of its own; its outputs are then those that it declares.
    """

    name: str
    kind: str
    section: Section
    component: Component | PipelineComponent | None
    outputs: Mapping[str, OutputSpec]


def no_components(reference: str) -> Path:
    """Finds no registered component. Raises UserError."""
    raise UserError(f"'{reference}' is a registered component; name its file, for example ./components/prepare.yml")


def nodes(jobs: Section, resolve: ResolveComponent, outputs: Mapping[str, OutputSpec]) -> dict[str, Node]:
    """The steps below `jobs`, in a pipeline with these `outputs`. Raises UserError."""
    if not jobs.values:
        raise jobs.document.error("a pipeline needs at least one step", *jobs.keys)
    return {name: _node(jobs, name, resolve, outputs) for name in jobs.values}


def _node(jobs: Section, name: str, resolve: ResolveComponent, outputs: Mapping[str, OutputSpec]) -> Node:
    if not _STEP_NAME.fullmatch(name):
        raise jobs.error("a step's name must be lower-case letters, digits and '_'; for example prepare_images", name)
    step = jobs.section(name)
    kind = str(step.get("type") or "command")
    if kind not in _STEP_KEYS:
        known = ", ".join(_STEP_KEYS)
        raise step.error(f"'{kind}' steps are not run on the laptop yet; type must be one of {known}", "type")
    check_keys(step, _STEP_KEYS[kind], f"{kind} step")
    component = _component_of(step, kind, name, resolve)
    if isinstance(component, Component):
        component = changed(component, step)
    return Node(name, kind, step, component, _outputs_of(step, component, outputs))


def _component_of(
    step: Section, kind: str, name: str, resolve: ResolveComponent
) -> Component | PipelineComponent | None:
    value = step.get("component")
    if value is None and kind != "pipeline":
        return None
    if isinstance(value, dict) and kind != "pipeline":
        return component_at(step.section("component"), kind, name)
    if references.is_reference(value):
        try:
            path = resolve(str(value))
        except (UserError, ValueError) as error:
            raise step.error(getattr(error, "message", str(error)), "component") from None
    else:
        path = component_file(step, value)
    component = load_component(path, default=kind)
    found = _kind_of(component)
    if found != kind:
        raise step.error(f"'{value}' is a {found} component; write type: {found} in the step", "type")
    return component


def pipeline_component_of(section: Section, resolve: ResolveComponent) -> PipelineComponent:
    """The pipeline that the key `component` names. Raises UserError when it is something else."""
    component = _component_of(section, "pipeline", "", resolve)
    if not isinstance(component, PipelineComponent):
        raise section.error(f"'{section.get('component')}' is not a pipeline component", "component")
    return component


def component_file(section: Section, value: object) -> Path:
    """The component's file that the key `component` names. Raises UserError when it is none, or does not exist."""
    if not isinstance(value, str) or references.is_address(value) or references.is_reference(value):
        said = "is missing" if value is None else f"'{value}' must be a file"
        raise section.error(f"{said}; for example ./components/prepare.yml", "component")
    path = section.resolve(value.removeprefix("file:"))
    if not path.is_file():
        raise section.error(f"'{value}' does not exist (looked at {path})", "component")
    return path


def load_component(path: Path, default: str = "command") -> Component | PipelineComponent:
    """Read a component file; `default` is its type when it says none. Raises UserError."""
    section = yamlfile.load(path).section()
    return component_at(section, str(section.get("type") or default), path.stem)


def component_at(section: Section, kind: str, default_name: str) -> Component | PipelineComponent:
    """The component of type `kind` that a mapping describes. Raises UserError."""
    kind = str(section.get("type") or kind).lower()
    if kind == "command":
        return command_component(section, default_name)
    if kind == "parallel":
        return parallel_component(section, default_name)
    if kind == "pipeline":
        check_keys(section, PIPELINE_COMPONENT, "pipeline component")
        name = section.text("name", default_name)
        return PipelineComponent(name, section, declared_inputs(section), declared_outputs(section))
    known = ", ".join(_STEP_KEYS)
    raise section.error(f"'{kind}' components are not run on the laptop yet; type must be one of {known}", "type")


def _kind_of(component: Component | PipelineComponent) -> str:
    if isinstance(component, PipelineComponent):
        return "pipeline"
    return "parallel" if component.parallel else "command"


def _outputs_of(
    step: Section, component: Component | PipelineComponent | None, pipeline: Mapping[str, OutputSpec]
) -> dict[str, OutputSpec]:
    """What a step can write: what its component declares, or its own `outputs`."""
    given = step.section("outputs")
    if component is None:
        return {name: _free_output(given, name, pipeline) for name in given.values}
    for name in given.values:
        if name not in component.outputs:
            raise given.error(
                f"the component has no such output; it has: {', '.join(component.outputs) or 'none'}", name
            )
    return dict(component.outputs)


def _free_output(given: Section, name: str, pipeline: Mapping[str, OutputSpec]) -> OutputSpec:
    """An output that a step without a component declares. A binding alone has the type of the pipeline's output
    (azure-ai-ml: ComponentTranslatableMixin._to_output).
    """
    value = given.get(name)
    if not isinstance(value, str):
        return output_spec(given, name, JOB_OUTPUT)
    try:
        binding = bindings.parse(value)
    except ValueError:  # told where the targets of outputs are looked at
        binding = None
    bound = pipeline.get(binding.name) if isinstance(binding, bindings.ParentOutput) else None
    return OutputSpec(name, bound.type) if bound else OutputSpec(name)
