"""`az ml` commands for data assets, environments, components, data stores and computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amlops import references
from amlops.azcli.commands import AzCli, options_of, sets_of, tags_of
from amlops.workspace import Record

# Keys of the YAML whose flag of `az ml` has another name.
_FLAGS = {"build.path": "build_context", "build.dockerfile_path": "dockerfile_path"}
_PATHS = ("path", "conda_file", "build.path")


class AzCliAssets:
    """See `amlops.workspace.Assets`; `noun` is data, environment or component."""

    def __init__(self, az: AzCli, noun: str) -> None:
        self._az = az
        self._noun = noun

    def create(self, file: Path | None, *, values: Mapping[str, Any], sets: Sequence[str] = ()) -> Record:
        words = _words(self._az, values)
        self._az.answer(self._noun, "create", *self._az.file(file), *words, *sets_of(sets))

    def list(self, name: str | None = None) -> list[Record]:
        self._az.answer(self._noun, "list", *options_of(name=name))

    def show(self, name: str, version: str | None = None) -> Record:
        which = {"label": "latest"} if version in (None, "latest") else {"version": version}
        self._az.answer(self._noun, "show", *options_of(name=name, **which))


class AzCliDatastores:
    """See `amlops.workspace.Resources`."""

    def __init__(self, az: AzCli) -> None:
        self._az = az

    def create(self, file: Path | None, *, values: Mapping[str, Any], sets: Sequence[str] = ()) -> Record:
        self._az.answer("datastore", "create", *self._az.file(file), *_words(self._az, values), *sets_of(sets))

    def list(self) -> list[Record]:
        self._az.answer("datastore", "list")

    def show(self, name: str) -> Record:
        self._az.answer("datastore", "show", *options_of(name=name))


class AzCliComputes:
    """See `amlops.workspace.Computes`."""

    def __init__(self, az: AzCli) -> None:
        self._az = az

    def create(self, file: Path | None, *, values: Mapping[str, Any], sets: Sequence[str] = ()) -> Record:
        self._az.answer("compute", "create", *self._az.file(file), *_words(self._az, values), *sets_of(sets))

    def list(self) -> list[Record]:
        self._az.answer("compute", "list")

    def show(self, name: str) -> Record:
        self._az.answer("compute", "show", *options_of(name=name))

    def delete(self, name: str) -> Record:
        self._az.answer("compute", "delete", *options_of(name=name, yes=True))


def _words(az: AzCli, values: Mapping[str, Any]) -> list[str]:
    """Flags for what a person gave by flags."""
    given = {key: value for key, value in values.items() if value is not None and key != "tags"}
    for key in _PATHS:
        if key in given and not references.is_remote(given[key]):
            given[key] = az.local_path(Path(given[key]))
    return [*options_of(**{_FLAGS.get(key, key): value for key, value in given.items()}), *tags_of(values.get("tags"))]
