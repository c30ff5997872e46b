"""The offline Azure refuses what Azure refuses, and computes what Azure computes."""

from __future__ import annotations

import contextlib
import copy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amlplatform.armtypes import catalogue, validator
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.resource_manager import Call, ResourceManager
from amlplatform.cloud.settable import settable
from amlplatform.cloud.shapes import property_name
from amlplatform.cloud.state import CloudState

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-churn-dev"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stchurndev"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-churn"
COMPONENT = f"{GROUP}/providers/Microsoft.Insights/components/appi-churn"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-churn"
STORAGE_BODY = {
    "location": "westeurope",
    "kind": "StorageV2",
    "sku": {"name": "Standard_LRS"},
    "properties": {"isHnsEnabled": False},
}
VAULT_BODY = {
    "location": "westeurope",
    "properties": {
        "tenantId": "00000000-0000-0000-0000-000000000002",
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
    },
}
ROLE = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
PRINCIPAL = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


class Azure:
    """Short ways to make requests."""

    def __init__(self, manager: ResourceManager) -> None:
        self.manager = manager

    def put(self, token: str, arm_id: str, body: dict[str, Any]) -> dict[str, Any]:
        return self.manager.put(catalogue.resource_type(token), arm_id, body)

    def storage(self, arm_id: str = ACCOUNT, **properties: Any) -> dict[str, Any]:
        return self.put("storage:StorageAccount", arm_id, {**STORAGE_BODY, **properties})

    def assign(self, name: str, principal: str = PRINCIPAL, scope: str = GROUP) -> dict[str, Any]:
        arm_id = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
        properties = {"principalId": principal, "principalType": "Group", "roleDefinitionId": ROLE}
        return self.put("authorization:RoleAssignment", arm_id, {"properties": properties})

    def refuses(self, code: str, token: str, arm_id: str, body: dict[str, Any]) -> str:
        with pytest.raises(AzureError) as refused:
            self.put(token, arm_id, body)
        assert refused.value.code == code, str(refused.value)
        return refused.value.message


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[Azure]:
    with contextlib.closing(CloudState(tmp_path / "azure.sqlite")) as state:
        azure = Azure(ResourceManager(state))
        azure.put("resources:ResourceGroup", GROUP, {"location": "westeurope"})
        yield azure


# --- What is refused --------------------------------------------------------------------------------


def test_a_resource_needs_its_group(azure: Azure) -> None:
    elsewhere = ACCOUNT.replace("rg-churn-dev", "rg-churn-test")
    message = azure.refuses("ResourceGroupNotFound", "storage:StorageAccount", elsewhere, STORAGE_BODY)
    assert message == "Resource group 'rg-churn-test' could not be found."


def test_a_child_needs_its_parent(azure: Azure) -> None:
    container = f"{ACCOUNT}/blobServices/default/containers/raw"
    message = azure.refuses("ParentResourceNotFound", "storage:BlobContainer", container, {"properties": {}})
    assert "'default' not found" in message
    azure.storage()
    # The services of an account come with it.
    azure.put("storage:BlobContainer", container, {"properties": {}})


def test_a_role_needs_its_scope(azure: Azure) -> None:
    with pytest.raises(AzureError) as refused:
        azure.assign("b6a7c1de-0000-4000-8000-000000000001", scope=ACCOUNT)
    assert refused.value.code == "ResourceNotFound"
    assert "Microsoft.Storage/storageAccounts/stchurndev" in refused.value.message


@pytest.mark.parametrize(
    ("code", "token", "path", "body"),
    [
        (
            "StorageAccountAlreadyTaken",
            "storage:StorageAccount",
            "Microsoft.Storage/storageAccounts/x1y2",
            STORAGE_BODY,
        ),
        ("VaultAlreadyExists", "keyvault:Vault", "Microsoft.KeyVault/vaults/kv-x1y2", VAULT_BODY),
        (
            "AlreadyInUse",
            "containerregistry:Registry",
            "Microsoft.ContainerRegistry/registries/crx1y2",
            {"location": "westeurope", "sku": {"name": "Premium"}, "properties": {}},
        ),
    ],
)
def test_some_names_exist_once_in_the_whole_of_azure(
    azure: Azure, code: str, token: str, path: str, body: dict[str, Any]
) -> None:
    other_group = f"{SUBSCRIPTION}/resourceGroups/rg-other"
    azure.put("resources:ResourceGroup", other_group, {"location": "westeurope"})
    azure.put(token, f"{other_group}/providers/{path}", body)
    azure.refuses(code, token, f"{GROUP}/providers/{path}", body)
    # The owner may still change it, and once it is gone the name is free.
    azure.put(token, f"{other_group}/providers/{path}", body)
    azure.manager.delete(f"{other_group}/providers/{path}")
    azure.put(token, f"{GROUP}/providers/{path}", body)


