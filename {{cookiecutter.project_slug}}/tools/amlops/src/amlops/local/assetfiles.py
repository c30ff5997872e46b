"""The YAML of data assets, environments, components, data stores and computes on its way in: changed by `--set` and by
flags, then checked as `amlops validate` does.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from amlops import references, yamlfile
from amlops.jobspec import overrides
from amlops.project import Project
from amlops.yamlfile import YamlFile

# Keys whose value is a path: what a flag gives starts at the shell's folder, and not at the file's.
_PATHS = (("path",), ("conda_file",), ("build", "path"))


def read(kind: str, file: Path | None, values: Mapping[str, Any], sets: Sequence[str], project: Project) -> YamlFile:
    """The document that a file and flags make, without a fault.

    Args:
        kind: a kind of file of `amlops.validate`.
        values: what flags gave, by key of the YAML ("build.path" stands for a key in a mapping); None is left out.
            Tags are added to those of the file.
        sets: `--set` changes.

    Raises:
        UserError: the first fault, and how many more there are.
    """
    from amlops.local.batch import documents  # reads the shapes of `amlops validate`, which takes a moment

    document = with_values(file, values, sets, kind.partition("-")[0])
    return documents.checked(document, kind, project)


def with_values(file: Path | None, values: Mapping[str, Any], sets: Sequence[str], name: str) -> YamlFile:
    """The document before it is checked; `name` stands in errors when there is no file. Raises UserError."""
    document = yamlfile.load(file) if file else YamlFile(Path.cwd() / name, {})
    document = overrides.apply(document, sets, Path.cwd())
    data = copy.deepcopy(document.data)
    for key, value in values.items():
        if value in (None, {}):
            continue
        keys = tuple(key.split("."))
        target = data
        for each in keys[:-1]:
            inner = dict(target.get(each) or {})
            target[each] = inner
            target = inner
        target[keys[-1]] = {**(data.get(key) or {}), **value} if key == "tags" else _absolute(keys, value)
    return replace(document, data=data)


def _absolute(keys: tuple[str, ...], value: Any) -> Any:
    if keys not in _PATHS or not isinstance(value, str) or references.is_remote(value):
        return value
    return str((Path.cwd() / Path(value).expanduser()).absolute())
