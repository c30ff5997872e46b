"""What verbs print of batch endpoints, their deployments and jobs in Azure: with the keys of the laptop's records."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from amlops.azure import records
from amlops.workspace import Record

_VERSION = re.compile(r".*/(?:models|environments|codes)/([^/]+)/versions/([^/]+)", re.IGNORECASE)
_COMPUTE = re.compile(r".*/computes/([^/]+)", re.IGNORECASE)
_ACTIONS = {"appendrow": "append_row", "summaryonly": "summary_only"}


def endpoint(document: Mapping[str, Any]) -> Record:
    """A batch endpoint."""
    properties = document.get("properties") or {}
    mode = str(properties.get("authMode") or "")
    return {
        "name": document["name"],
        "description": properties.get("description") or "",
        "tags": dict(document.get("tags") or {}),
        "properties": dict(properties.get("properties") or {}),
        "auth_mode": records.AUTH_MODES.get(mode.lower(), mode),
        "defaults": {"deployment_name": (properties.get("defaults") or {}).get("deploymentName")},
        "provisioning_state": properties.get("provisioningState"),
        "scoring_uri": properties.get("scoringUri"),
        "created_at": records.time_of((document.get("systemData") or {}).get("createdAt")),
    }


def deployment(document: Mapping[str, Any], endpoint_name: str) -> Record:
    """A deployment of a batch endpoint, of a model or of a pipeline component."""
    properties = document.get("properties") or {}
    first: Record = {
        "name": document["name"],
        "endpoint_name": endpoint_name,
        "description": properties.get("description") or "",
        "tags": dict(document.get("tags") or {}),
        "properties": dict(properties.get("properties") or {}),
        "file": None,
        "provisioning_state": properties.get("provisioningState"),
        "created_at": records.time_of((document.get("systemData") or {}).get("createdAt")),
    }
    configuration = properties.get("deploymentConfiguration") or {}
    if str(configuration.get("deploymentConfigurationType") or "").lower() == "pipelinecomponent":
        component = (configuration.get("componentId") or {}).get("assetId")
        return {
            **first,
            "type": "pipeline",
            "component": component,
            "settings": dict(configuration.get("settings") or {}),
        }
    return {**first, **_of_model(properties)}


def _of_model(properties: Mapping[str, Any]) -> Record:
    code = properties.get("codeConfiguration") or {}
    retries = properties.get("retrySettings") or {}
    action = str(properties.get("outputAction") or "AppendRow")
    return {
        "type": "model",
        "model": reference((properties.get("model") or {}).get("assetId")),
        "model_path": None,
        "code_configuration": {"code": reference(code.get("codeId")), "scoring_script": code.get("scoringScript")}
        if code
        else None,
        "scored_by": None,
        "code_path": None,
        "environment": reference(properties.get("environmentId")),
        "compute": compute(properties.get("compute")),
        "resources": {"instance_count": (properties.get("resources") or {}).get("instanceCount") or 1},
        "settings": {
            "max_concurrency_per_instance": properties.get("maxConcurrencyPerInstance"),
            "mini_batch_size": properties.get("miniBatchSize"),
            "output_action": _ACTIONS.get(action.lower(), action),
            "output_file_name": properties.get("outputFileName"),
            "retry_settings": {
                "max_retries": retries.get("maxRetries"),
                "timeout": records.seconds_of(retries.get("timeout")),
            },
            "error_threshold": properties.get("errorThreshold"),
            "logging_level": str(properties.get("loggingLevel") or "Info").lower(),
            "environment_variables": dict.fromkeys(sorted(properties.get("environmentVariables") or {}), "(not shown)"),
        },
    }


def reference(arm_id: object) -> str | None:
    """`azureml:name:version` of the id of a version; another address as it is."""
    match = _VERSION.fullmatch(str(arm_id or ""))
    return f"azureml:{match[1]}:{match[2]}" if match else (str(arm_id) if arm_id else None)


def compute(arm_id: object) -> str | None:
    """`azureml:name` of the id of a compute target."""
    match = _COMPUTE.fullmatch(str(arm_id or ""))
    return f"azureml:{match[1]}" if match else (str(arm_id) if arm_id else None)


def job(document: Mapping[str, Any]) -> Record:
    """A job of a batch endpoint."""
    own = (document.get("properties") or {}).get("properties") or {}
    return {
        **records.job(document),
        "type": "batch",
        "endpoint_name": own.get("azureml.endpointname"),
        "deployment_name": own.get("azureml.deploymentname"),
    }


def listed_job(document: Mapping[str, Any]) -> Record:
    """A job in the list of an endpoint or deployment: not all that `job show` knows of it."""
    found = document.get("properties") or {}
    properties = {
        "displayName": found.get("name"),
        "inputs": found.get("inputData"),
        "outputs": found.get("outputData"),
        "services": found.get("interactionEndpoints"),
        **{key: found.get(key) for key in ("status", "description", "tags", "properties")},
    }
    return job({**document, "properties": properties})
