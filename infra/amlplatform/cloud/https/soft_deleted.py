"""What is deleted and still kept: lists of vaults and AI services, and purging them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from amlplatform.cloud import arm_ids
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.hindrances import soft_delete
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.messages import Request, Response
from amlplatform.cloud.preconditions import normal_location
from amlplatform.cloud.resource_manager import Call
from amlplatform.cloud.state import Document

_VAULTS = "Microsoft.KeyVault/vaults"
_ACCOUNTS = "Microsoft.CognitiveServices/accounts"
WORKSPACES = "Microsoft.MachineLearningServices/workspaces"
_DATE = "%Y-%m-%dT%H:%M:%SZ"


def vaults(request: Request, azure: Azure) -> Response:
    azure.manager(request.caller).arrive(Call("GET", request.path))
    return Response(200, {"value": [_vault(document, azure) for document in _deleted(request, azure, _VAULTS)]})


def vault(request: Request, azure: Azure) -> Response:
    azure.manager(request.caller).arrive(Call("GET", request.path))
    return Response(200, _vault(_named(request, azure, _VAULTS), azure))


def purge_vault(request: Request, azure: Azure) -> Response:
    """`…/deletedVaults/{name}/purge`. A long-running operation in Azure; it has ended at once here."""
    azure.manager(request.caller).arrive(Call("POST", request.path))
    soft_delete.purge(_named(request, azure, _VAULTS)["id"], azure.state)
    return Response(200)


def accounts(request: Request, azure: Azure) -> Response:
    azure.manager(request.caller).arrive(Call("GET", request.path))
    return Response(200, {"value": list(_deleted(request, azure, _ACCOUNTS))})


def purge_account(request: Request, azure: Azure) -> Response:
    """DELETE of `…/deletedAccounts/{name}`."""
    azure.manager(request.caller).arrive(Call("DELETE", request.path))
    soft_delete.purge(_named(request, azure, _ACCOUNTS)["id"], azure.state)
    return Response(200)


def purge_workspace(arm_id: str, azure: Azure) -> bool:
    """Purge a workspace that is deleted already. False: it is not kept any more."""
    if arm_ids.key(arm_id) not in {arm_ids.key(document["id"]) for document in soft_delete.deleted(azure.state)}:
        return False
    soft_delete.purge(arm_id, azure.state)
    return True


def _deleted(request: Request, azure: Azure, arm_type: str) -> Iterator[Document]:
    subscription = f"/subscriptions/{request.values['subscription']}/".lower()
    for document in soft_delete.deleted(azure.state):
        if document["type"].lower() == arm_type.lower() and document["id"].lower().startswith(subscription):
            yield document


def _named(request: Request, azure: Azure, arm_type: str) -> Document:
    """The deleted resource that the path names. Raises AzureError (404)."""
    name, location = request.values["name"].lower(), normal_location(request.values["location"])
    group = request.values.get("group")
    for document in _deleted(request, azure, arm_type):
        in_group = group is None or arm_ids.name(arm_ids.resource_group(document["id"]) or "").lower() == group.lower()
        if document["name"].lower() == name and normal_location(document["location"]) == location and in_group:
            return document
    code = "DeletedVaultNotFound" if arm_type == _VAULTS else "ResourceNotFound"
    raise AzureError(404, code, f"The specified deleted {arm_type} '{request.values['name']}' does not exist.")


def _vault(document: Document, azure: Azure) -> dict[str, Any]:
    """A deleted vault, as `DeletedVault` of Key Vault's API describes it."""
    until = azure.state.notes(soft_delete.KIND)[arm_ids.key(document["id"])]["until"]
    properties = document.get("properties") or {}
    days = float(properties.get("softDeleteRetentionInDays") or 90)
    deleted, purged = (
        datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime(_DATE)
        for moment in (until - days * 86_400, until)
    )
    subscription = document["id"].split("/")[2]
    location = normal_location(document["location"])
    where = f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults"
    return {
        "id": f"{where}/{document['name']}",
        "name": document["name"],
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": {
            "vaultId": document["id"],
            "location": document["location"],
            "tags": document.get("tags") or {},
            "deletionDate": deleted,
            "scheduledPurgeDate": purged,
            "purgeProtectionEnabled": bool(properties.get("enablePurgeProtection")),
        },
    }
