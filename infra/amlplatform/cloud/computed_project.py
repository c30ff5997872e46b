"""What Azure adds to what a project makes in its workspace: states, addresses, numbers of versions, status of jobs."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from amlplatform.cloud import arm_ids
from amlplatform.cloud.state import CloudState, Document

_ML = "Microsoft.MachineLearningServices/workspaces"
_ASSETS = ("codes", "components", "data", "environments", "models")
CONTAINERS = {f"{_ML}/{segment}" for segment in _ASSETS}
VERSIONS = {f"{container}/versions": container for container in CONTAINERS}
JOB = f"{_ML}/jobs"
BATCH_ENDPOINT, ONLINE_ENDPOINT = f"{_ML}/batchEndpoints", f"{_ML}/onlineEndpoints"
ENDPOINTS = (BATCH_ENDPOINT, ONLINE_ENDPOINT)
DEPLOYMENTS = tuple(f"{endpoint}/deployments" for endpoint in ENDPOINTS)
SCHEDULE = f"{_ML}/schedules"

Properties = dict[str, Any]


def complete(document: Document, previous: Document | None, state: CloudState) -> None:
    """Add to a document of a project what Azure computes; others stay as they are."""
    compute = _COMPUTED.get(document["type"])
    if compute is None:
        return
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    who = {"createdByType": "Application", "createdAt": now}
    made = (previous or {}).get("systemData") or who
    document["systemData"] = {**made, "lastModifiedAt": now, "lastModifiedByType": "Application"}
    compute(document, document.setdefault("properties", {}), previous, state)


def _version(document: Document, properties: Properties, _previous: Document | None, state: CloudState) -> None:
    """A version; its container is there with its first version."""
    properties["provisioningState"] = "Succeeded"
    properties.setdefault("isArchived", False)
    parent = arm_ids.parent(document["id"])
    container = state.get(parent) or {
        "id": parent,
        "name": arm_ids.name(parent),
        "type": VERSIONS[document["type"]],
        "properties": {},
        "systemData": document["systemData"],
    }
    container["properties"] |= _numbers(document["name"], container["properties"])
    container["systemData"] = {**container["systemData"], "lastModifiedAt": document["systemData"]["lastModifiedAt"]}
    state.put(container)
    if document["type"] == f"{_ML}/models/versions":
        properties.setdefault("flavors", {})
        properties.setdefault("stage", "Development")


def _numbers(version: str, before: Mapping[str, Any]) -> dict[str, str]:
    """The latest version, and the number that is free."""
    free = int(before.get("nextVersion") or 1)
    following = max(free, int(version) + 1) if version.isdigit() else free
    return {"latestVersion": version, "nextVersion": str(following)}


def _container(_document: Document, properties: Properties, previous: Document | None, _state: CloudState) -> None:
    properties["provisioningState"] = "Succeeded"
    before = (previous or {}).get("properties") or {}
    properties["latestVersion"] = before.get("latestVersion")
    properties["nextVersion"] = before.get("nextVersion") or "1"


def region(endpoint_id: str, state: CloudState) -> str:
    """The region of an endpoint: that of its workspace."""
    workspace = state.get(arm_ids.parent(endpoint_id)) or {}
    return str(workspace.get("location", "")).replace(" ", "").lower()


def _endpoint(document: Document, properties: Properties, previous: Document | None, state: CloudState) -> None:
    """Addresses as Azure forms them: learn.microsoft.com, "Endpoints for inference in production"."""
    kind = "jobs" if document["type"] == BATCH_ENDPOINT else "score"
    host = f"https://{document['name']}.{region(document['id'], state)}.inference.ml.azure.com"
    properties |= {
        "provisioningState": "Succeeded",
        "scoringUri": f"{host}/{kind}",
        "swaggerUri": f"{host}/swagger.json",
    }
    if document["type"] == ONLINE_ENDPOINT:
        properties.setdefault("traffic", {})
        properties.setdefault("mirrorTraffic", {})
    if document.get("identity", {}).get("type") == "SystemAssigned":
        before = ((previous or {}).get("identity") or {}).get("principalId")
        document["identity"]["principalId"] = before or str(uuid.uuid4())


def _deployment(document: Document, properties: Properties, _previous: Document | None, _state: CloudState) -> None:
    properties["provisioningState"] = "Succeeded"
    if document["type"].startswith(ONLINE_ENDPOINT):
        # azure-ai-ml (1.35.2) reads an answer only when it has the scale settings.
        properties["scaleSettings"] = properties.get("scaleSettings") or {"scaleType": "Default"}


def _job(document: Document, properties: Properties, previous: Document | None, _state: CloudState) -> None:
    before = (previous or {}).get("properties") or {}
    properties["status"] = before.get("status", "NotStarted")
    properties.setdefault("services", {})
    properties.setdefault("displayName", document["name"])
    properties.setdefault("experimentName", "Default")


def _schedule(_document: Document, properties: Properties, _previous: Document | None, _state: CloudState) -> None:
    properties["provisioningState"] = "Succeeded"
    properties.setdefault("isEnabled", True)


_Compute = Callable[[Document, Properties, Document | None, CloudState], None]
_COMPUTED: dict[str, _Compute] = {
    **dict.fromkeys(CONTAINERS, _container),
    **dict.fromkeys(VERSIONS, _version),
    **dict.fromkeys(ENDPOINTS, _endpoint),
    **dict.fromkeys(DEPLOYMENTS, _deployment),
    JOB: _job,
    SCHEDULE: _schedule,
}
