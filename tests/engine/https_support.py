"""The HTTPS door of the tests: open for the whole session, on a state that the provider has written."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

import requests
from amlplatform.cloud import wire
from amlplatform.cloud.callers import PERSON, Caller
from amlplatform.cloud.hindrances import soft_delete
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.behaviour import Behaviour
from amlplatform.cloud.https.server import serving
from amlplatform.cloud.https.tokens import issue
from amlplatform.cloud.provider import AzureNativeProvider, serve
from amlplatform.cloud.resource_manager import ResourceManager
from amlplatform.cloud.state import SUBSCRIPTION_ID, TENANT_ID, CloudState

GROUP = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg-churn-dev"
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/mlw-churn-dev"
CLUSTER = f"{WORKSPACE}/computes/cpu-cluster"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stchurndev"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-churn-ci"
SUBJECT = "repo:org@1/churn@2:environment:dev"
ISSUER = "https://token.actions.githubusercontent.com"
NEWEST = "2099-01-01"
"""No API version that our types know: SDKs move on."""

IN_GROUP = {"resourceGroupName": "rg-churn-dev", "location": "westeurope"}
MADE_BY_THE_PROVIDER: list[tuple[str, dict[str, Any]]] = [
    ("resources:ResourceGroup", {**IN_GROUP, "tags": {"product": "churn"}}),
    (
        "storage:StorageAccount",
        {
            **IN_GROUP,
            "accountName": "stchurndev",
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS"},
            "allowSharedKeyAccess": False,
            "tags": {"product": "churn"},
        },
    ),
    (
        "keyvault:Vault",
        {
            **IN_GROUP,
            "vaultName": "kv-churn-dev",
            "properties": {"tenantId": TENANT_ID, "sku": {"family": "A", "name": "standard"}},
        },
    ),
    ("managedidentity:UserAssignedIdentity", {**IN_GROUP, "resourceName": "id-churn-ci"}),
    (
        "managedidentity:FederatedIdentityCredential",
        {
            "resourceGroupName": "rg-churn-dev",
            "resourceName": "id-churn-ci",
            "federatedIdentityCredentialResourceName": "github-dev",
            "issuer": ISSUER,
            "subject": SUBJECT,
            "audiences": ["api://AzureADTokenExchange"],
        },
    ),
    (
        "applicationinsights:Component",
        {**IN_GROUP, "resourceName": "appi-churn-dev", "kind": "web", "applicationType": "web"},
    ),
    (
        "machinelearningservices:Workspace",
        {
            **IN_GROUP,
            "workspaceName": "mlw-churn-dev",
            "identity": {"type": "SystemAssigned"},
            "storageAccount": ACCOUNT,
            "keyVault": f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-churn-dev",
            "applicationInsights": f"{GROUP}/providers/Microsoft.Insights/components/appi-churn-dev",
        },
    ),
    (
        "machinelearningservices:Compute",
        {
            **IN_GROUP,
            "workspaceName": "mlw-churn-dev",
            "computeName": "cpu-cluster",
            "properties": {
                "computeType": "AmlCompute",
                "properties": {
                    "vmSize": "Standard_DS3_v2",
                    "vmPriority": "Dedicated",
                    "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 4},
                },
            },
        },
    ),
]


@dataclass
class Door:
    """The door, and short ways through it."""

    azure: Azure
    environment: dict[str, str]
    folder: Path
    session: requests.Session = field(default_factory=requests.Session)

    def token(self, caller: Caller = PERSON, lifetime_s: float = 60, audience: str | None = None) -> str:
        return issue(caller, audience or self.azure.url, lifetime_s)

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> requests.Response:
        mark = "&" if "?" in path else "?"
        return self.session.request(
            method,
            f"{self.azure.url}{path}{mark}api-version={NEWEST}",
            json=body,
            headers={"Authorization": f"Bearer {token or self.token()}"},
            verify=self.environment["REQUESTS_CA_BUNDLE"],
            timeout=20,
        )

    def refusal(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        response = self.call(method, path, body)
        return response.status_code, response.json()["error"]["code"]

    @contextlib.contextmanager
    def behaving(self, **settings: Any) -> Iterator[Behaviour]:
        usual = self.azure.behaviour
        self.azure.behaviour = Behaviour(**{"polls": 0, "retry_after_s": 0.02, **settings})
        try:
            yield self.azure.behaviour
        finally:
            self.azure.behaviour = usual


def urn(token: str) -> str:
    return f"urn:pulumi:churn-dev::amlplatform::azure-native:{token}::it"


@contextlib.contextmanager
def provider_of(state: CloudState) -> Iterator[provider_pb2_grpc.ResourceProviderStub]:
    """The other door, as the engine uses it."""
    server, port = serve(AzureNativeProvider(ResourceManager(state)))
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield provider_pb2_grpc.ResourceProviderStub(channel)
    server.stop(grace=None).wait()


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("https")
    with contextlib.closing(CloudState(folder / "azure.sqlite")) as state:
        with provider_of(state) as provider:
            for token, inputs in MADE_BY_THE_PROVIDER:
                provider.Create(provider_pb2.CreateRequest(urn=urn(token), properties=wire.struct(inputs)))
        manager = ResourceManager(state, [soft_delete.keep_names])
        azure = Azure(state, manager.acting_as, Behaviour(polls=1, retry_after_s=0.02))
        with serving(azure, folder) as environment:
            yield Door(azure, environment, folder)


@pytest.fixture
def door(opened: Door, monkeypatch: pytest.MonkeyPatch) -> Door:
    """The door, with the environment that a command of `amlplatform offline` has."""
    # azure-ai-ml writes it, and would keep it for the tests that come after.
    # azure-ai-ml sets it: set before, so that it is taken away again after the test.
    monkeypatch.setenv("AZUREML_CURRENT_CLOUD", "AzureCloud")
    monkeypatch.delenv("AZUREML_CURRENT_CLOUD")
    for name, value in opened.environment.items():
        monkeypatch.setenv(name, value)
    return opened
