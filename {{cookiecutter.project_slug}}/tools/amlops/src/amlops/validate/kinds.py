"""Which kind of file a YAML file is, and what shape that kind has."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlops.yamlfile import YamlFile

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    `shape` is "module.Class" below `amlops.validate.schema`; "" for kinds that are not checked here.
    """

    id: str
    title: str
    shape: str = ""
    note: str = ""

    def load_shape(self) -> type[BaseModel] | None:
        """The pydantic model; only the shapes that are needed are imported."""
        if not self.shape:
            return None
        module, name = self.shape.split(".")
        return getattr(import_module(f"amlops.validate.schema.{module}"), name)


_KINDS = (
    Kind("pipeline-job", "pipeline job", "jobs.PipelineJob"),
    Kind("command-component", "command component", "jobs.CommandComponent"),
    Kind("parallel-component", "parallel component", "parallel.ParallelComponent"),
    Kind("pipeline-component", "pipeline component", "jobs.PipelineComponent"),
    Kind("command-job", "command job", "jobs.CommandJob"),
    Kind("batch-endpoint", "batch endpoint", "batch.BatchEndpoint"),
    Kind("batch-deployment", "batch deployment (type: model)", "batch.ModelBatchDeployment"),
    Kind("pipeline-deployment", "batch deployment (type: pipeline)", "batch.PipelineBatchDeployment"),
    Kind("environment", "environment", "assets.EnvironmentShape"),
    Kind("conda", "conda file of an environment", "assets.CondaFile"),
    Kind("model", "model", "assets.ModelShape"),
    Kind("data", "data asset", "assets.DataShape"),
    Kind("datastore", "data store", "datastores.DatastoreShape"),
    Kind("compute-cluster", "compute cluster", "workspace.Cluster"),
    Kind("compute-instance", "compute instance", "workspace.Instance"),
    Kind("schedule", "schedule", "workspace.Schedule"),
    Kind("local-environment", "`.cloud/environments/local.yml`", "workspace.LocalEnvironment"),
    Kind("azure-environment", "`.cloud/environments/<name>.yml`", "workspace.AzureEnvironment"),
    Kind("gate", "`.cloud/gates/<model>.yml`"),
    Kind("release", "`.cloud/release/<workload>.yml`", "release.Release"),
    Kind("request", "`.cloud/request.yaml`", note="checked by `amlplatform check`"),
    Kind("managed-online-endpoint", "managed online endpoint", "online.ManagedOnlineEndpoint"),
    Kind("kubernetes-online-endpoint", "Kubernetes online endpoint", "online.KubernetesOnlineEndpoint"),
    Kind("managed-online-deployment", "managed online deployment", "online.ManagedOnlineDeployment"),
    Kind("kubernetes-online-deployment", "Kubernetes online deployment", "online.KubernetesOnlineDeployment"),
    Kind("other", "Spark components, sweep jobs", note="not checked yet"),
)
KINDS = {kind.id: kind for kind in _KINDS}

# The last part of a `$schema` address, without ".schema.json" and upper case, as Azure's examples write them.
_BY_SCHEMA = {
    "pipelinejob": "pipeline-job",
    "commandcomponent": "command-component",
    "commandjob": "command-job",
    "batchendpoint": "batch-endpoint",
    "batchdeployment": "batch-deployment",
    "modelbatchdeployment": "batch-deployment",
    "environment": "environment",
    "model": "model",
    "data": "data",
    "azureblob": "datastore",
    "azurefile": "datastore",
    "azuredatalakegen1": "datastore",
    "azuredatalakegen2": "datastore",
    "onelake": "datastore",
    "amlcompute": "compute-cluster",
    "computeinstance": "compute-instance",
    "schedule": "schedule",
    "pipelinecomponent": "pipeline-component",
    "parallelcomponent": "parallel-component",
    "sparkcomponent": "other",
    "sparkjob": "other",
    "sweepjob": "other",
    "pipelinecomponentbatchdeployment": "pipeline-deployment",
    "managedonlineendpoint": "managed-online-endpoint",
    "managedonlinedeployment": "managed-online-deployment",
    "kubernetesonlineendpoint": "kubernetes-online-endpoint",
    "kubernetesonlinedeployment": "kubernetes-online-deployment",
}
_BY_TYPE = {
    "amlcompute": "compute-cluster",
    "computeinstance": "compute-instance",
    "custom_model": "model",
    "mlflow_model": "model",
    "triton_model": "model",
    "azure_blob": "datastore",
    "azure_file": "datastore",
    "azure_data_lake_gen1": "datastore",
    "azure_data_lake_gen2": "datastore",
    "one_lake": "datastore",
    "uri_file": "data",
    "uri_folder": "data",
    "mltable": "data",
    "parallel": "parallel-component",
    "spark": "other",
    "sweep": "other",
}
_BY_KEY = {
    ("trigger", "create_job"): "schedule",
    ("traffic", "mirror_traffic"): "managed-online-endpoint",
    ("auth_mode", "defaults"): "batch-endpoint",
    ("image", "build", "conda_file"): "environment",
}
_LITERALS = ("string", "number", "integer", "boolean")
# Folder in .cloud or pipelines -> kind, for files that say nothing of themselves.
_BY_FOLDER = {
    "models": "model",
    "data": "data",
    "datastores": "datastore",
    "schedules": "schedule",
    "compute": "compute-cluster",
}


