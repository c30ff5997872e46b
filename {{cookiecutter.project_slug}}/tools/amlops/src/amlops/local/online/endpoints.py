"""Real-time endpoints of the laptop: what is stored of them, their traffic, and requests to them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amlops import serving, yamlfile
from amlops.errors import UserError
from amlops.local.batch import documents
from amlops.local.jobrecords import utc_now
from amlops.local.online.credentials import Credentials
from amlops.local.online.host import LOOPBACK, Host
from amlops.local.online.records import EndpointFolder, OnlineRecords, Record
from amlops.local.state import LocalState
from amlops.project import Project
from amlops.validate import kinds
from amlops.validate.schema.online import MOST_MIRRORED
from amlops.workspace.online import ScoringTarget, Served
from amlops.yamlfile import YamlFile

_KEYS = ("name", "description", "tags", "properties", "auth_mode", "traffic", "mirror_traffic", "compute")
_LONGEST_SECONDS = 190.0


class LocalOnlineEndpoints:
    """See `amlops.workspace.OnlineEndpoints`."""

    def __init__(self, state: LocalState, project: Project) -> None:
        self._project = project
        self._records = OnlineRecords(state)

    def create(self, file: Path | None = None, *, name: str | None = None, sets: Sequence[str] = ()) -> Record:
        document = yamlfile.load(file) if file else documents.from_data({}, Path.cwd() / "endpoint")
        return self._save(documents.changed(document, sets, name=name))

    def update(self, name: str, *, file: Path | None = None, sets: Sequence[str] = ()) -> Record:
        record = self._records.existing(name).endpoint()
        data = {key: record[key] for key in _KEYS if record.get(key)}
        document = documents.from_data(data, Path.cwd() / "endpoint")
        if file is not None:
            given = yamlfile.load(file)
            document = YamlFile(given.path, {**data, **given.data}, given.lines)
        return self._save(documents.changed(document, sets, name=name))

    def show(self, name: str) -> Record:
        return self._shown(self._records.existing(name))

    def list(self) -> list[Record]:
        return [self.show(record["name"]) for record in self._records.endpoints()]

    def delete(self, name: str) -> Record:
        folder = self._records.existing(name)
        record = {**self._shown(folder), "deployments": [one["name"] for one in folder.deployments()]}
        Host(folder).stop()
        folder.remove()
        return record

    def invoke(self, name: str, *, request_file: Path, deployment_name: str | None = None) -> object:
        try:
            body = request_file.read_bytes()
        except OSError as error:
            raise UserError(f"--request-file: '{request_file}' cannot be read: {error.strerror}") from None
        target = self.target(name, deployment_name)
        headers = {**target.headers, "Content-Type": "application/json"}
        request = urllib.request.Request(target.uri, body, headers)  # noqa: S310 (our own address)
        try:
            with LOOPBACK.open(request, timeout=_LONGEST_SECONDS) as answer:
                return _parsed(answer.read())
        except urllib.error.HTTPError as error:
            raise UserError(f"the endpoint '{name}' answered {error.code}: {_reason(error.read())}") from None
        except OSError as error:
            raise UserError(f"the endpoint '{name}' was not reached: {error}") from None

    def credentials(self, name: str) -> Record:
        folder = self._records.existing(name)
        found = Credentials.read(folder.root)
        if folder.endpoint()["auth_mode"] == "key":
            return {"primaryKey": found.primary_key, "secondaryKey": found.secondary_key}
        token, end = found.token()
        return {"accessToken": token, "expiryTimeUtc": end, "refreshAfterTimeUtc": end, "tokenType": "Bearer"}

    def target(self, name: str, deployment_name: str | None = None) -> ScoringTarget:
        if deployment_name is not None:
            self._records.deployment(name, deployment_name)
        address = Host(self._records.existing(name)).ensure(ready=True)
        secret = self.credentials(name)
        return ScoringTarget.of(f"{address}/score", f"{address}/swagger.json", secret, deployment_name)

    def traffic(self, name: str) -> dict[str, int]:
        return dict(self._records.existing(name).endpoint()["traffic"])

    def set_traffic(
        self, name: str, traffic: Mapping[str, int], mirror: Mapping[str, int] | None = None, *, fallback: bool = False
    ) -> Record:
        folder = self._records.existing(name)
        record = folder.endpoint()
        mirrored = record["mirror_traffic"] if mirror is None else dict(mirror)
        shares = {"traffic": dict(traffic), "mirror_traffic": mirrored}
        self._check_shares(folder, shares["traffic"], shares["mirror_traffic"])
        folder.save_endpoint({**record, **shares, "fallback": fallback})
        self._tell(folder)
        return self._shown(folder)

    def served(self, name: str) -> dict[str, Served] | None:
        status = Host(self._records.existing(name)).status()
        return {
            deployment: Served(
                requests=found["served"]["requests"],
                errors=found["served"]["errors"],
                latencies={float(most): number for most, number in found["served"]["latencies"]},
            )
            for deployment, found in status.items()
        }

    def _save(self, document: YamlFile) -> Record:
        data = documents.checked(
            document, kinds.online_endpoint(document.data), self._project, ignoring={"traffic"}
        ).data
        folder = self._records.folder(data["name"])
        old: dict[str, Any] = folder.endpoint() if folder.exists() else {}
        record = {
            "name": data["name"],
            "description": data.get("description", ""),
            "tags": data.get("tags", {}),
            "properties": data.get("properties", {}),
            "auth_mode": str(data.get("auth_mode", "key")).lower(),
            "compute": data.get("compute"),
            "traffic": data.get("traffic", old.get("traffic", {})),
            "mirror_traffic": data.get("mirror_traffic", old.get("mirror_traffic", {})),
            "fallback": old.get("fallback", False),
            "created_at": old.get("created_at") or utc_now(),
        }
        self._check_shares(folder, record["traffic"], record["mirror_traffic"])
        self._records.prepare()
        Credentials.make(folder.root)
        folder.save_endpoint(record)
        Host(folder).ensure()
        self._tell(folder)
        return self._shown(folder)

    def _check_shares(self, folder: EndpointFolder, traffic: Mapping[str, int], mirror: Mapping[str, int]) -> None:
        """Raises UserError for an unknown deployment, or shares that Azure would refuse."""
        known = [record["name"] for record in folder.deployments()] if folder.exists() else []
        for key, shares, most in (("traffic", traffic, 100), ("mirror_traffic", mirror, MOST_MIRRORED)):
            for name, share in shares.items():
                if name not in known:
                    has = ", ".join(known) or "none"
                    raise UserError(f"{key}: there is no deployment '{name}' of this endpoint; it has: {has}")
                if isinstance(share, bool) or not isinstance(share, int) or not 0 <= share <= most:
                    raise UserError(f"{key}.{name}: '{share}' must be a whole number from 0 to {most}; for example 10")
        serving.check_sum(traffic)
        if sum(1 for share in mirror.values() if share) > 1:
            raise UserError("mirror_traffic: only one deployment can have it; for example mirror_traffic: {green: 10}")
        for name, share in mirror.items():
            if share and traffic.get(name):
                raise UserError(f"mirror_traffic.{name}: has live traffic too; a deployment has one of the two")

    def _tell(self, folder: EndpointFolder) -> None:
        host = Host(folder)
        if host.is_running:
            host.ensure()
            host.order("apply")

    def _shown(self, folder: EndpointFolder) -> Record:
        host = Host(folder)
        record = {key: value for key, value in folder.endpoint().items() if key != "fallback"}
        address = host.address
        return {
            **record,
            "scoring_uri": address and f"{address}/score",
            "openapi_uri": address and f"{address}/swagger.json",
            "provisioning_state": "Succeeded",
            "state": "running" if host.is_running else "stopped",
        }


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def _reason(body: bytes) -> str:
    found = _parsed(body)
    if isinstance(found, dict):
        found = found.get("message") or found.get("error") or found
    return " ".join(str(found).split())[:500]
