"""The model store of the laptop: SQLite and folders, with the rules of Azure ML's registry.

`models/models.db` is the index; the files of a version lie in `models/<name>/<version>/`, which holds the registered
file or folder under its own name. A version is never overwritten. Versions are strings; without one, the next whole
number is taken.

    store = ModelStore(LocalState(Project.find()))
    model = store.create("digits", Path("outputs/model"), tags={"accuracy": "0.97"})
    store.resolve("azureml:digits@latest").path      # files verified against their hashes
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from amlops import references
from amlops.entities import Model
from amlops.errors import UserError
from amlops.files import files_below, sha256
from amlops.local.jobrecords import utc_now
from amlops.local.state import LocalState, transaction
from amlops.local.versions import LATEST, check_version, next_version

TYPES = ("custom_model", "mlflow_model", "triton_model")
# The name of a model container in ARM (Microsoft.MachineLearningServices/workspaces/models).
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS models (
    number INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of creation: the highest of a name is its latest
    name TEXT NOT NULL, version TEXT NOT NULL, type TEXT NOT NULL, entry TEXT NOT NULL, description TEXT NOT NULL,
    tags TEXT NOT NULL, properties TEXT NOT NULL, files TEXT NOT NULL, job_name TEXT NOT NULL, created_at TEXT NOT NULL,
    UNIQUE (name, version)
);
"""


