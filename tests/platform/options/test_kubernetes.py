"""Kubernetes for real time: Entra logins, a hardened cluster, the workspace's hold on it; dev tests what prod does."""

from __future__ import annotations

from typing import Any

import pytest
from combinations import subnets
from data_options import asked, assigned, body, faults, given, plan_of, planned
from platform_requests import full

from amlplatform.costs.items import fixed_costs
from amlplatform.recorder import invented_principal_id
from amlplatform.request import Request, quota, warnings
from amlplatform.roles import ROLES

pytestmark = pytest.mark.slow

LOGS = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-digit-scoring-{0}/providers/"
DEV = ("dev", "public-dev")
PROD = ("prod", "own-vnet")
WORKSPACE_ROLES = {
    "Reader",
    "Kubernetes Extension Contributor",
    "Azure Kubernetes Service Cluster Admin Role",
    "Contributor",
}


@pytest.mark.parametrize(("environment", "network"), [DEV, ("dev", "own-vnet"), ("test", "own-vnet"), PROD])
def test_logins_are_of_entra_and_nothing_lies_in_the_open(environment: str, network: str) -> None:
    cluster = planned(environment, network, "kubernetes").resource("kubernetes")
    properties = cluster.body["properties"]
    assert cluster.azure_name == f"aks-digit-scoring-{environment}"
    assert cluster.body["identity"]["type"] == "UserAssigned"
    assert properties["disableLocalAccounts"] is True
    assert properties["enableRBAC"] is True
    assert properties["aadProfile"] == {
        "managed": True,
        "enableAzureRBAC": True,
        "tenantID": "00000000-0000-0000-0000-00000000000a",
    }
    assert properties["oidcIssuerProfile"] == {"enabled": True}
    assert properties["securityProfile"] == {
        "workloadIdentity": {"enabled": True},
        "imageCleaner": {"enabled": True, "intervalHours": 168},
    }
    assert properties["autoUpgradeProfile"] == {"upgradeChannel": "stable", "nodeOSUpgradeChannel": "NodeImage"}
    addons = properties["addonProfiles"]
    assert {name: addon["enabled"] for name, addon in addons.items()} == {
        "omsagent": True,
        "azurepolicy": True,
        "azureKeyvaultSecretsProvider": True,
    }
    assert addons["omsagent"]["config"]["useAADAuth"] == "true"
    assert addons["omsagent"]["config"]["logAnalyticsWorkspaceResourceID"].startswith(LOGS.format(environment))
    assert addons["azureKeyvaultSecretsProvider"]["config"] == {"enableSecretRotation": "true"}
    assert properties["networkProfile"]["networkPolicy"] == "cilium"
    assert "servicePrincipalProfile" not in properties
    assert "linuxProfile" not in properties
    for pool in properties["agentPoolProfiles"]:
        assert pool["vmSize"] == "Standard_D4ds_v5"
        assert pool["osDiskType"] == "Ephemeral"
        assert pool["enableEncryptionAtHost"] is True
        assert pool["enableNodePublicIP"] is False
        assert pool["securityProfile"] == {"sshAccess": "Disabled"}
        assert pool["maxPods"] >= 50


def pools(environment: str, network: str, most: int) -> list[tuple[Any, ...]]:
    plan = plan_of(asked(environment, network, "kubernetes", kubernetes={"max_nodes": most}), environment)
    return [
        (one["name"], one["mode"], one["minCount"], one["maxCount"], one["availabilityZones"], one["nodeTaints"])
        for one in body(plan, "kubernetes")["agentPoolProfiles"]
    ]


def test_dev_is_one_small_pool_and_prod_keeps_kubernetes_apart_from_endpoints() -> None:
    alone = ["CriticalAddonsOnly=true:NoSchedule"]
    assert pools(*DEV, 2) == [("system", "System", 1, 2, [], [])]
    assert pools(*PROD, 9) == [
        ("system", "System", 2, 3, ["1", "2", "3"], alone),
        ("endpoints", "User", 3, 9, ["1", "2", "3"], []),
    ]
    tiers = [planned(*case, "kubernetes").resource("kubernetes").body["sku"] for case in (DEV, PROD)]
    assert tiers == [{"name": "Base", "tier": "Free"}, {"name": "Base", "tier": "Standard"}]


def test_the_api_server_is_private_or_open_to_named_addresses() -> None:
    dev, prod = (body(planned(*case, "kubernetes"), "kubernetes") for case in (DEV, PROD))
    assert dev["apiServerAccessProfile"] == {
        "enablePrivateCluster": False,
        "authorizedIPRanges": ["198.51.100.0/24"],
        "disableRunCommand": True,
    }
    assert dev["networkProfile"]["outboundType"] == "loadBalancer"
    assert dev["publicNetworkAccess"] == "Enabled"
    assert all("vnetSubnetID" not in pool for pool in dev["agentPoolProfiles"])
    assert prod["apiServerAccessProfile"] == {
        "enablePrivateCluster": True,
        "enablePrivateClusterPublicFQDN": False,
        "privateDNSZone": "system",
        "disableRunCommand": True,
    }
    assert prod["networkProfile"]["outboundType"] == "userDefinedRouting"
    assert prod["publicNetworkAccess"] == "Disabled"
    subnet = subnets("own-vnet")["kubernetes"]
    assert {pool["vnetSubnetID"] for pool in prod["agentPoolProfiles"]} == {subnet}


