"""`--set a.b.c=value`: changes to what a job file says, made before it is checked."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from amlops import references, yamlfile
from amlops.bindings import has_expression
from amlops.errors import UserError
from amlops.jobspec.model import PATH_TYPES
from amlops.yamlfile import YamlFile

_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*(\.[A-Za-z0-9_$-]+)*")
_EXAMPLE = "for example --set inputs.rate=0.1"


def apply(document: YamlFile, sets: Sequence[str], base: Path) -> YamlFile:
    """A copy of `document` with the changes made. Values are typed like YAML scalars: 3, 0.1, true, text, '"3"' for
    text.

    Args:
        sets: changes; see `spelled_out` for paths.
        base: the folder of the shell, where relative paths in `sets` start.

    Raises:
        UserError: not KEY=VALUE, not YAML, or a key below something that is not a mapping.
    """
    if not sets:
        return document
    changed = copy.deepcopy(document.data)
    for entry in spelled_out(document, sets, base):
        keys, value = _parse(entry)
        _set(changed, keys, value, entry)
    return replace(document, data=changed)


def spelled_out(document: YamlFile, sets: Sequence[str], base: Path) -> list[str]:
    """The changes as `az ml` understands them.

    `inputs.images=./scans` becomes `inputs.images.path=/…/scans` where `images` is a data input of the document. Paths
    of inputs become absolute: they start at the shell's folder here, and at the file's folder in `az ml`.

    Raises:
        UserError: not KEY=VALUE, or not YAML.
    """
    entries: list[str] = []
    for entry in sets:
        keys, value = _parse(entry)
        if isinstance(value, str) and keys[:-1][-1:] == ["inputs"] and _is_data(document.get(*keys)):
            keys = [*keys, "path"]
        is_path = isinstance(value, str) and keys[-1] == "path" and "inputs" in keys[:-1]
        entries.append(f"{'.'.join(keys)}={yamlfile.scalar(_absolute(value, base))}" if is_path else entry)
    return entries


def check_inputs(document: YamlFile, sets: Sequence[str]) -> None:
    """Refuse a change of an input that the job does not declare: no step would read it.

    A pipeline whose steps are a component of their own declares its inputs there, and is not checked.

    Raises:
        UserError: such a change; or it is not KEY=VALUE, or not YAML.
    """
    declared = document.section("inputs").values
    for entry in sets:
        keys, value = _parse(entry)
        if keys[0] != "inputs" or document.get("component") is not None:
            continue
        given = keys[1:2] or (list(value) if isinstance(value, dict) else [])
        for name in given:
            if name not in declared:
                raise UserError(_not_declared(str(name), list(declared)))


def _not_declared(name: str, declared: list[str]) -> str:
    near = get_close_matches(name, declared, n=1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return f"--set: 'inputs.{name}' is not an input of this job; {hint}it has: {', '.join(declared) or 'none'}"


def _is_data(value: Any) -> bool:
    return isinstance(value, dict) and "value" not in value and value.get("type", "uri_folder") in PATH_TYPES


def _parse(entry: str) -> tuple[list[str], Any]:
    key, equals, text = entry.partition("=")
    if not equals or not _KEY.fullmatch(key.strip()):
        raise UserError(f"--set: '{entry}' must be KEY=VALUE with keys joined by dots; {_EXAMPLE}")
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        raise UserError(f"--set: the value in '{entry}' is not a YAML value; quote it, {_EXAMPLE}") from None
    return key.strip().split("."), value


def _set(data: dict[str, Any], keys: list[str], value: Any, entry: str) -> None:
    target = data
    for depth, key in enumerate(keys[:-1]):
        child = target.setdefault(key, {})
        if child is None:
            child = target[key] = {}
        if not isinstance(child, dict):
            where = ".".join(keys[: depth + 1])
            raise UserError(f"--set: '{entry}' goes below '{where}', which is a plain value; set '{where}' itself")
        target = child
    target[keys[-1]] = value


def _absolute(value: str, base: Path) -> str:
    if (
        has_expression(value)
        or references.is_reference(value)
        or references.is_address(value)
        or value.startswith("file:")
    ):
        return value
    return str((base / Path(value).expanduser()).resolve())
