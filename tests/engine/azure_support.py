"""The offline Azure of the tests, without doors: short ways to make requests, and a clock that stands still."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amlplatform.armtypes import catalogue
from amlplatform.cloud import callers, hindrances
from amlplatform.cloud.clock import Clock, ManualClock
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.hindrances.hostility import Hostility
from amlplatform.cloud.resource_manager import ResourceManager
from amlplatform.cloud.state import TENANT_ID, CloudState
from amlplatform.roles import ROLES

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
OTHER_SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-00000000000a"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-churn-dev"
IN_GROUP = f"{GROUP}/providers"
ACCOUNT = f"{IN_GROUP}/Microsoft.Storage/storageAccounts/stchurndev"
VAULT = f"{IN_GROUP}/Microsoft.KeyVault/vaults/kv-churn"
COMPONENT = f"{IN_GROUP}/Microsoft.Insights/components/appi-churn"
WORKSPACE = f"{IN_GROUP}/Microsoft.MachineLearningServices/workspaces/mlw-churn"
INFRA = f"{IN_GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/id-infra"
IDENTITY = f"{IN_GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/id-workspace"
HERE = {"location": "westeurope"}
STORAGE_BODY = {**HERE, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}}
VAULT_BODY = {
    **HERE,
    "properties": {"tenantId": TENANT_ID, "sku": {"family": "A", "name": "standard"}, "softDeleteRetentionInDays": 7},
}


class Azure:
    """Short ways to make requests. Time stands still unless it is moved."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.clock = clock or ManualClock(1_000_000)
        self.state = CloudState(folder / "azure.sqlite", self.clock)
        self.manager = ResourceManager(self.state)

    def as_hostile_as(self, **switches: Any) -> None:
        self.manager = hindrances.manager(self.state, Hostility(**switches), self.manager.caller)

    def acting_as(self, name: str) -> ResourceManager:
        return self.manager.acting_as(callers.find(name, self.state))

    def put(
        self, token: str, arm_id: str, body: dict[str, Any], manager: ResourceManager | None = None
    ) -> dict[str, Any]:
        return (manager or self.manager).put(catalogue.resource_type(token), arm_id, body)

    def identity(self, arm_id: str = IDENTITY) -> str:
        """Make an identity. Returns its object id."""
        return self.put("managedidentity:UserAssignedIdentity", arm_id, HERE)["properties"]["principalId"]

    def assign(
        self,
        number: int,
        principal: str,
        role: str,
        scope: str = GROUP,
        manager: ResourceManager | None = None,
        **properties: Any,
    ) -> None:
        arm_id = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{number:08d}-0000-4000-8000-000000000000"
        definition = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        body = {"principalId": principal, "principalType": "ServicePrincipal", "roleDefinitionId": definition}
        given = {name: value for name, value in (body | properties).items() if value is not None}
        self.put("authorization:RoleAssignment", arm_id, {"properties": given}, manager)

    def parts(self) -> None:
        """What a workspace is made of."""
        self.put("storage:StorageAccount", ACCOUNT, STORAGE_BODY)
        self.put("keyvault:Vault", VAULT, VAULT_BODY)
        component = {**HERE, "kind": "web", "properties": {"Application_Type": "web"}}
        self.put("applicationinsights:Component", COMPONENT, component)

    def workspace(self, manager: ResourceManager | None = None) -> dict[str, Any]:
        body = {
            **HERE,
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
            "properties": {
                "storageAccount": ACCOUNT,
                "keyVault": VAULT,
                "applicationInsights": COMPONENT,
                "primaryUserAssignedIdentity": IDENTITY,
            },
        }
        return self.put("machinelearningservices:Workspace", WORKSPACE, body, manager)


@contextlib.contextmanager
def refused(status: int, code: str) -> Iterator[pytest.ExceptionInfo[AzureError]]:
    with pytest.raises(AzureError) as error:
        yield error
    assert (error.value.status, error.value.code) == (status, code), str(error.value)


CONTRIBUTOR, READER = ROLES["Contributor"].role_id, ROLES["Reader"].role_id


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[Azure]:
    azure = Azure(tmp_path)
    azure.put("resources:ResourceGroup", GROUP, HERE)
    yield azure
    azure.state.close()
