"""Model YAML files, and the same from flags (Azure ML "model YAML" reference: name, version, type, path,
description, tags, properties).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from amlops import references, yamlfile
from amlops.errors import UserError
from amlops.jobspec import overrides
from amlops.jobspec.keys import check_keys
from amlops.yamlfile import Section

_KEYS = {
    "$schema",
    "name",
    "version",
    "type",
    "path",
    "description",
    "tags",
    "properties",
    "stage",
    "flavors",
    "datastore",
}
_DEFAULT_TYPE = "custom_model"


@dataclass(frozen=True)
class ModelSpec:
    """What is to be registered; empty fields have not been given yet. `path` is text when it is an address."""

    name: str = ""
    path: Path | str = field(default_factory=Path)
    type: str = _DEFAULT_TYPE
    version: str | None = None
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)

    def changed(self, *, tags: dict[str, str], **values: Any) -> ModelSpec:
        """A copy with the values that are not None; `tags` are added.

        Raises UserError when name or path are still missing.
        """
        given = {key: value for key, value in values.items() if value is not None}
        spec = replace(self, **given, tags={**self.tags, **tags})
        if not spec.name:
            raise UserError("name: the model has no name; for example --name digits")
        if spec.path == Path():
            raise UserError("path: the model has no path; for example --path outputs/model")
        return spec


def read(file: Path | None, sets: Sequence[str] = (), *, with_path: bool = True) -> ModelSpec:
    """The model that a YAML file describes; an empty spec without a file.

    Args:
        with_path: False when the path comes from elsewhere, so that the file's own is not looked at.

    Raises:
        UserError: the file is wrong.
    """
    if file is None:
        return ModelSpec()
    section = overrides.apply(yamlfile.load(file), sets, Path.cwd()).section()
    check_keys(section, _KEYS, "model")
    path = section.get("path") if with_path else None
    if path is not None and not isinstance(path, str):
        raise section.error(f"'{path}' must be a file or folder; for example ../outputs/model", "path")
    return ModelSpec(
        name=section.text("name"),
        path=_path(path, section),
        type=section.text("type", _DEFAULT_TYPE),
        version=section.text("version") or None,
        description=section.text("description"),
        tags=_texts(section.section("tags")),
        properties=_texts(section.section("properties")),
    )


def _path(value: str | None, section: Section) -> Path | str:
    if not value:
        return Path()
    return value if references.is_remote(value) else section.resolve(value)


def _texts(section: Section) -> dict[str, str]:
    return {key: section.text(key) for key in section.values}
