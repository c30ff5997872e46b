"""Inputs that a component's steps name themselves, kept as they are now: labels become versions, local data is copied.

Azure ML does so when a pipeline component is created: what `@latest` means, and what the folder holds, is fixed then.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from amlops import bindings, references
from amlops.errors import UserError
from amlops.jobspec.model import MODEL_TYPES
from amlops.jobspec.values import local_path
from amlops.local.data import LocalData
from amlops.local.data.datastores import DEFAULT, Datastores
from amlops.local.data.uploads import upload
from amlops.local.models import ModelStore
from amlops.local.state import LocalState
from amlops.project import Project
from amlops.yamlfile import YamlFile


class Pinning:
    """Pins the inputs of one project's components."""

    def __init__(self, project: Project, state: LocalState) -> None:
        self._project = project
        self._state = state

    def inputs(self, document: YamlFile, inputs: dict[str, Any], *keys: str) -> None:
        """Pin every `path` among the inputs at `keys`, in place. Raises UserError for one that is not there."""
        for name, value in inputs.items():
            if not isinstance(value, dict) or not isinstance(value.get("path"), str):
                continue
            if bindings.has_expression(value["path"]):
                continue
            try:
                value["path"] = self._pinned(value["path"], str(value.get("type") or "uri_folder"), document.folder)
            except (UserError, ValueError) as error:
                message = getattr(error, "message", str(error)).removeprefix("model: ").removeprefix("path: ")
                raise document.error(message, *keys, name, "path") from None

    def _pinned(self, value: str, type: str, base: Path) -> str:
        if references.is_reference(value):
            if type in MODEL_TYPES:
                return ModelStore(self._state).resolve(value).reference
            return LocalData(self._project, self._state).assets.find(value).reference
        if references.is_remote(value):
            return value
        path = local_path(value, base)
        if not path.exists():
            raise UserError(f"'{value}' does not exist (looked at {path})")
        relative, _ = upload(path, Datastores(self._project, self._state).find(DEFAULT).folder)
        return f"azureml://datastores/{DEFAULT}/paths/{relative}"
