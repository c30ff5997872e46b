"""Environments of the laptop: registered with versions, so that `azureml:NAME:VERSION` means something.

Nothing is built here: steps and deployments run in the project's own environment. What is kept is what Azure ML keeps:
the image, the conda file's content, a copy of the Docker build folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amlops import references, yamlfile
from amlops.datastores import DEFAULT
from amlops.errors import UserError
from amlops.local import assetfiles
from amlops.local.assets import Asset, AssetStore
from amlops.local.data.datastores import Datastores
from amlops.local.data.uploads import upload
from amlops.local.state import LocalState
from amlops.project import Project
from amlops.references import DatastorePath
from amlops.workspace import Record
from amlops.yamlfile import YamlFile

_KIND = "environment"
_KEPT = ("image", "inference_config")


class LocalEnvironments:
    """See `amlops.workspace.Assets`."""

    def __init__(self, project: Project, state: LocalState) -> None:
        self._project = project
        self._store = AssetStore(state, _KIND, "environment")
        self._datastores = Datastores(project, state)

    def create(self, file: Path | None, *, values: Mapping[str, Any], sets: Sequence[str] = ()) -> Record:
        """Register an environment under its version, or under the next whole number. Raises UserError."""
        document = assetfiles.read(_KIND, file, values, sets, self._project)
        data = document.data
        version = data.get("version")
        asset = self._store.add(
            data["name"],
            None if version is None else str(version),
            self._content(document),
            description=data.get("description", ""),
            tags=data.get("tags"),
        )
        return asset.as_record()

    def list(self, name: str | None = None) -> list[Record]:
        """Versions, newest first; of `name`, or of all names."""
        return [asset.as_record() for asset in self._store.list(name)]

    def show(self, name: str, version: str | None = None) -> Record:
        """One version; None or "latest" is the one made last. Raises UserError."""
        return self._store.show(name, version).as_record()

    def find(self, reference: str) -> Asset:
        """The environment that `azureml:NAME:VERSION` or `azureml:NAME@latest` means. Raises UserError."""
        return self._store.find(reference)

    def pinned(self, value: Any, tell: Callable[[str], None]) -> Any:
        """The environment of a deployment as Azure ML keeps it: a registered one with its version.

        Args:
            value: `environment:` of the file.
            tell: gets a line for one that is not registered: Azure refuses it, here the project's own is used anyway.
        """
        if not references.is_reference(value) or references.arm_asset(value):
            return value
        try:
            return self.find(value).reference
        except UserError as error:
            tell(f"environment: {error.message}; Azure ML would refuse it, here the project's own environment is used")
            return value

    def _content(self, document: YamlFile) -> dict[str, Any]:
        data = document.data
        content: dict[str, Any] = {key: data[key] for key in _KEPT if data.get(key)}
        content["os_type"] = str(data.get("os_type", "linux")).lower()
        conda = data.get("conda_file")
        if isinstance(conda, dict):
            content["conda_file"] = conda
        elif conda:
            content["conda_file"] = yamlfile.load(document.resolve(conda.removeprefix("file:"))).data
        build = data.get("build")
        if build:
            folder = document.resolve(build["path"])
            relative, _ = upload(folder, self._datastores.find(DEFAULT).folder)
            content["build"] = {**build, "path": str(DatastorePath(DEFAULT, relative))}
        return content
