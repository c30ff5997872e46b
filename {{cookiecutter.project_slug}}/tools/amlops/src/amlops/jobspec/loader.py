"""From a job file to a `JobSpec`. Everything is checked here, so that a job that starts cannot fail by its files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from amlops import bindings, references, yamlfile
from amlops.errors import UserError
from amlops.jobspec import overrides
from amlops.jobspec.components import (
    check_command,
    code_folder,
    command_text,
    component_at,
    load_component,
    output_spec,
)
from amlops.jobspec.inputs import JobInput, StepContext, component_inputs, free_inputs, job_inputs
from amlops.jobspec.keys import COMMAND_JOB, COMMAND_STEP, JOB_OUTPUT, PIPELINE_JOB, SETTINGS, check_keys
from amlops.jobspec.model import Component, InputSpec, InputValue, JobSpec, OutputSpec, OutputTarget, Step
from amlops.jobspec.values import ResolveModel, as_text
from amlops.yamlfile import Section, YamlFile

# azure-ai-ml: is_valid_node_name.
_STEP_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_COMMAND_STEP = "command"


def _no_models(reference: str) -> Path:
    raise ValueError(f"'{reference}' is a registered model; no registry was given")


def load_job(
    path: Path, sets: Sequence[str] = (), *, base: Path | None = None, resolve_model: ResolveModel = _no_models
) -> JobSpec:
    """Read a command or pipeline job.

    Args:
        sets: changes such as "inputs.rate=0.1".
        base: folder that relative paths in `sets` start from; default the current folder.
        resolve_model: finds the files of `azureml:model:version`.

    Raises:
        UserError: the first fault, with file and line.
    """
    document = yamlfile.load(path)
    check_is_job(document, sets)
    section = overrides.apply(document, sets, base or Path.cwd()).section()
    kind = section.get("type") or "command"
    if kind == "pipeline":
        return _pipeline(section, resolve_model)
    if kind == "command":
        return _command(section, resolve_model)
    raise section.error(f"'{kind}' jobs are not run on the laptop; type must be pipeline or command", "type")


def check_is_job(document: YamlFile, sets: Sequence[str]) -> None:
    """Raise UserError for a file that is not a job, and for changes of inputs that the job does not have."""
    keys = {*document.data, *(entry.partition("=")[0].strip() for entry in sets)}
    if not keys & {"type", "command"}:
        raise UserError("is not a job: it has neither 'type: pipeline' nor 'command'", file=document.path)
    overrides.check_inputs(document, sets)


def _command(section: Section, resolve_model: ResolveModel) -> JobSpec:
    check_keys(section, COMMAND_JOB, "command job")
    given = job_inputs(section.section("inputs"), resolve_model)
    outputs = _job_outputs(section)
    context = StepContext(parent={}, outputs={}, resolve_model=resolve_model)
    step = _free_step(section, _COMMAND_STEP, outputs, context)
    step = replace(step, outputs={name: OutputTarget(spec, name) for name, spec in outputs.items()})
    return _job(section, "command", given, outputs, {step.name: step})


def _pipeline(section: Section, resolve_model: ResolveModel) -> JobSpec:
    check_keys(section, PIPELINE_JOB, "pipeline job")
    if section.get("component") is not None:
        raise section.error(
            "pipeline components are not run on the laptop yet; write the steps under jobs", "component"
        )
    check_keys(section.section("settings"), SETTINGS, "pipeline's settings")
    jobs = section.section("jobs")
    if not jobs.values:
        raise section.error("a pipeline needs at least one step", "jobs")
    given = job_inputs(section.section("inputs"), resolve_model)
    outputs = _job_outputs(section)
    components = {name: _component_of(jobs, name) for name in jobs.values}
    step_outputs = {name: _declared_outputs(jobs.section(name), components[name]) for name in jobs.values}
    context = StepContext(given, step_outputs, resolve_model)
    steps = {name: _step(jobs.section(name), name, components[name], context) for name in jobs.values}
    steps = {
        name: replace(step, outputs=_targets(jobs.section(name), step_outputs[name], outputs))
        for name, step in steps.items()
    }
    _check_outputs_written(section, steps, outputs)
    return _job(section, "pipeline", given, outputs, _in_order(jobs, steps))


def _job(
    section: Section,
    kind: str,
    given: dict[str, JobInput],
    outputs: dict[str, OutputSpec],
    steps: dict[str, Step],
) -> JobSpec:
    file = section.document.path
    go_on = section.get("settings", "continue_on_step_failure")
    if go_on is not None and not isinstance(go_on, bool):
        raise section.error(f"'{go_on}' must be true or false", "settings", "continue_on_step_failure")
    return JobSpec(
        file=file,
        type=kind,
        name=section.text("name") or None,
        display_name=section.text("display_name", file.stem),
        experiment_name=section.text("experiment_name", file.parent.name),
        description=section.text("description"),
        tags={key: str(value) for key, value in section.section("tags").values.items()},
        inputs={
            name: as_text(entry.value) if isinstance(entry.value, Path) else entry.value
            for name, entry in given.items()
            if entry.value is not None
        },
        outputs=outputs,
        steps=steps,
        continue_on_step_failure=go_on is not False,
    )


def _job_outputs(section: Section) -> dict[str, OutputSpec]:
    outputs = section.section("outputs")
    return {name: output_spec(outputs, name, JOB_OUTPUT) for name in outputs.values}


def _component_of(jobs: Section, name: str) -> Component | None:
    """The component of a step: from a file, written in place, or None for a step with a command of its own."""
    if not _STEP_NAME.fullmatch(name):
        raise jobs.error("a step's name must be lower-case letters, digits and '_'; for example prepare_images", name)
    step = jobs.section(name)
    check_keys(step, COMMAND_STEP, "command step")
    kind = step.get("type") or "command"
    if kind != "command":
        raise step.error(f"'{kind}' steps are not run on the laptop yet; type must be command", "type")
    component = step.get("component")
    if component is None:
        return None
    if isinstance(component, dict):
        return component_at(step.section("component"), default_name=name)
    if not isinstance(component, str) or references.is_reference(component) or references.is_address(component):
        raise step.error(f"'{component}' must be a file; for example ./components/prepare.yml", "component")
    path = step.resolve(component.removeprefix("file:"))
    if not path.is_file():
        raise step.error(f"'{component}' does not exist (looked at {path})", "component")
    return load_component(path)


def _declared_outputs(step: Section, component: Component | None) -> dict[str, OutputSpec]:
    """What a step can write: what its component declares, or its own `outputs`."""
    given = step.section("outputs")
    if component is None:
        return {name: _free_output(given, name) for name in given.values}
    for name in given.values:
        if name not in component.outputs:
            raise given.error(
                f"the component has no such output; it has: {', '.join(component.outputs) or 'none'}", name
            )
    return dict(component.outputs)


def _free_output(given: Section, name: str) -> OutputSpec:
    return OutputSpec(name) if isinstance(given.get(name), str) else output_spec(given, name, JOB_OUTPUT)


def _step(section: Section, name: str, component: Component | None, context: StepContext) -> Step:
    if component is None:
        return _free_step(section, name, context.outputs[name], context)
    inputs = component_inputs(section.section("inputs"), component.inputs, context)
    return _made_step(section, name, component, inputs)


def _free_step(section: Section, name: str, outputs: Mapping[str, OutputSpec], context: StepContext) -> Step:
    """A step, or a whole job, with a command of its own."""
    found = free_inputs(section.section("inputs"), context)
    specs: dict[str, InputSpec] = {key: spec for key, (spec, _) in found.items()}
    component = Component(name, section.document.path, command_text(section), code_folder(section), specs, outputs)
    check_command(section, component)
    return _made_step(section, name, component, {key: value for key, (_, value) in found.items()})


def _made_step(section: Section, name: str, component: Component, inputs: dict[str, InputValue]) -> Step:
    variables = section.section("environment_variables")
    for key, value in variables.values.items():
        if isinstance(value, dict | list) or value is None:
            raise variables.error("must be text", key)
    return Step(
        name=name,
        component=component,
        inputs=inputs,
        outputs={key: OutputTarget(spec) for key, spec in component.outputs.items()},
        environment_variables={key: str(value) for key, value in variables.values.items()},
        timeout=_timeout(section),
    )


def _timeout(section: Section) -> float | None:
    value = section.get("limits", "timeout")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise section.error(f"'{value}' must be a number of seconds above 0; for example 600", "limits", "timeout")
    return float(value)


def _targets(
    step: Section, specs: dict[str, OutputSpec], job_outputs: dict[str, OutputSpec]
) -> dict[str, OutputTarget]:
    """Where each output of a step goes: to an output of the job it is bound to, else to the step's own folder."""
    given = step.section("outputs")
    targets: dict[str, OutputTarget] = {}
    for name, spec in specs.items():
        value = given.get(name)
        keys: tuple[str, ...] = (name, "path") if isinstance(value, dict) else (name,)
        text = value.get("path") if isinstance(value, dict) else value
        try:
            binding = bindings.parse(text) if isinstance(text, str) else None
        except ValueError as error:
            raise given.error(str(error), *keys) from None
        if binding is None:
            if isinstance(value, str):
                raise given.error(f"'{value}' must be ${{{{parent.outputs.NAME}}}} or a mapping", name)
            targets[name] = OutputTarget(spec)
            continue
        if not isinstance(binding, bindings.ParentOutput):
            raise given.error(f"'{text}' is not an output of the pipeline; use ${{{{parent.outputs.NAME}}}}", *keys)
        if binding.name not in job_outputs:
            known = ", ".join(job_outputs) or "none"
            raise given.error(f"the pipeline has no output '{binding.name}'; outputs: {known}", *keys)
        targets[name] = OutputTarget(spec, binding.name)
    return targets


