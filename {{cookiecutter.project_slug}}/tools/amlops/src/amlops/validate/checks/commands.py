"""Commands of components and jobs: code, expressions, and what would need a shell."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amlops import bindings
from amlops.jobspec import values
from amlops.jobspec.model import LITERAL_TYPES, PATH_TYPES, InputSpec
from amlops.validate.checks.files import environment_faults, missing_path
from amlops.validate.fault import Fault, fault_at
from amlops.yamlfile import KeyPath, YamlFile


@dataclass(frozen=True)
class Interface:
    """What goes into a command and out of it: the declared inputs and outputs, as they stand in the file."""

    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]

    @classmethod
    def at(cls, document: YamlFile, *keys: str | int) -> Interface:
        """The interface of the component or job at `keys`."""
        return cls(_mapping(document.get(*keys, "inputs")), _mapping(document.get(*keys, "outputs")))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def component_faults(document: YamlFile, *keys: str | int) -> Iterator[Fault]:
    """Faults of a command component."""
    interface = Interface.at(document, *keys)
    yield from command_faults(document, interface, keys)
    for name, spec in interface.inputs.items():
        if isinstance(spec, dict):
            yield from declaration_faults(document, spec, (*keys, "inputs", name))
    yield from optional_faults(document, interface, keys, "command")
    yield from _unused_faults(document, interface, keys)


def job_faults(document: YamlFile) -> Iterator[Fault]:
    """Faults of a command job."""
    yield from command_faults(document, Interface.at(document), ())
    for name in Interface.at(document).inputs:
        yield from missing_path(document, "the data", "inputs", name, "path")
    if not document.get("compute"):
        yield fault_at(document, "no-compute", "the job names no compute target", "add 'compute: azureml:cpu-cluster'")


def command_faults(document: YamlFile, interface: Interface, keys: KeyPath) -> Iterator[Fault]:
    """Faults of the command, code and environment at `keys`."""
    yield from missing_path(document, "the code folder", *keys, "code")
    yield from environment_faults(document, *keys, "environment")
    yield from expression_faults(document, interface, keys, "command")


def expression_faults(document: YamlFile, interface: Interface, keys: KeyPath, key: str) -> Iterator[Fault]:
    """What is wrong with a text that becomes words of a command line: what needs a shell, what is not declared."""
    command = document.get(*keys, key)
    if not isinstance(command, str):
        return
    try:
        bindings.words(command)
    except ValueError as error:
        message, _, fix = str(error).partition("; ")
        yield fault_at(document, "shell", message, fix or "for example python main.py", *keys, key)
    try:
        named = bindings.command_bindings(command)
    except ValueError as error:
        message, _, fix = str(error).partition("; ")
        yield fault_at(document, "binding", message, fix, *keys, key)
        return
    for binding in dict.fromkeys(named):
        declared = interface.inputs if isinstance(binding, bindings.Input) else interface.outputs
        kind = "inputs" if isinstance(binding, bindings.Input) else "outputs"
        if binding.name not in declared:
            text = f"${{{{{kind}.{binding.name}}}}} is not declared"
            yield fault_at(document, "undeclared", text, f"{kind} are: {', '.join(declared) or 'none'}", *keys, key)


def input_spec(name: str, declared: Mapping[str, Any]) -> InputSpec | None:
    """A declared literal input in the runner's terms; None for data, and for declarations that are faulty
    themselves.
    """
    kind = str(declared.get("type", "")).lower()
    limits = [declared.get(key) for key in ("min", "max")]
    if kind not in LITERAL_TYPES or not all(limit is None or _is_number(limit) for limit in limits):
        return None
    low, high = (None if limit is None else float(limit) for limit in limits)
    enum = declared.get("enum") if isinstance(declared.get("enum"), list) else []
    return InputSpec(name, kind, minimum=low, maximum=high, enum=tuple(str(value) for value in enum or []))


def _is_number(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def literal_fault(
    document: YamlFile, value: Any, spec: InputSpec, *keys: str | int, where: str = ""
) -> Iterator[Fault]:
    """A fault when a literal does not fit the input that it is for."""
    try:
        values.literal(value, spec)
    except ValueError as error:
        message, _, fix = str(error).partition("; ")
        yield fault_at(document, "literal", f"{message}{where}", fix, *keys)


def declaration_faults(document: YamlFile, declared: Mapping[str, Any], keys: KeyPath) -> Iterator[Fault]:
    """Faults of a declared input: limits that are no numbers, a default outside of them."""
    kind = str(declared.get("type")).lower()
    for key in ("min", "max"):
        limit = declared.get(key)
        if limit is None or kind not in LITERAL_TYPES + PATH_TYPES:
            continue
        if kind not in ("number", "integer"):
            text = f"a limit needs type number or integer, not {kind}"
            yield fault_at(document, "literal", text, "remove it", *keys, key)
        elif not _is_number(limit):
            yield fault_at(document, "literal", f"'{limit}' is not a number", "for example 0", *keys, key)
    spec = input_spec(str(keys[-1]), declared)
    if spec is not None and declared.get("default") is not None:
        yield from literal_fault(document, declared["default"], spec, *keys, "default")


def optional_faults(document: YamlFile, interface: Interface, keys: KeyPath, key: str) -> Iterator[Fault]:
    """An optional input without a default that stands in a command line as if it always had a value."""
    command = document.get(*keys, key)
    try:
        guarded = bindings.optional_inputs(command) if isinstance(command, str) else set()
        named = {
            binding.name for binding in bindings.command_bindings(command or "") if isinstance(binding, bindings.Input)
        }
    except (ValueError, TypeError):
        return
    for name, declared in interface.inputs.items():
        if not isinstance(declared, dict) or declared.get("optional") is not True or name not in named - guarded:
            continue
        if declared.get("default") is None:
            fix = f"write $[[--{name} ${{{{inputs.{name}}}}}]]"
            yield fault_at(
                document,
                "optional-input",
                f"the input '{name}' is optional and stands outside $[[…]]",
                fix,
                *keys,
                key,
            )


def _unused_faults(document: YamlFile, interface: Interface, keys: KeyPath) -> Iterator[Fault]:
    command = document.get(*keys, "command")
    if not isinstance(command, str):
        return
    for kind, names in (("inputs", interface.inputs), ("outputs", interface.outputs)):
        for name in names:
            if f"{kind}.{name}" not in command:
                fix = f"use ${{{{{kind}.{name}}}}} in the command, or remove it"
                yield fault_at(document, "unused-input", "the command does not use it", fix, *keys, kind, name)
