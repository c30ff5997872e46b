"""The YAML of endpoints and deployments on its way in: changes applied, then every check that `amlops validate`
makes.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from amlops.errors import UserError
from amlops.jobspec import overrides
from amlops.project import Project
from amlops.validate import Context, document_faults
from amlops.validate.kinds import KINDS
from amlops.yamlfile import YamlFile


def from_data(data: dict[str, Any], path: Path) -> YamlFile:
    """A document that has no file, or whose file may have changed since; `path` is where relative paths start."""
    return YamlFile(path, copy.deepcopy(data))


def changed(document: YamlFile, sets: Sequence[str], **values: str | None) -> YamlFile:
    """The document with `--set` changes, then with the values that flags gave. Raises UserError."""
    document = overrides.apply(document, sets, Path.cwd())
    given = {key: value for key, value in values.items() if value is not None}
    return replace(document, data={**document.data, **given})


def checked(document: YamlFile, kind: str, project: Project, *, ignoring: Collection[str] = ()) -> YamlFile:
    """The document, if it has no fault other than against the rules in `ignoring`.

    Raises:
        UserError: the first fault, and how many more there are.
    """
    # Nothing is compared with the project's other files: what exists is what has been created.
    found = document_faults(document, KINDS[kind], Context(project.root))
    faults = [fault for fault in found if not fault.is_warning and fault.rule not in ignoring]
    if not faults:
        return document
    first, more = min(faults, key=lambda fault: fault.sort_key), len(faults) - 1
    hint = f" (and {more} more: amlops validate shows all)" if more else ""
    raise UserError(f"{first.message}; {first.fix}{hint}", file=first.file, line=first.line or None)