def _check_outputs_written(section: Section, steps: dict[str, Step], outputs: dict[str, OutputSpec]) -> None:
    writers: dict[str, str] = {}
    for step in steps.values():
        for target in step.outputs.values():
            if target.pipeline_output is None:
                continue
            if target.pipeline_output in writers:
                first = writers[target.pipeline_output]
                raise section.error(
                    f"is written by two steps, '{first}' and '{step.name}'", "outputs", target.pipeline_output
                )
            writers[target.pipeline_output] = step.name
    for name in outputs:
        if name not in writers:
            example = f"outputs: {{model: ${{{{parent.outputs.{name}}}}}}}"
            raise section.error(
                f"no step writes this output; bind it in a step, for example {example}", "outputs", name
            )


def _in_order(jobs: Section, steps: dict[str, Step]) -> dict[str, Step]:
    """The steps so that each comes after those it depends on, otherwise as they are written.

    Raises UserError for a circle.
    """
    sorter = TopologicalSorter({name: sorted(step.depends_on) for name, step in steps.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise jobs.error(f"the steps wait for each other: {circle}") from None
    written = list(steps)
    ordered: dict[str, Step] = {}
    while sorter.is_active():
        for name in sorted(sorter.get_ready(), key=written.index):
            ordered[name] = steps[name]
            sorter.done(name)
    return ordered
