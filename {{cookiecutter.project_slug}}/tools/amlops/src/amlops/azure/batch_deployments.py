"""`amlops batch-deployment` in Azure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlops import serving, yamlfile
from amlops.azure import batch_records
from amlops.azure.batch_endpoints import AzureBatchEndpoints, jobs_of
from amlops.azure.errors import azure_errors
from amlops.errors import UserError
from amlops.workspace import CompareOptions, Record

if TYPE_CHECKING:
    from amlops.azure.client import AzureContext

# What `--set` can change of a deployment that exists, without its file: key of the YAML, attribute of the SDK's object.
_SETTINGS = {
    "settings.mini_batch_size": "mini_batch_size",
    "settings.max_concurrency_per_instance": "max_concurrency_per_instance",
    "settings.error_threshold": "error_threshold",
    "settings.output_file_name": "output_file_name",
    "settings.logging_level": "logging_level",
}


class AzureBatchDeployments:
    """See `amlops.workspace.BatchDeployments`."""

    def __init__(self, azure: AzureContext) -> None:
        self._azure = azure
        self._endpoints = AzureBatchEndpoints(azure)

    def create(
        self,
        file: Path,
        *,
        name: str | None = None,
        endpoint_name: str | None = None,
        set_default: bool = False,
        sets: Sequence[str] = (),
    ) -> Record:
        """Make a deployment, or change the one of that name; see `amlops.workspace.BatchDeployments.create`."""
        from amlops.local.batch import documents  # reads the shapes of `amlops validate`, which takes a moment

        document = documents.changed(yamlfile.load(file), sets, name=name, endpoint_name=endpoint_name)
        is_pipeline = documents.is_pipeline(document)
        if is_pipeline:
            documents.checked(document, "pipeline-deployment", self._azure.project, ignoring={"endpoint-name"})
        else:
            document = documents.accepted_deployment(document, self._azure.project)
        name = str(document.data["name"])
        endpoint = self._azure.physical(str(document.data["endpoint_name"]))
        errors = azure_errors(self._azure, f"deployment '{name}' of batch endpoint '{endpoint}'", file=file)
        with (
            self._azure.source(document.path, self._azure.with_logical_endpoint(document.data)) as (text, origin),
            errors,
        ):
            # The public loader refuses `settings:`, which the documentation has.
            from azure.ai.ml.entities import _load_functions as loaders

            load = loaders.load_pipeline_component_batch_deployment if is_pipeline else _load_model_deployment
            deployment: Any = load(text, relative_origin=str(origin))
            deployment.endpoint_name = endpoint
            self._azure.ml.batch_deployments.begin_create_or_update(deployment).result()
        if set_default:
            self._endpoints.update(endpoint, sets=[f"defaults.deployment_name={name}"])
        return self.show(name, endpoint)

    def update(self, name: str, endpoint_name: str, *, file: Path | None = None, sets: Sequence[str] = ()) -> Record:
        """Change a deployment; see `amlops.workspace.BatchDeployments.update`."""
        if file is not None:
            return self.create(file, name=name, endpoint_name=endpoint_name, sets=sets)
        changes = [_change(entry) for entry in sets]
        if not changes:
            raise UserError("--set: nothing to change; for example --set settings.mini_batch_size=50")
        endpoint = self._azure.physical(endpoint_name)
        with azure_errors(self._azure, f"deployment '{name}' of batch endpoint '{endpoint}'"):
            deployment: Any = self._azure.ml.batch_deployments.get(name, endpoint)
            for attribute, value in changes:
                setattr(deployment, attribute, value)
            self._azure.ml.batch_deployments.begin_create_or_update(deployment).result()
        return self.show(name, endpoint)

    def show(self, name: str, endpoint_name: str) -> Record:
        """One deployment; see `amlops.workspace.BatchDeployments.show`."""
        endpoint = self._azure.physical(endpoint_name)
        with azure_errors(self._azure, f"deployment '{name}' of batch endpoint '{endpoint}'"):
            document = self._azure.rest.workspace(f"batchEndpoints/{endpoint}/deployments/{name}")
        return batch_records.deployment(document, endpoint)

    def list(self, endpoint_name: str) -> list[Record]:
        """The deployments of an endpoint, by name; see `amlops.workspace.BatchDeployments.list`."""
        endpoint = self._azure.physical(endpoint_name)
        with azure_errors(self._azure, f"batch endpoint '{endpoint}'"):
            found = list(self._azure.rest.workspace_list(f"batchEndpoints/{endpoint}/deployments"))
        return sorted((batch_records.deployment(one, endpoint) for one in found), key=lambda record: record["name"])

    def delete(self, name: str, endpoint_name: str) -> Record:
        """Delete a deployment that is not the default; see `amlops.workspace.BatchDeployments.delete`."""
        record = self.show(name, endpoint_name)
        endpoint = record["endpoint_name"]
        serving.check_not_default(self._endpoints.show(endpoint), name, endpoint_name)
        with azure_errors(self._azure, f"deployment '{name}' of batch endpoint '{endpoint}'"):
            self._azure.ml.batch_deployments.begin_delete(name, endpoint).result()
        return record

    def compare(self, name: str, other: str, endpoint_name: str, options: CompareOptions) -> Record:
        """Only on the laptop. Raises UserError."""
        environment = self._azure.environment.name
        raise UserError(
            "compare: runs on this machine only; without --env, or invoke both there and compare the files: amlops "
            f"batch-endpoint invoke --name {endpoint_name} --deployment-name {name} --input {options.input} "
            f"--env {environment}, and the same with {other}"
        )

    def list_jobs(self, name: str, endpoint_name: str) -> list[Record]:
        """The jobs of a deployment, newest first; see `amlops.workspace.BatchDeployments.list_jobs`."""
        return jobs_of(self._azure, self._azure.physical(endpoint_name), name)


def _load_model_deployment(text: Any, relative_origin: str) -> Any:
    from azure.ai.ml.entities import _load_functions as loaders

    return loaders.load_model_batch_deployment(text, relative_origin=relative_origin)


def _change(entry: str) -> tuple[str, Any]:
    """`settings.mini_batch_size=50` -> the SDK's attribute and the value. Raises UserError."""
    import yaml

    key, equals, text = entry.partition("=")
    attribute = _SETTINGS.get(key.strip())
    if not equals or attribute is None:
        raise UserError(
            f"--set: '{entry}' must be KEY=VALUE with one of {', '.join(_SETTINGS)}; "
            "for anything else give the file with --file"
        )
    return attribute, yaml.safe_load(text)
