"""The offline Azure records who calls, asks for their roles, and is as slow to agree as Azure is."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from amlplatform import delegation
from amlplatform.armtypes import catalogue
from amlplatform.cloud import callers, calls, hindrances
from amlplatform.cloud.clock import Clock, ManualClock
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.hindrances import hostility, quotas, soft_delete
from amlplatform.cloud.hindrances.hostility import Hostility
from amlplatform.cloud.required import Right, for_request, linked
from amlplatform.cloud.resource_manager import ResourceManager
from amlplatform.cloud.retries import with_retries
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


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[Azure]:
    azure = Azure(tmp_path)
    azure.put("resources:ResourceGroup", GROUP, HERE)
    yield azure
    azure.state.close()


CONTRIBUTOR, READER = ROLES["Contributor"].role_id, ROLES["Reader"].role_id
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


# --- What passes with time --------------------------------------------------------------------------


def test_a_role_counts_once_it_has_spread(azure: Azure) -> None:
    azure.as_hostile_as(role_spread_s=30)
    azure.assign(1, azure.identity(INFRA), CONTRIBUTOR)
    manager = azure.acting_as(INFRA)
    azure.clock.sleep(29)
    with refused(403, "AuthorizationFailed"):
        manager.get(GROUP)
    azure.clock.sleep(1)
    manager.get(GROUP)


def test_a_workspace_needs_its_identitys_roles(azure: Azure) -> None:
    azure.parts()
    principal = azure.identity()
    azure.as_hostile_as(service_identities=True, role_spread_s=30)
    scopes = {"storageAccounts": ACCOUNT, "vaults": VAULT, "components": COMPONENT}
    for number, (name, scope) in enumerate(scopes.items(), start=1):
        with refused(403, "AuthorizationFailed") as error:
            azure.workspace()
        assert f"{name}/read' over scope '{scope}'" in error.value.message
        assert principal in error.value.message
        azure.assign(number, principal, CONTRIBUTOR, scope)
        with refused(403, "AuthorizationFailed"):
            azure.workspace()
        azure.clock.sleep(30)
    azure.workspace()
    # Only the first request asks: a later one finds the service at work.
    azure.manager.delete(
        f"{VAULT}/providers/Microsoft.Authorization/roleAssignments/00000002-0000-4000-8000-000000000000"
    )
    azure.workspace()


def test_the_directory_learns_late_of_a_new_identity(azure: Azure) -> None:
    azure.as_hostile_as(principal_spread_s=60)
    principal = azure.identity()
    with refused(400, "PrincipalNotFound") as error:
        azure.assign(1, principal, READER, principalType=None)
    assert "set the role assignment principalType property" in error.value.message
    azure.assign(1, principal, READER)
    azure.clock.sleep(60)
    with refused(400, "InvalidRequestContent"):  # our own rule: the type is always asked for
        azure.assign(2, principal, CONTRIBUTOR, principalType=None)


class StoppedClock(ManualClock):
    """Whoever sleeps is held until the test lets go."""

    def __init__(self) -> None:
        super().__init__(1_000_000)
        self.asleep, self.awake = threading.Event(), threading.Event()

    def sleep(self, seconds: float) -> None:
        self.asleep.set()
        assert self.awake.wait(10)
        super().sleep(seconds)


def test_credentials_of_one_identity_are_written_in_a_row(tmp_path: Path) -> None:
    clock = StoppedClock()
    azure = Azure(tmp_path, clock)
    azure.put("resources:ResourceGroup", GROUP, HERE)
    azure.identity()
    azure.identity(INFRA)
    azure.as_hostile_as(credential_write_s=5)

    def credential(name: str, identity: str = IDENTITY) -> None:
        properties = {"issuer": "https://i", "subject": f"s:{name}", "audiences": ["api://AzureADTokenExchange"]}
        arm_id = f"{identity}/federatedIdentityCredentials/{name}"
        azure.put("managedidentity:FederatedIdentityCredential", arm_id, {"properties": properties})

    first = threading.Thread(target=credential, args=("first",))
    first.start()
    assert clock.asleep.wait(10)
    with refused(409, "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"):
        credential("second")
    clock.awake.set()
    first.join(10)
    credential("second")
    credential("third", INFRA)
    assert (
        len(azure.state.of_type("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials")) == 3
    )
    azure.state.close()


def test_429_is_waited_out_by_the_provider(azure: Azure) -> None:
    azure.as_hostile_as(throttle_every=2)
    codes: list[str] = []
    for _ in range(4):
        try:
            azure.manager.get(GROUP)
        except AzureError as error:
            codes.append(error.code)
    assert codes == ["SubscriptionRequestsThrottled"] * 2
    started = azure.clock.now()
    for _ in range(4):
        with_retries(lambda: azure.manager.get(GROUP), azure.clock)
    assert 0 < azure.clock.now() - started < 1


@pytest.mark.parametrize(
    ("status", "code", "attempts"),
    [
        (429, "x", 4),
        (503, "x", 4),
        (409, "AnotherOperationInProgress", 4),
        (409, "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity", 1),
        (403, "AuthorizationFailed", 1),
        (400, "PrincipalNotFound", 1),
    ],
)
def test_what_the_provider_tries_again(status: int, code: str, attempts: int) -> None:
    made: list[int] = []

    def request() -> None:
        made.append(1)
        raise AzureError(status, code, "no")

    with pytest.raises(AzureError):
        with_retries(request, ManualClock())
    assert len(made) == attempts


# --- What passes with a step ------------------------------------------------------------------------


def test_a_deleted_vault_keeps_its_name(azure: Azure) -> None:
    azure.as_hostile_as(soft_delete=True)
    azure.put("keyvault:Vault", VAULT, VAULT_BODY)
    azure.manager.delete(VAULT)
    other_group = f"{SUBSCRIPTION}/resourceGroups/rg-other"
    azure.put("resources:ResourceGroup", other_group, HERE)
    for arm_id in (VAULT, VAULT.replace(GROUP, other_group)):
        with refused(409, "ConflictError") as error:
            azure.put("keyvault:Vault", arm_id, VAULT_BODY)
    assert "already exists in deleted state" in error.value.message
    soft_delete.purge(VAULT, azure.state)
    azure.put("keyvault:Vault", VAULT, VAULT_BODY)
    azure.manager.delete(VAULT)
    azure.clock.sleep(7 * 86_400)
    azure.put("keyvault:Vault", VAULT, VAULT_BODY)


def test_a_protected_vault_cannot_be_purged(azure: Azure) -> None:
    azure.as_hostile_as(soft_delete=True)
    protected = {**VAULT_BODY, "properties": {**VAULT_BODY["properties"], "enablePurgeProtection": True}}
    azure.put("keyvault:Vault", VAULT, protected)
    azure.manager.delete(GROUP)
    with refused(405, "MethodNotAllowed"):
        soft_delete.purge(VAULT, azure.state)
    assert [document["name"] for document in soft_delete.deleted(azure.state)] == ["kv-churn"]
    azure.put("resources:ResourceGroup", GROUP, HERE)
    # What can be done is to bring it back, with what was in it.
    recovering = {**protected, "properties": {**protected["properties"], "createMode": "recover"}}
    azure.put("keyvault:Vault", VAULT, recovering)
    assert soft_delete.deleted(azure.state) == []


def test_deleted_workspaces_and_ai_services_keep_their_names(azure: Azure) -> None:
    azure.parts()
    azure.identity()
    azure.workspace()
    services = f"{IN_GROUP}/Microsoft.CognitiveServices/accounts/ai-churn"
    body = {**HERE, "kind": "AIServices", "sku": {"name": "S0"}, "properties": {}}
    azure.put("cognitiveservices:Account", services, body)
    azure.as_hostile_as(soft_delete=True)
    azure.manager.delete(services)
    with refused(409, "FlagMustBeSetForRestore") as error:
        azure.put("cognitiveservices:Account", services, body)
    assert services in error.value.message
    azure.manager.delete(WORKSPACE)
    with refused(400, "BadRequest") as error:
        azure.workspace()
    assert error.value.message.startswith("Soft-deleted workspace exists. Please purge or recover it.")
    azure.clock.sleep(14 * 86_400)
    azure.workspace()
    # The documented way deletes for good.
    azure.manager.delete(WORKSPACE, {"forceToPurge": "true"})
    azure.workspace()
    with refused(404, "ResourceNotFound"):
        soft_delete.purge(WORKSPACE, azure.state)


@pytest.mark.parametrize(("priority", "named"), [("Dedicated", "standardDSv2Family"), ("LowPriority", "lowPriority")])
def test_a_cluster_needs_quota_for_one_node(azure: Azure, priority: str, named: str) -> None:
    azure.parts()
    azure.identity()
    azure.workspace()
    azure.as_hostile_as()
    details = {"vmSize": "STANDARD_DS3_V2", "vmPriority": priority, "scaleSettings": {"maxNodeCount": 4}}
    body = {**HERE, "properties": {"computeType": "AmlCompute", "properties": details}}
    cluster = f"{WORKSPACE}/computes/cpu-cluster"
    azure.state.set_setting(quotas.SETTING, {named: 0})
    with refused(400, "BadRequest") as error:
        azure.put("machinelearningservices:Compute", cluster, body)
    assert "vCPU quota of 0 and cannot accomodate for at least 1 requested managed compute node" in error.value.message
    azure.state.set_setting(quotas.SETTING, {named: 4})
    azure.put("machinelearningservices:Compute", cluster, body)


# --- Casing, time, switches -------------------------------------------------------------------------


def test_ids_come_back_written_otherwise_and_lead_to_the_same_resource(azure: Azure) -> None:
    azure.parts()
    azure.identity()
    azure.as_hostile_as(casing=True)
    answered = azure.workspace()
    assert "/Microsoft.Keyvault/" in answered["properties"]["keyVault"]
    assert "/Microsoft.insights/" in answered["properties"]["applicationInsights"]
    assert list(answered["identity"]["userAssignedIdentities"]) == [
        IDENTITY.replace("resourceGroups", "resourcegroups")
    ]
    # A read shows what the write showed, and what is written back is no change.
    assert azure.manager.get(WORKSPACE) == answered
    component = azure.manager.get(COMPONENT)["id"]
    assert component != COMPONENT
    assert azure.manager.get(component)["name"] == "appi-churn"
    properties = {"keyVault": answered["properties"]["keyVault"], "storageAccount": ACCOUNT}
    identity = {
        "type": "UserAssigned",
        "userAssignedIdentities": {arm_id: {} for arm_id in answered["identity"]["userAssignedIdentities"]},
    }
    body = {**HERE, "identity": identity, "properties": {**properties, "applicationInsights": component}}
    azure.put("machinelearningservices:Workspace", WORKSPACE, body)


def test_a_write_has_its_effect_before_it_is_answered(tmp_path: Path) -> None:
    clock = StoppedClock()
    azure = Azure(tmp_path, clock)
    azure.as_hostile_as(write_s=3)
    writer = threading.Thread(target=azure.put, args=("resources:ResourceGroup", GROUP, HERE))
    writer.start()
    assert clock.asleep.wait(10)
    assert azure.manager.get(GROUP)["name"] == "rg-churn-dev"
    (call,) = [call for call in calls.recorded(azure.state) if call.method == "PUT"]
    assert call.status is None, "who dies now does not know what it has made"
    clock.awake.set()
    writer.join(10)
    (call,) = [call for call in calls.recorded(azure.state) if call.method == "PUT"]
    assert call.status == 200
    azure.state.close()


def test_switches(azure: Azure) -> None:
    assert hostility.chosen(azure.state, hostile=False) == Hostility()
    assert hostility.chosen(azure.state, hostile=True) == hostility.ALL
    azure.state.set_setting(hostility.SETTING, {"role_spread_s": 7, "casing": False})
    assert hostility.chosen(azure.state, hostile=True) == replace(hostility.ALL, role_spread_s=7, casing=False)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ([], "must be an object"),
        ({"speed": 1}, "'speed' is unknown; there are: role_spread_s"),
        ({"role_spread_s": -1}, "role_spread_s: -1 must be a number that is not negative"),
        ({"role_spread_s": True}, "role_spread_s: True must be a number that is not negative"),
        ({"casing": 1}, "casing: 1 must be true or false"),
    ],
)
def test_a_setting_that_cannot_be_used(azure: Azure, setting: Any, message: str) -> None:
    azure.state.set_setting(hostility.SETTING, setting)
    with pytest.raises(hostility.HostilityError) as error:
        hostility.chosen(azure.state, hostile=True)
    assert message in str(error.value)
