"""A version of a model as a folder: what the CI stage of one environment hands to that of the next.

    build/hand-over/image-classifier/
      model.json      what its environment knows of the version, with the hash of its files
      files/          its file or folder

So no identity needs a right in the other environment: dev's exports, prod's promotes.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from amlops import contenthash
from amlops.entities import Model
from amlops.errors import UserError, shown
from amlops.files import files_below, new_folder, read_json, write_json
from amlops.promotion import copy
from amlops.promotion.origin import COMMIT, Origin, job_of

CARD = "model.json"
_FILES = "files"
_FORMAT = 1


class _Card(BaseModel):
    """`model.json`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: int
    environment: str
    workspace: str
    name: str
    version: str
    type: str
    description: str
    created_at: str
    tags: dict[str, str]
    properties: dict[str, str]


def export(origin: Origin, name: str, version: str, folder: Path) -> dict[str, Any]:
    """Write a version to a new folder, its files compared with their hash; returns what `model export` prints.

    Raises:
        UserError: there is no such version, it has no hash, its files are others, or the folder exists.
    """
    folder = folder.expanduser().absolute()
    if folder.exists():
        raise UserError(
            f"--download-path: '{shown(folder)}' exists; give a new folder, for example build/hand-over/{name}"
        )
    model = origin.show(name, version)
    expected = copy.recorded_hash(model)
    origin_of = {COMMIT: origin.commit(model), "job_name": job_of(model)}
    known = {key: value for key, value in origin_of.items() if value}
    with new_folder(folder) as temporary:
        place = origin.download(name, model.version, temporary / _FILES)
        copy.compare(place, expected, model, origin.environment)
        card = _Card(
            format=_FORMAT,
            environment=origin.environment,
            workspace=origin.workspace,
            name=model.name,
            version=model.version,
            type=model.type,
            description=model.description,
            created_at=model.created_at,
            tags=model.tags,
            properties={**model.properties, **known, contenthash.PROPERTY: expected},
        )
        write_json(temporary / CARD, card.model_dump())
    return {"name": model.name, "version": model.version, "hash": expected, "path": shown(folder)}


class Package:
    """A folder that `export` wrote. See `Origin`."""

    def __init__(self, folder: Path) -> None:
        """Read the folder. Raises UserError when it is no such folder."""
        self._folder = folder.expanduser().absolute()
        try:
            self._card = _Card.model_validate(read_json(self._folder / CARD))
        except FileNotFoundError:
            raise UserError(
                f"--from: '{folder}' is neither an environment nor a folder that `amlops model export` wrote; for "
                "example --from dev"
            ) from None
        except (ValidationError, ValueError) as error:
            first = error.errors()[0] if isinstance(error, ValidationError) else None
            what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else "is not JSON"
            raise UserError(f"{shown(self._folder / CARD)}: {what}; export the model again") from None
        if self._card.format != _FORMAT:
            raise UserError(
                f"{shown(self._folder / CARD)}: format {self._card.format} is not known, this amlops reads {_FORMAT}; "
                "export and promote with the same version of amlops"
            )

    @property
    def environment(self) -> str:
        return self._card.environment

    @property
    def workspace(self) -> str:
        return self._card.workspace

    @property
    def model(self) -> Model:
        """The version that is in the package."""
        card = self._card
        return Model(
            name=card.name,
            version=card.version,
            type=card.type,
            path=self._folder / _FILES,
            tags=dict(card.tags),
            properties=dict(card.properties),
            description=card.description,
            job_name=card.properties.get("job_name", ""),
            created_at=card.created_at,
            files={},
        )

    def show(self, name: str, version: str) -> Model:
        model = self.model
        if (name, version) != (model.name, model.version):
            raise UserError(
                f"--from: the package holds {model.reference}, not azureml:{name}:{version}; for example "
                f"--name {model.name} --version {model.version}"
            )
        return model

    def download(self, name: str, version: str, folder: Path) -> Path:
        self.show(name, version)
        files = self._folder / _FILES
        entries = sorted(files.iterdir()) if files.is_dir() else []
        links = [path for path in files.rglob("*") if path.is_symlink()]
        if len(entries) != 1 or links or not files_below(files):
            raise UserError(
                f"--from: '{shown(files)}' must hold one file or folder and no links; export the model again"
            )
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / entries[0].name
        if entries[0].is_dir():
            shutil.copytree(entries[0], place)
        else:
            shutil.copy2(entries[0], place)
        return place

    def commit(self, model: Model) -> str:
        return model.properties.get(COMMIT) or model.tags.get(COMMIT, "")