def kind_of(document: YamlFile, root: Path | None) -> Kind | None:
    """What a file is, by its place in the project, `$schema`, `type` and keys; None when it cannot be told."""
    place = _relative(document.path, root)
    for find in (_by_place, _by_schema, _by_keys):
        if found := find(document, place):
            return KINDS[found]
    return None


def _relative(path: Path, root: Path | None) -> Path:
    try:
        return path.relative_to(root) if root else path
    except ValueError:
        return path


def _by_place(document: YamlFile, place: Path) -> str | None:
    parts = place.parts
    if parts[:2] == (".cloud", "environments"):
        return "local-environment" if place.name == "local.yml" else "azure-environment"
    if parts[:2] == (".cloud", "gates"):
        return "gate"
    if parts[:2] == (".cloud", "release"):
        return "release"
    if place.as_posix() == ".cloud/request.yaml":
        return "request"
    return "conda" if "dependencies" in document.data and "$schema" not in document.data else None


def _by_schema(document: YamlFile, place: Path) -> str | None:  # noqa: ARG001
    address = document.data.get("$schema")
    if not isinstance(address, str):
        return None
    found = _BY_SCHEMA.get(address.rsplit("/", 1)[-1].lower().removesuffix(".json").removesuffix(".schema"))
    if found == "batch-deployment" and str(document.data.get("type")).lower() == "pipeline":
        return "pipeline-deployment"  # Microsoft's examples name one schema for both
    if found == "batch-endpoint" and "endpoint_name" in document.data:
        return None  # a deployment under the schema of an endpoint, as older examples have it
    return found


def _by_keys(document: YamlFile, place: Path) -> str | None:
    data = document.data
    kind = str(data.get("type", "")).lower()
    if "endpoint_name" in data:
        return _deployment(kind, data)
    if kind == "pipeline":
        return "pipeline-component" if _is_pipeline_component(data, place) else "pipeline-job"
    if kind == "command" or (not kind and "command" in data):
        return "command-component" if _is_component(data, place) else "command-job"
    return _BY_TYPE.get(kind) or _by_telling_key(data, place)


def _by_telling_key(data: dict[str, Any], place: Path) -> str | None:
    """By a key that only one kind has; else by the folder."""
    for keys, kind in _BY_KEY.items():
        if not data.keys().isdisjoint(keys):
            return kind
    if "endpoints" in place.parts and place.stem.startswith("endpoint"):
        return "batch-endpoint"
    return next((_BY_FOLDER[part] for part in reversed(place.parts[:-1]) if part in _BY_FOLDER), None)


def _deployment(kind: str, data: dict[str, Any]) -> str:
    online = {"instance_type", "request_settings", "scale_settings", "liveness_probe"} & data.keys()
    if kind == "pipeline" or {"job_definition"} & data.keys():
        return "pipeline-deployment"
    if kind == "kubernetes":
        return "kubernetes-online-deployment"
    return "managed-online-deployment" if online or kind == "managed" else "batch-deployment"


def online_endpoint(data: dict[str, Any]) -> str:
    """The kind of an online endpoint's file: one on Kubernetes names its compute, or says so by its schema."""
    kubernetes = "compute" in data or "kubernetes" in str(data.get("$schema", "")).lower()
    return "kubernetes-online-endpoint" if kubernetes else "managed-online-endpoint"


def online_deployment(data: dict[str, Any]) -> str:
    """The kind of an online deployment's file."""
    return "kubernetes-online-deployment" if on_kubernetes(data) else "managed-online-deployment"


def on_kubernetes(data: dict[str, Any]) -> bool:
    """Whether an online deployment is for a Kubernetes cluster: by `type`, else by its schema."""
    return "kubernetes" in str(data.get("type") or data.get("$schema", "")).lower()


def _is_component(data: dict[str, Any], place: Path) -> bool:
    if "components" in place.parts or {"is_deterministic", "version"} & data.keys():
        return True
    return not {"compute", "experiment_name", "limits"} & data.keys() and "jobs" not in place.parts


def _is_pipeline_component(data: dict[str, Any], place: Path) -> bool:
    """A component declares its inputs and has neither settings nor a compute target; a job gives them values."""
    if {"settings", "compute", "experiment_name", "component"} & data.keys():
        return False
    inputs = data.get("inputs")
    declared = [entry for entry in inputs.values() if isinstance(entry, dict)] if isinstance(inputs, dict) else []
    if any(entry.get("type") in _LITERALS and "value" not in entry for entry in declared):
        return True
    return "components" in place.parts or bool({"is_deterministic", "version"} & data.keys())
