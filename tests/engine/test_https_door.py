"""Azure Resource Manager over HTTPS, as Azure's own SDKs meet it, on the state that the provider has written."""

from __future__ import annotations

import os
import sys
import uuid
from typing import Any

import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import AmlCompute, ComputeInstance
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.mgmt.resource.resources import ResourceManagementClient
from engine_support import PRODUCT, BroughtUp, explained
from https_support import ACCOUNT, CLUSTER, GROUP, NEWEST, WORKSPACE, Door, provider_of, urn
from pulumi.runtime.proto import provider_pb2

from amlplatform.armtypes import catalogue
from amlplatform.armtypes.resource_types import RESOURCE_TYPES
from amlplatform.cloud import wire
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.state import SUBSCRIPTION_ID, TENANT_ID

NOT_THERE = ("ResourceNotFound", "ResourceGroupNotFound", "RoleDefinitionDoesNotExist")
VAULTS = f"/subscriptions/{SUBSCRIPTION_ID}/providers/Microsoft.KeyVault"


@pytest.fixture
def ml(door: Door) -> MLClient:
    """As any script makes it: nothing in it speaks of the offline Azure."""
    return MLClient(DefaultAzureCredential(), SUBSCRIPTION_ID, "rg-churn-dev", "mlw-churn-dev", show_progress=False)


@pytest.fixture
def resource_client(door: Door) -> ResourceManagementClient:
    return ResourceManagementClient(
        DefaultAzureCredential(),
        SUBSCRIPTION_ID,
        base_url=os.environ["AZURE_RESOURCE_MANAGER_URL"],
        credential_scopes=[f"{os.environ['AZURE_RESOURCE_MANAGER_URL']}/.default"],
    )


# --- Azure ML's SDK ---------------------------------------------------------------------------------


def test_azure_ml_finds_what_the_provider_made(ml: MLClient) -> None:
    workspace = ml.workspaces.get("mlw-churn-dev")
    assert workspace is not None
    assert workspace.id == WORKSPACE
    assert workspace.location == "westeurope"
    assert workspace.identity is not None and workspace.identity.principal_id
    assert [found.name for found in ml.workspaces.list()] == ["mlw-churn-dev"]
    cluster = ml.compute.get("cpu-cluster")
    assert isinstance(cluster, AmlCompute)
    assert (cluster.size, cluster.min_instances, cluster.max_instances) == ("Standard_DS3_v2", 0, 4)
    assert "cpu-cluster" in [found.name for found in ml.compute.list()]
    with pytest.raises(ResourceNotFoundError, match="computes/gpu-cluster' under resource group"):
        ml.compute.get("gpu-cluster")


def test_azure_ml_makes_a_cluster_that_the_provider_reads(door: Door, ml: MLClient) -> None:
    asked = AmlCompute(name="night", size="Standard_E4s_v3", min_instances=0, max_instances=2, tier="low_priority")
    made = ml.compute.begin_create_or_update(asked).result()
    assert made.provisioning_state == "Succeeded"
    arm_id = f"{WORKSPACE}/computes/night"
    with provider_of(door.azure.state) as provider:
        read = provider.Read(provider_pb2.ReadRequest(urn=urn("machinelearningservices:Compute"), id=arm_id))
    properties = wire.plain(read.properties)["properties"]
    assert properties["properties"]["scaleSettings"]["maxNodeCount"] == 2
    assert properties["properties"]["vmPriority"] == "LowPriority"
    ml.compute.begin_delete("night").wait()
    assert door.azure.state.get(arm_id) is None


def test_azure_ml_stops_an_instance(door: Door, ml: MLClient) -> None:
    ml.compute.begin_create_or_update(ComputeInstance(name="desk-of-jo", size="Standard_DS3_v2")).wait()
    ml.compute.begin_stop("desk-of-jo").wait()
    assert vars(ml.compute.get("desk-of-jo"))["_state"] == "Stopped"
    ml.compute.begin_delete("desk-of-jo").wait()


def test_azure_ml_is_told_of_quota_and_sizes(ml: MLClient) -> None:
    usage = {found["name"]["value"]: found for found in map(vars, ml.compute.list_usage(location="westeurope"))}
    assert usage["standardDSv2Family"]["currentValue"] == 0, "a cluster without nodes uses no cores"
    sizes = {size["name"]: size for size in map(vars, ml.compute.list_sizes(location="westeurope"))}
    assert sizes["Standard_DS3_v2"]["vCPUs"] == 4


ASK = """
import os
from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential
subscription = os.environ["AZURE_SUBSCRIPTION_ID"]
for workspace in MLClient(DefaultAzureCredential(), subscription).workspaces.list(scope="subscription"):
    ml = MLClient(DefaultAzureCredential(), subscription, workspace.resource_group, workspace.name)
    print(workspace.name, *sorted(cluster.name for cluster in ml.compute.list()))
"""


