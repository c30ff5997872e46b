"""Locks: on what holds data in prod, on nothing else, and in the way of nobody but who deletes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amlplatform.armtypes.catalogue import resource_type
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.resource_manager import ResourceManager
from amlplatform.cloud.state import CloudState
from amlplatform.plan import Plan, PlannedResource
from amlplatform.roles import ROLES

Plans = dict[str, dict[str, Plan]]

LOCKED = {"storage", "lake", "key-vault", "container-registry", "log-analytics"}
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-locks"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stlocks"
OTHER = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stlocks2"
CONTAINER = f"{ACCOUNT}/blobServices/default/containers/raw"
LOCK = f"{ACCOUNT}/providers/Microsoft.Authorization/locks/holds-data"
ROLE = f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments/11111111-1111-4111-8111-111111111111"


def locks(plan: Plan) -> dict[str, PlannedResource]:
    return {one.name.removesuffix("-lock"): one for one in plan.resources if one.arm_type.endswith("/locks")}


@pytest.mark.slow
def test_prod_locks_each_resource_that_holds_data_and_nothing_else(plans: Plans) -> None:
    plan = plans["full"]["prod"]
    found = locks(plan)
    assert set(found) == LOCKED
    for name, lock in found.items():
        locked = plan.resource(name)
        # On the resource itself: on the resource group or the workspace, clusters could not remove nodes.
        assert lock.arm_id == f"{locked.arm_id}/providers/Microsoft.Authorization/locks/holds-data"
        assert lock.body["properties"]["level"] == "CanNotDelete"
        assert lock.body["properties"]["notes"]
        assert lock.protect
    assert locks(plans["full"]["dev"]) == {}


def test_a_lock_comes_last_and_so_goes_first(plans: Plans) -> None:
    plan = plans["full"]["prod"]
    for lock in locks(plan).values():
        scope = lock.arm_id.rpartition("/providers/")[0]
        below = {one.name for one in plan.resources if one.arm_id.startswith(f"{scope}/") and one.name != lock.name}
        hanging = {one for one in below if plan.resource(one).concern in ("access", "diagnostics")}
        assert hanging
        assert hanging <= set(lock.depends_on)


# --- What the offline Azure does with them --------------------------------------------------------


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[ResourceManager]:
    """A resource group with a locked account, its container and role, and an account without a lock."""
    with contextlib.closing(CloudState(tmp_path / "azure.sqlite")) as state:
        manager = ResourceManager(state)
        put(manager, "resources:ResourceGroup", GROUP, {"location": "westeurope"})
        for account in (ACCOUNT, OTHER):
            body = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}}
            put(manager, "storage:StorageAccount", account, body)
        put(manager, "storage:BlobContainer", CONTAINER, {"properties": {}})
        role = {
            "principalId": "22222222-2222-4222-8222-222222222222",
            "principalType": "ServicePrincipal",
            "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{ROLES['Reader'].role_id}",
        }
        put(manager, "authorization:RoleAssignment", ROLE, {"properties": role})
        put(manager, "authorization:ManagementLockByScope", LOCK, {"properties": {"level": "CanNotDelete"}})
        yield manager


def put(manager: ResourceManager, token: str, arm_id: str, body: dict[str, Any]) -> None:
    manager.put(resource_type(f"azure-native:{token}"), arm_id, body)


@pytest.mark.parametrize("arm_id", [ACCOUNT, ACCOUNT.upper(), CONTAINER, ROLE, GROUP])
def test_what_is_locked_or_holds_something_locked_is_not_deleted(arm_id: str, azure: ResourceManager) -> None:
    with pytest.raises(AzureError, match="cannot perform delete operation") as refused:
        azure.delete(arm_id)
    assert (refused.value.status, refused.value.code) == (409, "ScopeLocked")
    for kept in (GROUP, ACCOUNT, CONTAINER, ROLE, OTHER):
        assert azure.get(kept)


def test_a_lock_stops_deletion_alone_and_only_here(azure: ResourceManager) -> None:
    # An account whose name begins with that of the locked one.
    azure.delete(OTHER)
    account = azure.get(ACCOUNT)
    put(azure, "storage:StorageAccount", ACCOUNT, {**_body(account), "tags": {"owner": "somebody@example.com"}})
    assert azure.get(ACCOUNT)["tags"] == {"owner": "somebody@example.com"}


def test_after_the_lock_everything_can_go(azure: ResourceManager) -> None:
    azure.delete(LOCK)
    azure.delete(ROLE)
    azure.delete(GROUP)
    assert azure.state.all() == []


def _body(document: dict[str, Any]) -> dict[str, Any]:
    return {"location": document["location"], "kind": document["kind"], "sku": document["sku"], "properties": {}}
