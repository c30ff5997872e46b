"""The offline Azure records who calls, and asks for the roles that each request needs."""

from __future__ import annotations

from typing import Any

import pytest
from azure_support import (
    ACCOUNT,
    COMPONENT,
    CONTRIBUTOR,
    GROUP,
    HERE,
    IDENTITY,
    IN_GROUP,
    INFRA,
    OTHER_SUBSCRIPTION,
    READER,
    STORAGE_BODY,
    SUBSCRIPTION,
    VAULT,
    WORKSPACE,
    Azure,
    refused,
)

from amlplatform import delegation
from amlplatform.cloud import callers, calls
from amlplatform.cloud.required import Right, for_request, linked
from amlplatform.roles import ROLES

ADMINISTRATOR = ROLES["Role Based Access Control Administrator"].role_id
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


# --- The record of calls ----------------------------------------------------------------------------


def test_every_request_is_recorded_with_what_it_needed_and_how_it_ended(azure: Azure) -> None:
    before = calls.last(azure.state)
    azure.put("storage:StorageAccount", ACCOUNT, STORAGE_BODY)
    with refused(404, "ResourceNotFound"):
        azure.manager.get(VAULT)
    with refused(400, "InvalidRequestContent"):
        azure.put("storage:StorageAccount", ACCOUNT, {**STORAGE_BODY, "properties": {"isHnsEnabled": "no"}})
    azure.manager.delete(ACCOUNT)
    made = calls.recorded(azure.state, before)
    assert [(call.method, call.status, call.code) for call in made] == [
        ("PUT", 200, None),
        ("GET", 404, "ResourceNotFound"),
        ("PUT", 400, "InvalidRequestContent"),
        ("DELETE", 200, None),
    ]
    put = made[0]
    assert put.rights == (Right("Microsoft.Storage/storageAccounts/write", ACCOUNT),)
    assert (put.arm_type, put.api_version) == ("Microsoft.Storage/storageAccounts", "2024-01-01")
    assert (put.caller, put.time) == (callers.PERSON.object_id, azure.clock.now())


def test_a_refusal_is_recorded_although_its_transaction_is_undone(azure: Azure) -> None:
    before = calls.last(azure.state)
    with refused(404, "ResourceNotFound"), azure.state.transaction():
        azure.manager.get(VAULT)
    assert [call.code for call in calls.recorded(azure.state, before)] == ["ResourceNotFound"]


@pytest.mark.parametrize(
    ("method", "path", "action", "scope"),
    [
        ("GET", GROUP, "Microsoft.Resources/subscriptions/resourceGroups/read", GROUP),
        ("DELETE", GROUP, "Microsoft.Resources/subscriptions/resourceGroups/delete", GROUP),
        ("GET", f"{GROUP}/resources", "Microsoft.Resources/subscriptions/resourceGroups/resources/read", GROUP),
        (
            "GET",
            f"{SUBSCRIPTION}/resourceGroups",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            SUBSCRIPTION,
        ),
        ("GET", SUBSCRIPTION, "Microsoft.Resources/subscriptions/read", SUBSCRIPTION),
        ("POST", f"{ACCOUNT}/listKeys", "Microsoft.Storage/storageAccounts/listKeys/action", ACCOUNT),
        (
            "PUT",
            f"{ACCOUNT}/blobServices/default/containers/raw",
            "Microsoft.Storage/storageAccounts/blobServices/containers/write",
            f"{ACCOUNT}/blobServices/default/containers/raw",
        ),
        ("GET", f"{WORKSPACE}/computes", "Microsoft.MachineLearningServices/workspaces/computes/read", WORKSPACE),
        (
            "GET",
            f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments",
            "Microsoft.Authorization/roleAssignments/read",
            ACCOUNT,
        ),
    ],
)
def test_the_right_that_a_request_needs(method: str, path: str, action: str, scope: str) -> None:
    assert for_request(method, path) == Right(action, scope)


