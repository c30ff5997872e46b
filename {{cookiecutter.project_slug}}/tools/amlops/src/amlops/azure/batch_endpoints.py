"""`amlops batch-endpoint` in Azure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlops import references, yamlfile
from amlops.azure import batch_records
from amlops.azure.errors import azure_errors
from amlops.errors import UserError
from amlops.workspace import Record

if TYPE_CHECKING:
    from amlops.azure.client import AzureContext

_LIST = "batchEndpoints"
_CHANGEABLE = ("description", "tags", "defaults", "properties")
_TYPES = {True: "uri_folder", False: "uri_file"}


class AzureBatchEndpoints:
    """See `amlops.workspace.BatchEndpoints`."""

    def __init__(self, azure: AzureContext) -> None:
        self._azure = azure

    def create(self, file: Path | None = None, *, name: str | None = None, sets: Sequence[str] = ()) -> Record:
        """Make an endpoint, or change the one of that name; see `amlops.workspace.BatchEndpoints.create`.

        One that exists keeps its default deployment where the file names none, as on the laptop: it serves meanwhile.
        """
        from amlops.local.batch import documents  # reads the shapes of `amlops validate`, which takes a moment

        document = yamlfile.load(file) if file else documents.from_data({}, self._azure.project.root / "endpoint")
        document = documents.changed(document, sets, name=name)
        documents.checked(document, "batch-endpoint", self._azure.project, ignoring={"default-deployment"})
        physical = self._azure.physical(str(document.data["name"]))
        data: dict[str, Any] = dict(document.data)
        if file is None:
            data["name"] = physical
        default = (data.get("defaults") or {}).get("deployment_name") or self._default(physical)
        if default:
            data["defaults"] = {"deployment_name": default}
        errors = azure_errors(self._azure, f"batch endpoint '{physical}'", file=file)
        with self._azure.source(document.path, data) as (text, origin), errors:
            from azure.ai.ml import load_batch_endpoint

            endpoint = load_batch_endpoint(text, relative_origin=str(origin))
            endpoint.name = physical
            self._azure.ml.batch_endpoints.begin_create_or_update(endpoint).result()
        return self.show(physical)

    def _default(self, physical: str) -> str | None:
        """The default deployment of an endpoint that may not be there."""
        found = (record for record in self.list() if record["name"].lower() == physical.lower())
        return next((record["defaults"]["deployment_name"] for record in found), None)

    def update(self, name: str, *, file: Path | None = None, sets: Sequence[str] = ()) -> Record:
        """Change an endpoint; see `amlops.workspace.BatchEndpoints.update`."""
        from amlops.local.batch import documents

        before = self.show(name)
        if file is not None:
            return self.create(file, name=name, sets=sets)
        given = {key: before[key] for key in ("description", "tags", "properties", "defaults") if before[key]}
        document = documents.from_data(given, self._azure.project.root / "endpoint")
        changed = documents.changed(document, sets).data
        unknown = sorted(changed.keys() - set(_CHANGEABLE))
        if unknown:
            raise UserError(f"--set {unknown[0]}: cannot be changed; one of {', '.join(_CHANGEABLE)}")
        self._check_default(before["name"], (changed.get("defaults") or {}).get("deployment_name"))
        with azure_errors(self._azure, f"batch endpoint '{before['name']}'"):
            endpoint: Any = self._azure.ml.batch_endpoints.get(before["name"])
            for key, value in changed.items():
                setattr(endpoint, key, value)
            self._azure.ml.batch_endpoints.begin_create_or_update(endpoint).result()
        return self.show(name)

    def _check_default(self, physical: str, default: str | None) -> None:
        if default is None:
            return
        with azure_errors(self._azure, f"batch endpoint '{physical}'"):
            known = sorted(one["name"] for one in self._azure.rest.workspace_list(f"{_LIST}/{physical}/deployments"))
        if default not in known:
            raise UserError(
                f"defaults.deployment_name: the endpoint '{physical}' has no deployment '{default}' "
                f"(it has: {', '.join(known) or 'none'}); make it first: amlops batch-deployment create -f FILE"
            )

    def show(self, name: str) -> Record:
        """One endpoint; see `amlops.workspace.BatchEndpoints.show`."""
        physical = self._azure.physical(name)
        with azure_errors(self._azure, f"batch endpoint '{physical}'"):
            return batch_records.endpoint(self._azure.rest.workspace(f"{_LIST}/{physical}"))

    def list(self) -> list[Record]:
        """All endpoints, by name; see `amlops.workspace.BatchEndpoints.list`."""
        with azure_errors(self._azure, "batch endpoints"):
            found = [batch_records.endpoint(document) for document in self._azure.rest.workspace_list(_LIST)]
        return sorted(found, key=lambda record: record["name"])

    def delete(self, name: str) -> Record:
        """Delete an endpoint and its deployments; its jobs stay. See `amlops.workspace.BatchEndpoints.delete`."""
        record = self.show(name)
        physical = record["name"]
        with azure_errors(self._azure, f"batch endpoint '{physical}'"):
            documents = self._azure.rest.workspace_list(f"{_LIST}/{physical}/deployments")
            deployments = sorted(document["name"] for document in documents)
            self._azure.ml.batch_endpoints.begin_delete(physical).result()
        return {**record, "deployments": deployments}

    def invoke(
        self,
        name: str,
        *,
        input: str | None = None,
        input_type: str | None = None,
        deployment_name: str | None = None,
        mini_batch_size: int | None = None,
        instance_count: int | None = None,
        output_path: str | None = None,
        overwrite: bool = False,
        workers: int | None = None,
        job_name: str | None = None,
        sets: Sequence[str] = (),
        file: Path | None = None,
    ) -> Record:
        """Start a job and return its record at once; `amlops job wait` waits. See `BatchEndpoints.invoke`."""
        from amlops.local.batch import invocation, settings

        if overwrite:
            raise UserError("--overwrite: Azure ML replaces no output; for example --set output_file_name=second.csv")
        if workers is not None:
            raise UserError("--workers: Azure ML always has processes; --env local runs the script in this one")
        given = invocation.read(file, sets)
        changes = settings.overrides_of(given.sets, mini_batch_size, instance_count)
        physical = self._azure.physical(name)
        with azure_errors(self._azure, f"batch endpoint '{physical}'"):
            from azure.ai.ml import Output

            asked: dict[str, Any] = {"params_override": [{key: value} for key, value in changes.items()]}
            if given.inputs:
                asked["inputs"] = {key: _named_input(entry) for key, entry in given.inputs.items()}
            elif input is not None:
                asked["input"] = _input(input, input_type)
            else:
                raise UserError("--input: is missing; for example --input ./images")
            outputs = {key: Output(**_plain(entry)) for key, entry in given.outputs.items()}
            if output_path is not None:
                outputs["score"] = Output(type="uri_folder", path=_output(output_path))
            if outputs:
                asked["outputs"] = outputs
            if job_name is not None:
                asked["job_name"] = job_name
            if deployment_name is not None:
                self._check_deployment(physical, deployment_name)
            started = self._azure.ml.batch_endpoints.invoke(physical, deployment_name=deployment_name, **asked)
            return batch_records.job(self._azure.rest.workspace(f"jobs/{started.name}"))

    def _check_deployment(self, physical: str, deployment: str) -> None:
        known = sorted(one["name"] for one in self._azure.rest.workspace_list(f"{_LIST}/{physical}/deployments"))
        if deployment not in known:
            raise UserError(
                f"--deployment-name: the endpoint '{physical}' has no deployment '{deployment}'; "
                f"it has: {', '.join(known) or 'none'}"
            )

    def list_jobs(self, name: str) -> list[Record]:
        """The jobs that scored with any deployment, newest first; see `amlops.workspace.BatchEndpoints.list_jobs`."""
        return jobs_of(self._azure, self._azure.physical(name), None)


def jobs_of(azure: AzureContext, endpoint: str, deployment: str | None) -> list[Record]:
    """The jobs of an endpoint or of one of its deployments, newest first. Raises UserError."""
    where = f"{_LIST}/{endpoint}" + (f"/deployments/{deployment}" if deployment else "")
    with azure_errors(azure, f"batch endpoint '{endpoint}'"):
        azure.rest.workspace(where)  # 404 for what is not there
        found = [batch_records.listed_job(document) for document in azure.front_end.workspace_list(f"{where}/jobs")]
    return sorted(found, key=lambda record: str(record["created_at"]), reverse=True)


def _input(value: str, kind: str | None) -> Any:
    """What `--input` says. Raises UserError for a path that is not there."""
    from azure.ai.ml import Input

    if references.is_remote(value):
        return Input(type=kind or "uri_folder", path=value)
    path = Path(value).expanduser().absolute()
    if not path.exists():
        raise UserError(f"--input: '{value}' does not exist; for example --input ./images")
    return Input(type=kind or _TYPES[path.is_dir()], path=str(path))


def _named_input(entry: Mapping[str, Any]) -> Any:
    from azure.ai.ml import Input

    return Input(**_plain(entry))


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "description"}


def _output(value: str) -> str:
    """Raises UserError for a place that is none in a data store."""
    if references.datastore_path(value) is None:
        raise UserError(
            f"--output-path: '{references.without_secrets(value)}' must be a place in a blob data store; "
            f"for example {references.DATASTORE_EXAMPLE}"
        )
    return value
