"""`amlops model` in Azure.

What is uploaded is hashed here and the hash kept as a property of the version (`amlops.contenthash`): Azure keeps none,
and a promotion compares the two. The service has no filter by tags, and lists no tags unless a name is given
(Azure/azure-sdk-for-python #40680), so versions are read by name and chosen here.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlops import contenthash, references
from amlops.azure import records
from amlops.azure.errors import azure_errors
from amlops.entities import Model
from amlops.errors import UserError
from amlops.files import files_below

if TYPE_CHECKING:
    from amlops.azure.client import AzureContext

_JOB_OUTPUT = "azureml.jobName"


class AzureModels:
    """See `amlops.workspace.Models`."""

    def __init__(self, azure: AzureContext) -> None:
        self._azure = azure

    def create(
        self,
        name: str,
        path: Path | str,
        *,
        type: str = "custom_model",
        version: str | None = None,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        description: str = "",
    ) -> Model:
        """Upload a file or folder, or register what is in Azure already; see `amlops.workspace.Models.create`."""
        kept = {str(key): str(value) for key, value in (properties or {}).items()}
        if isinstance(path, Path):
            path = _checked(path)
            kept[contenthash.PROPERTY] = contenthash.of_path(path)
        elif job := references.job_output(path):
            kept.setdefault(_JOB_OUTPUT, job.job)
        if version is not None:
            self._check_free(name, str(version))
        with azure_errors(self._azure, f"model '{name}'"):
            from azure.ai.ml.entities import Model as SdkModel

            asked = SdkModel(
                name=name,
                path=str(path),
                type=type,
                version=None if version is None else str(version),
                tags={str(key): str(value) for key, value in (tags or {}).items()},
                properties=kept,
                description=description or None,
            )
            made = self._azure.ml.models.create_or_update(asked)
        return self.show(name, str(made.version))

    def _check_free(self, name: str, version: str) -> None:
        """Raise UserError when the version is there: Azure would change its tags and keep its files."""
        if any(model.version == version for model in self._versions(name)):
            raise UserError(
                f"version: model '{name}' has a version '{version}' already; a version is never overwritten, "
                "leave it out for the next one"
            )

    def list(self, name: str | None = None, tags: Mapping[str, str] | None = None) -> list[Model]:
        """Models, newest first; see `amlops.workspace.Models.list`."""
        with azure_errors(self._azure, "models"):
            names = [name] if name else [found["name"] for found in self._azure.rest.workspace_list("models")]
        found = [model for each in names for model in self._versions(each)]
        wanted = dict(tags or {}).items()
        newest_first = sorted(found, key=_age, reverse=True)
        return [model for model in newest_first if wanted <= model.tags.items()]

    def _versions(self, name: str) -> list[Model]:
        """The versions of a model, newest first; none for a name that is not registered."""
        with azure_errors(self._azure, f"model '{name}'"):
            documents = self._azure.rest.versions("models", name)
        return sorted((_model(name, document) for document in documents), key=_age, reverse=True)

    def show(self, name: str, version: str | None = None) -> Model:
        """One model; see `amlops.workspace.Models.show`."""
        versions = self._versions(name)
        workspace = self._azure.environment.workspace
        if not versions:
            raise UserError(f"model: '{name}' is not registered in workspace '{workspace}'")
        if version in (None, "latest"):
            return versions[0]
        for model in versions:
            if model.version == str(version):
                return model
        known = ", ".join(model.version for model in versions)
        raise UserError(f"model: '{name}' has no version '{version}' in workspace '{workspace}'; it has: {known}")

    def update(
        self, name: str, version: str, *, tags: Mapping[str, str | None] | None = None, description: str | None = None
    ) -> Model:
        """Change tags and description; see `amlops.workspace.Models.update`."""
        version = self.show(name, version).version
        with azure_errors(self._azure, f"model '{name}'"):
            found: Any = self._azure.ml.models.get(name, version=version)
            changed = {**(found.tags or {}), **(tags or {})}
            found.tags = {str(key): str(value) for key, value in changed.items() if value is not None}
            if description is not None:
                found.description = description
            self._azure.ml.models.create_or_update(found)
        return self.show(name, version)

    def download(self, name: str, version: str, download_path: Path) -> Path:
        """Copy a version's file or folder into `download_path`; see `amlops.workspace.Models.download`."""
        version = self.show(name, version).version
        target = download_path.expanduser().absolute()
        if target.exists() and not target.is_dir():
            raise UserError(f"--download-path: '{target}' is a file; give a folder, for example ./models")
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=target, ignore_cleanup_errors=True) as temporary:
            with azure_errors(self._azure, f"model '{name}'"):
                self._azure.ml.models.download(name, version=version, download_path=temporary)
            # azure-ai-ml makes a folder with the model's name, and in it the file or folder.
            entries = sorted((Path(temporary) / name).iterdir())
            if len(entries) != 1:
                entries = [Path(temporary) / name]
            place = target / entries[0].name
            if place.exists():
                raise UserError(
                    f"--download-path: '{place}' exists; give another folder, for example ./{name}-{version}"
                )
            shutil.move(entries[0], place)
        return place


def _checked(path: Path) -> Path:
    """The absolute path of what is to be uploaded. Raises UserError when there is nothing."""
    path = path.expanduser().absolute()
    if not path.exists():
        raise UserError(f"path: '{path}' does not exist; give the file or folder of the model")
    if not files_below(path):
        raise UserError(f"path: '{path}' has no file in it; give the file or folder of the model")
    return path


def _model(name: str, document: Mapping[str, Any]) -> Model:
    properties = document.get("properties") or {}
    kept = {str(key): str(value) for key, value in (properties.get("properties") or {}).items()}
    return Model(
        name=name,
        version=str(document["name"]),
        type=properties.get("modelType") or "custom_model",
        path=Path(),
        tags={str(key): str(value) for key, value in (properties.get("tags") or {}).items()},
        properties=kept,
        description=properties.get("description") or "",
        job_name=properties.get("jobName") or kept.get(_JOB_OUTPUT, ""),
        created_at=records.time_of((document.get("systemData") or {}).get("createdAt")) or "",
        files={},
        address=str(properties.get("modelUri") or ""),
    )


def _age(model: Model) -> tuple[str, int]:
    """Sorts by the time of creation; Azure tells whole seconds in places, so then by the number."""
    return model.created_at, int(model.version) if model.version.isdigit() else -1