@pytest.mark.parametrize(("case", "routers", "balancer"), [(DEV, "False", None), (PROD, "True", "azure")])
def test_azure_ml_serves_over_tls_in_a_namespace_of_the_product(
    case: tuple[str, str], routers: str, balancer: str | None
) -> None:
    plan = planned(*case, "kubernetes")
    extension = body(plan, "kubernetes-extension")
    settings = extension["configurationSettings"]
    assert extension["extensionType"] == "Microsoft.AzureML.Kubernetes"
    assert extension["scope"] == {"cluster": {"releaseNamespace": "azureml"}}
    assert {name: settings[name] for name in ("enableInference", "enableTraining", "allowInsecureConnections")} == {
        "enableInference": "True",
        "enableTraining": "False",
        "allowInsecureConnections": "False",
    }
    assert (settings["sslSecret"], settings["sslCname"]) == ("endpoint-certificate", "scoring.example.com")
    assert (settings["inferenceRouterHA"], settings.get("internalLoadBalancerProvider")) == (routers, balancer)
    assert "configurationProtectedSettings" not in extension
    assert plan.resource("kubernetes-namespace").azure_name == "digit-scoring"
    compute = plan.resource("kubernetes-compute")
    assert compute.azure_name == "kubernetes"
    assert compute.body["properties"]["computeType"] == "Kubernetes"
    assert compute.body["properties"]["disableLocalAuth"] is True
    assert compute.body["properties"]["resourceId"] == plan.resource("kubernetes").arm_id
    assert compute.body["properties"]["properties"]["namespace"] == "digit-scoring"
    assert compute.body["properties"]["properties"]["defaultInstanceType"] == "defaultinstancetype"
    (identity,) = compute.body["identity"]["userAssignedIdentities"]
    assert identity.endswith(f"/id-digit-scoring-{case[0]}-endpoint")
    trust = body(plan, "kubernetes-trusted-access")
    assert trust["roles"] == ["Microsoft.MachineLearningServices/workspaces/mlworkload"]
    assert trust["sourceResourceId"] == plan.resource("workspace").arm_id
    assert "properties" in compute.secret_outputs, "Azure may hand out connection strings there"
    before = set(compute.depends_on)
    assert {"kubernetes-extension", "kubernetes-trusted-access"} <= before
    assert any("kubernetes-extension-contributor" in name for name in before), "the workspace's roles come first"


@pytest.mark.parametrize("case", [DEV, PROD])
def test_what_pods_write_reaches_the_logs(case: tuple[str, str]) -> None:
    plan = planned(*case, "kubernetes")
    rule = body(plan, "kubernetes-logs")
    (source,) = rule["dataSources"]["extensions"]
    streams = ["Microsoft-ContainerLogV2", "Microsoft-KubeEvents", "Microsoft-KubePodInventory"]
    assert (source["extensionName"], source["streams"]) == ("ContainerInsights", streams)
    assert rule["destinations"] == {
        "logAnalytics": [{"name": "logs", "workspaceResourceId": plan.resource("log-analytics").arm_id}]
    }
    assert rule["dataFlows"] == [{"streams": streams, "destinations": ["logs"]}]
    association = plan.resource("kubernetes-logs-association")
    assert association.body["properties"]["dataCollectionRuleId"] == plan.resource("kubernetes-logs").arm_id
    # Microsoft's add-on looks for it under this name, on the cluster.
    cluster = plan.resource("kubernetes").arm_id
    assert association.arm_id == f"{cluster}/providers/Microsoft.Insights/dataCollectionRuleAssociations/" + (
        "ContainerInsightsExtension"
    )


def test_without_a_certificate_the_cluster_waits_unattached() -> None:
    data = asked(*DEV, "kubernetes", kubernetes={"endpoint_host": ""})
    made = {one.name for one in plan_of(data, "dev").resources}
    assert {"kubernetes", "kubernetes-namespace"} <= made
    assert made.isdisjoint({"kubernetes-extension", "kubernetes-compute", "kubernetes-trusted-access"})
    (line,) = (line for line in warnings(Request.model_validate(data)) if "endpoint_host" in line)
    assert line.startswith("environments.dev.options.kubernetes.endpoint_host: is empty")


