"""Network profiles as one consistent set: every door of every resource, and the way in."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from combinations import Combination, allowed_options
from platform_requests import DNS_ZONES, full, subnet

from amlplatform import network_properties
from amlplatform.armtypes import catalogue
from amlplatform.components.private_endpoints import ZONES
from amlplatform.plan import Plan, plan_environment
from amlplatform.policies import arm
from amlplatform.profiles import ENVIRONMENT_PROFILES, NETWORK_PROFILES
from amlplatform.recorder import TENANT_ID
from amlplatform.request import Request, warnings

pytestmark = pytest.mark.slow

CASES = [(environment, network) for environment, one in ENVIRONMENT_PROFILES.items() for network in one.networks]
ENDPOINT, ZONE_GROUP = "Microsoft.Network/privateEndpoints", "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"


def planned(environment: str, network: str, *options: str) -> Plan:
    return plan_environment(
        Request.model_validate(Combination(environment, network, options, ()).request()), environment
    )


@pytest.fixture(scope="module")
def plans() -> dict[tuple[str, str], Plan]:
    return {case: planned(*case) for case in CASES}


def endpoints(plan: Plan) -> dict[str, Any]:
    return {one.name: one for one in plan.resources if one.arm_type == ENDPOINT}


# By ARM type and property: with public-dev, managed-vnet, own-vnet. None: the body does not have it.
_DOOR = ("Enabled", "Disabled", "Disabled")
_FIREWALL = ("Allow", "Deny", "Deny")
_EMPTY: tuple[Any, ...] = ([], [], [])
_PASSES = ("AzureServices", "AzureServices", "AzureServices")
_ALWAYS_OPEN = ("Enabled", "Enabled", "Enabled")
_NEVER = (False, False, False)
_ALWAYS = (True, True, True)
_ACLS: dict[str, tuple[Any, ...]] = {
    "publicNetworkAccess": _DOOR,
    "networkAcls.defaultAction": _FIREWALL,
    "networkAcls.ipRules": _EMPTY,
    "networkAcls.virtualNetworkRules": _EMPTY,
}
EXPECTED: dict[str, dict[str, tuple[Any, ...]]] = {
    arm.ML_WORKSPACE: {
        "publicNetworkAccess": _DOOR,
        "allowPublicAccessWhenBehindVnet": _NEVER,
        "managedNetwork.isolationMode": ("Disabled", "AllowOnlyApprovedOutbound", "Disabled"),
        "provisionNetworkNow": (False, True, False),
        "imageBuildCompute": (None, "cpu-cluster", "cpu-cluster"),
        "serverlessComputeSettings.serverlessComputeNoPublicIP": (False, True, True),
        "serverlessComputeSettings.serverlessComputeCustomSubnet": (None, None, subnet("snet-compute")),
    },
    arm.COMPUTE: {
        "properties.enableNodePublicIp": (True, False, False),
        "properties.subnet.id": (None, None, subnet("snet-compute")),
        "properties.remoteLoginPortPublicAccess": ("Disabled", "Disabled", "Disabled"),
        "properties.sshSettings.sshPublicAccess": ("Disabled", "Disabled", "Disabled"),
    },
    arm.STORAGE: {**_ACLS, "networkAcls.bypass": _PASSES, "allowBlobPublicAccess": _NEVER},
    arm.CONTAINER: {"publicAccess": ("None", "None", "None")},
    arm.VAULT: {**_ACLS, "networkAcls.bypass": _PASSES},
    arm.REGISTRY: {
        "publicNetworkAccess": _DOOR,
        "networkRuleSet.defaultAction": _FIREWALL,
        "networkRuleSet.ipRules": _EMPTY,
        "networkRuleBypassOptions": _PASSES,
        "policies.exportPolicy.status": ("enabled", "disabled", "disabled"),
    },
    arm.APP_INSIGHTS: dict.fromkeys(("publicNetworkAccessForIngestion", "publicNetworkAccessForQuery"), _ALWAYS_OPEN),
    arm.LOG_ANALYTICS: dict.fromkeys(("publicNetworkAccessForIngestion", "publicNetworkAccessForQuery"), _ALWAYS_OPEN),
    arm.AI_SERVICES: {**_ACLS, "restrictOutboundNetworkAccess": _ALWAYS},
    arm.SQL_SERVER: {
        "publicNetworkAccess": _DOOR,
        "restrictOutboundNetworkAccess": ("Enabled", "Enabled", "Enabled"),
    },
    # All addresses of Azure: nodes have no fixed one. A closed server has no rules.
    arm.SQL_FIREWALL: {"startIpAddress": ("0.0.0.0", None, None), "endIpAddress": ("0.0.0.0", None, None)},
    arm.EVENT_HUBS: {"publicNetworkAccess": _DOOR},
    arm.EVENT_HUBS_NETWORK: {
        "publicNetworkAccess": _DOOR,
        "defaultAction": _FIREWALL,
        "ipRules": _EMPTY,
        "virtualNetworkRules": _EMPTY,
        "trustedServiceAccessEnabled": _ALWAYS,
    },
    arm.AKS: {
        # Excluded with a managed network.
        "publicNetworkAccess": ("Enabled", None, "Disabled"),
        "apiServerAccessProfile.enablePrivateCluster": (False, None, True),
        "apiServerAccessProfile.enablePrivateClusterPublicFQDN": (None, None, False),
        "apiServerAccessProfile.privateDNSZone": (None, None, "system"),
        "apiServerAccessProfile.authorizedIPRanges": (["198.51.100.0/24"], None, None),
        "networkProfile.outboundType": ("loadBalancer", None, "userDefinedRouting"),
        "agentPoolProfiles.enableNodePublicIP": (False, None, False),
        "agentPoolProfiles.vnetSubnetID": (None, None, subnet("snet-kubernetes")),
    },
    arm.SYNAPSE: {
        "publicNetworkAccess": _DOOR,
        "managedVirtualNetwork": ("default", "default", "default"),
        "managedVirtualNetworkSettings.preventDataExfiltration": _ALWAYS,
        "managedVirtualNetworkSettings.linkedAccessCheckOnTargetResource": _ALWAYS,
        "managedVirtualNetworkSettings.allowedAadTenantIdsForLinking": ([TENANT_ID], [TENANT_ID], [TENANT_ID]),
        "defaultDataLakeStorage.createManagedPrivateEndpoint": _ALWAYS,
        "trustedServiceBypassEnabled": _NEVER,
    },
    arm.DATABRICKS: {
        # Excluded with a managed network.
        "publicNetworkAccess": ("Enabled", None, "Disabled"),
        "requiredNsgRules": ("AllRules", None, "NoAzureDatabricksRules"),
        "parameters.enableNoPublicIp.value": (True, None, True),
        "parameters.customVirtualNetworkId.value": (None, None, subnet("").removesuffix("/subnets/")),
        "parameters.customPublicSubnetName.value": (None, None, "snet-databricks-public"),
        "parameters.customPrivateSubnetName.value": (None, None, "snet-databricks-private"),
    },
    arm.PRIVATE_ENDPOINT: {"subnet.id": (None, subnet("snet-endpoints"), subnet("snet-endpoints"))},
}


@pytest.mark.parametrize("arm_type", EXPECTED)
def test_a_network_profile_sets_all_of_these(arm_type: str, networks: dict[str, Plan]) -> None:
    found: dict[str, list[set[str]]] = {}
    for index, plan in enumerate(networks.values()):
        for one in plan.resources:
            for path, value in network_properties.found(one.arm_type, one.body):
                if one.arm_type == arm_type:
                    values = found.setdefault(path.removeprefix("properties."), [set(), set(), set()])
                    values[index].add(json.dumps(value))
    # The approved destinations have tests of their own.
    found.pop("managedNetwork.outboundRules", None)
    found.pop("managedNetwork.enableNetworkMonitor", None)
    assert found == {
        path: [set() if value is None else {json.dumps(value)} for value in values]
        for path, values in EXPECTED[arm_type].items()
    }


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and value of everything in a body; the parts of a list have one path."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path, json.dumps(value)


def bodies(plan: Plan) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for one in plan.resources:
        for path, value in leaves(dict(one.body)):
            found.setdefault((one.arm_type, path), set()).add(value)
    return found


def in_table(arm_type: str, path: str) -> bool:
    return any(f"{path}.".startswith(f"{known}.") for known in network_properties.PROPERTIES.get(arm_type, {}))


# Ways themselves: in tests of their own, below and in test_reachability.
WAYS = (
    arm.ROLE_ASSIGNMENT,
    "Microsoft.Network/privateEndpoints",
    "Microsoft.DataFactory/factories/managedVirtualNetworks",
)
# What follows from it: pipelines run where the integration runtime stands; and a closed SQL server takes nothing from
# Stream Analytics, which is no trusted service of it, so the job has one output less.
FOLLOWS = re.compile(r"data-factory-.*\.connectVia\..*|stream-analytics: properties\.(outputs|transformation)\..*")


def test_whatever_differs_by_network_profile_is_in_the_table(networks: dict[str, Plan]) -> None:
    """Resources that all profiles have: where a value differs, the network decides it."""
    found = [{one.name: one for one in plan.resources} for plan in networks.values()]
    untold = set()
    for name in set.intersection(*({*one} for one in found)):
        values = [set(leaves(dict(one[name].body))) for one in found]
        arm_type = found[0][name].arm_type
        untold |= {
            f"{name}: {path}"
            for path, _ in set.union(*values) - set.intersection(*values)
            if not in_table(arm_type, path) and not FOLLOWS.fullmatch(f"{name}: {path}")
        }
    assert untold == set()


LOOKS_LIKE_NETWORK = re.compile(
    r"public|subnet|firewall|bypass|isolation|outbound|egress|ingress|vnet|iprules|trustedservice|exportpolicy"
    r"|authorizedip|managed(virtual)?network|networkacls|networkrule",
    re.IGNORECASE,
)
# Inside a cluster of Kubernetes, and the same everywhere.
INSIDE = ("Microsoft.ContainerService/managedClusters/managedNamespaces",)


def test_whatever_looks_like_a_network_property_is_in_the_table(networks: dict[str, Plan]) -> None:
    untold = {
        f"{arm_type}: {path}"
        for plan in networks.values()
        for arm_type, path in bodies(plan)
        if LOOKS_LIKE_NETWORK.search(path)
        and not arm_type.startswith((*WAYS, *INSIDE))
        and not in_table(arm_type, path)
    }
    assert untold == set()


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_what_is_closed_has_a_way_in_for_each_of_its_parts(
    case: tuple[str, str], plans: dict[tuple[str, str], Plan]
) -> None:
    plan = plans[case]
    if not NETWORK_PROFILES[case[1]].private:
        assert endpoints(plan) == {}
        return
    ways = {}
    for one in endpoints(plan).values():
        properties = one.body["properties"]
        assert properties["subnet"] == {"id": subnet("snet-endpoints")}
        (connection,) = properties["privateLinkServiceConnections"]
        (group,) = connection["properties"]["groupIds"]
        ways.setdefault(connection["properties"]["privateLinkServiceId"], set()).add(group)
    assert ways == {
        plan.resource("storage").arm_id: {"blob", "file", "queue", "table"},
        plan.resource("lake").arm_id: {"blob", "dfs"},
        plan.resource("key-vault").arm_id: {"vault"},
        plan.resource("container-registry").arm_id: {"registry"},
        plan.resource("workspace").arm_id: {"amlworkspace"},
    }


def test_names_stand_in_microsofts_zones(plans: dict[tuple[str, str], Plan]) -> None:
    plan = plans["prod", "managed-vnet"]
    zones = {
        one.name: [zone["properties"]["privateDnsZoneId"] for zone in one.body["properties"]["privateDnsZoneConfigs"]]
        for one in plan.resources
        if one.arm_type == ZONE_GROUP
    }
    prefix = f"{DNS_ZONES}/providers/Microsoft.Network/privateDnsZones"
    assert zones["names-workspace-amlworkspace"] == [
        f"{prefix}/privatelink.api.azureml.ms",
        f"{prefix}/privatelink.notebooks.azure.net",
    ]
    assert zones["names-lake-dfs"] == [f"{prefix}/privatelink.dfs.core.windows.net"]
    assert zones["names-key-vault-vault"] == [f"{prefix}/privatelink.vaultcore.azure.net"]
    assert len(zones) == len(endpoints(plan))


def test_without_zones_a_policy_registers_the_names() -> None:
    data = full()
    del data["environments"]["prod"]["dns_zones"]
    plan = plan_environment(Request.model_validate(data), "prod")
    assert endpoints(plan)
    assert [one for one in plan.resources if one.arm_type == ZONE_GROUP] == []


def test_endpoints_of_one_target_are_made_one_after_another(plans: dict[tuple[str, str], Plan]) -> None:
    made = endpoints(plans["prod", "managed-vnet"])
    order = [f"endpoint-storage-{one}" for one in ("blob", "file", "queue", "table")]
    for before, after in itertools.pairwise(order):
        assert before in made[after].depends_on


def test_the_service_finds_the_endpoints_of_closed_storage(plans: dict[tuple[str, str], Plan]) -> None:
    for case in (("prod", "managed-vnet"), ("dev", "own-vnet")):
        rows = [one for one in plans[case].grants if one.role == "Reader" and one.principal == "workspace"]
        assert {one.scope for one in rows} == {"storage_blob_endpoint", "storage_file_endpoint"}
    assert [one for one in plans["dev", "public-dev"].grants if one.role == "Reader"] == []


def test_what_is_central_gets_no_endpoint_here() -> None:
    data = Combination("prod", "own-vnet", (), ("central registry", "central lake")).request()
    made = endpoints(plan_environment(Request.model_validate(data), "prod"))
    assert not [name for name in made if "lake" in name or "registry" in name]


@pytest.mark.slow
@pytest.mark.parametrize(("environment", "network"), [case for case in CASES if NETWORK_PROFILES[case[1]].private])
def test_with_all_options_every_sub_resource_has_a_zone(environment: str, network: str) -> None:
    plan = planned(environment, network, *allowed_options(network))
    groups = [
        connection["properties"]["groupIds"][0]
        for one in endpoints(plan).values()
        for connection in one.body["properties"]["privateLinkServiceConnections"]
    ]
    assert set(groups) <= set(ZONES)
    assert all(len(one.azure_name) <= 64 for one in endpoints(plan).values())


@pytest.mark.parametrize(
    ("network", "told"),
    [("managed-vnet", "its owner has to approve"), ("own-vnet", "its owner has a private endpoint")],
)
def test_check_says_what_owners_of_central_resources_have_to_do(network: str, told: str) -> None:
    data = Combination("prod", network, (), ("central registry", "central lake", "ml registry")).request()
    lines = [line for line in warnings(Request.model_validate(data)) if ".central." in line]
    assert [line.partition(":")[0] for line in lines] == [
        f"environments.prod.central.{field}" for field in ("container_registry", "lake.account", "ml_registry")
    ]
    assert all(told in line for line in lines)


def test_rules_of_a_managed_network_that_lets_the_internet_out_are_private_endpoints(
    plans: dict[tuple[str, str], Plan],
) -> None:
    body = copy.deepcopy(dict(plans["prod", "managed-vnet"].resource("workspace").body))
    token = plans["prod", "managed-vnet"].resource("workspace").token
    network = body["properties"]["managedNetwork"]
    network["outboundRules"]["packages"] = {"type": "FQDN", "destination": "pypi.org", "category": "UserDefined"}
    assert catalogue.check_body(token, body) == []
    network["isolationMode"] = "AllowInternetOutbound"
    (fault,) = catalogue.check_body(token, body)
    assert "outboundRules.packages: 'FQDN' does not go with isolationMode AllowInternetOutbound" in fault
