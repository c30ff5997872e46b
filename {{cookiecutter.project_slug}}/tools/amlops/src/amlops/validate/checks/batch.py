"""Batch endpoints and deployments: model, code, references to each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from amlops import references
from amlops.validate.checks.files import environment_faults, is_local, local_path, missing_path
from amlops.validate.checks.script import script_faults
from amlops.validate.context import Context
from amlops.validate.fault import Fault, fault_at
from amlops.yamlfile import YamlFile

# Environments that Microsoft maintains. Azure ML, "create jobs for batch endpoints": they are not supported there.
_CURATED = ("azureml://registries/azureml/environments/", "azureml:AzureML-")


def endpoint_faults(document: YamlFile, context: Context) -> Iterator[Fault]:
    """Faults of a batch endpoint that the project's deployments show."""
    default = document.get("defaults", "deployment_name")
    if not isinstance(default, str):
        return
    endpoint = document.get("name")
    names = [
        str(other.get("name"))
        for kind in ("batch-deployment", "pipeline-deployment")
        for other in context.of_kind(kind)
        if other.get("endpoint_name") == endpoint
    ]
    if default not in names:
        fix = f"its deployments in this project are: {', '.join(sorted(names)) or 'none'}"
        yield fault_at(
            document,
            "default-deployment",
            f"'{default}' is not a deployment of '{endpoint}'",
            fix,
            "defaults",
            "deployment_name",
        )


def deployment_faults(document: YamlFile, context: Context) -> Iterator[Fault]:
    """Faults of a model deployment."""
    yield from model_faults(document)
    yield from _code_faults(document, context)
    yield from environment_faults(document, "environment")
    environment = document.get("environment")
    if isinstance(environment, str) and environment.startswith(_CURATED):
        fix = "write an environment of your own: image and conda_file"
        yield fault_at(document, "batch-environment", f"'{environment}' is a curated environment", fix, "environment")
    yield from endpoint_name_faults(document, context)


def endpoint_name_faults(document: YamlFile, context: Context) -> Iterator[Fault]:
    """An `endpoint_name` that is no endpoint of the project; a project without endpoints says nothing of it."""
    endpoints = [other.get("name") for other in context.of_kind("batch-endpoint")]
    if endpoints and document.get("endpoint_name") not in endpoints:
        fix = f"the project's endpoints are: {', '.join(sorted(map(str, endpoints)))}"
        text = f"'{document.get('endpoint_name')}' is not an endpoint of this project"
        yield fault_at(document, "endpoint-name", text, fix, "endpoint_name")


def model_faults(document: YamlFile) -> Iterator[Fault]:
    """Faults of the model that a deployment names."""
    model = document.get("model")
    if isinstance(model, dict):
        yield from missing_path(document, "the file or folder of the model", "model", "path")
    elif is_local(model):
        fix = f"write 'azureml:NAME@latest' for a registered model, or 'model: {{path: {model}}}'"
        yield fault_at(document, "asset-reference", f"'{model}' is not a reference to a model", fix, "model")
    elif references.is_reference(model):
        try:
            reference = references.parse(str(model))
        except ValueError:
            reference = None
        if reference is None or (reference.version is None and reference.label is None):
            text = f"'{model}' is not a model with a version or label"
            yield fault_at(
                document, "asset-reference", text, "for example azureml:digits@latest or azureml:digits:1", "model"
            )


def scoring_script(document: YamlFile) -> Path | None:
    """The scoring script of a deployment; None when it is not named, or would lie outside the code folder."""
    code, script = document.get("code_configuration", "code"), document.get("code_configuration", "scoring_script")
    if not (isinstance(script, str) and isinstance(code, str) and is_local(code)):
        return None
    folder = local_path(document, code).resolve()
    path = (folder / script).resolve()
    return path if path.is_relative_to(folder) else None


def type_of_model(document: YamlFile, context: Context) -> str | None:
    """The type of a deployment's model; None for a registered one that no file of the project describes."""
    model = document.get("model")
    if isinstance(model, dict):
        return str(model.get("type") or "custom_model").lower()
    try:
        name = references.parse(str(model)).name
    except ValueError:
        return None
    types = [
        str(other.get("type") or "custom_model") for other in context.of_kind("model") if other.get("name") == name
    ]
    return types[0].lower() if types else None


def _code_faults(document: YamlFile, context: Context) -> Iterator[Fault]:
    configuration = document.get("code_configuration")
    if configuration is None:
        # A model that only the registry knows may be one of MLflow's.
        if type_of_model(document, context) not in ("mlflow_model", None):
            fix = "add 'code_configuration:' with code and scoring_script"
            yield fault_at(document, "no-script", "there is no scoring script; only MLflow models need none", fix)
        return
    code_faults = list(missing_path(document, "the code folder", "code_configuration", "code", folder=True))
    yield from code_faults
    script = document.get("code_configuration", "scoring_script")
    if code_faults or not isinstance(script, str):
        return
    keys = ("code_configuration", "scoring_script")
    path = scoring_script(document)
    if path is None:
        yield fault_at(
            document, "missing-file", f"'{script}' is outside the code folder", "give a path below code", *keys
        )
    elif not path.is_file():
        yield fault_at(
            document,
            "missing-file",
            f"'{script}' is not in the code folder",
            "give a path below code, for example score.py",
            *keys,
        )
    else:
        yield from script_faults(path, summary_only=document.get("settings", "output_action") == "summary_only")
