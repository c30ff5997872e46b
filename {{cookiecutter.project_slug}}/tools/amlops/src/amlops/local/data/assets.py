"""Data assets: a name and a version for a file or folder.

assets = LocalDataAssets(project, state, Datastores(project, state))
assets.register("digits", "./images", base=Path.cwd(), type="uri_folder")
assets.find("azureml:digits@latest").content["path"]     # azureml://datastores/workspaceblobstore/paths/…
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from amlops import references
from amlops.datastores import DEFAULT
from amlops.errors import UserError
from amlops.jobspec.values import check_type, local_path
from amlops.local import assetfiles
from amlops.local.assets import Asset, AssetStore
from amlops.local.data import downloads
from amlops.local.data.datastores import Datastores
from amlops.local.data.joboutputs import job_output
from amlops.local.data.uploads import Content, content, upload
from amlops.local.state import LocalState
from amlops.project import Project
from amlops.references import DatastorePath
from amlops.workspace import Record

TYPES = ("uri_file", "uri_folder", "mltable")


class LocalDataAssets:
    """See `amlops.workspace.Assets`."""

    def __init__(self, project: Project, state: LocalState, datastores: Datastores) -> None:
        self._project = project
        self._state = state
        self._store = AssetStore(state, "data", "data asset")
        self._datastores = datastores

    def create(self, file: Path | None, *, values: Mapping[str, Any], sets: Sequence[str] = ()) -> Record:
        """Register what a file and flags say; see `register`. Raises UserError."""
        document = assetfiles.read("data", file, values, sets, self._project)
        data = document.data
        version = data.get("version")
        try:
            asset = self.register(
                data["name"],
                data["path"],
                base=document.folder,
                type=str(data.get("type", "uri_folder")).lower(),
                version=None if version is None else str(version),
                description=data.get("description", ""),
                tags=data.get("tags"),
            )
        except UserError as error:
            raise UserError(error.message, file=file) from None
        return asset.as_record()

    def register(
        self,
        name: str,
        path: str,
        *,
        base: Path,
        type: str = "uri_folder",
        version: str | None = None,
        description: str = "",
        tags: Mapping[str, Any] | None = None,
    ) -> Asset:
        """Register data under `version`, or under the next whole number.

        A local path, or what a job wrote, is copied to the default data store, so that the version stays as it is now.
        An address in a data store and an https address stay references.

        Args:
            path: a local path, which starts at `base`, or an address.

        Raises:
            UserError: a value breaks a rule, there is nothing at the path, or the version exists with another path.
        """
        self._store.check(name, version)
        if type not in TYPES:
            raise UserError(f"type: '{type}' is not a type of data; one of {', '.join(TYPES)}")
        place = references.datastore_path(path)
        if place is not None:
            self._check_place(place, type)
            kept = {"type": type, "path": str(place)}
        elif references.is_web_address(path):
            kept = {"type": type, "path": _checked_address(path)}
        elif output := references.job_output(path):
            kept = self._uploaded(str(job_output(output, self._state)), base, type)
        elif references.is_remote(path):
            raise UserError(
                f"path: '{path}' is not a place of data; for example ./images, {references.DATASTORE_EXAMPLE} or "
                "https://example.com/images.csv"
            )
        else:
            kept = self._uploaded(path, base, type)
        return self._store.add(name, version, kept, description=description, tags=tags)

    def list(self, name: str | None = None) -> list[Record]:
        """Versions, newest first; of `name`, or of all names."""
        return [asset.as_record() for asset in self._store.list(name)]

    def versions(self, name: str) -> Sequence[Asset]:
        """The versions of a name, newest first; none when there is no such name."""
        return self._store.list(name)

    def show(self, name: str, version: str | None = None) -> Record:
        """One version; None or "latest" is the one made last. Raises UserError."""
        return self._store.show(name, version).as_record()

    def find(self, reference: str) -> Asset:
        """The version that `azureml:name:version` or `azureml:name@latest` means, unchanged since it was registered.

        Raises:
            UserError: there is none, or its copy has been changed.
        """
        asset = self._store.find(reference)
        if "content" in asset.content:
            place = references.datastore_path(asset.content["path"])
            path = self._datastores.path(place) if place else None
            if path is None or content(path) != Content(**asset.content["content"]):
                raise UserError(
                    f"{asset.reference} is damaged: its copy {path} has changed; register the data under a new version"
                )
        return asset

    def _uploaded(self, value: str, base: Path, type: str) -> dict[str, Any]:
        try:
            path = local_path(value, base)
            check_type(path, type, value)
        except ValueError as error:
            raise UserError(f"path: {error}") from None
        relative, found = upload(path, self._datastores.find(DEFAULT).folder)
        return {"type": type, "path": str(DatastorePath(DEFAULT, relative)), "content": asdict(found)}

    def _check_place(self, place: DatastorePath, type: str) -> None:
        """What is in a data store may come later; what is there must be of the type."""
        path = self._datastores.path(place)
        if not path.exists():
            return
        try:
            check_type(path, type, str(place))
        except ValueError as error:
            raise UserError(f"path: {error}") from None


def _checked_address(address: str) -> str:
    try:
        downloads.check(address)
    except UserError as error:
        raise UserError(f"path: {error.message}") from None
    if urlsplit(address).query:
        raise UserError(
            f"path: '{references.without_secrets(address)}?…' has a query, which may hold a key, and an asset is not "
            "secret; register the data in a data store, or its address without the query"
        )
    return address
