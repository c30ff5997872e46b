"""Network profiles as one consistent set: every door of every resource, and the way in."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from combinations import Combination, allowed_options
from platform_requests import DNS_ZONES, full, subnet

from amlplatform.components.private_endpoints import ZONES
from amlplatform.plan import Plan, plan_environment
from amlplatform.profiles import ENVIRONMENT_PROFILES, NETWORK_PROFILES
from amlplatform.request import Request

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


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_every_door_is_as_the_profile_says(case: tuple[str, str], plans: dict[tuple[str, str], Plan]) -> None:
    profile, plan = NETWORK_PROFILES[case[1]], plans[case]
    doors = {
        one.name: one.body["properties"]["publicNetworkAccess"]
        for one in plan.resources
        if "publicNetworkAccess" in one.body.get("properties", {})
    }
    assert {"workspace", "storage", "lake", "key-vault", "container-registry"} <= set(doors)
    assert set(doors.values()) == {profile.public_network_access}
    workspace = plan.resource("workspace").body["properties"]
    assert workspace["managedNetwork"]["isolationMode"] == profile.isolation_mode
    for one in plan.resources:
        nodes = one.body.get("properties", {}).get("properties", {})
        if "enableNodePublicIp" in nodes:
            assert nodes["enableNodePublicIp"] == (not profile.private)
            assert nodes.get("subnet") == ({"id": subnet("snet-compute")} if profile.own_network else None)


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