@pytest.mark.engine
@pytest.mark.slow
def test_azure_ml_finds_what_pulumi_made(brought_up: BroughtUp) -> None:
    result = brought_up.project.offline(sys.executable, "-c", ASK)
    assert result.returncode == 0, explained(result)
    found = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()}
    assert set(found) == {f"mlw-{PRODUCT}-dev", f"mlw-{PRODUCT}-prod"}
    assert all("cpu-cluster" in clusters for clusters in found.values())


# --- Resource Manager -------------------------------------------------------------------------------


def test_resource_groups(door: Door, resource_client: ResourceManagementClient) -> None:
    groups = resource_client.resource_groups
    assert not groups.check_existence("rg-other")
    groups.create_or_update("rg-other", {"location": "northeurope", "tags": {"a": "1", "b": "2"}})  # type: ignore[arg-type]
    assert groups.check_existence("RG-OTHER")
    groups.update("rg-other", {"tags": {"b": "3", "a": None}})  # type: ignore[arg-type]
    assert groups.get("rg-other").tags == {"b": "3"}
    tagged = {group.name for group in groups.list(filter="tagName eq 'product' and tagValue eq 'churn'")}
    assert tagged == {"rg-churn-dev"}
    groups.begin_delete("rg-other").wait()
    assert {group.name for group in groups.list()} == {"rg-churn-dev"}
    with pytest.raises(ResourceNotFoundError):
        groups.get("rg-other")


def test_resources_by_id(door: Door, resource_client: ResourceManagementClient) -> None:
    resources = resource_client.resources
    assert resources.check_existence_by_id(ACCOUNT, api_version=NEWEST)
    found = resources.get_by_id(ACCOUNT, api_version=NEWEST)
    assert found.properties["allowSharedKeyAccess"] is False  # type: ignore[index]
    extra = ACCOUNT.replace("stchurndev", "stextra")
    body: Any = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}}
    made = resources.begin_create_or_update_by_id(extra, body, api_version=NEWEST).result()
    assert made.properties["primaryEndpoints"]["blob"] == "https://stextra.blob.core.windows.net/"  # type: ignore[index]
    changed = resources.begin_update_by_id(extra, {"tags": {"a": "b"}}, api_version=NEWEST).result()  # type: ignore[arg-type]
    assert changed.tags == {"a": "b"} and changed.sku is not None and changed.sku.name == "Standard_LRS"
    resources.begin_delete_by_id(extra, api_version=NEWEST).wait()
    assert not resources.check_existence_by_id(extra, api_version=NEWEST)


def test_lists_come_in_pages_and_by_type(door: Door, resource_client: ResourceManagementClient) -> None:
    with door.behaving(page_size=2):
        names = [found.name for found in resource_client.resources.list_by_resource_group("rg-churn-dev")]
    # Children are not listed: neither the cluster nor the federated credential.
    assert set(names) == {"appi-churn-dev", "id-churn-ci", "kv-churn-dev", "mlw-churn-dev", "stchurndev"}
    assert len(names) == 5
    by_type = resource_client.resources.list(filter="resourceType eq 'Microsoft.KeyVault/vaults'")
    assert [found.name for found in by_type] == ["kv-churn-dev"]
    with pytest.raises(HttpResponseError) as refused:
        list(resource_client.resources.list(filter="name like 'x'"))
    assert refused.value.error is not None and refused.value.error.code == "InvalidFilterInQueryString"


def test_roles_are_listed_where_they_hold(door: Door, resource_client: ResourceManagementClient) -> None:
    roles = "/providers/Microsoft.Authorization/roleAssignments"
    given = {"roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{TENANT_ID}"}
    scopes = {"on-group": GROUP, "on-account": ACCOUNT, "on-workspace": WORKSPACE}
    for name, scope in scopes.items():
        body = {"properties": {**given, "principalId": SUBSCRIPTION_ID, "principalType": "ServicePrincipal"}}
        assert door.call("PUT", f"{scope}{roles}/{uuid.uuid5(uuid.NAMESPACE_URL, name)}", body).status_code == 201
    names = {str(uuid.uuid5(uuid.NAMESPACE_URL, name)): name for name in scopes}

    def listed(scope: str, filters: str = "") -> set[str]:
        return {names[found["name"]] for found in door.call("GET", f"{scope}{roles}{filters}").json()["value"]}

    assert listed(GROUP) == set(scopes)
    assert listed(ACCOUNT) == {"on-group", "on-account"}
    assert listed(GROUP, "?$filter=atScope()") == {"on-group"}
    assert listed(GROUP, f"?$filter=principalId eq '{TENANT_ID}'") == set()
    # They are no resources of the group.
    assert not {found.name for found in resource_client.resources.list_by_resource_group("rg-churn-dev")} & set(names)


