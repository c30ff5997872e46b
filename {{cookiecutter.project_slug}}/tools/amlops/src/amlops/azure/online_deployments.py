"""`amlops online-deployment` in Azure."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlops import serving, yamlfile
from amlops.azure import online_records
from amlops.azure.errors import azure_errors
from amlops.azure.online_endpoints import AzureOnlineEndpoints
from amlops.errors import UserError
from amlops.workspace import Record

if TYPE_CHECKING:
    from amlops.azure.client import AzureContext

# What can be changed of a deployment that exists without its file, by `--set`.
_CHANGEABLE = ("instance_count", "environment_variables", "request_settings", "tags", "description")


class AzureOnlineDeployments:
    """See `amlops.workspace.OnlineDeployments`."""

    def __init__(self, azure: AzureContext) -> None:
        self._azure = azure

    def create(
        self,
        file: Path,
        *,
        name: str | None = None,
        endpoint_name: str | None = None,
        all_traffic: bool = False,
        sets: Sequence[str] = (),
    ) -> Record:
        """Make a deployment and wait until it answers; see `amlops.workspace.OnlineDeployments.create`."""
        from amlops.local.batch import documents  # reads the shapes of `amlops validate`, which takes a moment
        from amlops.validate import kinds

        document = documents.changed(yamlfile.load(file), sets, name=name, endpoint_name=endpoint_name)
        documents.checked(
            document, kinds.online_deployment(document.data), self._azure.project, ignoring={"endpoint-name"}
        )
        endpoint = self._azure.physical(str(document.data["endpoint_name"]))
        errors = self._errors(str(document.data["name"]), endpoint, file)
        with (
            self._azure.source(document.path, self._azure.with_logical_endpoint(document.data)) as (text, origin),
            errors,
        ):
            from azure.ai.ml import load_online_deployment

            deployment = load_online_deployment(text, relative_origin=str(origin))
            self._save(deployment)
        if all_traffic:
            AzureOnlineEndpoints(self._azure).set_traffic(endpoint, {document.data["name"]: 100})
        return self.show(str(document.data["name"]), endpoint)

    def update(self, name: str, endpoint_name: str, *, file: Path | None = None, sets: Sequence[str] = ()) -> Record:
        """Change a deployment; see `amlops.workspace.OnlineDeployments.update`."""
        if file is not None:
            return self.create(file, name=name, endpoint_name=endpoint_name, sets=sets)
        if not sets:
            raise UserError("--set: nothing to change; for example --set instance_count=2")
        endpoint = self._azure.physical(endpoint_name)
        with self._errors(name, endpoint):
            deployment: Any = self._azure.ml.online_deployments.get(name, endpoint)
            _change(deployment, sets)
            self._save(deployment)
        return self.show(name, endpoint_name)

    def copy(self, name: str, endpoint_name: str, new_name: str, *, sets: Sequence[str] = ()) -> Record:  # noqa: ARG002
        """Not done in Azure, where limits of a process cannot be set; see `amlops.workspace.OnlineDeployments.copy`."""
        raise UserError(
            f"--env: '{name}' is in Azure; a profile is taken on the laptop (--env local), and checked here by "
            f"amlops online-deployment stress --name {name} --endpoint-name {endpoint_name}"
        )

    def show(self, name: str, endpoint_name: str) -> Record:
        """One deployment; see `amlops.workspace.OnlineDeployments.show`."""
        endpoint = self._azure.physical(endpoint_name)
        with self._errors(name, endpoint):
            document = self._azure.rest.workspace(f"onlineEndpoints/{endpoint}/deployments/{name}")
        return online_records.deployment(document, endpoint)

    def list(self, endpoint_name: str) -> list[Record]:
        """The deployments of an endpoint, by name; see `amlops.workspace.OnlineDeployments.list`."""
        endpoint = self._azure.physical(endpoint_name)
        with azure_errors(self._azure, f"online endpoint '{endpoint}'"):
            found = list(self._azure.rest.workspace_list(f"onlineEndpoints/{endpoint}/deployments"))
        return sorted((online_records.deployment(one, endpoint) for one in found), key=lambda record: record["name"])

    def delete(self, name: str, endpoint_name: str) -> Record:
        """Delete a deployment that has no traffic; see `amlops.workspace.OnlineDeployments.delete`."""
        record = self.show(name, endpoint_name)
        serving.check_no_traffic(AzureOnlineEndpoints(self._azure).show(endpoint_name), name, endpoint_name)
        with self._errors(name, record["endpoint_name"]):
            self._azure.ml.online_deployments.begin_delete(name, record["endpoint_name"]).result()
        return record

    def get_logs(self, name: str, endpoint_name: str, *, lines: int = 50) -> str:
        """The last lines of its server; see `amlops.workspace.OnlineDeployments.get_logs`."""
        endpoint = self._azure.physical(endpoint_name)
        with self._errors(name, endpoint):
            return self._azure.ml.online_deployments.get_logs(name, endpoint, lines)

    def _save(self, deployment: Any) -> None:
        # The script has been checked with the file; the SDK's own check reads it from the folder of the process.
        self._azure.ml.online_deployments.begin_create_or_update(deployment, skip_script_validation=True).result()

    def _errors(self, name: str, endpoint: str, file: Path | None = None) -> Any:
        return azure_errors(self._azure, f"deployment '{name}' of '{endpoint}'", file=file)


def _change(deployment: Any, sets: Sequence[str]) -> None:
    """Change a deployment by "KEY=VALUE". Raises UserError for a key that needs the file."""
    import yaml

    for entry in sets:
        path, equals, text = entry.partition("=")
        keys = path.split(".")
        if not equals or keys[0] not in _CHANGEABLE:
            raise UserError(f"--set {path}: cannot be changed without --file; one of {', '.join(_CHANGEABLE)}")
        value = yaml.safe_load(text)
        if len(keys) == 1:
            setattr(deployment, keys[0], value)
        elif keys[0] == "request_settings":
            setattr(deployment.request_settings, keys[1], value)
        else:
            section = copy.copy(getattr(deployment, keys[0]) or {})
            section[".".join(keys[1:])] = str(value)
            setattr(deployment, keys[0], section)
