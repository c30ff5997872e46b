"""From a job file to a `JobSpec`. Everything is checked here, so that a job that starts cannot fail by its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from amlops import yamlfile
from amlops.bindings import StepOutput
from amlops.errors import UserError
from amlops.jobspec import overrides
from amlops.jobspec.components import output_spec
from amlops.jobspec.graph import Surroundings, free_component, in_datastore, made_step, pipeline_steps
from amlops.jobspec.inputs import JobInput, StepContext, component_inputs, job_inputs
from amlops.jobspec.keys import COMMAND_JOB, JOB_OUTPUT, PIPELINE_JOB, SETTINGS, check_keys
from amlops.jobspec.model import JobSpec, OutputSpec, OutputTarget, Step
from amlops.jobspec.modes import input_modes
from amlops.jobspec.nodes import PipelineComponent, ResolveComponent, no_components, pipeline_component_of
from amlops.jobspec.values import Resolve, as_text
from amlops.references import WebAddress
from amlops.yamlfile import Section, YamlFile

_COMMAND_STEP = "command"


def _nothing_elsewhere(reference: str, type: str) -> Path:  # noqa: ARG001 (see Resolve)
    raise UserError(f"'{reference}' is not on this machine; give a local path, for example ./data")


def load_job(
    path: Path,
    sets: Sequence[str] = (),
    *,
    base: Path | None = None,
    resolve: Resolve = _nothing_elsewhere,
    resolve_component: ResolveComponent = no_components,
) -> JobSpec:
    """Read a command or pipeline job.

    Args:
        sets: changes such as "inputs.rate=0.1".
        base: folder that relative paths in `sets` start from; default the current folder.
        resolve: finds what `azureml:…` and an address mean.
        resolve_component: finds the file of `azureml:component:version`.

    Raises:
        UserError: the first fault, with file and line.
    """
    document = yamlfile.load(path)
    check_is_job(document, sets)
    document = overrides.apply(document, sets, base or Path.cwd())
    return job_of(document, resolve=resolve, resolve_component=resolve_component)


def job_of(
    document: YamlFile, *, resolve: Resolve = _nothing_elsewhere, resolve_component: ResolveComponent = no_components
) -> JobSpec:
    """The job that a document describes; see `load_job`. Raises UserError."""
    section = document.section()
    kind = section.get("type") or "command"
    if kind == "pipeline":
        return _pipeline(section, resolve, resolve_component)
    if kind == "command":
        return _command(section, resolve)
    raise section.error(f"'{kind}' jobs are not run on the laptop; type must be pipeline or command", "type")


def check_is_job(document: YamlFile, sets: Sequence[str]) -> None:
    """Raise UserError for a file that is not a job, and for changes of inputs that the job does not have."""
    keys = {*document.data, *(entry.partition("=")[0].strip() for entry in sets)}
    if not keys & {"type", "command"}:
        raise UserError("is not a job: it has neither 'type: pipeline' nor 'command'", file=document.path)
    overrides.check_inputs(document, sets)


def _command(section: Section, resolve: Resolve) -> JobSpec:
    check_keys(section, COMMAND_JOB, "command job")
    given = job_inputs(section.section("inputs"), resolve)
    outputs = _job_outputs(section)
    context = StepContext(parent={}, outputs={}, resolve=resolve)
    component, inputs = free_component(section, _COMMAND_STEP, outputs, context)
    step = made_step(section, _COMMAND_STEP, component, inputs)
    modes = input_modes(section.section("inputs"), component.inputs, context)
    step = replace(step, outputs={name: OutputTarget(spec, name) for name, spec in outputs.items()}, modes=modes)
    return _job(section, "command", given, outputs, {step.name: step})


def _pipeline(section: Section, resolve: Resolve, resolve_component: ResolveComponent) -> JobSpec:
    check_keys(section, PIPELINE_JOB, "pipeline job")
    check_keys(section.section("settings"), SETTINGS, "pipeline's settings")
    if section.get("component") is not None:
        component = pipeline_component_of(section, resolve_component)
        given = _component_values(section, component, resolve)
        outputs, steps_in = dict(component.outputs), component.section
    else:
        given = job_inputs(section.section("inputs"), resolve)
        outputs, steps_in = _job_outputs(section), section
    around = Surroundings(
        inputs=given,
        outputs=outputs,
        targets={name: name for name in outputs},
        resolve=resolve,
        resolve_component=resolve_component,
        files=(steps_in.document.path,),
    )
    graph = pipeline_steps(steps_in, around)
    return _job(section, "pipeline", given, outputs, graph.steps)


def _component_values(section: Section, component: PipelineComponent, resolve: Resolve) -> dict[str, JobInput]:
    """What a job whose pipeline is a component gives to it. Raises UserError."""
    if section.get("jobs"):
        raise section.error("a pipeline has either a component or jobs; remove one of them", "jobs")
    given = section.section("outputs")
    for name in given.values:
        if name not in component.outputs:
            known = ", ".join(component.outputs) or "none"
            raise given.error(f"the component has no such output; it has: {known}", name)
    context = StepContext(parent={}, outputs={}, resolve=resolve)
    values = component_inputs(section.section("inputs"), component.inputs, context)
    return {name: JobInput(spec.type, values.get(name), spec.mode) for name, spec in component.inputs.items()}


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
            name: as_text(entry.value) if isinstance(entry.value, Path | WebAddress) else entry.value
            for name, entry in given.items()
            if entry.value is not None and not isinstance(entry.value, StepOutput)
        },
        outputs=outputs,
        steps=steps,
        continue_on_step_failure=go_on is not False,
        output_paths=_output_paths(section),
        default_datastore=str(section.get("settings", "default_datastore") or "").removeprefix("azureml:"),
    )


def _job_outputs(section: Section) -> dict[str, OutputSpec]:
    outputs = section.section("outputs")
    return {name: output_spec(outputs, name, JOB_OUTPUT) for name in outputs.values}


def _output_paths(section: Section) -> dict[str, str]:
    """The addresses in data stores that the job's outputs are given."""
    outputs = section.section("outputs")
    paths = {name: outputs.section(name).get("path") for name in outputs.values if isinstance(outputs.get(name), dict)}
    return {name: path for name, path in paths.items() if isinstance(path, str) and in_datastore(path)}