class ModelStore:
    """See `amlops.workspace.Models`. Safe for several processes at once."""

    def __init__(self, state: LocalState) -> None:
        self._state = state
        self._root = state.models

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
        """Copy a file or folder into the store under `version`, or under the next whole number.

        The model remembers the job that `path` names, or in whose step it is registered (AMLOPS_JOB_NAME is set).

        Raises:
            UserError: a value breaks a rule, `path` has no file, or the version exists.
        """
        version = None if version is None else str(version)
        source = references.job_output(path) if isinstance(path, str) else None
        job_name = source.job if source else os.environ.get("AMLOPS_JOB_NAME", "")
        # Without `..`, so that the folder's own name is kept; resolve() would follow links, too.
        path = Path(os.path.abspath(self._local(path).expanduser()))  # noqa: PTH100
        _check(name, version, type, path)
        if self._root.absolute().is_relative_to(path):
            raise UserError(f"path: '{path}' holds the model store itself; give the model's own folder")
        texts = {
            "tags": json.dumps(_strings(tags, "tags")),
            "properties": json.dumps(_strings(properties, "properties")),
        }
        self._state.prepare()
        self._root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self._root, ignore_cleanup_errors=True) as temporary:
            content = Path(temporary) / "content"
            try:
                files = _copy(path, content)
            except OSError as error:  # a file that may not be read, a link to nothing, a full disk
                raise UserError(f"path: '{path}' cannot be copied: {_reason(error)}") from None
            with self._database() as database, transaction(database):
                version = version or _next_version(database, name)
                row = {
                    "name": name, "version": version, "type": type, "entry": path.name, "description": description,
                    **texts, "files": json.dumps(files), "job_name": job_name,
                    "created_at": utc_now(),
                }  # fmt: skip
                _insert(database, row)
                self._move(content, name, version)
        return self._model(row)

    def list(self, name: str | None = None, tags: Mapping[str, str] | None = None) -> list[Model]:
        """Models, newest first; all versions of `name`, or of all names; only those that have all of `tags`."""
        if not self._index.is_file():
            return []
        with self._database() as database:
            rows = database.execute(
                "SELECT * FROM models WHERE ? IS NULL OR name = ? ORDER BY number DESC", (name, name)
            ).fetchall()
        wanted = dict(tags or {}).items()
        return [model for model in map(self._model, rows) if wanted <= model.tags.items()]

    def show(self, name: str, version: str | None = None) -> Model:
        """One model; "latest" or None is the version created last, as in Azure.

        Raises:
            UserError: there is no such model or version.
        """
        versions = self.list(name)
        if not versions:
            names = sorted({model.name for model in self.list()})
            known = f"there are: {', '.join(names)}" if names else "no model is registered yet (`amlops model create`)"
            raise UserError(f"model: '{name}' is not registered; {known}")
        if version in (None, LATEST):
            return versions[0]
        for model in versions:
            if model.version == str(version):
                return model
        known = ", ".join(model.version for model in versions)
        raise UserError(f"model: '{name}' has no version '{version}'; it has: {known}")

    def update(
        self, name: str, version: str, *, tags: Mapping[str, str | None] | None = None, description: str | None = None
    ) -> Model:
        """Change tags and description; see `amlops.workspace.Models.update`."""
        version = self.show(name, version).version
        added = _strings({key: value for key, value in (tags or {}).items() if value is not None}, "tags")
        removed = {key for key, value in (tags or {}).items() if value is None}
        where = (name, version)
        with self._database() as database, transaction(database):
            row = database.execute("SELECT * FROM models WHERE name = ? AND version = ?", where).fetchone()
            kept = {key: value for key, value in json.loads(row["tags"]).items() if key not in removed}
            text = row["description"] if description is None else description
            database.execute(
                "UPDATE models SET tags = ?, description = ? WHERE name = ? AND version = ?",
                (json.dumps({**kept, **added}), text, *where),
            )
        return self.show(name, version)

    def download(self, name: str, version: str, download_path: Path) -> Path:
        """Copy the verified files into `download_path`; see `amlops.workspace.Models.download`."""
        model = self.show(name, version)
        self.verify(model)
        target = Path(os.path.abspath(download_path.expanduser()))  # noqa: PTH100 (links stay as they are)
        if target.exists() and not target.is_dir():
            raise UserError(f"--download-path: '{target}' is a file; give a folder, for example ./models")
        place = target / model.path.name
        if place.exists():
            raise UserError(f"--download-path: '{place}' exists; give another folder, for example ./{name}-{version}")
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=target, ignore_cleanup_errors=True) as temporary:
            try:
                _copy(model.path, Path(temporary) / "content")
            except OSError as error:
                raise UserError(f"--download-path: '{target}' cannot be written: {_reason(error)}") from None
            (Path(temporary) / "content" / model.path.name).rename(place)
        return place

    def resolve(self, reference: str) -> Model:
        """The model that `azureml:name:version` or `azureml:name@latest` means, with its files verified.

        Raises:
            UserError: the reference is malformed, there is no such model, or its files have changed since it was
            registered.
        """
        try:
            parsed = references.parse(reference)
        except ValueError as error:
            raise UserError(f"model: {error}") from None
        if parsed.label not in (None, LATEST):
            raise UserError(f"model: the label '{parsed.label}' is not known; use {LATEST} or a version")
        model = self.show(parsed.name, parsed.version or LATEST)
        self.verify(model)
        return model

    def verify(self, model: Model) -> None:
        """Compare the files of a model with the hashes taken when it was registered. Raises UserError.

        A file that was not registered is a fault too: it may be found, and loaded, before those that were.
        """
        for file in files_below(model.directory):
            relative = file.relative_to(model.directory).as_posix()
            if relative not in model.files and file.suffix != ".pyc":
                raise UserError(
                    f"model: {model.reference} is damaged: {relative} was added; remove it, or register the model again"
                )
        for relative, digest in model.files.items():
            file = model.directory / relative
            if not file.is_file():
                raise UserError(f"model: {model.reference} is damaged: {relative} is missing; register the model again")
            if sha256(file) != digest:
                raise UserError(
                    f"model: {model.reference} is damaged: {relative} has changed; register the model again"
                )

    @property
    def _index(self) -> Path:
        return self._root / "models.db"

    def _database(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._state.database(self._index, _SCHEMA)

    def _local(self, path: Path | str) -> Path:
        if isinstance(path, Path) or not references.is_remote(path):
            return Path(path)
        from amlops.local.data import LocalData  # imports the model store's package itself

        try:
            found = LocalData(self._state.project, self._state).find(path, None, Path.cwd())
        except UserError as error:
            raise UserError(f"path: {error.message}") from None
        if not isinstance(found, Path):
            raise UserError(f"path: '{found}' is not on this machine; download the model and give its path")
        return found

    def _move(self, content: Path, name: str, version: str) -> None:
        """Put the copied files in their place. Called inside the transaction that inserts the row."""
        target = self._root / name / version
        if target.exists():
            # No row has this version, so a process ended between moving its files and committing: nobody can refer
            # to them.
            shutil.rmtree(target)
        target.parent.mkdir(exist_ok=True)
        content.rename(target)

    def _model(self, row: Mapping[str, Any] | sqlite3.Row) -> Model:
        return Model(
            name=row["name"],
            version=row["version"],
            type=row["type"],
            path=self._root / row["name"] / row["version"] / row["entry"],
            tags=json.loads(row["tags"]),
            properties=json.loads(row["properties"]),
            description=row["description"],
            job_name=row["job_name"],
            created_at=row["created_at"],
            files=json.loads(row["files"]),
        )


def _check(name: str, version: str | None, type: str, path: Path) -> None:
    if not NAME_PATTERN.fullmatch(name):
        raise UserError(
            f"name: '{name}' must be letters, digits, '-' and '_', starting with a letter or digit, at most 255; "
            "for example digits"
        )
    check_version(version)
    if type not in TYPES:
        raise UserError(f"type: '{type}' is not a model type; one of {', '.join(TYPES)}")
    if not path.exists():
        raise UserError(f"path: '{path}' does not exist; give the file or folder of the model")
    if not files_below(path):
        raise UserError(f"path: '{path}' has no file in it; give the file or folder of the model")


def _reason(error: OSError) -> str:
    """What went wrong with the first file; `shutil` collects them all."""
    first = error.args[0] if isinstance(error, shutil.Error) else None
    return str(first[0][2]) if first else f"{error.strerror}: {error.filename}"


def _strings(values: Mapping[str, str] | None, field: str) -> dict[str, str]:
    """Tags and properties are text in Azure; numbers are written as text, anything else is refused."""
    result: dict[str, str] = {}
    for key, value in (values or {}).items():
        if not isinstance(value, str | int | float | bool):
            raise UserError(f"{field}.{key}: '{value}' must be text; for example {field}.{key}=blue")
        result[str(key)] = str(value)
    return result


def _copy(path: Path, content: Path) -> dict[str, str]:
    """Copy the file or folder into `content` under its own name; returns the hash of every file by its path below
    `content`.
    """
    target = content / path.name
    content.mkdir()
    if path.is_dir():
        shutil.copytree(path, target)
    else:
        shutil.copy2(path, target)
    return {file.relative_to(content).as_posix(): sha256(file) for file in files_below(target)}


def _next_version(database: sqlite3.Connection, name: str) -> str:
    rows = database.execute("SELECT version FROM models WHERE name = ?", (name,))
    return next_version(row["version"] for row in rows)


def _insert(database: sqlite3.Connection, row: Mapping[str, str]) -> None:
    columns = ", ".join(row)
    values = ", ".join(f":{column}" for column in row)
    try:
        database.execute(f"INSERT INTO models ({columns}) VALUES ({values})", row)  # noqa: S608 (columns are ours)
    except sqlite3.IntegrityError:
        name, version = row["name"], row["version"]
        raise UserError(
            f"version: model '{name}' has a version '{version}' already; a version is never overwritten, "
            "leave it out for the next one"
        ) from None
