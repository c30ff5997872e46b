"""How an SDK finds this Azure: the metadata of clouds, and the environment of a command that is to use this door."""

from __future__ import annotations

from pathlib import Path

from amlplatform.cloud.https import egress
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.messages import Request, Response
from amlplatform.cloud.state import SUBSCRIPTION_ID, TENANT_ID

_CLOUD = "OfflineAzure"


def metadata(_request: Request, azure: Azure) -> Response:
    """The one cloud there is here, as `/metadata/endpoints` of Resource Manager describes clouds.

    Storage keeps its suffix of Azure: names of storage endpoints in the state are made with it.
    """
    cloud = {
        "name": _CLOUD,
        # azure-ai-ml cuts the suffix of Azure ML's audience out of the portal's address.
        "portal": "https://portal.azure.com/",
        "resourceManager": f"{azure.url}/",
        "authentication": {
            "loginEndpoint": f"{azure.url}/",
            "audiences": list(azure.audiences),
            "tenant": TENANT_ID,
            "identityProvider": "AAD",
        },
        "suffixes": {"storage": "core.windows.net", "keyVaultDns": "vault.azure.net", "acrLoginServer": "azurecr.io"},
    }
    return Response(200, [cloud])


def services(request: Request, _azure: Azure) -> Response:
    """`https://<region>.api.azureml.ms/discovery`: where the services of Azure ML are in a region."""
    base = f"https://{request.headers.get('host', '')}"
    return Response(200, dict.fromkeys(("api", "history", "experimentation", "artifacts", "mlflow"), base))


def environment(azure: Azure, bundle: Path, proxy: int) -> dict[str, str]:
    """What a command needs so that unmodified code of Azure's SDKs comes to this door.

    azure-ai-ml finds Resource Manager by ARM_CLOUD_METADATA_URL; clients of azure-mgmt-* know no variable for it and
    are given AZURE_RESOURCE_MANAGER_URL as `base_url`. `DefaultAzureCredential` finds the managed identity;
    `WorkloadIdentityCredential` the login endpoint, once AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE are set.
    """
    return {
        "ARM_CLOUD_METADATA_URL": f"{azure.url}/metadata/endpoints?api-version=2019-05-01",
        "AZURE_RESOURCE_MANAGER_URL": azure.url,
        "REGISTRY_DISCOVERY_ENDPOINT_URL": f"{azure.url}/",
        "IDENTITY_ENDPOINT": f"{azure.url}/msi/token",
        "IDENTITY_HEADER": azure.identity_header,
        "AZURE_AUTHORITY_HOST": azure.url,
        "AZURE_TENANT_ID": TENANT_ID,
        "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION_ID,
        "REQUESTS_CA_BUNDLE": str(bundle),
        "SSL_CERT_FILE": str(bundle),
        **egress.variables(proxy),
    }
