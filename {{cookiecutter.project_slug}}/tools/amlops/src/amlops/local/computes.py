"""Compute targets of the laptop: those of `.cloud/compute/`, and records that `amlops compute create` makes.

They are records only: how many nodes and cores a job has here stands in `limits` of `.cloud/environments/local.yml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amlops import yamlfile
from amlops.errors import UserError
from amlops.files import write_json
from amlops.local import assetfiles
from amlops.local.state import LocalState
from amlops.local.stored import read_record
from amlops.project import Project
from amlops.workspace import Record

_FOLDER = Path(".cloud") / "compute"
_KINDS = {"amlcompute": "compute-cluster", "computeinstance": "compute-instance"}
# What `az ml compute create` takes when no size is said.
_DEFAULT_SIZE = "Standard_DS3_v2"
_CLUSTER = {"min_instances": 0, "max_instances": 4, "idle_time_before_scale_down": 120, "tier": "dedicated"}
_SECRETS = ("ssh_settings", "$schema")


class LocalComputes:
    """See `amlops.workspace.Computes`."""

    def __init__(self, project: Project, state: LocalState) -> None:
        self._project = project
        self._state = state

    def create(self, file: Path | None, *, values: Mapping[str, Any], sets: Sequence[str] = ()) -> Record:
        """Write down a compute target, or change the one of that name. Raises UserError."""
        asked = assetfiles.with_values(file, values, sets, "compute").data
        kind = str(asked.get("type", "")).lower()
        if kind not in _KINDS:
            raise UserError(
                f"type: '{kind}' is not a compute target of the laptop; one of {', '.join(_KINDS)}", file=file
            )
        defaults = {"size": _DEFAULT_SIZE, **(_CLUSTER if kind == "amlcompute" else {})}
        missing = {key: value for key, value in defaults.items() if asked.get(key) is None}
        values = {**{key: value for key, value in values.items() if value is not None}, **missing, "type": kind}
        data = assetfiles.read(_KINDS[kind], file, values, sets, self._project).data
        record = _with_defaults({key: value for key, value in data.items() if key not in _SECRETS})
        self._state.prepare()
        write_json(self._state.computes / f"{record['name']}.json", record)
        return record

    def list(self) -> list[Record]:
        """All compute targets, by name. Raises UserError."""
        found = {record["name"]: record for record in (*self._of_project(), *self._made())}
        return [found[name] for name in sorted(found)]

    def show(self, name: str) -> Record:
        """One compute target. Raises UserError."""
        records = self.list()
        for record in records:
            if record["name"] == name:
                return record
        known = ", ".join(record["name"] for record in records)
        hint = f"there are: {known}" if known else "make one: amlops compute create -f FILE"
        raise UserError(f"--name: there is no compute target '{name}'; {hint}")

    def delete(self, name: str) -> Record:
        """Delete the record of a compute target; one of the project's files stays. Raises UserError."""
        record = self.show(name)
        file = self._state.computes / f"{record['name']}.json"
        if not file.is_file():
            raise UserError(
                f"--name: '{name}' is a file of the project ({_FOLDER.as_posix()}); delete the file instead"
            )
        file.unlink()
        return record

    def _of_project(self) -> Sequence[Record]:
        files = sorted((self._project.root / _FOLDER).glob("*.yml"))
        return [_with_defaults(_plain(yamlfile.load(file).data, file.stem)) for file in files]

    def _made(self) -> Sequence[Record]:
        return [read_record(file, "the compute") for file in sorted(self._state.computes.glob("*.json"))]


def _plain(data: Mapping[str, Any], name: str) -> Record:
    return {"name": name, **{key: value for key, value in data.items() if key not in _SECRETS}}


def _with_defaults(data: Mapping[str, Any]) -> Record:
    defaults = _CLUSTER if str(data.get("type", "")).lower() == "amlcompute" else {}
    return {"id": f"azureml:{data['name']}", **defaults, **data, "provisioning_state": "Succeeded"}