def test_a_body_that_microsofts_types_refuse(azure: Azure) -> None:
    body = {**STORAGE_BODY, "properties": {"isHnsEnabled": "no", "allowSharedKeyAcess": False}}
    message = azure.refuses("InvalidRequestContent", "storage:StorageAccount", ACCOUNT, body)
    assert "properties.isHnsEnabled: 'no' must be true or false" in message
    assert "properties.allowSharedKeyAcess: unknown property" in message
    azure.refuses("InvalidRequestContent", "storage:StorageAccount", f"{ACCOUNT}-Bad", STORAGE_BODY)
    with pytest.raises(AzureError):
        azure.manager.get(ACCOUNT)


def test_what_a_resource_refers_to_must_be_there(azure: Azure) -> None:
    identity = {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    azure.refuses("FailedIdentityOperation", "storage:StorageAccount", ACCOUNT, {**STORAGE_BODY, "identity": identity})
    logs = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/log-churn"
    body = {"location": "westeurope", "kind": "web", "properties": {"Application_Type": "web"}}
    body["properties"] |= {"WorkspaceResourceId": logs}
    assert logs in azure.refuses("InvalidResourceReference", "applicationinsights:Component", COMPONENT, body)
    # A central resource lies in a group of which the offline Azure knows nothing: it is taken to exist.
    body["properties"] |= {"WorkspaceResourceId": logs.replace("rg-churn-dev", "rg-central")}
    azure.put("applicationinsights:Component", COMPONENT, body)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"location": "northeurope"}, "InvalidResourceLocation"),
        ({"properties": {"isHnsEnabled": True}}, "PropertyChangeNotAllowed"),
    ],
)
def test_what_is_fixed_at_creation(azure: Azure, change: dict[str, Any], code: str) -> None:
    azure.storage()
    azure.refuses(code, "storage:StorageAccount", ACCOUNT, {**STORAGE_BODY, **change})
    azure.storage(location="West Europe")


REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/crchurn"
REGISTRY_BODY = {"location": "westeurope", "sku": {"name": "Premium"}, "properties": {"zoneRedundancy": "Disabled"}}


@pytest.mark.parametrize(
    ("token", "arm_id", "body", "change"),
    [
        ("storage:StorageAccount", ACCOUNT, STORAGE_BODY, ("kind", "BlobStorage")),
        ("keyvault:Vault", VAULT, VAULT_BODY, ("properties.softDeleteRetentionInDays", 90)),
        ("keyvault:Vault", VAULT, VAULT_BODY, ("properties.tenantId", "00000000-0000-0000-0000-000000000009")),
        ("containerregistry:Registry", REGISTRY, REGISTRY_BODY, ("properties.zoneRedundancy", "Enabled")),
    ],
)
def test_what_is_chosen_once(
    azure: Azure, token: str, arm_id: str, body: dict[str, Any], change: tuple[str, Any]
) -> None:
    path, value = change
    before = copy.deepcopy(body)
    if token == "keyvault:Vault":
        before["properties"]["softDeleteRetentionInDays"] = 7
    azure.put(token, arm_id, before)
    after = copy.deepcopy(before)
    where, _, name = path.rpartition(".")
    (after[where] if where else after)[name] = value
    assert f"'{path}' cannot be changed" in azure.refuses("PropertyChangeNotAllowed", token, arm_id, after)
    # To send it again is no change, and neither is to leave it out where Microsoft's types allow that.
    azure.put(token, arm_id, before)
    if name in ("softDeleteRetentionInDays", "zoneRedundancy"):
        del after["properties"][name]
        azure.put(token, arm_id, after)


