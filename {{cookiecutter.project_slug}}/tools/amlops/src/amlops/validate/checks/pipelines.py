"""Pipeline jobs and pipeline components: bindings, inputs, compute, order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import Any

from amlops import bindings
from amlops.jobspec.graph import in_datastore
from amlops.jobspec.model import LITERAL_TYPES, PATH_TYPES
from amlops.validate.checks import parallel
from amlops.validate.checks.commands import Interface, declaration_faults, input_spec, literal_fault
from amlops.validate.checks.files import missing_path
from amlops.validate.checks.steps import Step, mapping, step_of
from amlops.validate.context import Context
from amlops.validate.fault import Fault, fault_at
from amlops.yamlfile import KeyPath, YamlFile

# What a parallel step, or its component, says of its data.
_OF_DATA = ("input_data", "partition_keys", "error_threshold")


def pipeline_faults(document: YamlFile, context: Context) -> Iterator[Fault]:
    """Faults of a pipeline job."""
    for name in mapping(document.get("inputs")):
        yield from missing_path(document, "the data", "inputs", name, "path")
    if document.get("component"):
        step, faults = step_of(document, context, "", (), document.data)
        yield from faults
        yield from _Pipeline(document, {"": step}, inputs={}, outputs={}).faults()
        return
    yield from _jobs_faults(document, context)


def component_faults(document: YamlFile, context: Context) -> Iterator[Fault]:
    """Faults of a pipeline component."""
    for name, spec in mapping(document.get("inputs")).items():
        if isinstance(spec, dict):
            yield from declaration_faults(document, spec, ("inputs", name))
    yield from _jobs_faults(document, context, is_component=True)


def _jobs_faults(document: YamlFile, context: Context, *, is_component: bool = False) -> Iterator[Fault]:
    jobs = mapping(document.get("jobs"))
    if not jobs:
        yield fault_at(document, "missing-key", "the pipeline has no step", "add a step below 'jobs:'", "jobs")
    steps: dict[str, Step] = {}
    for name, data in jobs.items():
        if isinstance(data, dict):
            steps[name], faults = step_of(document, context, name, ("jobs", name), data)
            yield from faults
    inputs, outputs = mapping(document.get("inputs")), mapping(document.get("outputs"))
    yield from _Pipeline(document, steps, inputs, outputs, is_component=is_component).faults()


class _Pipeline:
    """The checks that look at more than one step."""

    def __init__(
        self,
        document: YamlFile,
        steps: Mapping[str, Step],
        inputs: Mapping[str, Any],
        outputs: Mapping[str, Any],
        *,
        is_component: bool = False,
    ) -> None:
        self._document = document
        self._fault = partial(fault_at, document)
        self._steps = steps
        self._inputs = inputs
        self._outputs = outputs
        self._is_component = is_component
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
            if step.kind == "parallel" and step.declares is not None:
                yield from self._parallel_faults(step, step.declares)
        yield from self._unbound_outputs()
        yield from self._unused_inputs()
        yield from self._cycle()

    def _input_faults(self, step: Step, name: str, value: Any) -> Iterator[Fault]:
        keys: KeyPath = (*step.keys, "inputs", name)
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
        self, value: Any, name: str, declared: Mapping[str, Any] | None, keys: KeyPath
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
        self, step: Step, source: str, name: str, declared: Mapping[str, Any] | None, keys: KeyPath
    ) -> Iterator[Fault]:
        self._used_inputs.add(source)
        if source not in self._inputs:
            known = ", ".join(self._inputs) or "none"
            yield self._fault("binding", f"the pipeline has no input '{source}'", f"its inputs are: {known}", *keys)
            return
        if declared is None:
            return
        given = self._inputs[source]
        if self._is_component:
            yield from self._declared_input(step, source, mapping(given), name, declared, keys)
            return
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

    def _declared_input(
        self,
        step: Step,
        source: str,
        given: Mapping[str, Any],
        name: str,
        declared: Mapping[str, Any],
        keys: KeyPath,
    ) -> Iterator[Fault]:
        """A step of a component gets what the component declares: a type, and perhaps a default."""
        yield from self._mismatch(_type(given), declared, keys)
        spec = input_spec(name, declared)
        if spec is not None and given.get("default") is not None and _type(given) in LITERAL_TYPES:
            where = f" (step '{step.name}' needs it as '{name}')"
            yield from literal_fault(self._document, given["default"], spec, "inputs", source, "default", where=where)
        if given.get("optional") is True and given.get("default") is None and _is_needed(declared):
            text = f"the pipeline's input '{source}' is optional, and the component needs it"
            yield self._fault("missing-input", text, "make both optional, or neither", *keys)

    def _parallel_faults(self, step: Step, declares: Interface) -> Iterator[Fault]:
        """What a parallel step says differently from its component, and whether its data fits."""
        if not step.own_command:
            yield from parallel.input_data_faults(self._document, declares, step.keys, required=False)
        component = mapping(step.data.get("component"))
        own = [step.data, component, step.file.data if step.file else {}]
        said = {key: next((data[key] for data in own if data.get(key) is not None), None) for key in _OF_DATA}
        try:
            binding = bindings.parse(str(said["input_data"]))
        except ValueError:
            return
        if isinstance(binding, bindings.Input):
            path, kind = parallel.data_of(step.inputs, self._inputs, binding.name)
            yield from parallel.partition_faults(self._document, step.keys, said["partition_keys"], path, kind)
            yield from parallel.threshold_faults(self._document, step.keys, said["error_threshold"], path, kind)

    def _step_output(
        self, step: Step, binding: bindings.StepOutput, declared: Mapping[str, Any] | None, keys: KeyPath
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

    def _mismatch(self, given: str, declared: Mapping[str, Any], keys: KeyPath) -> Iterator[Fault]:
        """Data where a literal is needed, or a file where a folder is. Models may be either, and so pass."""
        needed = _type(declared)
        if not {given, needed} <= {*LITERAL_TYPES, *PATH_TYPES}:
            return
        is_literal, is_file = needed in LITERAL_TYPES, needed == "uri_file"
        if is_literal != (given in LITERAL_TYPES) or (not is_literal and is_file != (given == "uri_file")):
            text = f"gives {given}, the component needs {needed}"
            yield self._fault("type-mismatch", text, "make the two types equal", *keys)

    def _output_faults(self, step: Step, name: str, value: Any) -> Iterator[Fault]:
        keys: KeyPath = (*step.keys, "outputs", name)
        if step.declares is not None and not step.own_command and _declared(step, "outputs", name) is None:
            known = ", ".join(step.declares.outputs) or "none"
            yield self._fault("undeclared", "the component has no such output", f"its outputs are: {known}", *keys)
        if isinstance(value, dict):
            value, keys = value.get("path"), (*keys, "path")
        try:
            binding = bindings.parse(value) if isinstance(value, str) and not in_datastore(value) else None
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
                    *step.keys,
                    "inputs",
                )

    def _compute_faults(self, step: Step) -> Iterator[Fault]:
        settings = mapping(self._document.get("settings"))
        if self._is_component or settings.get("default_compute") or self._document.get("compute"):
            return
        without = [step.data] if step.kind != "pipeline" else step.inner
        if any(not data.get("compute") for data in without):
            fix = "add 'settings: {default_compute: azureml:cpu-cluster}'"
            yield self._fault("no-compute", "the step has no compute target", fix, *step.keys)

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


def _declared(step: Step, kind: str, name: str) -> Mapping[str, Any] | None:
    """How a step's component declares an input or output; None when it does not."""
    if step.declares is None:
        return None
    entries = step.declares.inputs if kind == "inputs" else step.declares.outputs
    if name not in entries:
        return None
    if step.own_command:
        # What the step gives is what it declares; of its inputs the type is not known.
        return None if kind == "inputs" else {"type": "uri_folder", **mapping(entries[name])}
    return mapping(entries[name])


def _is_needed(declared: Mapping[str, Any]) -> bool:
    """True for an input that must have a value."""
    return declared.get("optional") is not True and declared.get("default") is None


def _type(declared: Mapping[str, Any]) -> str:
    return str(declared.get("type", "uri_folder")).lower()
