"""What Azure adds to a resource: ids, endpoints, keys and states that no request contains.

Values that Azure makes up (object ids, instrumentation keys) are made up at creation and kept while the resource
lives; a resource that is deleted and made again gets new ones, as in Azure.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from amlplatform.cloud import arm_ids, computed_network, computed_options, computed_project, deployments
from amlplatform.cloud.state import TENANT_ID, CloudState, Document

Properties = dict[str, Any]


def complete(document: Document, previous: Document | None, state: CloudState) -> None:
    """Add to `document` what Azure computes. `previous` is the resource before the request, None when it is new."""
    if document.get("identity"):
        document["identity"] = _identity(document["identity"], (previous or {}).get("identity") or {}, state)
    compute = _COMPUTED.get(document["type"])
    if compute is not None:
        before = (previous or {}).get("properties") or {}
        properties = document.setdefault("properties", {})
        compute(document, properties, before)
    if (document.get("properties") or {}).get("computeType") == "Kubernetes":
        # Azure hands it out in the open; who may see it is for the program to say (additional_secret_outputs).
        key = state.secret(document["id"], "relay")
        document["properties"].setdefault("properties", {})["relayConnectionString"] = (
            "Endpoint=sb://azureml-relay.servicebus.windows.net/;SharedAccessKeyName=azureml;SharedAccessKey=" + key
        )
    computed_project.complete(document, previous, state)
    if document["type"] == deployments.ARM_TYPE:
        deployments.run(document, state)


def _identity(identity: Mapping[str, Any], before: Mapping[str, Any], state: CloudState) -> dict[str, Any]:
    completed = dict(identity)
    if "SystemAssigned" in str(identity.get("type")):
        completed["principalId"] = before.get("principalId") or _new_id()
        completed["tenantId"] = TENANT_ID
    assigned = identity.get("userAssignedIdentities")
    if assigned:
        completed["userAssignedIdentities"] = {arm_id: _ids_of(arm_id, state) for arm_id in assigned}
    return completed


def _ids_of(identity_id: str, state: CloudState) -> dict[str, str]:
    properties = (state.get(identity_id) or {}).get("properties") or {}
    return {name: properties[name] for name in ("principalId", "clientId") if name in properties}


def _new_id() -> str:
    return str(uuid.uuid4())


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _kept(properties: Properties, before: Mapping[str, Any], name: str, make: Callable[[], Any]) -> Any:
    """Set a property that is made up once."""
    properties[name] = before[name] if name in before else make()
    return properties[name]


def _resource_group(_document: Document, properties: Properties, _before: Mapping[str, Any]) -> None:
    properties["provisioningState"] = "Succeeded"


def _user_assigned_identity(_document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    properties["tenantId"] = TENANT_ID
    _kept(properties, before, "principalId", _new_id)
    _kept(properties, before, "clientId", _new_id)


def _role_assignment(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    properties["scope"] = arm_ids.parent(document["id"])
    _kept(properties, before, "createdOn", _now)
    properties["updatedOn"] = _now()


def _budget(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    _kept(properties, before, "currentSpend", lambda: {"amount": 0, "unit": "EUR"})
    document["eTag"] = f'"{uuid.uuid4().hex[:16]}"'


def _storage_account(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    name = document["name"].lower()
    services = {"blob", "dfs", "file", "queue", "table"}
    properties["primaryEndpoints"] = {
        service: f"https://{name}.{service}.core.windows.net/" for service in sorted(services)
    } | {"web": f"https://{name}.z6.web.core.windows.net/"}
    properties["primaryLocation"] = document["location"]
    properties["statusOfPrimary"] = "available"
    properties["provisioningState"] = "Succeeded"
    created = _kept(properties, before, "creationTime", _now)
    properties["keyCreationTime"] = {"key1": created, "key2": created}


def _blob_container(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    document["etag"] = f'"0x{uuid.uuid4().hex[:15].upper()}"'
    _kept(properties, before, "lastModifiedTime", _now)
    properties |= {
        "leaseState": "Available",
        "leaseStatus": "Unlocked",
        "hasImmutabilityPolicy": False,
        "hasLegalHold": False,
    }


def _vault(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    if before.get("enablePurgeProtection"):
        # Irreversible: a request without it changes nothing.
        properties["enablePurgeProtection"] = True
    properties["vaultUri"] = f"https://{document['name'].lower()}.vault.azure.net/"
    properties["provisioningState"] = "Succeeded"


def _registry(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    properties["loginServer"] = f"{document['name'].lower()}.azurecr.io"
    properties["provisioningState"] = "Succeeded"
    _kept(properties, before, "creationDate", _now)


def _log_analytics(_document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    _kept(properties, before, "customerId", _new_id)
    _kept(properties, before, "createdDate", _now)
    properties["modifiedDate"] = _now()
    properties["provisioningState"] = "Succeeded"


def _application_insights(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    location = document["location"].replace(" ", "").lower()
    app_id = _kept(properties, before, "AppId", _new_id)
    key = _kept(properties, before, "InstrumentationKey", _new_id)
    _kept(properties, before, "CreationDate", _now)
    properties |= {
        "ApplicationId": document["name"],
        # Azure hands both out in the open; who may see them is for the program to say (additional_secret_outputs).
        "ConnectionString": (
            f"InstrumentationKey={key};IngestionEndpoint=https://{location}-0.in.applicationinsights.azure.com/;"
            f"LiveEndpoint=https://{location}.livediagnostics.monitor.azure.com/;ApplicationId={app_id}"
        ),
        "Name": document["name"],
        "TenantId": document["id"].split("/")[2],
        "provisioningState": "Succeeded",
    }


def _ml_workspace(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    location = document["location"].replace(" ", "").lower()
    _kept(properties, before, "workspaceId", _new_id)
    properties |= {
        "discoveryUrl": f"https://{location}.api.azureml.ms/discovery",
        "mlFlowTrackingUri": f"azureml://{location}.api.azureml.ms/mlflow/v1.0{document['id']}",
        "notebookInfo": {
            "fqdn": f"ml-{document['name'].lower()}-{location}.{location}.notebooks.azure.net",
            "resourceId": properties["workspaceId"].replace("-", ""),
        },
        "privateLinkCount": 0,
        "provisioningState": "Succeeded",
        "storageHnsEnabled": False,
        "tenantId": TENANT_ID,
    }


def _compute(document: Document, properties: Properties, before: Mapping[str, Any]) -> None:
    _kept(properties, before, "createdOn", _now)
    properties["modifiedOn"] = _now()
    properties["isAttachedCompute"] = False
    properties["provisioningState"] = "Succeeded"
    properties.setdefault("computeLocation", document.get("location"))
    details = properties.get("properties")
    if isinstance(details, dict) and properties.get("computeType") == "AmlCompute":
        details |= {"allocationState": "Steady", "currentNodeCount": 0, "targetNodeCount": 0}
    elif isinstance(details, dict) and properties.get("computeType") == "ComputeInstance":
        details["state"] = "Running"


def _datastore(_document: Document, properties: Properties, _before: Mapping[str, Any]) -> None:
    properties["isDefault"] = False


_COMPUTED: dict[str, Callable[[Document, Properties, Mapping[str, Any]], None]] = {
    "Microsoft.Resources/resourceGroups": _resource_group,
    "Microsoft.ManagedIdentity/userAssignedIdentities": _user_assigned_identity,
    "Microsoft.Authorization/roleAssignments": _role_assignment,
    "Microsoft.Consumption/budgets": _budget,
    "Microsoft.Storage/storageAccounts": _storage_account,
    "Microsoft.Storage/storageAccounts/blobServices/containers": _blob_container,
    "Microsoft.KeyVault/vaults": _vault,
    "Microsoft.ContainerRegistry/registries": _registry,
    "Microsoft.OperationalInsights/workspaces": _log_analytics,
    "Microsoft.Insights/components": _application_insights,
    "Microsoft.MachineLearningServices/workspaces": _ml_workspace,
    "Microsoft.MachineLearningServices/workspaces/computes": _compute,
    "Microsoft.MachineLearningServices/workspaces/datastores": _datastore,
    **computed_network.COMPUTED,
    **computed_options.COMPUTED,
}
