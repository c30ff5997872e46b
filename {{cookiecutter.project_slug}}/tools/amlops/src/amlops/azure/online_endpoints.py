"""`amlops online-endpoint` in Azure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlops import serving, yamlfile
from amlops.azure import online_records
from amlops.azure.errors import azure_errors
from amlops.errors import UserError
from amlops.workspace import Record
from amlops.workspace.online import ScoringTarget

if TYPE_CHECKING:
    from amlops.azure.client import AzureContext

_LIST = "onlineEndpoints"


class AzureOnlineEndpoints:
    """See `amlops.workspace.OnlineEndpoints`."""

    def __init__(self, azure: AzureContext) -> None:
        self._azure = azure

    def create(self, file: Path | None = None, *, name: str | None = None, sets: Sequence[str] = ()) -> Record:
        """Make an endpoint, or change the one of that name; see `amlops.workspace.OnlineEndpoints.create`."""
        from amlops.local.batch import documents  # reads the shapes of `amlops validate`, which takes a moment
        from amlops.validate import kinds

        document = yamlfile.load(file) if file else documents.from_data({}, self._azure.project.root / "endpoint")
        document = documents.changed(document, sets, name=name)
        documents.checked(document, kinds.online_endpoint(document.data), self._azure.project, ignoring={"traffic"})
        physical = self._azure.physical(str(document.data["name"]))
        data = {**document.data, "name": physical} if file is None else document.data
        errors = azure_errors(self._azure, f"online endpoint '{physical}'", file=file)
        with self._azure.source(document.path, data) as (text, origin), errors:
            from azure.ai.ml import load_online_endpoint

            self._save(load_online_endpoint(text, relative_origin=str(origin)))
        return self.show(physical)

    def update(self, name: str, *, file: Path | None = None, sets: Sequence[str] = ()) -> Record:
        """Change an endpoint; see `amlops.workspace.OnlineEndpoints.update`."""
        from amlops.local.batch import documents

        before = self.show(name)
        if file is not None:
            return self.create(file, name=name, sets=sets)
        keys = ("description", "tags", "traffic", "mirror_traffic", "auth_mode", "properties")
        data = {key: before[key] for key in keys if before[key]}
        changed = documents.changed(documents.from_data(data, self._azure.project.root / "endpoint"), sets).data
        unknown = sorted(changed.keys() - set(keys))
        if unknown:
            raise UserError(f"--set {unknown[0]}: cannot be changed; one of {', '.join(keys)}")
        with azure_errors(self._azure, f"online endpoint '{before['name']}'"):
            endpoint: Any = self._azure.ml.online_endpoints.get(before["name"])
            for key, value in changed.items():
                setattr(endpoint, key, value)
            self._save(endpoint)
        return self.show(name)

    def show(self, name: str) -> Record:
        """One endpoint; see `amlops.workspace.OnlineEndpoints.show`."""
        physical = self._azure.physical(name)
        with azure_errors(self._azure, f"online endpoint '{physical}'"):
            return online_records.endpoint(self._azure.rest.workspace(f"{_LIST}/{physical}"))

    def list(self) -> list[Record]:
        """All endpoints, by name; see `amlops.workspace.OnlineEndpoints.list`."""
        with azure_errors(self._azure, "online endpoints"):
            found = [online_records.endpoint(document) for document in self._azure.rest.workspace_list(_LIST)]
        return sorted(found, key=lambda record: record["name"])

    def delete(self, name: str) -> Record:
        """Delete an endpoint and its deployments; see `amlops.workspace.OnlineEndpoints.delete`."""
        record = self.show(name)
        physical = record["name"]
        with azure_errors(self._azure, f"online endpoint '{physical}'"):
            documents = self._azure.rest.workspace_list(f"{_LIST}/{physical}/deployments")
            deployments = sorted(document["name"] for document in documents)
            self._azure.ml.online_endpoints.begin_delete(physical).result()
        return {**record, "deployments": deployments}

    def invoke(self, name: str, *, request_file: Path, deployment_name: str | None = None) -> object:
        """Send one request; see `amlops.workspace.OnlineEndpoints.invoke`."""
        if not request_file.is_file():
            raise UserError(f"--request-file: '{request_file}' is not a file; give the JSON of one request")
        physical = self._azure.physical(name)
        with azure_errors(self._azure, f"online endpoint '{physical}'"):
            answer = self._azure.ml.online_endpoints.invoke(
                physical, request_file=str(request_file), deployment_name=deployment_name
            )
        try:
            return json.loads(answer)
        except ValueError:
            return answer

    def credentials(self, name: str) -> Record:
        """Keys or a token; see `amlops.workspace.OnlineEndpoints.credentials`."""
        physical = self._azure.physical(name)
        with azure_errors(self._azure, f"online endpoint '{physical}'"):
            found: Any = self._azure.ml.online_endpoints.get_keys(physical)
        if hasattr(found, "primary_key"):
            return {"primaryKey": found.primary_key, "secondaryKey": found.secondary_key}
        return {
            "accessToken": found.access_token,
            "expiryTimeUtc": found.expiry_time_utc,
            "refreshAfterTimeUtc": getattr(found, "refresh_after_time_utc", None),
            "tokenType": getattr(found, "token_type", "Bearer"),
        }

    def target(self, name: str, deployment_name: str | None = None) -> ScoringTarget:
        """Where requests go; see `amlops.workspace.OnlineEndpoints.target`."""
        record, secret = self.show(name), self.credentials(name)
        return ScoringTarget.of(record["scoring_uri"], record["openapi_uri"], secret, deployment_name)

    def traffic(self, name: str) -> dict[str, int]:
        """Per cent by deployment; see `amlops.workspace.OnlineEndpoints.traffic`."""
        return self.show(name)["traffic"]

    def set_traffic(
        self,
        name: str,
        traffic: Mapping[str, int],
        mirror: Mapping[str, int] | None = None,
        *,
        fallback: bool = False,  # noqa: ARG002 - Azure's router has nothing like it
    ) -> Record:
        """Share the requests out anew; see `amlops.workspace.OnlineEndpoints.set_traffic`."""
        physical = self._azure.physical(name)
        serving.check_sum(traffic)
        with azure_errors(self._azure, f"online endpoint '{physical}'"):
            endpoint: Any = self._azure.ml.online_endpoints.get(physical)
            same = _above_zero(endpoint.traffic) == _above_zero(traffic)
            if same and (mirror is None or _above_zero(endpoint.mirror_traffic) == _above_zero(mirror)):
                return self.show(physical)  # Azure takes a minute for a change that is none
            endpoint.traffic = dict(traffic)
            if mirror is not None:
                endpoint.mirror_traffic = dict(mirror)
            self._save(endpoint)
        return self.show(physical)

    def served(self, name: str) -> None:
        """Not known while it happens; see `amlops.workspace.OnlineEndpoints.served`."""

    def _save(self, endpoint: Any) -> None:
        self._azure.ml.online_endpoints.begin_create_or_update(endpoint).result()


def _above_zero(shares: Mapping[str, int] | None) -> dict[str, int]:
    return {name: share for name, share in (shares or {}).items() if share}
