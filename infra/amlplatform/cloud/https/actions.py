"""POST actions on resources: keys, nodes, starting and stopping.

Another action is another line in `_ACTIONS`. One that needs more than the resource (the body of the request), or that
has no resource yet, is a route of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amlplatform.cloud import account_keys, arm_ids
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https import (
    address,
    default_datastores,
    online_credentials,
    project_actions,
    project_jobs,
    resources,
)
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.messages import Request, Response
from amlplatform.cloud.state import Document

Action = Callable[[Document, Azure], Any]
"""Returns the answer; None: the action is accepted, and its end is told later."""


def action(request: Request, azure: Azure) -> Response:
    """Raises AzureError: 404 when there is no such resource or action, others when Azure refuses it."""
    where = address.parse(request.path, request.method)
    kind = where.kind
    perform = _ACTIONS.get((kind.arm_type.lower(), where.action.lower()))
    if perform is None:
        message = f"The offline Azure does not have the action '{where.action}' of {kind.arm_type}."
        raise AzureError(404, "ActionNotSupported", message)
    default_datastores.ensure(where.owner, azure.state)
    manager = azure.manager(request.caller)
    result = manager.act(where.owner, where.action, lambda document, _state: perform(document, azure))
    if result is not None:
        return Response(200, result)
    return resources.accepted(request, azure, kind)


def _properties(document: Document) -> dict[str, Any]:
    return document.get("properties") or {}


def _storage_keys(account: Document, azure: Azure) -> Any:
    return account_keys.list_keys(account, azure.state)


def _registry_credentials(registry: Document, azure: Azure) -> Any:
    if not _properties(registry).get("adminUserEnabled"):
        # Wording: hashicorp/terraform-provider-azurerm#21440.
        message = (
            f"Cannot perform credential operations for {registry['id']} as admin user is disabled. Kindly enable admin "
            "user as per docs: https://docs.microsoft.com/en-us/azure/container-registry/"
            "container-registry-authentication#admin-account"
        )
        raise AzureError(400, "UnAuthorizedForCredentialOperations", message)
    passwords = [{"name": name, "value": _secret(registry, name, azure)} for name in ("password", "password2")]
    return {"username": registry["name"], "passwords": passwords}


def _ai_services_keys(account: Document, azure: Azure) -> Any:
    if _properties(account).get("disableLocalAuth"):
        # Azure/terraform-azurerm-avm-res-cognitiveservices-account#130.
        raise AzureError(400, "BadRequest", "Failed to list key. disableLocalAuth is set to be true")
    return {name: _secret(account, name, azure) for name in ("key1", "key2")}


def _log_analytics_keys(workspace: Document, azure: Azure) -> Any:
    return {name: _secret(workspace, name, azure) for name in ("primarySharedKey", "secondarySharedKey")}


def _workspace_keys(workspace: Document, azure: Azure) -> Any:
    """The keys of what the workspace is connected to. A storage account without shared keys has none to give."""
    storage = azure.state.get(str(_properties(workspace).get("storageAccount"))) or {}
    insights = azure.state.get(str(_properties(workspace).get("applicationInsights"))) or {}
    keys: dict[str, Any] = {"userStorageResourceId": _properties(workspace).get("storageAccount")}
    if storage and _properties(storage).get("allowSharedKeyAccess") is not False:
        keys["userStorageKey"] = _secret(storage, "key1", azure)
    if insights:
        keys["appInsightsInstrumentationKey"] = _properties(insights).get("InstrumentationKey")
    return keys


def _secret(document: Document, purpose: str, azure: Azure) -> str:
    return azure.state.secret(document["id"], purpose)


def _no_nodes(_cluster: Document, _azure: Azure) -> Any:
    return {"nodes": []}


def _set_instance(power: str) -> Action:
    def perform(instance: Document, azure: Azure) -> None:
        details = _properties(instance).get("properties")
        if _properties(instance).get("computeType") != "ComputeInstance" or not isinstance(details, dict):
            message = f"'{arm_ids.name(instance['id'])}' is not a compute instance: it cannot be started or stopped."
            raise AzureError(400, "BadRequest", message)
        details["state"] = power
        azure.state.put(instance)

    return perform


_ML = "microsoft.machinelearningservices/workspaces"
_COMPUTE = f"{_ML}/computes"
_ACTIONS: dict[tuple[str, str], Action] = {
    ("microsoft.storage/storageaccounts", "listkeys"): _storage_keys,
    ("microsoft.containerregistry/registries", "listcredentials"): _registry_credentials,
    ("microsoft.cognitiveservices/accounts", "listkeys"): _ai_services_keys,
    ("microsoft.operationalinsights/workspaces", "sharedkeys"): _log_analytics_keys,
    ("microsoft.machinelearningservices/workspaces", "listkeys"): _workspace_keys,
    (f"{_ML}/jobs", "cancel"): project_jobs.cancel,
    (f"{_ML}/datastores", "listsecrets"): project_actions.datastore_secrets,
    (f"{_ML}/onlineendpoints", "listkeys"): online_credentials.list_keys,
    (_COMPUTE, "listnodes"): _no_nodes,
    (_COMPUTE, "start"): _set_instance("Running"),
    (_COMPUTE, "stop"): _set_instance("Stopped"),
    (_COMPUTE, "restart"): _set_instance("Running"),
}