def test_what_is_deleted_is_kept_until_it_is_purged(door: Door) -> None:
    vault = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-churn-old"
    properties = {"tenantId": TENANT_ID, "sku": {"family": "A", "name": "standard"}, "softDeleteRetentionInDays": 7}
    body = {"location": "westeurope", "properties": properties}
    assert door.call("PUT", vault, body).status_code == 201
    assert door.call("DELETE", vault).status_code == 200
    assert door.refusal("PUT", vault, body) == (409, "ConflictError")
    (deleted,) = door.call("GET", f"{VAULTS}/deletedVaults").json()["value"]
    assert deleted["properties"]["vaultId"] == vault
    assert door.call("GET", deleted["id"]).json() == deleted
    assert door.call("POST", f"{deleted['id']}/purge").status_code == 200
    assert door.call("GET", f"{VAULTS}/deletedVaults").json()["value"] == []
    assert door.call("PUT", vault, body).status_code == 201
    door.call("DELETE", vault)
    door.call("POST", f"{deleted['id']}/purge")


def test_a_workspace_is_purged_for_good(door: Door, ml: MLClient) -> None:
    other = WORKSPACE.replace("mlw-churn-dev", "mlw-churn-old")
    like = door.azure.state.get(WORKSPACE)
    assert like is not None
    connected = ("storageAccount", "keyVault", "applicationInsights")
    properties = {name: like["properties"][name] for name in connected}
    body = {"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": properties}
    for permanently in (False, True):
        assert door.call("PUT", other, body).status_code == 201
        ml.workspaces.begin_delete("mlw-churn-old", delete_dependent_resources=False, permanently_delete=permanently)
        if not permanently:
            assert door.refusal("PUT", other, body) == (400, "BadRequest")
            assert door.call("DELETE", f"{other}?forceToPurge=true").status_code == 200
    assert door.call("PUT", other, body).status_code == 201, "nothing was kept"
    door.call("DELETE", f"{other}?forceToPurge=true")


def test_every_type_of_the_catalogue_has_an_address(door: Door) -> None:
    for kind in RESOURCE_TYPES.values():
        inputs = {"resourceGroupName": "rg-none", "scope": GROUP, "resourceUri": GROUP, "clusterRp": "Microsoft.X"}
        inputs |= {"clusterResourceName": "clusters"}
        names = {name: f"name{index}" for index, name in enumerate(sorted(kind.address_inputs))}
        arm_id = catalogue.arm_id(kind.token, names | inputs, SUBSCRIPTION_ID)
        assert door.refusal("GET", arm_id)[1] in NOT_THERE, kind.token
        assert door.call("DELETE", arm_id).status_code in (204, 404), kind.token


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"{WORKSPACE}/serverlessEndpoints/chat", 404, "InvalidResourceType"),
        ("GET", f"{WORKSPACE}/featuresets", 404, "InvalidResourceType"),
        ("GET", f"{GROUP}/providers/Microsoft.Nothing/things/x", 404, "InvalidResourceNamespace"),
        ("GET", f"{GROUP.replace('-dev', '-none')}/resources", 404, "ResourceGroupNotFound"),
        ("GET", f"/subscriptions/{TENANT_ID}", 404, "SubscriptionNotFound"),
        ("POST", f"{CLUSTER}/explode", 404, "ActionNotSupported"),
        ("POST", f"{VAULTS}/locations/westeurope/deletedVaults/kv-churn-dev/purge", 404, "DeletedVaultNotFound"),
        ("POST", f"{CLUSTER}/start", 400, "BadRequest"),
        ("POST", f"{ACCOUNT}/listKeys", 403, "KeyBasedAuthenticationNotPermitted"),
        ("PATCH", CLUSTER, 400, "InvalidRequestContent"),
        ("DELETE", f"{GROUP}/providers", 404, "NotFound"),
        ("GET", "/nothing", 404, "NotFound"),
    ],
)
def test_what_is_refused(door: Door, method: str, path: str, status: int, code: str) -> None:
    assert door.refusal(method, path) == (status, code)