def test_roles_of_the_cluster_the_nodes_and_the_workspace() -> None:
    for (environment, network), people in ((DEV, True), (PROD, False)):
        plan = planned(environment, network, "kubernetes")
        wanted = {("workspace", role) for role in WORKSPACE_ROLES}
        if people:
            wanted |= {
                ("data_scientists", "Azure Kubernetes Service Cluster User Role"),
                ("data_scientists", "Azure Kubernetes Service RBAC Reader"),
            }
        assert given(plan, "kubernetes") == wanted
        assert given(plan, "kubernetes_nodes_identity") == {("kubernetes", "Managed Identity Operator")}
        assert ("kubernetes_nodes", "AcrPull") in given(plan, "container_registry")
        assert ("workspace", "Managed Identity Operator") in given(plan, "endpoint_identity")
        workspace = invented_principal_id(f"id-digit-scoring-{environment}-workspace")
        assert {role for who, _, role in assigned(plan, "kubernetes") if who == workspace} == {
            ROLES[name].role_id for name in WORKSPACE_ROLES
        }
        order = plan.resource("kubernetes").depends_on
        assert any("managed-identity-operator" in name for name in order), "the cluster is made after its roles"


def test_the_control_plane_gets_its_role_on_the_subnet_only_in_an_own_network() -> None:
    name = "kubernetes-kubernetes-subnet-network-contributor"
    prod = planned(*PROD, "kubernetes").resource(name)
    assert prod.arm_id.startswith(subnets("own-vnet")["kubernetes"])
    assert name in planned(*PROD, "kubernetes").resource("kubernetes").depends_on
    assert name not in {one.name for one in planned(*DEV, "kubernetes").resources}


def both(dev: dict[str, Any], prod: dict[str, Any]) -> dict[str, Any]:
    data = asked("prod", "own-vnet", "kubernetes", kubernetes=prod)
    data["environments"]["dev"]["options"] = {
        "kubernetes": {
            "vm_size": "Standard_D4ds_v5",
            "max_nodes": 2,
            "authorized_ip_ranges": ["198.51.100.0/24"],
            **dev,
        }
    }
    return data


@pytest.mark.parametrize(
    ("dev", "prod", "field", "words"),
    [
        ({"vm_size": "Standard_D8ds_v5"}, {}, "dev.options.kubernetes.vm_size", "must be prod's size"),
        ({"max_nodes": 3}, {"max_nodes": 3}, "dev.options.kubernetes.max_nodes", "must be fewer than prod's 3"),
        ({"max_nodes": 1}, {"max_nodes": 2}, "prod.options.kubernetes.max_nodes", "must be at least 3 in prod"),
        ({"endpoint_host": "https://x.example.com"}, {}, "dev.options.kubernetes.endpoint_host", "full host name"),
        ({"authorized_ip_ranges": []}, {}, "dev.options.kubernetes.authorized_ip_ranges", "open the cluster's API"),
    ],
)
def test_what_is_refused(dev: dict[str, Any], prod: dict[str, Any], field: str, words: str) -> None:
    (line,) = faults(both(dev, prod))
    assert line.startswith(f"environments.{field}: ")
    assert words in line


def test_a_size_without_a_disk_of_its_own_is_refused() -> None:
    size = {"vm_size": "Standard_D4s_v5"}
    lines = faults(both(size, size))
    assert [line.split(":")[0] for line in lines] == [
        "environments.dev.options.kubernetes.vm_size",
        "environments.prod.options.kubernetes.vm_size",
    ]
    assert all("has no disk of its own" in line and "'Standard_D4ds_v5'" in line for line in lines)


def test_a_managed_network_and_kubernetes_do_not_go_together() -> None:
    data = full()
    data["environments"]["prod"]["options"] = {"kubernetes": {"vm_size": "Standard_D4ds_v5", "max_nodes": 3}}
    (line,) = faults(data)
    assert line.startswith("environments.prod.options.kubernetes: does not go with network 'managed-vnet'")


def test_nodes_count_against_the_quota_of_virtual_machines_and_cost_at_rest() -> None:
    request = Request.model_validate(both({}, {"max_nodes": 6}))
    needed = {(one.environment, one.kind): (one.family, one.vcpus) for one in quota(request) if "kube" in one.uses[0]}
    # dev: 2 and one while it is upgraded; prod: 6, 3 for Kubernetes itself, and one in each pool; 4 cores each.
    assert needed == {
        ("dev", "virtual machines"): ("standardDDSv5Family", 12),
        ("prod", "virtual machines"): ("standardDDSv5Family", 44),
    }
    costs = [(one.environment, one.meter, one.quantity) for one in fixed_costs(request) if "Kubernetes" in one.item]
    assert costs == [
        ("dev", "machine:Standard_D4ds_v5", 1),
        ("dev", "", 1),
        ("prod", "machine:Standard_D4ds_v5", 5),
        ("prod", "kubernetes-tier", 1),
        ("prod", "private-endpoint", 1),
        ("prod", "", 1),
    ]


def test_nothing_of_it_is_there_unless_it_is_asked_for() -> None:
    made = planned("prod", "own-vnet", "databricks", "synapse", "data_factory").resources
    assert [one.name for one in made if "ContainerService" in one.arm_type or "Kubernetes" in one.arm_type] == []
