"""The offline Azure is as slow to agree as Azure is: what passes with time, what with a step, and what looks other."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
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
    READER,
    SUBSCRIPTION,
    VAULT,
    VAULT_BODY,
    WORKSPACE,
    Azure,
    refused,
)

from amlplatform.cloud import calls
from amlplatform.cloud.clock import ManualClock
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.hindrances import hostility, quotas, soft_delete
from amlplatform.cloud.hindrances.hostility import Hostility
from amlplatform.cloud.retries import with_retries

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
