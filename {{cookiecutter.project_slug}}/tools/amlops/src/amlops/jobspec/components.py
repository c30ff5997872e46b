"""Command components: a file, or written in the step itself; and what all components declare."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from amlops import bindings
from amlops.jobspec import values
from amlops.jobspec.keys import COMMAND_COMPONENT, COMPONENT_INPUT, COMPONENT_OUTPUT, check_keys
from amlops.jobspec.model import LITERAL_TYPES, PATH_TYPES, Component, InputSpec, OutputSpec
from amlops.yamlfile import Section

# Names that can stand in `${{inputs.NAME}}` (azure-ai-ml: IOConstants.VALID_KEY_PATTERN, without groups).
_IO_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# ARM: dataContainers, modelContainers.
ASSET_NAME = ASSET_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_TYPES = ", ".join(LITERAL_TYPES + PATH_TYPES)


def command_component(section: Section, default_name: str) -> Component:
    """The command component that a mapping describes. Raises UserError."""
    check_keys(section, COMMAND_COMPONENT, "command component")
    component = Component(
        name=section.text("name", default_name),
        file=section.document.path,
        command=command_text(section),
        code=code_folder(section),
        inputs=declared_inputs(section),
        outputs=declared_outputs(section),
    )
    check_command(section, component)
    return component


def declared_inputs(section: Section) -> dict[str, InputSpec]:
    """The `inputs` of a component. Raises UserError."""
    inputs = section.section("inputs")
    return {name: input_spec(inputs, name) for name in inputs.values}


def declared_outputs(section: Section) -> dict[str, OutputSpec]:
    """The `outputs` of a component. Raises UserError."""
    outputs = section.section("outputs")
    return {name: output_spec(outputs, name, COMPONENT_OUTPUT) for name in outputs.values}


def command_text(section: Section) -> str:
    """The `command` of a component or job. Raises UserError when it is missing or not text."""
    command = section.get("command")
    if not isinstance(command, str) or not command.strip():
        raise section.error("a command is needed; for example python main.py --rate ${{inputs.rate}}", "command")
    return command


def code_folder(section: Section) -> Path | None:
    """The folder of the code; None when there is none.

    Raises UserError when it does not exist or is not on this machine.
    """
    value = section.get("code")
    if value is None:
        return None
    if not isinstance(value, str) or "://" in value or value.startswith("azureml:"):
        raise section.error(f"'{value}' must be a local folder; for example ../code", "code")
    path = section.resolve(value)
    if not path.exists():
        raise section.error(f"'{value}' does not exist (looked at {path})", "code")
    return path if path.is_dir() else path.parent


def check_command(section: Section, component: Component, key: str = "command") -> None:
    """Raise UserError for a command that needs a shell, or that names an input or output that is not declared.

    Args:
        key: where the command stands in `section`.
    """
    try:
        bindings.words(component.command)
        named = bindings.command_bindings(component.command)
        guarded = bindings.optional_inputs(component.command)
    except ValueError as error:
        raise section.error(str(error), key) from None
    for binding in named:
        is_input = isinstance(binding, bindings.Input)
        declared = component.inputs if is_input else component.outputs
        kind = "inputs" if is_input else "outputs"
        if binding.name not in declared:
            known = ", ".join(declared) or "none"
            raise section.error(f"${{{{{kind}.{binding.name}}}}} is not declared; {kind}: {known}", key)
        if is_input and not guarded.issuperset({binding.name}):
            spec = component.inputs[binding.name]
            if spec.optional and spec.default is None:
                example = f"$[[--{binding.name} ${{{{inputs.{binding.name}}}}}]]"
                raise section.error(f"the input '{binding.name}' is optional and must stand in $[[…]]: {example}", key)


def input_spec(section: Section, name: str) -> InputSpec:
    """The declared input `name` of a component. Raises UserError."""
    _check_io_name(section, name)
    entry = section.section(name)
    check_keys(entry, COMPONENT_INPUT, "component's input")
    kind = entry.get("type")
    if kind not in LITERAL_TYPES + PATH_TYPES:
        raise entry.error(f"'{kind}' is not a type of an input; one of {_TYPES}", "type")
    optional = entry.get("optional")
    if optional is not None and not isinstance(optional, bool):
        raise entry.error(f"'{optional}' must be true or false", "optional")
    limits = {key: _limit(entry, key, kind) for key in ("min", "max")}
    enum = entry.get("enum") or []
    if not isinstance(enum, list):
        raise entry.error("must be a list; for example [small, large]", "enum")
    spec = InputSpec(
        name=name,
        type=kind,
        optional=bool(optional),
        minimum=limits["min"],
        maximum=limits["max"],
        enum=tuple(str(value) for value in enum),
        mode=entry.text("mode").lower(),
    )
    default = entry.get("default")
    return spec if default is None else _with_default(spec, default, entry)


def _with_default(spec: InputSpec, default: Any, entry: Section) -> InputSpec:
    if not spec.is_literal:
        raise entry.error("a default for data is not supported by the laptop; give the path in the job", "default")
    try:
        value = values.literal(default, spec)
    except ValueError as error:
        raise entry.error(str(error), "default") from None
    return InputSpec(spec.name, spec.type, spec.optional, value, spec.minimum, spec.maximum, spec.enum)


def _limit(entry: Section, key: str, kind: str) -> float | None:
    value = entry.get(key)
    if value is None:
        return None
    if kind not in ("number", "integer"):
        raise entry.error(f"a limit needs type number or integer, not {kind}", key)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise entry.error(f"'{value}' is not a number; for example 0", key) from None


def output_spec(section: Section, name: str, known: set[str]) -> OutputSpec:
    """The declared output `name` of a component or job; an empty one is a uri_folder, as in Azure. Raises UserError."""
    _check_io_name(section, name)
    entry = section.section(name)
    check_keys(entry, known, "output")
    kind = entry.get("type") or "uri_folder"
    if kind not in PATH_TYPES:
        raise entry.error(f"'{kind}' is not a type of an output; one of {', '.join(PATH_TYPES)}", "type")
    return registered(OutputSpec(name, kind), entry)


def registered(spec: OutputSpec, entry: Section) -> OutputSpec:
    """The output with the name and version that `entry` registers it under. Raises UserError."""
    asset, version = entry.text("name"), entry.text("version") or None
    if not asset:
        if version:
            raise entry.error(
                "a version needs a name to register the output under; for example name: scores", "version"
            )
        return spec
    if not ASSET_NAME.fullmatch(asset):
        raise entry.error(f"'{asset}' must be letters, digits, '-', '_' and '.'; for example scores", "name")
    if version and not ASSET_VERSION.fullmatch(version):
        raise entry.error(f"'{version}' must be letters, digits, '.', '-' and '_'; for example 1", "version")
    return replace(spec, asset=asset, version=version)


def _check_io_name(section: Section, name: str) -> None:
    if not _IO_NAME.fullmatch(name):
        raise section.error(
            "a name must be letters, digits and '_', not starting with a digit; for example min_accuracy", name
        )
