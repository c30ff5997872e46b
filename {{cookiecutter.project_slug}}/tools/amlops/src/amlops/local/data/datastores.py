"""Data stores of the laptop: each is a folder below `.amlops/datastores/`, or one that `local.yml` names.

datastores = Datastores(project, LocalState(project))
datastores.path(references.datastore_path("azureml://datastores/workspaceblobstore/paths/images"))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlops import yamlfile
from amlops.datastores import BLOB, BUILT_IN, DEFAULT, NAME_PATTERN, SAME_PLACE, parts_of, writable_instead
from amlops.errors import UserError
from amlops.files import write_json
from amlops.local import assetfiles
from amlops.local.state import LocalState
from amlops.local.stored import read_record
from amlops.project import MARKER, Project
from amlops.references import DATASTORE_EXAMPLE, DatastorePath, WorkspaceId
from amlops.workspace import Record

_SECRET = "credentials"  # noqa: S105 (the key of the YAML; its value is never kept)
_MAPPED = "datastores"


@dataclass(frozen=True)
class Datastore:
    """A data store. `values` is what else its YAML says, without credentials."""

    name: str
    type: str
    folder: Path
    description: str
    values: Mapping[str, Any]

    @property
    def id(self) -> str:
        """What an address begins with: `<id>/paths/images`, as with the id that `az ml` prints."""
        return f"azureml://datastores/{self.name}"

    def as_record(self) -> dict[str, Any]:
        """What `datastore show` prints."""
        return {
            **self.values,
            "id": self.id,
            "name": self.name,
            "type": self.type,
            "description": self.description,
            "is_default": self.name == DEFAULT,
            "folder": str(self.folder),
        }


class Datastores:
    """See `amlops.workspace.Resources`."""

    def __init__(self, project: Project, state: LocalState) -> None:
        self._project = project
        self._state = state

    def create(self, file: Path | None, *, values: Mapping[str, Any], sets: Sequence[str] = ()) -> Record:
        """Make a data store from a YAML file, or change the one of that name; its folder keeps what it has.

        Keys and credentials in the file are not kept: the laptop needs none.

        Raises:
            UserError: the file has a fault, or the name is one that every workspace has.
        """
        document = assetfiles.read("datastore", file, values, sets, self._project)
        data = document.data
        if data["name"] in BUILT_IN:
            raise document.error(f"'{data['name']}' is there already; choose another name", "name")
        record = {key: value for key, value in data.items() if key not in (_SECRET, "$schema")}
        record["type"] = str(data["type"]).lower()
        self._state.prepare()
        write_json(self._state.datastores / f"{data['name']}.json", record)
        return self.show(data["name"])

    def list(self) -> list[Record]:
        """All data stores, the default first. Raises UserError."""
        return [store.as_record() for store in self._all()]

    def show(self, name: str) -> Record:
        """One data store. Raises UserError."""
        return self.find(name).as_record()

    def find(self, name: str) -> Datastore:
        """One data store. Raises UserError."""
        for store in self._all():
            if store.name == name:
                return store
        known = ", ".join(store.name for store in self._all())
        raise UserError(
            f"there is no data store '{name}'; there are: {known} (another: amlops datastore create -f FILE)"
        )

    def path(self, address: DatastorePath) -> Path:
        """The file or folder that an address means, whether it exists or not; never outside the store's folder.

        Raises:
            UserError: there is no such store, the address leaves it, or it names another workspace.
        """
        self._check_workspace(address)
        store = self.find(address.datastore)
        return store.folder.joinpath(*_parts(address))

    def output(self, address: DatastorePath) -> Path:
        """The folder that a batch endpoint may write to. Raises UserError, too for a store that is not of type blob."""
        path = self.path(address)
        store = self.find(address.datastore)
        if store.type != BLOB:
            instead = DatastorePath(writable_instead(store.name), address.path or "scores")
            raise UserError(
                f"'{store.name}' is a data store of type {store.type}, and batch endpoints write only to blob data "
                f"stores; for example {instead}"
            )
        return path

    def workspaces(self) -> Iterator[WorkspaceId]:
        """The workspaces of the project's environments."""
        for name in self._project.environment_names():
            environment = self._project.environment(name)
            if environment.workspace:
                yield WorkspaceId(environment.subscription_id, environment.resource_group, environment.workspace)

    def check_workspace(self, asked: WorkspaceId, shown: str) -> None:
        """Raise UserError when `asked` is no workspace of this project; `shown` is what the user wrote."""
        known = list(self.workspaces())
        if any(_same(asked, workspace) for workspace in known):
            return
        names = ", ".join(workspace.name for workspace in known) or "none yet"
        raise UserError(
            f"'{shown}' names the workspace '{asked.name}', which is not this project's ({names}); leave the workspace "
            f"out, for example {DATASTORE_EXAMPLE}"
        )

    def _check_workspace(self, address: DatastorePath) -> None:
        if address.workspace is not None:
            self.check_workspace(address.workspace, f"azureml://…/{address.datastore}/paths/{address.path}")

    def _all(self) -> Iterator[Datastore]:
        mapped = self._mapped()
        for name, (kind, description) in BUILT_IN.items():
            yield Datastore(name, kind, self._folder(name, mapped), description, {})
        made = sorted(self._state.datastores.glob("*.json"))
        for record in (read_record(file, "the data store") for file in made):
            name = record["name"]
            rest = {key: value for key, value in record.items() if key not in ("name", "type", "description")}
            yield Datastore(name, record["type"], self._folder(name, mapped), record.get("description", ""), rest)
        known = {*BUILT_IN, *(file.stem for file in made)}
        for name, folder in mapped.items():
            if name not in known:
                yield Datastore(name, BLOB, folder, f"A folder that {MARKER.as_posix()} names", {})

    def _folder(self, name: str, mapped: Mapping[str, Path]) -> Path:
        if name in mapped:
            return mapped[name]
        place = SAME_PLACE.get(name, name)
        return mapped.get(place) or self._state.datastores / place

    def _mapped(self) -> dict[str, Path]:
        """Data store -> folder, from `datastores:` in local.yml; paths start at that file's folder."""
        marker = self._project.root / MARKER
        if not marker.is_file():
            return {}
        section = yamlfile.load(marker).section(_MAPPED)
        folders: dict[str, Path] = {}
        for name in section.values:
            if not NAME_PATTERN.fullmatch(name):
                raise section.error("a name must be letters, digits, '_' and '-'; for example lake_curated", name)
            path = section.resolve(section.text(name))
            if path.exists() and not path.is_dir():
                raise section.error(f"'{section.text(name)}' is a file; name a folder", name)
            folders[name] = path
        return folders


def _parts(address: DatastorePath) -> tuple[str, ...]:
    parts = parts_of(address)
    if parts is None:
        raise UserError(f"'{address}' leaves the data store; use a path below it, for example {DATASTORE_EXAMPLE}")
    return parts


def _same(asked: WorkspaceId, known: WorkspaceId) -> bool:
    """Azure does not look at the case of names. A subscription that is not filled in yet may be any."""
    if known.subscription and asked.subscription.lower() != known.subscription.lower():
        return False
    names = (asked.resource_group.lower(), asked.name.lower())
    return names == (known.resource_group.lower(), known.name.lower())
