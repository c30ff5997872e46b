"""Long-running operations: accepted with 201 or 202, in progress for some polls, then succeeded or failed.

What is asked for happens at once in the state; only its end is told later, as it is by Azure.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amlplatform.cloud import arm_ids
from amlplatform.cloud.errors import AzureError

_ALL = frozenset({"PUT", "PATCH", "DELETE"})
_CHANGES = frozenset({"PUT", "PATCH"})

LONG_RUNNING: Mapping[str, frozenset[str]] = {
    # By the operations with x-ms-long-running-operation in github.com/Azure/azure-rest-api-specs.
    "microsoft.resources/resourcegroups": frozenset({"DELETE"}),
    "microsoft.storage/storageaccounts": frozenset({"PUT"}),
    "microsoft.keyvault/vaults": frozenset({"PUT"}),
    "microsoft.containerregistry/registries": _ALL,
    "microsoft.operationalinsights/workspaces": frozenset({"PUT", "DELETE"}),
    "microsoft.machinelearningservices/workspaces": _ALL,
    "microsoft.machinelearningservices/workspaces/computes": _ALL,
    "microsoft.machinelearningservices/workspaces/outboundrules": _ALL,
    **{
        f"microsoft.machinelearningservices/workspaces/{kind}endpoints{child}": _ALL
        for kind in ("batch", "online")
        for child in ("", "/deployments")
    },
    "microsoft.machinelearningservices/workspaces/schedules": frozenset({"PUT", "DELETE"}),
    "microsoft.machinelearningservices/registries": _ALL,
    "microsoft.network/virtualnetworks": _ALL,
    "microsoft.network/virtualnetworks/subnets": _ALL,
    "microsoft.network/networksecuritygroups": _ALL,
    "microsoft.network/privateendpoints": _ALL,
    "microsoft.network/privateendpoints/privatednszonegroups": _ALL,
    "microsoft.network/privatednszones": _ALL,
    "microsoft.network/privatednszones/virtualnetworklinks": _ALL,
    "microsoft.containerservice/managedclusters": _ALL,
    "microsoft.containerservice/managedclusters/agentpools": _ALL,
    "microsoft.kubernetesconfiguration/extensions": _ALL,
    "microsoft.cognitiveservices/accounts": _ALL,
    "microsoft.cognitiveservices/accounts/deployments": _ALL,
    "microsoft.sql/servers": _ALL,
    "microsoft.sql/servers/databases": _ALL,
    "microsoft.sql/servers/auditingsettings": _CHANGES,
    "microsoft.synapse/workspaces": _ALL,
    "microsoft.synapse/workspaces/bigdatapools": _ALL,
    "microsoft.synapse/workspaces/firewallrules": _ALL,
    "microsoft.databricks/workspaces": _ALL,
    "microsoft.databricks/accessconnectors": _ALL,
    "microsoft.eventhub/namespaces": _ALL,
    "microsoft.streamanalytics/streamingjobs": frozenset({"PUT", "DELETE"}),
    "microsoft.eventgrid/systemtopics": _ALL,
    "microsoft.eventgrid/systemtopics/eventsubscriptions": _ALL,
}
_STATE_MEANWHILE = {"PUT": "Creating", "PATCH": "Updating", "DELETE": "Deleting"}


def is_long_running(arm_type: str, method: str) -> bool:
    return method in LONG_RUNNING.get(arm_type.lower(), frozenset())


@dataclass
class Operation:
    """One operation under way. `meanwhile` is the resource's provisioning state until it ends."""

    name: str
    resource: str
    meanwhile: str
    polls_left: int
    failure: AzureError | None
    looks_left: int

    @property
    def is_over(self) -> bool:
        return self.polls_left <= 0 or self.looks_left <= 0


class Operations:
    """The operations of one door; they are forgotten with it."""

    def __init__(self) -> None:
        self._operations: dict[str, Operation] = {}
        self._latest: dict[str, Operation] = {}
        self._lock = threading.Lock()

    def begin(self, method: str, arm_id: str, polls: int, failure: AzureError | None, *, is_new: bool) -> Operation:
        meanwhile = "Updating" if method == "PUT" and not is_new else _STATE_MEANWHILE.get(method, "Updating")
        operation = Operation(str(uuid.uuid4()), arm_id, meanwhile, polls, failure, polls + 1)
        with self._lock:
            self._operations[operation.name] = operation
            self._latest[arm_ids.key(arm_id)] = operation
        return operation

    def poll(self, name: str) -> Operation | None:
        """The operation as a client that asks now sees it; None when there is none of this name."""
        with self._lock:
            operation = self._operations.get(name)
            if operation is None:
                return None
            seen = Operation(**vars(operation))
            operation.polls_left -= 1
            return seen

    def under_way(self, arm_id: str) -> Operation | None:
        """The operation that has not yet ended for a resource."""
        with self._lock:
            operation = self._latest.get(arm_ids.key(arm_id))
            return None if operation is None or operation.is_over else operation

    def seen(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """A resource as it looks while an operation on it is under way."""
        operation = self.under_way(document["id"])
        properties = document.get("properties") or {}
        if operation is None or "provisioningState" not in properties:
            return dict(document)
        # Time passes for who looks at the resource, too: not everybody polls the operation.
        with self._lock:
            operation.looks_left -= 1
        return {**document, "properties": {**properties, "provisioningState": operation.meanwhile}}
