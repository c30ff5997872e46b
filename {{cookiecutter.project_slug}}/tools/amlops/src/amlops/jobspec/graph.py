"""From the steps of a pipeline to the steps of a job, those of pipelines inside it among them.

A pipeline inside the pipeline has no process of its own: its steps are steps of the job, called `outer.inner`. As in
Azure ML, they start when all inputs of the inner pipeline are there, and its outputs are there when all of it is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from amlops import bindings
from amlops.bindings import StepOutput
from amlops.errors import UserError
from amlops.jobspec.components import check_command, code_folder, command_text, registered
from amlops.jobspec.inputs import JobInput, StepContext, component_inputs, free_inputs
from amlops.jobspec.model import Component, InputSpec, InputValue, OutputSpec, OutputTarget, Step
from amlops.jobspec.modes import input_modes
from amlops.jobspec.nodes import Node, PipelineComponent, ResolveComponent, nodes
from amlops.jobspec.parallel import with_task
from amlops.jobspec.values import Resolve
from amlops.yamlfile import Section


@dataclass(frozen=True)
class Surroundings:
    """What a pipeline finds around it.

    Attributes:
        inputs: its inputs, and `outputs` what it declares.
        targets: for each of its outputs the output of the job that it is, or None.
        prefix: what stands before the names of its steps; "score." for those of the pipeline in the step score.
        after: steps of the job that must be done before any of its steps.
        files: files of the pipelines around it.
    """

    inputs: Mapping[str, JobInput]
    outputs: Mapping[str, OutputSpec]
    targets: Mapping[str, str | None]
    resolve: Resolve
    resolve_component: ResolveComponent
    prefix: str = ""
    after: frozenset[str] = frozenset()
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Graph:
    """The steps of a pipeline by their names in the job, in order; and which of them writes each of its outputs."""

    steps: dict[str, Step] = field(default_factory=dict)
    writers: dict[str, StepOutput] = field(default_factory=dict)


def pipeline_steps(section: Section, around: Surroundings) -> Graph:
    """The steps of the pipeline whose `jobs` stand in `section`. Raises UserError."""
    return _Pipeline(section, around).build()


class _Pipeline:
    """One pipeline, put together step by step, each after those whose outputs it reads."""

    def __init__(self, section: Section, around: Surroundings) -> None:
        self._section = section
        self._around = around
        self._jobs = section.section("jobs")
        self._nodes = nodes(self._jobs, around.resolve_component, around.outputs)
        self._results: dict[tuple[str, str], StepOutput] = {}
        self._names: dict[str, frozenset[str]] = {}  # step as written -> steps of the job
        self._graph = Graph()
        declared = {name: node.outputs for name, node in self._nodes.items()}
        self._context = StepContext(around.inputs, declared, around.resolve, self._results)

    def build(self) -> Graph:
        reads = {name: _reads(node.section) & self._nodes.keys() for name, node in self._nodes.items()}
        targets = {
            name: _targets(node.section, node.outputs, self._around.outputs) for name, node in self._nodes.items()
        }
        _check_outputs_written(self._section, targets, self._around.outputs)
        for name in _in_order(self._jobs, reads):
            node = self._nodes[name]
            if isinstance(node.component, PipelineComponent):
                added = self._inner(node, node.component, targets[name], reads[name])
            else:
                added = self._step(node, targets[name], reads[name])
            self._names[name] = frozenset(added.steps)
            self._graph.steps.update(added.steps)
            for output, writer in added.writers.items():
                self._results[name, output] = writer
                if (bound := targets[name][output].pipeline_output) is not None:
                    self._graph.writers[bound] = writer
        return self._graph

    def _step(self, node: Node, targets: Mapping[str, OutputTarget], reads: set[str]) -> Graph:
        if isinstance(node.component, Component):
            component = node.component
            inputs = component_inputs(node.section.section("inputs"), component.inputs, self._context)
        else:
            component, inputs = free_component(node.section, node.name, node.outputs, self._context)
        name = f"{self._around.prefix}{node.name}"
        pipelines = [other for other in reads if isinstance(self._nodes[other].component, PipelineComponent)]
        outputs = {key: self._in_job(target) for key, target in targets.items()}
        step = made_step(node.section, name, component, inputs)
        modes = input_modes(node.section.section("inputs"), component.inputs, self._context)
        step = replace(step, outputs=outputs, after=self._after(pipelines), modes=modes)
        return Graph({name: step}, {output: StepOutput(name, output) for output in node.outputs})

    def _inner(
        self, node: Node, component: PipelineComponent, targets: Mapping[str, OutputTarget], reads: set[str]
    ) -> Graph:
        around, file = self._around, component.section.document.path
        if file in around.files:
            raise node.section.error(f"'{node.section.get('component')}' contains itself", "component")
        values = component_inputs(node.section.section("inputs"), component.inputs, self._context)
        inner = Surroundings(
            inputs={name: JobInput(spec.type, values.get(name), spec.mode) for name, spec in component.inputs.items()},
            outputs=component.outputs,
            targets={name: self._in_job(target).pipeline_output for name, target in targets.items()},
            resolve=around.resolve,
            resolve_component=around.resolve_component,
            prefix=f"{around.prefix}{node.name}.",
            after=self._after(reads),
            files=(*around.files, file),
        )
        return pipeline_steps(component.section, inner)

    def _in_job(self, target: OutputTarget) -> OutputTarget:
        """The target with the name that the output has in the job."""
        bound = target.pipeline_output
        return replace(target, pipeline_output=None if bound is None else self._around.targets.get(bound))

    def _after(self, names: set[str] | list[str]) -> frozenset[str]:
        return self._around.after.union(*(self._names[name] for name in names))


def free_component(
    section: Section, name: str, outputs: Mapping[str, OutputSpec], context: StepContext
) -> tuple[Component, dict[str, InputValue]]:
    """The component that a step, or a whole job, is itself, with the values of its inputs. Raises UserError."""
    found = free_inputs(section.section("inputs"), context)
    specs: dict[str, InputSpec] = {key: spec for key, (spec, _) in found.items()}
    values = {key: value for key, (_, value) in found.items()}
    if section.get("type") == "parallel":
        return with_task(section, name, specs, outputs), values
    component = Component(name, section.document.path, command_text(section), code_folder(section), specs, outputs)
    check_command(section, component)
    return component, values


def made_step(section: Section, name: str, component: Component, inputs: dict[str, InputValue]) -> Step:
    """The step at `section`, with its outputs in a folder of its own. Raises UserError."""
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


def _reads(step: Section) -> set[str]:
    """Names of the steps whose outputs a step names; what is wrong with them is told later."""
    found: set[str] = set()
    for value in step.section("inputs").values.values():
        text = value.get("path") if isinstance(value, dict) else value
        try:
            binding = bindings.parse(text) if isinstance(text, str) else None
        except ValueError:
            continue
        if isinstance(binding, StepOutput):
            found.add(binding.step)
    return found


def _targets(
    step: Section, specs: Mapping[str, OutputSpec], pipeline_outputs: Mapping[str, OutputSpec]
) -> dict[str, OutputTarget]:
    """Where each output of a step goes: to an output of the pipeline it is bound to, else to the step's own folder."""
    given = step.section("outputs")
    targets: dict[str, OutputTarget] = {}
    for name, declared in specs.items():
        value = given.get(name)
        spec = registered(declared, given.section(name)) if isinstance(value, dict) else declared
        keys: tuple[str, ...] = (name, "path") if isinstance(value, dict) else (name,)
        text = value.get("path") if isinstance(value, dict) else value
        try:
            binding = bindings.parse(text) if isinstance(text, str) and not in_datastore(text) else None
        except ValueError as error:
            raise given.error(str(error), *keys) from None
        if binding is None:
            if isinstance(value, str):
                raise given.error(f"'{value}' must be ${{{{parent.outputs.NAME}}}} or a mapping", name)
            targets[name] = OutputTarget(spec, path=text if isinstance(text, str) and in_datastore(text) else None)
            continue
        if not isinstance(binding, bindings.ParentOutput):
            raise given.error(f"'{text}' is not an output of the pipeline; use ${{{{parent.outputs.NAME}}}}", *keys)
        if binding.name not in pipeline_outputs:
            known = ", ".join(pipeline_outputs) or "none"
            raise given.error(f"the pipeline has no output '{binding.name}'; outputs: {known}", *keys)
        targets[name] = OutputTarget(spec, binding.name)
    return targets


