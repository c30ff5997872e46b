"""Parallel components and steps: the script, what is cut into mini-batches, where the rows go, partition keys.

What azure-ai-ml does not look at before the job runs: a missing script, an `input_data` that is bound to nothing, a
partition key that the data does not have, options of the runner with values that it refuses.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from amlops import bindings
from amlops.errors import UserError
from amlops.jobspec.arguments import runner_options
from amlops.jobspec.model import LITERAL_TYPES
from amlops.validate.checks.commands import Interface, declaration_faults, expression_faults, optional_faults
from amlops.validate.checks.files import environment_faults, is_local, local_path, missing_path
from amlops.validate.checks.script import script_faults
from amlops.validate.fault import Fault, fault_at
from amlops.yamlfile import KeyPath, YamlFile

_ARGUMENTS = "program_arguments"


def component_faults(document: YamlFile, *keys: str | int) -> Iterator[Fault]:
    """Faults of a parallel component at `keys`, or in a file of its own."""
    interface = Interface.at(document, *keys)
    for name, spec in interface.inputs.items():
        if isinstance(spec, dict):
            yield from declaration_faults(document, spec, (*keys, "inputs", name))
    yield from task_faults(document, interface, keys)
    yield from optional_faults(document, interface, (*keys, "task"), _ARGUMENTS)
    yield from _unused_faults(document, interface, keys)


def task_faults(document: YamlFile, interface: Interface, keys: KeyPath) -> Iterator[Fault]:
    """Faults of the task at `keys`, and of what it reads and writes."""
    task = (*keys, "task")
    yield from environment_faults(document, *task, "environment")
    yield from _script_faults(document, task)
    yield from input_data_faults(document, interface, keys, required=True)
    yield from _append_row_faults(document, interface, task)
    arguments = document.get(*task, _ARGUMENTS)
    if isinstance(arguments, str) and arguments.strip():
        yield from expression_faults(document, interface, task, _ARGUMENTS)
        yield from _option_faults(document, arguments, task)
    yield from _both_faults(document, keys)


def input_data_faults(document: YamlFile, interface: Interface, keys: KeyPath, *, required: bool) -> Iterator[Fault]:
    """Faults of `input_data`; a step that runs a component need not say it again."""
    value = document.get(*keys, "input_data")
    data = [name for name, spec in interface.inputs.items() if _type(spec) not in LITERAL_TYPES]
    example = f"for example ${{{{inputs.{data[0] if data else 'images'}}}}}"
    if value is None:
        if required and document.get(*keys, "task") is not None:
            text = "is missing: it says which input is cut into mini-batches"
            yield fault_at(document, "missing-key", text, example, *keys, "input_data")
        return
    binding = _binding(value)
    if not isinstance(binding, bindings.Input):
        yield fault_at(document, "binding", f"'{value}' is not an input of the step", example, *keys, "input_data")
    elif binding.name not in interface.inputs:
        known = ", ".join(interface.inputs) or "none"
        text = f"there is no input '{binding.name}'"
        yield fault_at(document, "binding", text, f"inputs are: {known}", *keys, "input_data")
    elif _is_literal(interface.inputs[binding.name]):
        yield fault_at(
            document, "type-mismatch", f"the input '{binding.name}' is no data", example, *keys, "input_data"
        )


def partition_faults(
    document: YamlFile, keys: KeyPath, partition_keys: object, data: object, kind: str
) -> Iterator[Fault]:
    """A partition key that the data of a step does not have.

    Args:
        keys: where the step stands.
        data: path of the data, as it is written; looked at when it is on this machine.
        kind: type of the input.
    """
    if not isinstance(partition_keys, list) or not partition_keys or not is_local(data):
        return
    columns = _columns(local_path(document, str(data)), kind)
    if columns is None:
        return
    for place, key in enumerate(partition_keys):
        if key not in columns:
            fix = f"it has: {', '.join(columns) or 'none'}"
            text = f"'{key}' is neither a column of the data nor in the names of its folders"
            where = (*keys, "partition_keys", place) if document.get(*keys, "partition_keys") else keys
            yield fault_at(document, "partition-key", text, fix, *where)


def threshold_faults(document: YamlFile, keys: KeyPath, threshold: object, data: object, kind: str) -> Iterator[Fault]:
    """An `error_threshold` that the files of a folder on this machine cannot exceed."""
    if kind != "uri_folder" or not isinstance(threshold, int) or threshold < 0 or not is_local(data):
        return
    path = local_path(document, str(data))
    if not path.is_dir():
        return
    count = 0
    for _, _, files in os.walk(path):
        count += len(files)
        if count > threshold:
            return
    if count:
        fix = f"a number below {count}, or -1 to ignore failed items"
        yield fault_at(
            document, "threshold", f"{threshold} is never exceeded by {count} items", fix, *keys, "error_threshold"
        )


def _script_faults(document: YamlFile, task: KeyPath) -> Iterator[Fault]:
    faults = list(missing_path(document, "the code folder", *task, "code", folder=True))
    yield from faults
    code, script = document.get(*task, "code"), document.get(*task, "entry_script")
    if faults or not isinstance(script, str) or not is_local(code):
        return
    folder = local_path(document, code).resolve()
    path = (folder / script).resolve()
    fix = "give a path below code, for example score.py"
    if not path.is_relative_to(folder):
        yield fault_at(document, "missing-file", f"'{script}' is outside the code folder", fix, *task, "entry_script")
    elif not path.is_file():
        yield fault_at(document, "missing-file", f"'{script}' is not in the code folder", fix, *task, "entry_script")
    else:
        yield from script_faults(path, summary_only=document.get(*task, "append_row_to") is None)


def _append_row_faults(document: YamlFile, interface: Interface, task: KeyPath) -> Iterator[Fault]:
    value = document.get(*task, "append_row_to")
    if value is None:
        return
    binding = _binding(value)
    if not isinstance(binding, bindings.Output) or binding.name not in interface.outputs:
        known = ", ".join(f"${{{{outputs.{name}}}}}" for name in interface.outputs) or "declare one first"
        text = f"'{value}' is not an output of the step"
        yield fault_at(document, "binding", text, f"outputs are: {known}", *task, "append_row_to")


def _option_faults(document: YamlFile, arguments: str, task: KeyPath) -> Iterator[Fault]:
    """A value that the runner refuses. What an expression stands for is not known here, and passes."""
    try:
        words = bindings.words(arguments)
    except ValueError:  # told already
        return
    try:
        runner_options(_known(words))
    except ValueError as error:
        message, _, fix = str(error).partition("; ")
        fix = fix or "see Azure ML's page on parallel jobs"
        yield fault_at(document, "out-of-range", message, fix, *task, _ARGUMENTS)


def _known(words: list[str]) -> list[str]:
    """The words without options whose value is an expression."""
    kept: list[str] = []
    for word in words:
        if bindings.has_expression(word):
            if kept and kept[-1].startswith("--"):
                kept.pop()
            continue
        kept.append(word)
    return kept


def _both_faults(document: YamlFile, keys: KeyPath) -> Iterator[Fault]:
    if document.get(*keys, "partition_keys") and document.get(*keys, "mini_batch_size") is not None:
        text = "has no effect: partition_keys make one mini-batch for each combination of values"
        yield fault_at(document, "without-effect", text, "remove one of them", *keys, "mini_batch_size")


def _unused_faults(document: YamlFile, interface: Interface, keys: KeyPath) -> Iterator[Fault]:
    task = document.get(*keys, "task")
    if not isinstance(task, dict):
        return
    texts = (str(document.get(*keys, "input_data")), str(task.get(_ARGUMENTS)), str(task.get("append_row_to")))
    for kind, names in (("inputs", interface.inputs), ("outputs", interface.outputs)):
        for name in names:
            if not any(f"{kind}.{name}" in text for text in texts):
                fix = f"use ${{{{{kind}.{name}}}}} in program_arguments, or remove it"
                yield fault_at(document, "unused-input", "the script does not get it", fix, *keys, kind, name)


def _binding(value: object) -> bindings.Binding | None:
    try:
        return bindings.parse(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _type(spec: object) -> str:
    """The type of an input as it is declared, or as its value shows."""
    if isinstance(spec, Mapping):
        return "string" if "value" in spec else str(spec.get("type", "uri_folder")).lower()
    binding = _binding(spec)
    return "string" if binding is None else "unknown"


def _is_literal(spec: object) -> bool:
    return _type(spec) in LITERAL_TYPES


def _columns(path: Path, kind: str) -> list[str] | None:
    """Columns of the data at a path, those in the names of folders among them; None when they cannot be told."""
    if kind != "mltable":
        return _folder_keys(path)
    from amlops.local.parallel.mltable import load_table  # only files with partition keys pay for it

    try:
        table = load_table(path)
        file = table.files[0]
        found = [*table.path_values(file)]
    except (UserError, IndexError):
        return None
    if table.format == "parquet" or table.options.get("header") == "no_header":
        return None
    try:
        with file.open(encoding=table.options.get("encoding", "utf-8"), newline="") as stream:
            if table.format == "json_lines":
                return [*found, *json.loads(stream.readline())]
            return [*found, *next(csv.reader(stream, delimiter=table.options["delimiter"]), [])]
    except (OSError, ValueError, csv.Error):
        return None


def _folder_keys(path: Path) -> list[str] | None:
    """The keys of the `key=value` folders above the first file; None when there is no file."""
    for folder, folders, files in os.walk(path):
        folders.sort()
        if files:
            parts = Path(folder).relative_to(path).parts
            return [key for key, equals, _ in (part.partition("=") for part in parts) if equals]
    return None


def data_of(step_inputs: Mapping[str, Any], parent_inputs: Mapping[str, Any], name: str) -> tuple[object, str]:
    """Path and type of the data that a step gives to its input `name`; the path is None when it is not written out."""
    value = step_inputs.get(name)
    path = value.get("path") if isinstance(value, Mapping) else value
    kind = str(value.get("type", "uri_folder")) if isinstance(value, Mapping) else "uri_folder"
    binding = _binding(path)
    if isinstance(binding, bindings.ParentInput):
        given = parent_inputs.get(binding.name)
        if isinstance(given, Mapping):
            return given.get("path"), str(given.get("type", kind))
        return None, kind
    return (path, kind) if isinstance(value, Mapping) and binding is None else (None, kind)
