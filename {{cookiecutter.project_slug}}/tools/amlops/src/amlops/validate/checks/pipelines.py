"""Pipeline jobs: bindings, inputs, compute, order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import Any

from amlops import bindings, references
from amlops.errors import UserError
from amlops.jobspec.model import LITERAL_TYPES, PATH_TYPES
from amlops.validate.checks.commands import Interface, command_faults, component_faults, input_spec, literal_fault
from amlops.validate.checks.files import is_local, local_path, missing_path
from amlops.validate.context import Context
from amlops.validate.fault import Fault, fault_at
from amlops.validate.schema.jobs import AZURE_STEPS
from amlops.yamlfile import YamlFile


@dataclass(frozen=True)
class Step:
    """A step. `declares` is what its component declares; None when that is not on this machine, or not readable."""

    name: str
    data: Mapping[str, Any]
    declares: Interface | None
    own_command: bool = False

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What the step gives to its inputs."""
        return _mapping(self.data.get("inputs"))

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What the step says of its outputs."""
        return _mapping(self.data.get("outputs"))


def pipeline_faults(document: YamlFile, context: Context) -> Iterator[Fault]:
    """Faults of a pipeline job."""
    jobs = _mapping(document.get("jobs"))
    if not jobs and not document.get("component"):
        yield fault_at(document, "missing-key", "the pipeline has no step", "add a step below 'jobs:'", "jobs")
    for name in _mapping(document.get("inputs")):
        yield from missing_path(document, "the data", "inputs", name, "path")
    steps: dict[str, Step] = {}
    for name, data in jobs.items():
        if isinstance(data, dict):
            step, faults = _step(document, context, name, data)
            steps[name] = step
            yield from faults
    pipeline = _Pipeline(document, steps)
    yield from pipeline.faults()


def _step(document: YamlFile, context: Context, name: str, data: Mapping[str, Any]) -> tuple[Step, list[Fault]]:
    component = data.get("component")
    if str(data.get("type", "")).lower() in AZURE_STEPS:
        text = f"'{data['type']}' steps run in Azure only, and their own keys are not checked here"
        return Step(name, data, None), [
            fault_at(document, "laptop", text, "try the pipeline in dev", "jobs", name, "type")
        ]
    if isinstance(component, dict):
        keys = ("jobs", name, "component")
        return Step(name, data, Interface.at(document, *keys)), list(component_faults(document, *keys))
    if component is None:
        own = Interface.at(document, "jobs", name)
        faults = list(command_faults(document, own, ("jobs", name)))
        if not data.get("command"):
            faults.append(
                fault_at(
                    document, "missing-key", "is missing", "name a file, or write a command", "jobs", name, "component"
                )
            )
        elif not data.get("environment"):
            faults.append(
                fault_at(document, "missing-key", "is missing", "add 'environment:'", "jobs", name, "environment")
            )
        return Step(name, data, own, own_command=True), faults
    return _step_from_file(document, context, name, data, str(component))


def _step_from_file(
    document: YamlFile, context: Context, name: str, data: Mapping[str, Any], component: str
) -> tuple[Step, list[Fault]]:
    keys = ("jobs", name, "component")
    if references.is_reference(component):
        text = f"'{component}' is registered in a workspace; the laptop cannot run it"
        return Step(name, data, None), [fault_at(document, "laptop", text, "name the component's file instead", *keys)]
    if not is_local(component):
        return Step(name, data, None), []
    path = local_path(document, component)
    if not path.is_file():
        fix = "give the component's file, relative to this file"
        return Step(name, data, None), [fault_at(document, "missing-file", f"'{component}' does not exist", fix, *keys)]
    try:
        return Step(name, data, Interface.at(context.load(path))), []
    except UserError as error:
        return Step(name, data, None), [
            fault_at(document, "yaml", f"'{component}' cannot be read: {error.message}", "correct that file", *keys)
        ]


class _Pipeline:
    """The checks that look at more than one step."""

    def __init__(self, document: YamlFile, steps: Mapping[str, Step]) -> None:
        self._document = document
        self._fault = partial(fault_at, document)
        self._steps = steps
        self._inputs = _mapping(document.get("inputs"))
        self._outputs = _mapping(document.get("outputs"))
        self._used_inputs: set[str] = set()
        self._written: dict[str, str] = {}
        self._waits: dict[str, set[str]] = {name: set() for name in steps}

    def faults(self) -> Iterator[Fault]:
        for step in self._steps.values():
            for name, value in step.inputs.items():
                yield from self._input_faults(step, name, value)
            for name, value in step.outputs.items():
                yield from self._output_faults(step, name, value)
            yield from self._missing_inputs(step)
            yield from self._compute_faults(step)
        yield from self._unbound_outputs()
        yield from self._unused_inputs()
        yield from self._cycle()

    def _input_faults(self, step: Step, name: str, value: Any) -> Iterator[Fault]:
        keys: tuple[str, ...] = ("jobs", step.name, "inputs", name)
        declared = _declared(step, "inputs", name)
        if step.declares is not None and not step.own_command and declared is None:
            known = ", ".join(step.declares.inputs) or "none"
            yield self._fault("undeclared", "the component has no such input", f"its inputs are: {known}", *keys)
            return
        if isinstance(value, dict) and isinstance(value.get("path"), str):
            value, keys = value["path"], (*keys, "path")
        try:
            binding = bindings.parse(value) if isinstance(value, str) else None
        except ValueError as error:
            message, _, fix = str(error).partition("; ")
            yield self._fault("binding", message, fix, *keys)
            return
        if binding is None:
            yield from self._literal_faults(value, name, declared, keys)
        elif isinstance(binding, bindings.ParentInput):
            yield from self._parent_input(step, binding.name, name, declared, keys)
        elif isinstance(binding, bindings.StepOutput):
            yield from self._step_output(step, binding, declared, keys)
        else:
            fix = "use ${{parent.inputs.NAME}} or ${{parent.jobs.STEP.outputs.NAME}}"
            yield self._fault("binding", f"'{value}' is not an input", fix, *keys)

    def _literal_faults(
        self, value: Any, name: str, declared: Mapping[str, Any] | None, keys: tuple[str, ...]
    ) -> Iterator[Fault]:
        if keys[-1] == "path":
            yield from missing_path(self._document, "the data", *keys)
            return
        if isinstance(value, dict):
            value = value.get("value")
        spec = input_spec(name, declared) if declared else None
        if spec is not None and value is not None:
            yield from literal_fault(self._document, value, spec, *keys)
        elif declared and _type(declared) in PATH_TYPES and value is not None:
            text = f"'{value}' is a literal, the component needs {_type(declared)}"
            yield self._fault("type-mismatch", text, "write type and path of the data", *keys)

    def _parent_input(
        self, step: Step, source: str, name: str, declared: Mapping[str, Any] | None, keys: tuple[str, ...]
    ) -> Iterator[Fault]:
        self._used_inputs.add(source)
        if source not in self._inputs:
            known = ", ".join(self._inputs) or "none"
            yield self._fault("binding", f"the pipeline has no input '{source}'", f"its inputs are: {known}", *keys)
            return
        if declared is None:
            return
        given = self._inputs[source]
        if isinstance(given, dict) and "value" not in given:
            yield from self._mismatch(str(given.get("type", "uri_folder")), declared, keys)
            if not given.get("path") and _is_needed(declared) and _type(declared) in PATH_TYPES:
                text = f"the pipeline's input '{source}' has no path, and the component needs it"
                yield self._fault(
                    "missing-input",
                    text,
                    "give it a path, or make the component's input optional",
                    *keys,
                )
            return
        value = given.get("value") if isinstance(given, dict) else given
        spec = input_spec(name, declared)
        if spec is not None:
            where = f" (step '{step.name}' needs it as '{name}')"
            yield from literal_fault(self._document, value, spec, "inputs", source, where=where)
        elif _type(declared) in PATH_TYPES:
            text = f"the pipeline's input '{source}' is a literal, the component needs {_type(declared)}"
            yield self._fault("type-mismatch", text, "write type and path of the data there", *keys)

    def _step_output(
        self, step: Step, binding: bindings.StepOutput, declared: Mapping[str, Any] | None, keys: tuple[str, ...]
    ) -> Iterator[Fault]:
        source = self._steps.get(binding.step)
        if source is None:
            known = ", ".join(self._steps)
            yield self._fault("binding", f"there is no step '{binding.step}'", f"steps are: {known}", *keys)
            return
        self._waits[step.name].add(binding.step)
        if source.declares is None:
            return
        output = _declared(source, "outputs", binding.name)
        if output is None:
            known = ", ".join(source.declares.outputs) or "none"
            text = f"the step '{binding.step}' has no output '{binding.name}'"
            yield self._fault("binding", text, f"its outputs are: {known}", *keys)
        elif declared is not None:
            yield from self._mismatch(_type(output), declared, keys)

    def _mismatch(self, given: str, declared: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[Fault]:
        """Data where a literal is needed, or a file where a folder is. Models may be either, and so pass."""
        needed = _type(declared)
        if not {given, needed} <= {*LITERAL_TYPES, *PATH_TYPES}:
            return
        is_literal, is_file = needed in LITERAL_TYPES, needed == "uri_file"
        if is_literal != (given in LITERAL_TYPES) or (not is_literal and is_file != (given == "uri_file")):
            text = f"gives {given}, the component needs {needed}"
            yield self._fault("type-mismatch", text, "make the two types equal", *keys)

    def _output_faults(self, step: Step, name: str, value: Any) -> Iterator[Fault]:
        keys: tuple[str, ...] = ("jobs", step.name, "outputs", name)
        if step.declares is not None and not step.own_command and _declared(step, "outputs", name) is None:
            known = ", ".join(step.declares.outputs) or "none"
            yield self._fault("undeclared", "the component has no such output", f"its outputs are: {known}", *keys)
        if isinstance(value, dict):
            value, keys = value.get("path"), (*keys, "path")
        try:
            binding = bindings.parse(value) if isinstance(value, str) else None
        except ValueError as error:
            message, _, fix = str(error).partition("; ")
            yield self._fault("binding", message, fix, *keys)
            return
        if binding is None:
            if isinstance(value, str) and keys[-1] != "path":
                yield self._fault("binding", f"'{value}' is not a binding", "use ${{parent.outputs.NAME}}", *keys)
        elif not isinstance(binding, bindings.ParentOutput):
            yield self._fault("binding", f"'{value}' is not an output", "use ${{parent.outputs.NAME}}", *keys)
        elif binding.name not in self._outputs:
            known = ", ".join(self._outputs) or "none"
            yield self._fault(
                "binding",
                f"the pipeline has no output '{binding.name}'",
                f"its outputs are: {known}",
                *keys,
            )
        elif binding.name in self._written:
            text = f"the pipeline's output '{binding.name}' is written by '{self._written[binding.name]}' too"
            yield self._fault("binding", text, "bind it in one step", *keys)
        else:
            self._written[binding.name] = step.name

    def _missing_inputs(self, step: Step) -> Iterator[Fault]:
        if step.declares is None or step.own_command:
            return
        for name, declared in step.declares.inputs.items():
            if not isinstance(declared, dict) or name in step.inputs:
                continue
            if _is_needed(declared):
                fix = f"add '{name}:' below inputs"
                yield self._fault(
                    "missing-input",
                    f"the input '{name}' ({_type(declared)}) has no value",
                    fix,
                    "jobs",
                    step.name,
                    "inputs",
                )

    def _compute_faults(self, step: Step) -> Iterator[Fault]:
        settings = _mapping(self._document.get("settings"))
        if not (step.data.get("compute") or settings.get("default_compute") or self._document.get("compute")):
            fix = "add 'settings: {default_compute: azureml:cpu-cluster}'"
            yield self._fault("no-compute", "the step has no compute target", fix, "jobs", step.name)

    def _unbound_outputs(self) -> Iterator[Fault]:
        if any(step.declares is None for step in self._steps.values()):
            return
        for name in self._outputs:
            if name not in self._written:
                fix = f"bind it in a step: ${{{{parent.outputs.{name}}}}}"
                yield self._fault("binding", "no step writes this output", fix, "outputs", name)

    def _unused_inputs(self) -> Iterator[Fault]:
        text = str(self._document.data.get("jobs"))
        for name in self._inputs:
            if name not in self._used_inputs and f"parent.inputs.{name}" not in text:
                yield self._fault("unused-input", "no step uses it", "bind it in a step, or remove it", "inputs", name)

    def _cycle(self) -> Iterator[Fault]:
        try:
            TopologicalSorter({name: sorted(waits) for name, waits in self._waits.items()}).prepare()
        except CycleError as error:
            circle = error.args[1]
            text = f"the steps wait for each other: {' -> '.join(circle)}"
            yield self._fault("cycle", text, "remove one of the bindings", "jobs", min(circle))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _declared(step: Step, kind: str, name: str) -> Mapping[str, Any] | None:
    """How a step's component declares an input or output; None when it does not."""
    if step.declares is None:
        return None
    entries = step.declares.inputs if kind == "inputs" else step.declares.outputs
    if name not in entries:
        return None
    if step.own_command:
        # What the step gives is what it declares; of its inputs the type is not known.
        return None if kind == "inputs" else {"type": "uri_folder", **_mapping(entries[name])}
    return _mapping(entries[name])


def _is_needed(declared: Mapping[str, Any]) -> bool:
    """True for an input that must have a value."""
    return declared.get("optional") is not True and declared.get("default") is None


def _type(declared: Mapping[str, Any]) -> str:
    return str(declared.get("type", "uri_folder")).lower()