def in_datastore(text: str) -> bool:
    """True for an address that an output is given, such as azureml://datastores/d/paths/${{name}}/x.csv."""
    return text.startswith(("azureml://", "/subscriptions/"))


def _check_outputs_written(
    section: Section, targets: Mapping[str, Mapping[str, OutputTarget]], outputs: Mapping[str, OutputSpec]
) -> None:
    writers: dict[str, str] = {}
    for step, of_step in targets.items():
        for target in of_step.values():
            if target.pipeline_output is None:
                continue
            if target.pipeline_output in writers:
                first = writers[target.pipeline_output]
                raise section.error(
                    f"is written by two steps, '{first}' and '{step}'", "outputs", target.pipeline_output
                )
            writers[target.pipeline_output] = step
    for name in outputs:
        if name not in writers:
            raise _unwritten(section, name)


def _unwritten(section: Section, name: str) -> UserError:
    example = f"outputs: {{model: ${{{{parent.outputs.{name}}}}}}}"
    return section.error(f"no step writes this output; bind it in a step, for example {example}", "outputs", name)


def _in_order(jobs: Section, reads: Mapping[str, set[str]]) -> list[str]:
    """The steps so that each comes after those it reads from, otherwise as they are written.

    Raises UserError for a circle.
    """
    sorter = TopologicalSorter({name: sorted(others) for name, others in reads.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise jobs.error(f"the steps wait for each other: {circle}") from None
    written = list(reads)
    ordered: list[str] = []
    while sorter.is_active():
        for name in sorted(sorter.get_ready(), key=written.index):
            ordered.append(name)
            sorter.done(name)
    return ordered
