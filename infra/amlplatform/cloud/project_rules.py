"""What Azure refuses of a project's requests: names that are taken, versions that cannot change, things in use.

Wordings that are quoted somewhere have their source beside them; the others are ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from amlplatform.cloud import arm_ids
from amlplatform.cloud.computed_project import (
    BATCH_ENDPOINT,
    DEPLOYMENTS,
    ENDPOINTS,
    JOB,
    ONLINE_ENDPOINT,
    VERSIONS,
    region,
)
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.state import CloudState, Document

_IDENTITY_OF_A_VERSION = {
    "modelUri", "codeUri", "dataUri", "modelType", "dataType", "componentSpec", "image", "condaFile", "build",
}  # fmt: skip


_SERVED = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,30}[A-Za-z0-9]")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_WHAT_A_JOB_DOES = ("jobType", "command", "jobs", "environmentId", "codeId")


def is_container_of(arm_id: str) -> bool:
    """Whether a version's container comes with its first version, so that it need not be there before."""
    return any(arm_ids.arm_type(arm_id).lower() == kind.lower() for kind in VERSIONS)


def check_put(
    arm_type: str, arm_id: str, body: Mapping[str, Any], previous: Document | None, state: CloudState
) -> None:
    """Raise AzureError for a PUT that Azure refuses."""
    _check_name(arm_type, arm_ids.name(arm_id))
    if arm_type == JOB and previous is not None:
        _job_stays(arm_id, body, previous)
    if arm_type in ENDPOINTS and previous is None:
        _name_is_free(arm_type, arm_id, state)
    if arm_type in VERSIONS and previous is not None:
        _version_stays(arm_id, body, previous)
    if arm_type in ENDPOINTS:
        _deployments_exist(arm_type, arm_id, body, state)


def _check_name(arm_type: str, name: str) -> None:
    """learn.microsoft.com, "Manage resources and quotas" (endpoints and deployments), and the types of versions."""
    if arm_type in (*ENDPOINTS, *DEPLOYMENTS):
        if not _SERVED.fullmatch(name):
            message = (
                f"The name '{name}' must have 3 to 32 letters, digits and dashes, start with a letter and end with a "
                "letter or digit."
            )
            raise AzureError(400, "BadArgument", message)
    elif arm_type in VERSIONS and not _VERSION.fullmatch(name):
        raise AzureError(400, "BadArgument", f"The version '{name}' may have letters, digits, '_', '-' and '.' only.")


def _job_stays(arm_id: str, body: Mapping[str, Any], previous: Document) -> None:
    """What a job does cannot be changed once it has been submitted."""
    new, old = body.get("properties") or {}, previous.get("properties") or {}
    for key in _WHAT_A_JOB_DOES:
        if new.get(key) != old.get(key):
            message = (
                f"A job with the name {arm_ids.name(arm_id)} exists, and its '{key}' cannot be changed. "
                "Use another name for a new job."
            )
            raise AzureError(409, "Conflict", message)


def _name_is_free(arm_type: str, arm_id: str, state: CloudState) -> None:
    """Names of endpoints are unique in a region: ansible-collections/azure#2231 quotes the refusal."""
    here, name = region(arm_id, state), arm_ids.name(arm_id)
    for kind in ENDPOINTS:
        for other in state.of_type(kind):
            if other["name"].lower() == name.lower() and region(other["id"], state) == here:
                message = (
                    f"The specified endpoint name '{name}' is not available. Endpoint names must be unique within the "
                    f"region '{here}'. Please choose another name."
                )
                raise AzureError(400 if kind == arm_type == ONLINE_ENDPOINT else 409, "BadArgument", message)


def _version_stays(arm_id: str, body: Mapping[str, Any], previous: Document) -> None:
    """Versions are immutable but for tags, description and archiving."""
    new, old = body.get("properties") or {}, previous.get("properties") or {}
    for key in sorted(_IDENTITY_OF_A_VERSION):
        if key in new and new[key] != old.get(key):
            name = f"{arm_ids.name(arm_ids.parent(arm_id))}:{arm_ids.name(arm_id)}"
            message = f"{name} already exists, and its '{key}' cannot be changed. Use another version."
            raise AzureError(409, "Conflict", message)


def _deployments_exist(arm_type: str, arm_id: str, body: Mapping[str, Any], state: CloudState) -> None:
    properties = body.get("properties") or {}
    if arm_type == BATCH_ENDPOINT:
        default = (properties.get("defaults") or {}).get("deploymentName")
        named = [default] if default else []
    else:
        named = [*(properties.get("traffic") or {}), *(properties.get("mirrorTraffic") or {})]
        if sum((properties.get("traffic") or {}).values()) > 100:
            raise AzureError(400, "BadArgument", "The sum of traffic must be at most 100.")
    for deployment in named:
        if state.get(f"{arm_id}/deployments/{deployment}") is None:
            message = f"The deployment '{deployment}' does not exist in endpoint '{arm_ids.name(arm_id)}'."
            raise AzureError(400, "BadArgument", message)


def check_delete(arm_id: str, state: CloudState) -> None:
    """Raise AzureError for the deletion of a deployment that serves."""
    if arm_ids.arm_type(arm_id).lower() not in {kind.lower() for kind in DEPLOYMENTS}:
        return
    endpoint = state.get(arm_ids.parent(arm_id)) or {}
    properties, name = endpoint.get("properties") or {}, arm_ids.name(arm_id)
    if (properties.get("defaults") or {}).get("deploymentName") == name:
        message = f"Deployment {name} is the default deployment of endpoint {endpoint['name']} and cannot be deleted."
        raise AzureError(409, "Conflict", message)
    share = (properties.get("traffic") or {}).get(name) or (properties.get("mirrorTraffic") or {}).get(name)
    if share:
        message = (
            f"Failed to delete deployment. Deployment {name} has {share}% traffic allocated. "
            "Please remove the traffic before deleting it."
        )
        raise AzureError(409, "Conflict", message)
