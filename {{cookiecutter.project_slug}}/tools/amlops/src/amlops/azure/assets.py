"""`amlops data`, `environment`, `component` and `datastore` in Azure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlops.azure import asset_records
from amlops.azure.errors import azure_errors
from amlops.errors import UserError
from amlops.workspace import Record

if TYPE_CHECKING:
    from amlops.azure.client import AzureContext


@dataclass(frozen=True)
class Kind:
    """A kind of asset.

    Attributes:
        noun: as in the command.
        collection: of Resource Manager, and of azure-ai-ml's client.
        loader: function of azure.ai.ml that reads its YAML.
        record: what is printed of a version.
    """

    noun: str
    collection: str
    loader: str
    record: Callable[[str, Mapping[str, Any]], Record]


DATA = Kind("data", "data", "load_data", asset_records.data)
ENVIRONMENTS = Kind("environment", "environments", "load_environment", asset_records.environment)
COMPONENTS = Kind("component", "components", "load_component", asset_records.component)


class AzureAssets:
    """See `amlops.workspace.Assets`."""

    def __init__(self, azure: AzureContext, kind: Kind) -> None:
        self._azure = azure
        self._kind = kind

    def create(self, file: Path | None, *, values: Mapping[str, Any], sets: Sequence[str] = ()) -> Record:
        """Register what a file and flags say; see `amlops.workspace.Assets.create`."""
        from amlops.local import assetfiles  # reads the shapes of `amlops validate`, which takes a moment

        kind = self._kind
        if kind is COMPONENTS:  # azure-ai-ml knows more kinds of components than the laptop runs
            document = assetfiles.with_values(file, values, sets, kind.noun)
        else:
            document = assetfiles.read(kind.noun, file, values, sets, self._azure.project)
        errors = azure_errors(self._azure, f"{kind.noun} '{document.data.get('name')}'", file=file)
        with self._azure.source(document.path, document.data) as (text, origin), errors:
            import azure.ai.ml

            asked = getattr(azure.ai.ml, kind.loader)(text, relative_origin=str(origin))
            made: Any = getattr(self._azure.ml, kind.collection).create_or_update(asked)
        # azure-ai-ml tells no version of a component that was given none: it is the newest.
        return self.show(str(made.name), str(made.version) if made.version else None)

    def list(self, name: str | None = None) -> list[Record]:
        """Versions, newest first; see `amlops.workspace.Assets.list`."""
        collection = self._kind.collection
        with azure_errors(self._azure, collection):
            found = [one["name"] for one in self._azure.rest.workspace_list(collection)] if name is None else [name]
        # Those that azure-ai-ml makes for an inline environment, or an inline component, are nobody's.
        named = [one for one in found if name or one not in _ANONYMOUS]
        versions = [record for one in named for record in self._versions(one)]
        return sorted(versions, key=_age, reverse=True)

    def _versions(self, name: str) -> Sequence[Record]:
        """The versions of a name, newest first; none where it is not registered."""
        with azure_errors(self._azure, f"{self._kind.noun} '{name}'"):
            documents = self._azure.rest.versions(self._kind.collection, name)
        return sorted((self._kind.record(name, document) for document in documents), key=_age, reverse=True)

    def show(self, name: str, version: str | None = None) -> Record:
        """One version; see `amlops.workspace.Assets.show`."""
        versions, noun, workspace = self._versions(name), self._kind.noun, self._azure.environment.workspace
        if not versions:
            raise UserError(f"the {noun} '{name}' is not registered in workspace '{workspace}'")
        if version in (None, "latest"):
            return versions[0]
        for record in versions:
            if record["version"] == str(version):
                return record
        known = ", ".join(record["version"] for record in versions)
        raise UserError(f"the {noun} '{name}' has no version '{version}' in workspace '{workspace}'; it has: {known}")


# Names under which azure-ai-ml registers what has none.
_ANONYMOUS = frozenset({"CliV2AnonymousEnvironment", "azureml_anonymous"})


def _age(record: Record) -> tuple[str, int]:
    """Sorts by the time of creation, then by the number."""
    version = str(record["version"])
    return str(record["created_at"] or ""), int(version) if version.isdigit() else -1


class AzureDatastores:
    """See `amlops.workspace.Resources`."""

    def __init__(self, azure: AzureContext) -> None:
        self._azure = azure

    def create(self, file: Path | None, *, values: Mapping[str, Any], sets: Sequence[str] = ()) -> Record:
        """Make a data store, or change the one of that name; see `amlops.workspace.Resources.create`."""
        from amlops.local import assetfiles

        document = assetfiles.with_values(file, values, sets, "datastore")
        name = str(document.data.get("name"))
        errors = azure_errors(self._azure, f"data store '{name}'", file=file)
        with self._azure.source(document.path, document.data) as (text, origin), errors:
            from azure.ai.ml import load_datastore

            self._azure.ml.datastores.create_or_update(load_datastore(text, relative_origin=str(origin)))
        return self.show(name)

    def list(self) -> list[Record]:
        """All data stores, by name; see `amlops.workspace.Resources.list`."""
        with azure_errors(self._azure, "data stores"):
            found = [asset_records.datastore(document) for document in self._azure.rest.workspace_list("datastores")]
        return sorted(found, key=lambda record: record["name"])

    def show(self, name: str) -> Record:
        """One data store; see `amlops.workspace.Resources.show`."""
        found = self.list()
        for record in found:
            if record["name"].lower() == name.lower():
                return record
        known = ", ".join(record["name"] for record in found) or "none"
        raise UserError(f"--name: there is no data store '{name}'; there are: {known}")
