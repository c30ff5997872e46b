"""`amlops compute` in Azure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlops.azure import records
from amlops.azure.errors import azure_errors
from amlops.errors import UserError
from amlops.workspace import Record

if TYPE_CHECKING:
    from amlops.azure.client import AzureContext

_KINDS = {"amlcompute": "compute-cluster", "computeinstance": "compute-instance"}


class AzureComputes:
    """See `amlops.workspace.Computes`. The clusters of `.cloud/request.yaml` belong to the platform team."""

    def __init__(self, azure: AzureContext) -> None:
        self._azure = azure

    def create(self, file: Path | None, *, values: Mapping[str, Any], sets: Sequence[str] = ()) -> Record:
        """Make a compute target, or change the one of that name; see `amlops.workspace.Resources.create`."""
        from amlops.local import assetfiles  # reads the shapes of `amlops validate`, which takes a moment

        asked = assetfiles.with_values(file, values, sets, "compute").data
        kind = str(asked.get("type", "")).lower()
        if kind not in _KINDS:
            raise UserError(f"type: '{kind}' must be one of {', '.join(_KINDS)}", file=file)
        document = assetfiles.read(_KINDS[kind], file, {**values, "type": kind}, sets, self._azure.project)
        name = str(document.data["name"])
        errors = azure_errors(self._azure, f"compute '{name}'", file=file)
        with self._azure.source(document.path, document.data) as (text, origin), errors:
            from azure.ai.ml import load_compute

            compute = load_compute(text, relative_origin=str(origin))
            self._azure.ml.compute.begin_create_or_update(compute).result()
        return self.show(name)

    def list(self) -> list[Record]:
        """All compute targets, by name; see `amlops.workspace.Resources.list`."""
        with azure_errors(self._azure, "computes"):
            found = [records.compute(document) for document in self._azure.rest.workspace_list("computes")]
        return sorted(found, key=lambda record: record["name"])

    def show(self, name: str) -> Record:
        """One compute target; see `amlops.workspace.Resources.show`."""
        for record in self.list():
            if record["name"].lower() == name.lower():
                return record
        known = ", ".join(record["name"] for record in self.list()) or "none"
        raise UserError(f"--name: there is no compute target '{name}'; there are: {known}")

    def delete(self, name: str) -> Record:
        """Delete a compute target; see `amlops.workspace.Computes.delete`."""
        record = self.show(name)
        with azure_errors(self._azure, f"compute '{name}'"):
            self._azure.ml.compute.begin_delete(record["name"]).result()
        return record