def test_a_wrong_body_is_refused_with_azures_error(door: Door, ml: MLClient) -> None:
    with pytest.raises(HttpResponseError) as refused:
        ml.compute.begin_create_or_update(AmlCompute(name="a_b", size="Standard_DS3_v2", max_instances=1))
    assert refused.value.status_code == 400
    assert refused.value.error is not None and refused.value.error.code == "InvalidRequestContent"
    body = {"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": {"vmSise": "x"}}}
    answer = door.call("PUT", f"{WORKSPACE}/computes/ab", body)
    assert answer.status_code == 400
    assert "properties.properties.vmSise: unknown property" in answer.json()["error"]["message"]
    for odd in (["no object"], {"location": 1}, {"properties": []}, {"identity": {"userAssignedIdentities": [1]}}):
        assert door.refusal("PUT", ACCOUNT, odd) == (400, "InvalidRequestContent")
    assert door.azure.state.get(f"{WORKSPACE}/computes/ab") is None


def test_resource_providers_are_registered(door: Door, resource_client: ResourceManagementClient) -> None:
    states = {found.namespace: found.registration_state for found in resource_client.providers.list()}
    assert states["Microsoft.MachineLearningServices"] == "Registered"
    assert resource_client.providers.register("microsoft.keyvault").namespace == "Microsoft.KeyVault"


# --- Slow, failing, throttled -----------------------------------------------------------------------


def test_an_operation_takes_several_polls(door: Door) -> None:
    with door.behaving(polls=2):
        answer = door.call("PUT", f"{WORKSPACE}/computes/slow", _compute("Standard_DS3_v2"))
        assert answer.status_code == 201
        assert answer.json()["properties"]["provisioningState"] == "Creating"
        operation = answer.headers["Azure-AsyncOperation"].removeprefix(door.azure.url).partition("?")[0]
        assert door.call("GET", operation).json()["status"] == "InProgress"
        assert door.call("GET", f"{WORKSPACE}/computes/slow").json()["properties"]["provisioningState"] == "Creating"
        assert door.call("GET", operation).json()["status"] == "InProgress"
        assert door.call("GET", operation).json()["status"] == "Succeeded"
    found = door.call("GET", f"{WORKSPACE}/computes/slow").json()
    assert found["properties"]["provisioningState"] == "Succeeded"
    assert door.call("DELETE", f"{WORKSPACE}/computes/slow").status_code == 202


def _compute(size: str) -> dict[str, Any]:
    details = {"vmSize": size, "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 1}}
    return {"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": details}}


def test_an_operation_that_was_accepted_may_fail(door: Door, ml: MLClient) -> None:
    with door.behaving(polls=2) as behaviour:
        fault = AzureError(409, "ClusterCoreQuotaReached", "Operation results in exceeding quota limits of Core.")
        behaviour.fail_next("Microsoft.MachineLearningServices/workspaces/computes", fault)
        poller = ml.compute.begin_create_or_update(AmlCompute(name="late", size="Standard_DS3_v2", max_instances=1))
        with pytest.raises(HttpResponseError, match="exceeding quota limits"):
            poller.result()
        assert ml.compute.get("late").provisioning_state == "Failed"
        # The next attempt succeeds, as it does in Azure once there is quota.
        ml.compute.begin_create_or_update(AmlCompute(name="late", size="Standard_DS3_v2", max_instances=1)).result()
        assert ml.compute.get("late").provisioning_state == "Succeeded"
        ml.compute.begin_delete("late").wait()


def test_clients_wait_when_they_are_throttled(door: Door, resource_client: ResourceManagementClient) -> None:
    with door.behaving() as behaviour:
        behaviour.throttle_next(1)
        answer = door.call("GET", GROUP)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
        behaviour.throttle_next(1)
        assert resource_client.resource_groups.get("rg-churn-dev").location == "westeurope"


def test_a_command_says_how_the_door_is_to_behave(door: Door) -> None:
    kind = "Microsoft.MachineLearningServices/workspaces/computes"
    with door.behaving() as behaviour:
        wishes = {"polls": 3, "page_size": 5, "throttle": 1, "fail": {"type": kind, "code": "OutOfCapacity"}}
        assert door.call("PUT", "/offline/behaviour", wishes).status_code == 200
        assert (behaviour.polls, behaviour.page_size) == (3, 5)
        assert door.refusal("GET", GROUP) == (429, "SubscriptionRequestsThrottled")
        failure = behaviour.take_failure(kind)
        assert failure is not None and failure.code == "OutOfCapacity"
        for odd in ({"poll": 1}, {"polls": -1}, {"polls": True}, {"fail": {"type": kind}}, {"fail": "x"}):
            assert door.refusal("PUT", "/offline/behaviour", odd) == (400, "InvalidRequestContent")
        assert behaviour.polls == 3


def test_a_token_that_expires_early_reaches_the_sdk(door: Door, resource_client: ResourceManagementClient) -> None:
    with door.behaving(token_lifetime_s=-1), pytest.raises(ClientAuthenticationError) as refused:
        resource_client.resource_groups.get("rg-churn-dev")
    assert refused.value.error is not None and refused.value.error.code == "ExpiredAuthenticationToken"
