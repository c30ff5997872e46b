"""Subscriptions, their locations and resource providers, and the tenant."""

from __future__ import annotations

from typing import Any

from amlplatform.armtypes.catalogue import RESOURCE_TYPES
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https.address import NAMESPACES
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.messages import Request, Response
from amlplatform.cloud.state import SUBSCRIPTION_ID, TENANT_ID
from amlplatform.regions import REGIONS


def tenants(_request: Request, _azure: Azure) -> Response:
    tenant = {"id": f"/tenants/{TENANT_ID}", "tenantId": TENANT_ID, "displayName": "Offline", "countryCode": "NL"}
    return Response(200, {"value": [tenant]})


def subscriptions(_request: Request, azure: Azure) -> Response:
    return Response(200, {"value": [_subscription(name) for name in _names(azure)]})


def subscription(request: Request, azure: Azure) -> Response:
    return Response(200, _subscription(_known(request, azure)))


def _names(azure: Azure) -> list[str]:
    """The offline subscription, and every other one in which something was made."""
    made = {document["id"].split("/")[2].lower() for document in azure.state.all() if document["id"].count("/") > 2}
    return sorted({SUBSCRIPTION_ID, *made})


def _known(request: Request, azure: Azure) -> str:
    """The subscription that the path names. Raises AzureError (404)."""
    name = request.values["subscription"].lower()
    if name not in _names(azure):
        raise AzureError(404, "SubscriptionNotFound", f"The subscription '{name}' could not be found.")
    return name


def _subscription(name: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{name}",
        "subscriptionId": name,
        "tenantId": TENANT_ID,
        "displayName": "Offline",
        "state": "Enabled",
        "authorizationSource": "RoleBased",
    }


def locations(request: Request, azure: Azure) -> Response:
    name = _known(request, azure)
    regions = [
        {
            "id": f"/subscriptions/{name}/locations/{region.name}",
            "name": region.name,
            "type": "Region",
            "displayName": region.display_name,
            "regionalDisplayName": region.display_name,
        }
        for region in REGIONS.values()
    ]
    return Response(200, {"value": regions})


# --- Resource providers -----------------------------------------------------------------------------


def providers(request: Request, azure: Azure) -> Response:
    name = _known(request, azure)
    return Response(200, {"value": [_provider(name, namespace) for namespace in sorted(NAMESPACES.values())]})


def provider(request: Request, azure: Azure) -> Response:
    """One provider, also as the answer to `register`: those that the offline Azure has are all registered."""
    namespace = NAMESPACES.get(request.values["namespace"].lower())
    if namespace is None:
        message = f"The resource namespace '{request.values['namespace']}' is invalid."
        raise AzureError(404, "InvalidResourceNamespace", message)
    return Response(200, _provider(_known(request, azure), namespace))


def _provider(subscription_name: str, namespace: str) -> dict[str, Any]:
    names = [region.display_name for region in REGIONS.values()]
    types = [
        {
            "resourceType": kind.arm_type.partition("/")[2],
            "locations": names,
            "apiVersions": [kind.api_version],
            "defaultApiVersion": kind.api_version,
        }
        for kind in RESOURCE_TYPES.values()
        if kind.arm_type.startswith(f"{namespace}/")
    ]
    return {
        "id": f"/subscriptions/{subscription_name}/providers/{namespace}",
        "namespace": namespace,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": "Registered",
        "resourceTypes": types,
    }
