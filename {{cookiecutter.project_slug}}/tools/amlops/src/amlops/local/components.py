"""Components of the laptop, with versions: `component: azureml:NAME:VERSION` in a pipeline.

A version is a YAML file of its own below `.amlops/assets/files/`, called by its content. Code folders and conda files
that it names are copied, as Azure ML does, so that a version stays as it was registered.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from amlops import references, yamlfile
from amlops.errors import UserError
from amlops.files import sha256, write_text
from amlops.local import assetfiles
from amlops.local.assets import AssetStore
from amlops.local.pinning import Pinning
from amlops.local.state import LocalState
from amlops.project import Project
from amlops.workspace import Record
from amlops.yamlfile import YamlFile

_KIND = "component"
_KINDS = {"command": "command-component", "parallel": "parallel-component", "pipeline": "pipeline-component"}
_DEEPEST = 20


class LocalComponents:
    """See `amlops.workspace.Assets`."""

    def __init__(self, project: Project, state: LocalState) -> None:
        self._project = project
        self._pinning = Pinning(project, state)
        self._store = AssetStore(state, _KIND, "component")
        self._files = state.assets / "files"
        self._code = state.assets / "code"

    def create(self, file: Path | None, *, values: Mapping[str, Any], sets: Sequence[str] = ()) -> Record:
        """Register a component under its version, or under the next whole number. Raises UserError."""
        document = self._checked(assetfiles.with_values(file, values, sets, _KIND))
        data = document.data
        name, version = str(data["name"]), data.get("version")
        self._store.check(name, None if version is None else str(version))
        kept = self._self_contained(document, 0)
        path = self._save({key: value for key, value in kept.items() if key != "version"})
        content = {
            "type": kept.get("type", "command"),
            "display_name": kept.get("display_name", ""),
            "inputs": kept.get("inputs") or {},
            "outputs": kept.get("outputs") or {},
            "file": path.name,
        }
        asset = self._store.add(
            name,
            None if version is None else str(version),
            content,
            description=data.get("description", ""),
            tags=data.get("tags"),
        )
        return self._record(asset.as_record())

    def list(self, name: str | None = None) -> list[Record]:
        """Versions, newest first; of `name`, or of all names."""
        return [self._record(asset.as_record()) for asset in self._store.list(name)]

    def show(self, name: str, version: str | None = None) -> Record:
        """One version; None or "latest" is the one made last. Raises UserError."""
        return self._record(self._store.show(name, version).as_record())

    def resolve(self, reference: str) -> Path:
        """The YAML file of `azureml:NAME:VERSION` or `azureml:NAME@latest`, as it was registered.

        Raises:
            UserError: there is no such component, or its file has been changed.
        """
        asset = self._store.find(reference)
        path = self._files / asset.content["file"]
        if not path.is_file() or not sha256(path).startswith(path.stem):
            raise UserError(f"{asset.reference} is damaged: {path} has changed; register it under a new version")
        return path

    def frozen(self, document: YamlFile) -> Path:
        """The YAML file of a component as it is now, with all that it needs; no version is made. Raises UserError."""
        return self._save(self._self_contained(self._checked(document), 0))

    def pinned(self, reference: str) -> str:
        """`azureml:NAME:VERSION` for what a reference means now. Raises UserError."""
        return self._store.find(reference).reference

    def _record(self, record: Record) -> Record:
        return {**record, "file": str(self._files / record["file"])}

    def _checked(self, document: YamlFile) -> YamlFile:
        from amlops.local.batch import documents  # reads the shapes of `amlops validate`, which takes a moment
        from amlops.validate.kinds import KINDS

        kind = str(document.data.get("type", "command")).lower()
        if kind not in _KINDS:
            known = ", ".join(_KINDS)
            raise document.error(f"'{kind}' components are not run on the laptop; one of {known}", "type")
        if not document.data.get("name"):
            raise document.error("a component needs a name; for example prepare_images", "name")
        known_kind = _KINDS[kind]
        return documents.checked(document, known_kind, self._project) if known_kind in KINDS else document

    def _self_contained(self, document: YamlFile, depth: int) -> dict[str, Any]:
        """The component's YAML with every local path in it replaced by that of a copy."""
        if depth > _DEEPEST:
            raise document.error("a component contains itself, or is nested too deep")
        data = copy.deepcopy(document.data)
        self._own_paths(document, data, ())
        for step in data.get("jobs") or {}:
            keys = ("jobs", step)
            entry = data["jobs"][step]
            if not isinstance(entry, dict):
                continue
            self._own_paths(document, entry, keys)
            if isinstance(entry.get("inputs"), dict):
                self._pinning.inputs(document, entry["inputs"], *keys, "inputs")
            component = entry.get("component")
            if references.is_reference(component):
                entry["component"] = self._pinned_component(document, str(component), keys)
            elif isinstance(component, str) and not references.is_remote(component):
                path = document.resolve(component.removeprefix("file:"))
                inner = self._checked(yamlfile.load(path))
                entry["component"] = str(self._save(self._self_contained(inner, depth + 1)))
            elif isinstance(component, dict):
                self._own_paths(document, component, (*keys, "component"))
        return data

    def _pinned_component(self, document: YamlFile, reference: str, keys: tuple[str, ...]) -> str:
        try:
            return self.pinned(reference)
        except UserError as error:
            raise document.error(error.message, *keys, "component") from None

    def _own_paths(self, document: YamlFile, data: dict[str, Any], keys: tuple[str, ...]) -> None:
        """Copy what a component, a step or a task names itself: its code folder, and the conda file."""
        from amlops.local.batch.snapshot import snapshot_code

        for target, where in ((data, keys), (data.get("task"), (*keys, "task"))):
            if not isinstance(target, dict):
                continue
            code = target.get("code")
            if isinstance(code, str) and not references.is_remote(code):
                path = document.resolve(code)
                if not path.exists():
                    raise document.error(f"'{code}' does not exist (looked at {path})", *where, "code")
                target["code"] = str(snapshot_code(path if path.is_dir() else path.parent, self._code))
            environment = target.get("environment")
            if not isinstance(environment, dict):
                continue
            conda = environment.get("conda_file")
            if isinstance(conda, str):
                environment["conda_file"] = yamlfile.load(document.resolve(conda.removeprefix("file:"))).data

    def _save(self, data: Mapping[str, Any]) -> Path:
        text = yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True)
        path = self._files / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.yml"
        if not path.is_file():
            write_text(path, text)
        return path
