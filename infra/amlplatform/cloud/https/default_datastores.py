"""The data stores that Azure makes with a workspace, on its storage account.

They are made here when a client first asks for one: Pulumi asks for none, and its state stays what its programs made.
Names and containers: learn.microsoft.com/azure/machine-learning/how-to-datastore; the part of the container's name
that is the workspace's id is that of `workspaceId`.
"""

from __future__ import annotations

import re
from typing import Any

from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.state import CloudState, Document

TYPE = "Microsoft.MachineLearningServices/workspaces/datastores"
BLOB, ARTIFACTS, FILES, WORKING = (
    "workspaceblobstore",
    "workspaceartifactstore",
    "workspacefilestore",
    "workspaceworkingdirectory",
)
_DATASTORES = re.compile(r"(/subscriptions/.+/workspaces/[^/]+)/datastores(?:/[^/]+)?", re.IGNORECASE)


def ensure(path: str, state: CloudState) -> None:
    """For a path of data stores: make the default ones of the workspace, where it exists and has none."""
    match = _DATASTORES.fullmatch(path)
    workspace = state.get(match[1]) if match else None
    if workspace is None or state.get(f"{workspace['id']}/datastores/{BLOB}") is not None:
        return
    with state.transaction():
        for document in _documents(workspace):
            state.put(document)


def ensure_container(datastore: Document, azure: Azure) -> None:
    """Make the container of a blob data store in blob storage, where there is one: who reads the data store uses it."""
    properties = datastore["properties"]
    name, account = properties.get("containerName") or properties.get("filesystem"), properties.get("accountName")
    if azure.containers is not None and name and account:
        azure.containers.ensure(str(account), str(name))


def container(workspace: Document, name: str) -> str:
    """The blob container or file share of a default data store."""
    number = str(workspace["properties"].get("workspaceId", ""))
    return {
        BLOB: f"azureml-blobstore-{number}",
        ARTIFACTS: "azureml",
        FILES: f"azureml-filestore-{number}",
        WORKING: f"code-{number}",
    }[name]


def _documents(workspace: Document) -> list[Document]:
    account = str(workspace["properties"].get("storageAccount", "")).rsplit("/", 1)[-1]
    found: list[Document] = []
    for name in (BLOB, ARTIFACTS, FILES, WORKING):
        is_blob = name in (BLOB, ARTIFACTS)
        place = "containerName" if is_blob else "fileShareName"
        properties: dict[str, Any] = {
            "datastoreType": "AzureBlob" if is_blob else "AzureFile",
            "accountName": account,
            place: container(workspace, name),
            "endpoint": "core.windows.net",
            "protocol": "https",
            "serviceDataAccessAuthIdentity": "None",
            "credentials": {"credentialsType": "None"},
            "isDefault": name == BLOB,
        }
        address = {"id": f"{workspace['id']}/datastores/{name}", "name": name, "type": TYPE}
        found.append({**address, "properties": properties})
    return found