def test_a_managed_network_never_opens_again(azure: Azure) -> None:
    azure.storage()
    azure.put("keyvault:Vault", VAULT, VAULT_BODY)
    component = {"location": "westeurope", "kind": "web", "properties": {"Application_Type": "web"}}
    azure.put("applicationinsights:Component", COMPONENT, component)
    workspace = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/mlw-churn"

    def body(isolation: str) -> dict[str, Any]:
        properties = {"storageAccount": ACCOUNT, "keyVault": VAULT, "applicationInsights": COMPONENT}
        network = {"managedNetwork": {"isolationMode": isolation}}
        identity = {"type": "SystemAssigned"}
        return {"location": "westeurope", "identity": identity, "properties": properties | network}

    token = "machinelearningservices:Workspace"
    azure.put(token, workspace, body("AllowInternetOutbound"))
    azure.put(token, workspace, body("AllowOnlyApprovedOutbound"))
    azure.refuses("PropertyChangeNotAllowed", token, workspace, body("AllowInternetOutbound"))
    azure.refuses("PropertyChangeNotAllowed", token, workspace, body("Disabled"))


def test_role_assignments_are_unique_and_their_principal_stays(azure: Azure) -> None:
    first, second = "b6a7c1de-0000-4000-8000-000000000001", "b6a7c1de-0000-4000-8000-000000000002"
    azure.assign(first)
    azure.assign(first)
    with pytest.raises(AzureError, match="already exists") as refused:
        azure.assign(second)
    assert refused.value.code == "RoleAssignmentExists"
    with pytest.raises(AzureError) as refused:
        azure.assign(first, principal="3f2504e0-4f89-41d3-9a0c-0305e82c3302")
    assert refused.value.code == "RoleAssignmentUpdateNotPermitted"


def test_a_hindrance_is_asked_before_every_request(azure: Azure) -> None:
    seen: list[tuple[str, str]] = []

    def forbidden(call: Call, _state: CloudState) -> None:
        seen.append((call.method, call.arm_id))
        if call.method == "PUT":
            raise AzureError(403, "AuthorizationFailed", "not yet")

    manager = ResourceManager(azure.manager.state, hindrances=[forbidden])
    with pytest.raises(AzureError, match="not yet"):
        manager.put(catalogue.resource_type("storage:StorageAccount"), ACCOUNT, STORAGE_BODY)
    assert manager.get(GROUP)["name"] == "rg-churn-dev"
    manager.delete(ACCOUNT)
    assert seen == [("PUT", ACCOUNT), ("GET", GROUP), ("DELETE", ACCOUNT)]


# --- What is computed -------------------------------------------------------------------------------


def test_ids_are_compared_without_case_and_keep_their_first_spelling(azure: Azure) -> None:
    azure.storage()
    shouted = ACCOUNT.upper().replace("STCHURNDEV", "stchurndev")
    assert azure.storage(shouted)["id"] == ACCOUNT
    assert azure.manager.get(shouted)["name"] == "stchurndev"


