"""What is stored of batch endpoints and deployments: one JSON file each below `.amlops/endpoints/<endpoint>/`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from amlops.errors import UserError
from amlops.files import write_json
from amlops.local.state import LocalState
from amlops.local.stored import plain, read_record

Record = dict[str, Any]
_ENDPOINT = "endpoint.json"
_DEPLOYMENTS = "deployments"


class EndpointRecords:
    """The records of all batch endpoints and their deployments."""

    def __init__(self, state: LocalState) -> None:
        self._state = state

    def endpoint(self, name: str, option: str = "--name") -> Record:
        """One endpoint. Raises UserError, which names `option`, when there is none."""
        file = self._folder(name) / _ENDPOINT
        if not file.is_file():
            known = ", ".join(record["name"] for record in self.endpoints())
            hint = f"there are: {known}" if known else "make one: amlops batch-endpoint create -f FILE"
            raise UserError(f"{option}: there is no batch endpoint '{name}'; {hint}")
        return read_record(file)

    def has_endpoint(self, name: str) -> bool:
        """True when there is an endpoint of that name."""
        return (self._folder(name) / _ENDPOINT).is_file()

    def endpoints(self) -> list[Record]:
        """All endpoints, by name."""
        return [read_record(file) for file in sorted(self._state.endpoints.glob(f"*/{_ENDPOINT}"))]

    def save_endpoint(self, record: Record) -> None:
        """Write an endpoint."""
        self._state.prepare()
        write_json(self._folder(record["name"]) / _ENDPOINT, record)

    def delete_endpoint(self, name: str) -> None:
        """Remove an endpoint and its deployments."""
        folder = self._folder(name)
        (folder / _ENDPOINT).unlink(missing_ok=True)  # first: without it nothing of the endpoint is seen any more
        shutil.rmtree(folder, ignore_errors=True)

    def deployment(self, endpoint: str, name: str) -> Record:
        """One deployment. Raises UserError when there is none, or no such endpoint."""
        self.endpoint(endpoint, "--endpoint-name")
        file = self._deployment_file(endpoint, name)
        if not file.is_file():
            known = ", ".join(record["name"] for record in self.deployments(endpoint))
            hint = f"it has: {known}" if known else "make one: amlops batch-deployment create -f FILE"
            raise UserError(f"deployment: the endpoint '{endpoint}' has no deployment '{name}'; {hint}")
        return read_record(file)

    def deployments(self, endpoint: str) -> list[Record]:
        """The deployments of an endpoint, by name. Raises UserError when there is no such endpoint."""
        self.endpoint(endpoint, "--endpoint-name")
        return [read_record(file) for file in sorted(self._deployments(endpoint).glob("*.json"))]

    def save_deployment(self, record: Record) -> None:
        """Write a deployment."""
        write_json(self._deployment_file(record["endpoint_name"], record["name"]), record)

    def delete_deployment(self, endpoint: str, name: str) -> None:
        """Remove a deployment. Raises UserError when there is none."""
        self.deployment(endpoint, name)
        self._deployment_file(endpoint, name).unlink(missing_ok=True)

    def _folder(self, endpoint: str) -> Path:
        return self._state.endpoints / plain(endpoint)

    def _deployment_file(self, endpoint: str, name: str) -> Path:
        return self._deployments(endpoint) / f"{plain(name)}.json"

    def _deployments(self, endpoint: str) -> Path:
        return self._folder(endpoint) / _DEPLOYMENTS
