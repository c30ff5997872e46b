"""POST actions on what a project makes: where to upload code, secrets of data stores."""

from __future__ import annotations

import datetime
from typing import Any

from amlplatform.cloud import arm_ids, preconditions, sas
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https import default_datastores
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.messages import Request, Response
from amlplatform.cloud.resource_manager import Call
from amlplatform.cloud.state import Document

_UPLOAD = datetime.timedelta(hours=24)


def pending_upload(request: Request, azure: Azure) -> Response:
    """Where a version's files are to be uploaded: a folder of the workspace's blob store, with a signature for a day.

    The version itself is made once its files are there.
    learn.microsoft.com/rest/api/azureml, "Code Versions: Create Or Get Start Pending Upload".
    """
    azure.manager(request.caller).arrive(Call("POST", request.path))
    arm_id = request.path.rpartition("/")[0]
    workspace_id = arm_ids.parent(arm_ids.parent(arm_id))
    workspace = azure.state.get(workspace_id)
    if workspace is None:
        raise preconditions.not_found(workspace_id)
    account_id = str(workspace["properties"].get("storageAccount"))
    account = arm_ids.name(account_id)
    container = default_datastores.container(workspace, default_datastores.BLOB)
    if azure.containers is not None:
        azure.containers.ensure(account, container)
    version, name = arm_ids.name(arm_id), arm_ids.name(arm_ids.parent(arm_id))
    address = sas.container_url(account, container, azure.state.secret(account_id, "key1"), _UPLOAD)
    answer = {
        "pendingUploadId": f"{name}-{version}",
        "pendingUploadType": "TemporaryBlobReference",
        "blobReferenceForConsumption": {
            "blobUri": f"https://{account}.blob.core.windows.net/{container}",
            "storageAccountArmId": account_id,
            "credential": {"credentialType": "SAS", "sasUri": address},
        },
    }
    return Response(200, answer)


def datastore_secrets(datastore: Document, _azure: Azure) -> Any:
    """Raises AzureError: the data stores here are used by identity and have no secret."""
    message = f"The data store {datastore['name']} has no credentials: it is used with the identity of its user."
    raise AzureError(400, "UserError", message)