NETWORK = f"{OTHER_SUBSCRIPTION}/resourceGroups/rg-net/providers/Microsoft.Network"
SUBNET, ZONE = f"{NETWORK}/virtualNetworks/vnet/subnets/pe", f"{NETWORK}/privateDnsZones/privatelink.azurecr.io"
LOGS = f"{IN_GROUP}/Microsoft.OperationalInsights/workspaces/log"
CENTRAL_LOGS = LOGS.replace(GROUP, f"{OTHER_SUBSCRIPTION}/resourceGroups/rg-central")
ENDPOINT = f"{IN_GROUP}/Microsoft.Network/privateEndpoints/pe-st"
CLUSTER = f"{IN_GROUP}/Microsoft.ContainerService/managedClusters/aks"


@pytest.mark.parametrize(
    ("arm_id", "body", "rights"),
    [
        (
            WORKSPACE,
            {
                "identity": {"userAssignedIdentities": {IDENTITY: {}}},
                "properties": {"storageAccount": ACCOUNT, "primaryUserAssignedIdentity": IDENTITY},
            },
            [("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", IDENTITY)],
        ),
        (
            ENDPOINT,
            {
                "properties": {
                    "subnet": {"id": SUBNET},
                    "privateLinkServiceConnections": [{"properties": {"privateLinkServiceId": ACCOUNT}}],
                }
            },
            [
                ("Microsoft.Network/virtualNetworks/subnets/join/action", SUBNET),
                ("Microsoft.Storage/storageAccounts/privateEndpointConnectionsApproval/action", ACCOUNT),
            ],
        ),
        (
            f"{ENDPOINT}/privateDnsZoneGroups/default",
            {"properties": {"privateDnsZoneConfigs": [{"properties": {"privateDnsZoneId": ZONE}}]}},
            [("Microsoft.Network/privateDnsZones/join/action", ZONE)],
        ),
        (
            ACCOUNT,
            {"properties": {"networkAcls": {"virtualNetworkRules": [{"id": SUBNET}]}}},
            [("Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action", SUBNET)],
        ),
        (
            f"{ACCOUNT}/providers/Microsoft.Insights/diagnosticSettings/logs",
            {"properties": {"workspaceId": LOGS}},
            [("Microsoft.OperationalInsights/workspaces/sharedKeys/action", LOGS)],
        ),
        (COMPONENT, {"properties": {"WorkspaceResourceId": LOGS}}, []),
        (
            COMPONENT,
            {"properties": {"WorkspaceResourceId": CENTRAL_LOGS}},
            [("Microsoft.OperationalInsights/workspaces/sharedKeys/action", CENTRAL_LOGS)],
        ),
        (
            f"{WORKSPACE}/computes/k8s",
            {"properties": {"computeType": "Kubernetes", "resourceId": CLUSTER}},
            [("Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action", CLUSTER)],
        ),
    ],
)
def test_the_rights_that_a_body_needs_elsewhere(
    arm_id: str, body: dict[str, Any], rights: list[tuple[str, str]]
) -> None:
    assert [(right.action, right.scope) for right in linked(arm_id, body)] == rights


# --- Who calls --------------------------------------------------------------------------------------


def test_an_identity_may_do_what_its_roles_say(azure: Azure) -> None:
    principal = azure.identity(INFRA)
    manager = azure.acting_as(INFRA)
    with refused(403, "AuthorizationFailed") as error:
        azure.put("storage:StorageAccount", ACCOUNT, STORAGE_BODY, manager)
    assert error.value.message == (
        f"The client '{manager.caller.client_id}' with object id '{principal}' does not have authorization to perform "
        f"action 'Microsoft.Storage/storageAccounts/write' over scope '{ACCOUNT}' or the scope is invalid. If access "
        "was recently granted, please refresh your credentials."
    )
    azure.assign(1, principal, READER)
    assert manager.get(GROUP)["name"] == "rg-churn-dev"
    with refused(403, "AuthorizationFailed"):
        manager.delete(GROUP)
    azure.assign(2, principal, CONTRIBUTOR)
    azure.put("storage:StorageAccount", ACCOUNT, STORAGE_BODY, manager)
    with refused(403, "AuthorizationFailed"):
        azure.put(
            "authorization:ManagementLockByScope",
            f"{ACCOUNT}/providers/Microsoft.Authorization/locks/keep",
            {"properties": {"level": "CanNotDelete"}},
            manager,
        )
    with refused(403, "AuthorizationFailed"):
        azure.put("resources:ResourceGroup", f"{GROUP}-2", HERE, manager)
    assert {call.caller for call in calls.recorded(azure.state) if call.code == "AuthorizationFailed"} == {principal}


