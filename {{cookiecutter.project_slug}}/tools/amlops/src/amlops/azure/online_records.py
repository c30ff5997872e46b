"""What verbs print of real-time endpoints in Azure: the keys of the laptop's records (`amlops.local.online`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amlops.azure.records import AUTH_MODES, time_of
from amlops.workspace import Record

_PROBE = {
    "initial_delay": "initialDelay",
    "period": "period",
    "timeout": "timeout",
    "success_threshold": "successThreshold",
    "failure_threshold": "failureThreshold",
}


def endpoint(document: Mapping[str, Any]) -> Record:
    """An endpoint."""
    properties = document.get("properties") or {}
    mode = str(properties.get("authMode") or "")
    return {
        "name": document["name"],
        "description": properties.get("description") or "",
        "tags": dict(document.get("tags") or {}),
        "properties": dict(properties.get("properties") or {}),
        "auth_mode": AUTH_MODES.get(mode.lower(), mode),
        "compute": properties.get("compute"),
        "traffic": dict(properties.get("traffic") or {}),
        "mirror_traffic": dict(properties.get("mirrorTraffic") or {}),
        "created_at": time_of((document.get("systemData") or {}).get("createdAt")),
        "scoring_uri": properties.get("scoringUri"),
        "openapi_uri": properties.get("swaggerUri"),
        "provisioning_state": properties.get("provisioningState"),
        "state": None,
    }


def deployment(document: Mapping[str, Any], endpoint_name: str) -> Record:
    """A deployment. Of its environment variables only the names: their values may be secret."""
    properties = document.get("properties") or {}
    code = properties.get("codeConfiguration") or {}
    requests = properties.get("requestSettings") or {}
    return {
        "name": document["name"],
        "endpoint_name": endpoint_name,
        "type": str(properties.get("endpointComputeType") or "").lower(),
        "description": properties.get("description") or "",
        "tags": dict(document.get("tags") or {}),
        "properties": dict(properties.get("properties") or {}),
        "model": properties.get("model"),
        "model_path": None,
        "code_configuration": {"code": code.get("codeId"), "scoring_script": code.get("scoringScript")}
        if code
        else None,
        "code_path": None,
        "environment": properties.get("environmentId"),
        "instance_type": properties.get("instanceType"),
        "instance_count": (document.get("sku") or {}).get("capacity"),
        "file": None,
        "created_at": time_of((document.get("systemData") or {}).get("createdAt")),
        "environment_variables": dict.fromkeys(sorted(properties.get("environmentVariables") or {}), "(not shown)"),
        "request_settings": {
            "request_timeout_ms": _milliseconds(requests.get("requestTimeout")),
            "max_concurrent_requests_per_instance": requests.get("maxConcurrentRequestsPerInstance"),
            "max_queue_wait_ms": _milliseconds(requests.get("maxQueueWait")),
        },
        "readiness_probe": _probe(properties.get("readinessProbe")),
        "liveness_probe": _probe(properties.get("livenessProbe")),
        "provisioning_state": properties.get("provisioningState"),
        "state": None,
        "instances": None,
    }


def _probe(found: Mapping[str, Any] | None) -> Record | None:
    return None if found is None else {key: _seconds(found.get(name)) for key, name in _PROBE.items()}


def _seconds(value: Any) -> Any:
    found = _milliseconds(value) if isinstance(value, str) else None
    return value if found is None else found // 1000


def _milliseconds(duration: Any) -> int | None:
    """PT1.5S -> 1500; None for what is no duration."""
    if not isinstance(duration, str):
        return None
    from isodate import ISO8601Error, parse_duration  # comes with azure-ai-ml

    try:
        return round(parse_duration(duration).total_seconds() * 1000)
    except ISO8601Error:
        return None
