"""Batch deployments of the laptop: code, model and settings, kept as they were when the deployment was created."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlops import references, serving, yamlfile
from amlops.errors import UserError
from amlops.local.batch import documents, mlflow_models
from amlops.local.batch.jobs import jobs_of
from amlops.local.batch.records import EndpointRecords, Record
from amlops.local.batch.settings import shown_settings
from amlops.local.batch.snapshot import snapshot_code, snapshot_model
from amlops.local.environments import LocalEnvironments
from amlops.local.jobrecords import utc_now
from amlops.local.models import ModelStore
from amlops.local.parallel.progress import note
from amlops.local.state import LocalState
from amlops.project import Project
from amlops.workspace import CompareOptions
from amlops.yamlfile import YamlFile


class LocalBatchDeployments:
    """See `amlops.workspace.BatchDeployments`."""

    def __init__(self, state: LocalState, models: ModelStore, project: Project) -> None:
        self._state = state
        self._models = models
        self._project = project
        self._records = EndpointRecords(state)
        self._snapshots = state.root / "snapshots"

    def create(
        self,
        file: Path,
        *,
        name: str | None = None,
        endpoint_name: str | None = None,
        set_default: bool = False,
        sets: Sequence[str] = (),
    ) -> Record:
        """Make a deployment, or change the one of that name.

        The code folder is copied and `@latest` becomes a version, as in Azure: later changes of the files do not reach
        the deployment until it is created again.

        Raises:
            UserError: the file has a fault, or there is no such endpoint or model.
        """
        document = documents.changed(yamlfile.load(file), sets, name=name, endpoint_name=endpoint_name)
        record = self._save(document)
        if set_default:
            endpoint = self._records.endpoint(record["endpoint_name"])
            self._records.save_endpoint({**endpoint, "defaults": {"deployment_name": record["name"]}})
        return record

    def update(self, name: str, endpoint_name: str, *, file: Path | None = None, sets: Sequence[str] = ()) -> Record:
        """Change a deployment.

        Without a file, its code and model stay those that it was created with. Raises UserError.
        """
        old = self._records.deployment(endpoint_name, name)
        document = yamlfile.load(file) if file else documents.from_data(old["spec"], Path(old["file"]))
        return self._save(documents.changed(document, sets, name=name, endpoint_name=endpoint_name), old)

    def show(self, name: str, endpoint_name: str) -> Record:
        """One deployment. Raises UserError."""
        return self._records.deployment(endpoint_name, name)

    def list(self, endpoint_name: str) -> list[Record]:
        """The deployments of an endpoint. Raises UserError."""
        return self._records.deployments(endpoint_name)

    def delete(self, name: str, endpoint_name: str) -> Record:
        """Delete a deployment.

        Raises UserError for the endpoint's default: another must take its place first, as in Azure.
        """
        record = self._records.deployment(endpoint_name, name)
        serving.check_not_default(self._records.endpoint(endpoint_name), name, endpoint_name)
        self._records.delete_deployment(endpoint_name, name)
        return record

    def compare(self, name: str, other: str, endpoint_name: str, options: CompareOptions) -> Record:
        """Score the same input with two deployments and tell what differs; see `amlops.local.batch.compare`."""
        from amlops.local.batch import compare  # most commands do not need it
        from amlops.local.batch.endpoints import LocalBatchEndpoints

        endpoints = LocalBatchEndpoints(self._state, self._models, self._project)

        def invoke(deployment: str) -> Record:
            return endpoints.invoke(
                endpoint_name,
                input=options.input,
                input_type=options.input_type,
                deployment_name=deployment,
                mini_batch_size=options.mini_batch_size,
                instance_count=options.instance_count,
            )

        folder = options.report or self._state.root / "comparisons" / compare.new_folder_name(endpoint_name)
        pair = (self._records.deployment(endpoint_name, name), self._records.deployment(endpoint_name, other))
        return compare.compare(invoke, pair, folder, options)

    def list_jobs(self, name: str, endpoint_name: str) -> list[Record]:
        """The jobs that scored with a deployment, newest first. Raises UserError."""
        self._records.deployment(endpoint_name, name)
        return [job for job in jobs_of(self._state, endpoint_name) if job["deployment_name"] == name]

    def _save(self, document: YamlFile, old: Record | None = None) -> Record:
        if documents.is_pipeline(document):
            return self._save_pipeline(document, old)
        document = documents.accepted_deployment(document, self._project)
        data = document.data
        first = self._first_fields(document)
        model = self._model(document)
        code, spec = self._code(document, model)
        spec["model"] = model.spec
        record: dict[str, Any] = {
            **first,
            "type": "model",
            "model": model.name,
            "model_path": str(model.folder),
            "code_configuration": self._shown_code(document),
            "scored_by": None if data.get("code_configuration") else code.script,
            "code_path": str(code.folder),
            "environment": LocalEnvironments(self._project, self._state).pinned(data.get("environment"), note),
            "compute": data["compute"],
            **shown_settings(data),
            "spec": spec,
        }
        # What was deployed from a copy is still called what it was copied from.
        for key in ("model", "code_configuration"):
            if old is not None and spec.get(key) == old["spec"].get(key):
                record[key] = old[key]
        self._records.save_deployment(record)
        return record

    def _save_pipeline(self, document: YamlFile, old: Record | None) -> Record:
        from amlops.local.batch.pipelines import TYPE, PipelineDeployments

        document = documents.checked(document, "pipeline-deployment", self._project, ignoring={"endpoint-name"})
        first = self._first_fields(document)
        kept = PipelineDeployments(self._state, self._models, self._project).deployed(document)
        spec = {key: value for key, value in document.data.items() if key != "job_definition"}
        spec["component"] = kept["component_path"]
        record: Record = {**first, "type": TYPE, **kept, "spec": spec}
        if old is not None and spec["component"] == old["spec"].get("component"):
            record["component"] = old["component"]
        self._records.save_deployment(record)
        return record

    def _first_fields(self, document: YamlFile) -> Record:
        """What the record of every deployment has. Raises UserError when its endpoint is not there."""
        data = document.data
        endpoint = data["endpoint_name"]
        if not self._records.has_endpoint(endpoint):
            raise document.error(
                f"there is no batch endpoint '{endpoint}' yet; make it first: amlops batch-endpoint create -f FILE",
                "endpoint_name",
            )
        return {
            "name": data["name"],
            "endpoint_name": endpoint,
            "description": data.get("description", ""),
            "tags": data.get("tags", {}),
            "properties": data.get("properties", {}),
            "file": str(document.path),
            "provisioning_state": "Succeeded",
            "created_at": utc_now(),
        }

    def _code(self, document: YamlFile, model: _DeployedModel) -> tuple[_DeployedCode, dict[str, Any]]:
        """The code that scores, as a copy; and the deployment's YAML with it. An MLflow model needs none of its own."""
        configuration = document.data.get("code_configuration")
        store = self._snapshots / "code"
        if configuration:
            folder = snapshot_code(document.resolve(configuration["code"]), store)
            spec = {**document.data, "code_configuration": {**configuration, "code": str(folder)}}
            return _DeployedCode(folder, configuration["scoring_script"]), spec
        if model.type != mlflow_models.MODEL_TYPE:
            raise document.error(
                f"the model is a {model.type}, and only an {mlflow_models.MODEL_TYPE} needs no scoring script; "
                "add 'code_configuration:' with code and scoring_script"
            )
        code = _DeployedCode(mlflow_models.driver_for(model.folder, store), mlflow_models.DRIVER.name)
        return code, {**document.data}

    def _shown_code(self, document: YamlFile) -> dict[str, Any] | None:
        configuration = document.data.get("code_configuration")
        if not configuration:
            return None
        return {**configuration, "code": self._project.shown(document.resolve(configuration["code"]))}

    def _model(self, document: YamlFile) -> _DeployedModel:
        given = document.get("model")
        value = given["path"] if isinstance(given, dict) else given
        if references.is_reference(value):
            try:
                model = self._models.resolve(value)
            except UserError as error:
                raise document.error(error.message.removeprefix("model: "), "model") from None
            return _DeployedModel(model.reference, model.directory, model.reference, model.type)
        if references.is_address(value):
            raise document.error(f"'{value}' is not on this machine; register the model, or give its folder", "model")
        path = document.resolve(value)
        folder = snapshot_model(path, self._snapshots / "models")
        copy = {**given, "path": str(folder / path.name)}
        kind = str(given.get("type") or "custom_model").lower()
        return _DeployedModel(self._project.shown(path), folder, copy, kind)


@dataclass(frozen=True)
class _DeployedModel:
    """A deployment's model: what it is called, what AZUREML_MODEL_DIR will be, and how the YAML names exactly
    this one.
    """

    name: str
    folder: Path
    spec: str | dict[str, Any]
    type: str


@dataclass(frozen=True)
class _DeployedCode:
    """The copy of a deployment's code, and the scoring script in it."""

    folder: Path
    script: str