@pytest.mark.parametrize("name", ["arm id", "client id", "object id"])
def test_ways_to_name_an_identity(azure: Azure, name: str) -> None:
    azure.identity(INFRA)
    properties = azure.manager.get(INFRA)["properties"]
    given = {"arm id": INFRA.upper(), "client id": properties["clientId"], "object id": properties["principalId"]}[name]
    assert callers.find(given, azure.state) == callers.Caller(properties["principalId"], properties["clientId"])


def test_who_is_unknown_does_not_call(azure: Azure) -> None:
    azure.identity(INFRA)
    stranger = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    with pytest.raises(callers.UnknownCaller, match=r"is no identity of the offline Azure.*there are: id-infra"):
        callers.find(stranger, azure.state)
    # A principal from outside is known by its role.
    azure.assign(1, stranger, READER)
    assert callers.find(stranger, azure.state).object_id == stranger


def test_a_right_on_the_resource_alone_is_not_enough(azure: Azure) -> None:
    """Whoever attaches an identity must be allowed to: otherwise a Contributor of one group acts as any identity."""
    azure.parts()
    principal = azure.identity(INFRA)
    elsewhere = f"{SUBSCRIPTION}/resourceGroups/rg-other"
    azure.put("resources:ResourceGroup", elsewhere, HERE)
    foreign = IDENTITY.replace(GROUP, elsewhere)
    azure.identity(foreign)
    azure.assign(1, principal, CONTRIBUTOR)
    manager = azure.acting_as(INFRA)
    body = {**STORAGE_BODY, "identity": {"type": "UserAssigned", "userAssignedIdentities": {foreign: {}}}}
    with refused(403, "LinkedAuthorizationFailed") as error:
        azure.put("storage:StorageAccount", ACCOUNT, body, manager)
    assert "'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the linked scope(s)" in str(error.value)
    azure.assign(2, principal, ROLES["Managed Identity Operator"].role_id, foreign)
    azure.put("storage:StorageAccount", ACCOUNT, body, manager)


def test_a_delegated_administrator_gives_named_roles_only(azure: Azure) -> None:
    principal, other = azure.identity(INFRA), azure.identity()
    condition = {"condition": delegation.condition([READER]), "conditionVersion": delegation.VERSION}
    azure.assign(1, principal, ADMINISTRATOR, GROUP, None, **condition)
    manager = azure.acting_as(INFRA)
    azure.assign(2, other, READER, manager=manager)
    for role, kind in ((OWNER, "ServicePrincipal"), (READER, "User")):
        with refused(403, "AuthorizationFailed") as error:
            azure.assign(4, other, role, manager=manager, principalType=kind)
        assert "authorization or an ABAC condition not fulfilled" in error.value.message
    path = "providers/Microsoft.Authorization/roleAssignments"
    with refused(403, "AuthorizationFailed"):
        manager.delete(f"{GROUP}/{path}/00000001-0000-4000-8000-000000000000")
    manager.delete(f"{GROUP}/{path}/00000002-0000-4000-8000-000000000000")


def test_custom_roles_count(azure: Azure) -> None:
    principal = azure.identity(INFRA)
    role = "3f2504e0-4f89-41d3-9a0c-0305e82c3309"
    azure.put(
        "authorization:RoleDefinition",
        f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}",
        {
            "properties": {
                "roleName": "Account maker",
                "type": "CustomRole",
                "permissions": [{"actions": ["Microsoft.Storage/storageAccounts/write"]}],
                "assignableScopes": [SUBSCRIPTION],
            }
        },
    )
    azure.assign(1, principal, role)
    manager = azure.acting_as(INFRA)
    azure.put("storage:StorageAccount", ACCOUNT, STORAGE_BODY, manager)
    with refused(403, "AuthorizationFailed"):
        manager.get(ACCOUNT)
