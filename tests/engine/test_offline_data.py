"""What commands of `amlplatform offline` upload and push: there for the next command, gone after a reset."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from engine_support import LiveProject, amlplatform, explained

from amlplatform.cloud import blob_storage
from amlplatform.cloud.state import SUBSCRIPTION_ID

pytestmark = pytest.mark.slow


@pytest.fixture
def live(new_live_project: Callable[[], LiveProject]) -> LiveProject:
    return new_live_project()


UPLOAD = """
import os, requests, sys
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient

def service(account):
    return BlobServiceClient(f"https://{account}.blob.core.windows.net", DefaultAzureCredential(), retry_total=0)

def make(account):
    url = os.environ["AZURE_RESOURCE_MANAGER_URL"]
    token = DefaultAzureCredential().get_token(f"{url}/.default").token
    address = f"{url}/subscriptions/{os.environ['AZURE_SUBSCRIPTION_ID']}/resourceGroups/rg-churn-dev/providers"
    address += f"/Microsoft.Storage/storageAccounts/{account}?api-version=2024-01-01"
    body = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}}
    requests.put(address, json=body, headers={"Authorization": f"Bearer {token}"}).raise_for_status()

def upload(account, text):
    service(account).create_container("data")
    service(account).get_blob_client("data", "a.txt").upload_blob(text)

def read(account):
    print(service(account).get_blob_client("data", "a.txt").download_blob().readall().decode())

"""


@pytest.fixture
def with_account(live: LiveProject) -> LiveProject:
    """A project whose offline Azure has a group with a storage account."""
    group = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg-churn-dev"
    account = {"id": f"{group}/providers/Microsoft.Storage/storageAccounts/stchurndev", "name": "stchurndev"}
    with live.azure() as azure:
        azure.put({"id": group, "type": "Microsoft.Resources/resourceGroups", "location": "westeurope"})
        azure.put({**account, "type": "Microsoft.Storage/storageAccounts", "properties": {}})
    return live


def test_what_is_uploaded_is_there_for_the_next_command(with_account: LiveProject) -> None:
    if blob_storage.find() is None:
        pytest.skip(blob_storage.MISSING)
    steps = "upload('stchurndev', 'seven'); make('stlater'); upload('stlater', 'eight'); read('stchurndev')"
    first = with_account.offline(sys.executable, "-c", UPLOAD + steps)
    assert first.stdout.split() == ["seven"], explained(first)
    second = with_account.offline(sys.executable, "-c", UPLOAD + "read('stchurndev'); read('stlater')")
    assert second.stdout.split() == ["seven", "eight"], explained(second)
    assert second.stderr == ""
    foreign = with_account.offline(sys.executable, "-c", UPLOAD + "read('stother')")
    assert "stother.blob.core.windows.net: is no storage account of the offline Azure" in foreign.stderr


REGISTRY = """
import io
from azure.containerregistry import ContainerRegistryClient
from azure.core.exceptions import ResourceNotFoundError
from azure.identity import DefaultAzureCredential

address, audience = "https://crchurndev.azurecr.io", "https://containerregistry.azure.net"
client = ContainerRegistryClient(address, DefaultAzureCredential(), audience=audience)

def push():
    digest, size = client.upload_blob("scoring", io.BytesIO(b"layer"))
    client.set_manifest("scoring", {"schemaVersion": 2, "config": {"digest": digest, "size": size}}, tag="v1")

def there():
    try:
        print(client.get_manifest("scoring", "v1").manifest["schemaVersion"])
    except ResourceNotFoundError:
        print("none")

"""


def registry_of(live: LiveProject) -> None:
    group = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg-churn-dev"
    registry = {"id": f"{group}/providers/Microsoft.ContainerRegistry/registries/crchurndev", "name": "crchurndev"}
    with live.azure() as azure:
        azure.put({**registry, "type": "Microsoft.ContainerRegistry/registries", "properties": {}})


def test_an_image_is_there_for_the_next_command_until_a_reset(live: LiveProject) -> None:
    registry_of(live)
    pushed = live.offline(sys.executable, "-c", f"{REGISTRY}push()")
    assert pushed.returncode == 0, explained(pushed)
    second = live.offline(sys.executable, "-c", f"{REGISTRY}there()")
    assert second.stdout.split() == ["2"], explained(second)
    assert amlplatform("offline", "--reset", "--project", live.folder).returncode == 0
    registry_of(live)
    after = live.offline(sys.executable, "-c", f"{REGISTRY}there()")
    assert after.stdout.split() == ["none"], explained(after)
