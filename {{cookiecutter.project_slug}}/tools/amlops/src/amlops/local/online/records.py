"""What is stored of a real-time endpoint, in `.amlops/endpoints-online/<endpoint>/`.

endpoint.json       what the endpoint is, with traffic and mirror_traffic
credentials.json    keys; only their owner can read it
deployments/*.json  the deployments; written by the endpoint's process, when one answers
router.json         process and port of the endpoint; router.lock is held while the process lives
logs/               of the endpoint's process and of its deployments
"""

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


class EndpointFolder:
    """The files of one endpoint."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def router_file(self) -> Path:
        return self.root / "router.json"

    @property
    def lock(self) -> Path:
        return self.root / "router.lock"

    @property
    def router_log(self) -> Path:
        return self.root / "logs" / "router.log"

    def log(self, deployment: str) -> Path:
        """What the servers of a deployment write."""
        return self.root / "logs" / f"deployment-{plain(deployment)}.log"

    def endpoint(self) -> Record:
        return read_record(self.root / _ENDPOINT)

    def exists(self) -> bool:
        return (self.root / _ENDPOINT).is_file()

    def save_endpoint(self, record: Record) -> None:
        write_json(self.root / _ENDPOINT, record)

    def deployments(self) -> list[Record]:
        return [read_record(file) for file in sorted((self.root / _DEPLOYMENTS).glob("*.json"))]

    def save_deployment(self, record: Record) -> None:
        write_json(self._deployment(record["name"]), record)

    def delete_deployment(self, name: str) -> None:
        self._deployment(name).unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove everything; first what makes it an endpoint."""
        (self.root / _ENDPOINT).unlink(missing_ok=True)
        shutil.rmtree(self.root, ignore_errors=True)

    def _deployment(self, name: str) -> Path:
        return self.root / _DEPLOYMENTS / f"{plain(name)}.json"


class OnlineRecords:
    """The real-time endpoints of a project."""

    def __init__(self, state: LocalState) -> None:
        self._state = state
        self._root = state.root / "endpoints-online"

    def folder(self, name: str) -> EndpointFolder:
        """Where an endpoint is, or would be."""
        return EndpointFolder(self._root / plain(name))

    def existing(self, name: str, option: str = "--name") -> EndpointFolder:
        """One endpoint. Raises UserError, which names `option`, when there is none."""
        folder = self.folder(name)
        if not folder.exists():
            known = ", ".join(record["name"] for record in self.endpoints())
            hint = f"there are: {known}" if known else "make one: amlops online-endpoint create -f FILE"
            raise UserError(f"{option}: there is no online endpoint '{name}'; {hint}")
        return folder

    def endpoints(self) -> list[Record]:
        """All endpoints, by name."""
        return [read_record(file) for file in sorted(self._root.glob(f"*/{_ENDPOINT}"))]

    def deployment(self, endpoint: str, name: str) -> Record:
        """One deployment. Raises UserError when there is none, or no such endpoint."""
        records = {record["name"]: record for record in self.existing(endpoint, "--endpoint-name").deployments()}
        if name not in records:
            known = ", ".join(records)
            hint = f"it has: {known}" if known else "make one: amlops online-deployment create -f FILE"
            raise UserError(f"deployment: the endpoint '{endpoint}' has no deployment '{name}'; {hint}")
        return records[name]

    def prepare(self) -> None:
        self._state.prepare()
