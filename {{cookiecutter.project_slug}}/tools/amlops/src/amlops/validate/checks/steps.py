"""The steps of a pipeline as the checks see them: what each declares, and what is wrong with its component."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amlops import references
from amlops.errors import UserError
from amlops.validate.checks import commands, parallel
from amlops.validate.checks.commands import Interface
from amlops.validate.checks.files import is_local, local_path
from amlops.validate.context import Context
from amlops.validate.fault import Fault, fault_at
from amlops.validate.schema.jobs import AZURE_STEPS
from amlops.yamlfile import KeyPath, YamlFile


@dataclass(frozen=True)
class Step:
    """A step, or a job as a whole that runs a component.

    Attributes:
        keys: where it stands.
        declares: what its component declares; None when that is not on this machine, or not readable.
        file: the file of its component.
    """

    name: str
    keys: KeyPath
    data: Mapping[str, Any]
    declares: Interface | None
    own_command: bool = False
    file: YamlFile | None = None

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What the step gives to its inputs."""
        return mapping(self.data.get("inputs"))

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What the step says of its outputs."""
        return mapping(self.data.get("outputs"))

    @property
    def kind(self) -> str:
        """command, parallel, pipeline or one that only Azure runs."""
        return str(self.data.get("type") or "command").lower()

    @property
    def inner(self) -> list[Mapping[str, Any]]:
        """The steps of the pipeline that the step runs; none of a step that is no pipeline."""
        jobs = mapping(self.file.data.get("jobs") if self.file else None)
        return [data for data in jobs.values() if isinstance(data, dict)]


def mapping(value: Any) -> Mapping[str, Any]:
    """The value, or an empty mapping for what is none."""
    return value if isinstance(value, dict) else {}


def step_of(
    document: YamlFile, context: Context, name: str, keys: KeyPath, data: Mapping[str, Any]
) -> tuple[Step, list[Fault]]:
    """The step at `keys`, and the faults of what it runs."""
    kind = str(data.get("type") or "command").lower()
    component = data.get("component")
    if kind in AZURE_STEPS:
        text = f"'{data['type']}' steps run in Azure only, and their own keys are not checked here"
        return Step(name, keys, data, None), [
            fault_at(document, "laptop", text, "try the pipeline in dev", *keys, "type")
        ]
    if isinstance(component, dict):
        where = (*keys, "component")
        check = parallel.component_faults if kind == "parallel" else commands.component_faults
        return Step(name, keys, data, Interface.at(document, *where)), list(check(document, *where))
    if component is None:
        return _own_step(document, name, keys, data, kind)
    return _step_from_file(document, context, name, keys, data, str(component))


def _own_step(
    document: YamlFile, name: str, keys: KeyPath, data: Mapping[str, Any], kind: str
) -> tuple[Step, list[Fault]]:
    """A step without a component: it has a command or a task of its own."""
    own = Interface.at(document, *keys)
    step = Step(name, keys, data, own, own_command=True)
    if kind == "parallel":
        faults = list(parallel.task_faults(document, own, keys))
        what = "task"
    else:
        faults = list(commands.command_faults(document, own, keys))
        what = "command"
    if not data.get(what):
        fix = f"name a file{'' if kind == 'pipeline' else f', or write a {what}'}"
        faults.append(fault_at(document, "missing-key", "is missing", fix, *keys, "component"))
    elif kind == "command" and not data.get("environment"):
        faults.append(fault_at(document, "missing-key", "is missing", "add 'environment:'", *keys, "environment"))
    return step, faults


def _step_from_file(
    document: YamlFile, context: Context, name: str, keys: KeyPath, data: Mapping[str, Any], component: str
) -> tuple[Step, list[Fault]]:
    where = (*keys, "component")
    nothing = Step(name, keys, data, None)
    if references.is_reference(component) or not is_local(component):
        return nothing, []
    path = local_path(document, component)
    if not path.is_file():
        fix = "give the component's file, relative to this file"
        return nothing, [fault_at(document, "missing-file", f"'{component}' does not exist", fix, *where)]
    try:
        found = context.load(path)
    except UserError as error:
        text = f"'{component}' cannot be read: {error.message}"
        return nothing, [fault_at(document, "yaml", text, "correct that file", *where)]
    step = Step(name, keys, data, Interface.at(found), file=found)
    return step, list(_kind_faults(document, step, found, component))


def _kind_faults(document: YamlFile, step: Step, found: YamlFile, component: str) -> Iterator[Fault]:
    kind = str(found.get("type") or "command").lower()
    if kind != step.kind:
        if not step.keys:
            text, fix = f"'{component}' is a {kind} component", "name a pipeline component"
        else:
            text = f"'{component}' is a {kind} component, and the step is of type {step.kind}"
            fix = f"write 'type: {kind}' in the step"
        yield fault_at(document, "not-allowed", text, fix, *step.keys, "component")
    elif found.path == document.path:
        yield fault_at(document, "cycle", f"'{component}' contains itself", "name another", *step.keys, "component")