def test_identities_get_new_principals_when_they_are_made_again(azure: Azure) -> None:
    body = {"location": "westeurope"}
    first = azure.put("managedidentity:UserAssignedIdentity", IDENTITY, body)["properties"]
    kept = azure.put("managedidentity:UserAssignedIdentity", IDENTITY, {**body, "tags": {"a": "b"}})["properties"]
    assert kept == first
    identity = {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    account = azure.storage(identity=identity)
    assert account["identity"]["userAssignedIdentities"][IDENTITY]["principalId"] == first["principalId"]
    azure.manager.delete(IDENTITY)
    again = azure.put("managedidentity:UserAssignedIdentity", IDENTITY, body)["properties"]
    assert again["principalId"] != first["principalId"]


def test_a_group_takes_everything_in_it_along(azure: Azure) -> None:
    azure.storage()
    azure.assign("b6a7c1de-0000-4000-8000-000000000001", scope=ACCOUNT)
    neighbour = f"{GROUP}-2"
    azure.put("resources:ResourceGroup", neighbour, {"location": "westeurope"})
    azure.manager.delete(GROUP)
    assert [document["id"] for document in azure.manager.state.all()] == [neighbour]


def test_the_services_of_an_account_live_with_it(azure: Azure) -> None:
    azure.storage()
    service = f"{ACCOUNT}/blobServices/default"
    raw, default = f"{service}/containers/raw", f"{service}/containers/default"
    azure.put("storage:BlobServiceProperties", service, {"properties": {"isVersioningEnabled": True}})
    for container in (raw, default):
        azure.put("storage:BlobContainer", container, {"properties": {}})
    azure.manager.delete(service)
    assert azure.manager.state.get(service) is None
    assert {document["name"] for document in azure.manager.state.all()} == {
        "rg-churn-dev",
        "stchurndev",
        "raw",
        "default",
    }
    # A container of that name is a container like any other: it takes along what lies on it, and is gone then.
    azure.assign("b6a7c1de-0000-4000-8000-000000000001", scope=default)
    azure.manager.delete(default)
    with pytest.raises(AzureError) as refused:
        azure.assign("b6a7c1de-0000-4000-8000-000000000001", scope=default)
    assert refused.value.code == "ResourceNotFound"
    azure.manager.delete(ACCOUNT)
    assert [document["id"] for document in azure.manager.state.all()] == [GROUP]


def test_what_azure_computes_is_in_microsofts_types(azure: Azure) -> None:
    """Names that we add must exist, and must not be among those that a request sets (vaults excepted: theirs may)."""
    azure.storage()
    azure.put("managedidentity:UserAssignedIdentity", IDENTITY, {"location": "westeurope"})
    component = {"location": "westeurope", "kind": "web", "properties": {"Application_Type": "web"}}
    azure.put("applicationinsights:Component", COMPONENT, component)
    container = f"{ACCOUNT}/blobServices/default/containers/raw"
    azure.put("storage:BlobContainer", container, {"properties": {"publicAccess": "None"}})
    azure.assign("b6a7c1de-0000-4000-8000-000000000001")
    kinds = {kind.arm_type: kind for kind in catalogue.RESOURCE_TYPES.values()}
    for document in azure.manager.state.all():
        kind = kinds[document["type"]]
        envelope, properties = validator.property_names(kind.arm_type, kind.api_version)
        assert set(document["properties"]) <= set(properties.values()), kind.arm_type
        assert set(document) - {"id", "name", "type"} <= set(envelope.values()), kind.arm_type
        # A request with only what may be set is accepted again, and changes nothing that was computed once.
        azure.manager.put(kind, document["id"], settable(kind, document))
        again = azure.manager.get(document["id"])
        assert property_name(kind, "provisioningState") == "provisioningState"
        stable = {"principalId", "InstrumentationKey", "creationTime", "ConnectionString", "createdOn"}
        for name in stable & set(document["properties"]):
            assert again["properties"][name] == document["properties"][name]


# --- The state --------------------------------------------------------------------------------------


def test_several_processes_write_at_the_same_time(tmp_path: Path) -> None:
    file = tmp_path / "azure.sqlite"
    program = (
        "import sys; from pathlib import Path; from amlplatform.cloud.state import CloudState\n"
        "state = CloudState(Path(sys.argv[1]))\n"
        "for n in range(50): state.put({'id': f'/subscriptions/s/resourceGroups/{sys.argv[2]}-{n}', 'type': 'T'})\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(file), name]) for name in ("a", "b", "c")]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    with contextlib.closing(CloudState(file)) as state:
        assert len(state.all()) == 150


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    with contextlib.closing(CloudState(tmp_path / "azure.sqlite")) as state:
        with pytest.raises(RuntimeError), state.transaction():
            state.put({"id": "/subscriptions/s/resourceGroups/a", "type": "T"})
            with state.transaction():
                state.put({"id": "/subscriptions/s/resourceGroups/b", "type": "T"})
            raise RuntimeError
        assert state.all() == []


def test_secrets_belong_to_a_resource_and_a_purpose(tmp_path: Path) -> None:
    with (
        contextlib.closing(CloudState(tmp_path / "one.sqlite")) as one,
        contextlib.closing(CloudState(tmp_path / "two.sqlite")) as two,
    ):
        key = one.secret(ACCOUNT, "key1")
        assert key == one.secret(ACCOUNT.upper(), "key1")
        assert len({key, one.secret(ACCOUNT, "key2"), one.secret(VAULT, "key1"), two.secret(ACCOUNT, "key1")}) == 4
