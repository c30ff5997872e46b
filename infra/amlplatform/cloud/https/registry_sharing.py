"""Sharing a model of a workspace to a registry: how clients find the registry, and when Azure refuses.

Azure copies the model out of the workspace's storage and cannot when that is closed to the internet:
learn.microsoft.com/azure/machine-learning/how-to-share-models-pipelines-across-workspaces-with-registries. The code and
wording of its refusal are not documented. There are no models here, so what is not refused for that is not found.
"""

from __future__ import annotations

import re

from amlplatform.cloud import arm_ids
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.messages import Request, Response, invalid_content
from amlplatform.cloud.resource_manager import Call
from amlplatform.cloud.state import Document

_REGISTRY = "Microsoft.MachineLearningServices/registries"
_WORKSPACE = "Microsoft.MachineLearningServices/workspaces"
FRONT_END = "/mferp/managementfrontend"
"""Where a registry keeps its models; azure-ai-ml puts this behind the address that it is told."""
_SOURCE = re.compile(r"azureml://locations/[^/]+/workspaces/([^/]+)/models/([^/]+)/versions/([^/]+)")


def discovery(request: Request, azure: Azure) -> Response:
    """`/registrymanagement/v1.0/registries/{name}/discovery`: where a registry is. Names are unique in Azure."""
    registry = _named(_REGISTRY, request.values["registry"], azure)
    details = {
        "registryName": registry["name"],
        "primaryRegionResourceProviderUri": f"{azure.url}/",
        "resourceGroup": arm_ids.name(arm_ids.resource_group(registry["id"]) or ""),
        "subscriptionId": registry["id"].split("/")[2],
    }
    return Response(200, details)


def share(request: Request, azure: Azure) -> Response:
    """`…/registries/{registry}/import`. Raises AzureError always: refused, or not found."""
    azure.manager(request.caller).arrive(Call("POST", request.path.removeprefix(FRONT_END)))
    _named(_REGISTRY, request.values["registry"], azure)
    properties = request.document().get("properties")
    asset = properties.get("sourceAssetId") if isinstance(properties, dict) else None
    source = _SOURCE.fullmatch(str(asset))
    if source is None:
        raise invalid_content("the id of a model in a workspace is expected")
    guid, model, version = source.groups()
    workspace = next((one for one in azure.state.of_type(_WORKSPACE) if _guid(one) == guid.lower()), None)
    if workspace is None:
        raise AzureError(404, "WorkspaceNotFound", f"There is no workspace with the id {guid}.")
    storage = azure.state.get(workspace["properties"].get("storageAccount") or "")
    if storage and (storage.get("properties") or {}).get("publicNetworkAccess") == "Disabled":
        raise AzureError(
            403,
            "AuthorizationFailure",
            f"Model '{model}' cannot be shared to a registry: the storage account {storage['name']} of workspace "
            f"{workspace['name']} does not allow public network access.",
        )
    raise AzureError(404, "ModelNotFound", f"Model '{model}' version '{version}' was not found in {workspace['name']}.")


def assets(request: Request, _azure: Azure) -> Response:
    """Whatever else is asked of a registry's models: there are none. Raises AzureError where one is named."""
    if request.path.lower().endswith("/versions"):
        return Response(200, {"value": []})
    raise AzureError(404, "ResourceNotFound", f"'{request.path.removeprefix(FRONT_END)}' was not found.")


def _named(arm_type: str, name: str, azure: Azure) -> Document:
    for document in azure.state.of_type(arm_type):
        if document["name"].lower() == name.lower():
            return document
    raise AzureError(404, "RegistryNotFound", f"There is no registry {name}.")


def _guid(workspace: Document) -> str:
    return str((workspace.get("properties") or {}).get("workspaceId", "")).lower()
