"""Who reaches what, by which way: computed from planned bodies, held against what everybody needs."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from combinations import Combination, allowed_options
from platform_requests import full, minimal
from typer.testing import CliRunner

from amlplatform.cli import app
from amlplatform.endpoints import CORE, Endpoints
from amlplatform.plan import Plan, PlannedResource, plan_environment
from amlplatform.policies import arm
from amlplatform.profiles import ENVIRONMENT_PROFILES, NETWORK_PROFILES
from amlplatform.reachability import CONSUMERS, NEEDS, RESOURCES, Path, faults, matrix
from amlplatform.reachability.requested import situation_of
from amlplatform.report import document
from amlplatform.request import Request

pytestmark = pytest.mark.slow

CASES = [(environment, network) for environment, one in ENVIRONMENT_PROFILES.items() for network in one.networks]
STORAGE, LAKE = ("storage-blob", "storage-file", "storage-queue", "storage-table"), ("lake-blob", "lake-dfs")
# Closed to every address that the request does not name.
NAMED = {"sql": "options.sql.addresses", "synapse": "options.synapse.addresses"}
EVERYTHING_OF_A_WORKSPACE = {"workspace", *STORAGE, *LAKE, "key-vault", "container-registry"}


def planned(environment: str, network: str, *options: str, switches: tuple[str, ...] = ()) -> Plan:
    data = Combination(environment, network, options, switches).request()
    return plan_environment(Request.model_validate(data), environment)


def ways(plan: Plan, consumer: str) -> dict[str, Path]:
    """What this consumer needs, and the way there."""
    return {cell.resource: cell.path for cell in plan.reachability if cell.consumer == consumer and cell.need}


def changed(plan: Plan, change: Callable[[PlannedResource, dict[str, Any]], bool]) -> list[str]:
    """What nothing leads to after a change of the plan's bodies; `change` says whether the resource stays."""
    resources = []
    for one in plan.resources:
        body = copy.deepcopy(dict(one.body))
        if change(one, body):
            resources.append(dataclasses.replace(one, body=body))
    return faults(matrix(resources, situation_of(plan.request, plan.environment)))


def test_everybody_has_a_way_to_what_they_need(networks: dict[str, Plan]) -> None:
    assert {network: plan.unreachable for network, plan in networks.items()} == {network: [] for network in networks}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_everybody_has_a_way_with_each_option_alone(case: tuple[str, str]) -> None:
    """With several at once: test_combinations."""
    options = allowed_options(case[1])
    assert {option: planned(*case, option).unreachable for option in options} == {option: [] for option in options}


def test_in_the_open_everything_is_reached_at_its_public_address(networks: dict[str, Plan]) -> None:
    plan = networks["public-dev"]
    for consumer in ("scientist", "instance", "cluster"):
        found = ways(plan, consumer)
        # A desk has an address that the request has to name; nodes have addresses of Azure.
        assert {way for one, way in found.items() if consumer == "cluster" or one not in NAMED} == {Path.PUBLIC}
    undecided = {cell.resource: cell.undecided for cell in plan.reachability if cell.consumer == "scientist"}
    assert {resource: undecided[resource] for resource in NAMED} == NAMED
    assert ways(plan, "image-build") == {"container-registry": Path.SAME, "storage-blob": Path.PUBLIC}


def test_a_managed_network_has_endpoints_of_its_own(networks: dict[str, Plan]) -> None:
    plan = networks["managed-vnet"]
    cluster = ways(plan, "cluster")
    assert cluster.keys() >= EVERYTHING_OF_A_WORKSPACE
    assert {cluster[resource] for resource in EVERYTHING_OF_A_WORKSPACE} == {Path.MANAGED_ENDPOINT}
    assert cluster["logs-sent"] is Path.SERVICE_TAG
    assert ways(plan, "deployment") == dict.fromkeys(
        ("workspace", "storage-blob", "container-registry"), Path.MANAGED_ENDPOINT
    )
    assert ways(plan, "ci-self-hosted")["storage-blob"] is Path.PRIVATE_ENDPOINT
    assert set(ways(plan, "azure-ml").values()) == {Path.TRUSTED}


def test_nobody_works_in_prod(plans: dict[str, dict[str, Plan]]) -> None:
    assert not {cell.consumer for cell in plans["full"]["prod"].reachability} & {"scientist", "instance"}


def test_an_own_network_is_reached_through_the_subnet_of_endpoints(networks: dict[str, Plan]) -> None:
    plan = networks["own-vnet"]
    for consumer in ("instance", "cluster"):
        found = ways(plan, consumer)
        assert {found[resource] for resource in EVERYTHING_OF_A_WORKSPACE & set(found)} == {Path.OWN_SUBNET}
    assert ways(plan, "scientist")["storage-file"] is Path.PRIVATE_ENDPOINT
    assert ways(plan, "cluster")["logs-sent"] is Path.PUBLIC, "Azure Monitor has no private door"
    assert ways(plan, "deployment")["storage-blob"] is Path.MANAGED_ENDPOINT, "an endpoint of the deployment's own"


def test_streams_reach_a_closed_namespace(networks: dict[str, Plan]) -> None:
    for network in ("managed-vnet", "own-vnet"):
        assert ways(networks[network], "stream-analytics")["event-hubs"] is Path.TRUSTED
        assert ways(networks[network], "devices") == {"event-hubs": Path.PRIVATE_ENDPOINT}


# --- Each way counts --------------------------------------------------------------------------------


def test_without_one_private_endpoint_somebody_is_cut_off(networks: dict[str, Plan]) -> None:
    plan = networks["own-vnet"]
    endpoints = [one.name for one in plan.resources if one.arm_type == arm.PRIVATE_ENDPOINT]
    # Sign-in and SQL pools of Databricks and Synapse: other doors of services whose main door is in the matrix.
    others = {"endpoint-databricks-browser_authentication", "endpoint-synapse-Sql", "endpoint-synapse-SqlOnDemand"}
    unnoticed = [name for name in endpoints if not changed(plan, lambda one, _, gone=name: one.name != gone)]
    assert len(endpoints) >= 9
    assert set(unnoticed) - others == set()


def test_without_one_outbound_rule_jobs_are_cut_off(networks: dict[str, Plan]) -> None:
    plan = networks["managed-vnet"]
    rules = plan.resource("workspace").body["properties"]["managedNetwork"]["outboundRules"]

    def without(rule: str) -> Callable[[PlannedResource, dict[str, Any]], bool]:
        def change(one: PlannedResource, body: dict[str, Any]) -> bool:
            if one.name == "workspace":
                del body["properties"]["managedNetwork"]["outboundRules"][rule]
            return True

        return change

    assert {"lake-blob", "lake-dfs", "storage-queue", "storage-table"} <= set(rules)
    for rule in rules:
        assert any("job on a cluster" in line for line in changed(plan, without(rule))), rule


@pytest.mark.parametrize(
    ("name", "path", "value", "cut_off"),
    [
        ("storage", "networkAcls.bypass", "None", ("Azure ML itself", "workspace storage: blob")),
        ("lake", "networkAcls.bypass", "None", ("Stream Analytics", "lake: blob")),
        ("key-vault", "networkAcls.bypass", "None", ("Azure ML itself", "key vault")),
        ("container-registry", "networkRuleBypassOptions", "None", ("Azure ML itself", "container registry")),
        ("application-insights", "publicNetworkAccessForIngestion", "Disabled", ("job on a cluster", "logs, to send")),
        ("event-hubs-network", "trustedServiceAccessEnabled", False, ("Stream Analytics", "Event Hubs")),
    ],
)
def test_a_door_that_is_shut_is_noticed(
    name: str, path: str, value: Any, cut_off: tuple[str, str], networks: dict[str, Plan]
) -> None:
    def shut(one: PlannedResource, body: dict[str, Any]) -> bool:
        if one.name == name:
            inner = body["properties"]
            *way, last = path.split(".")
            for key in way:
                inner = inner[key]
            assert inner[last] != value
            inner[last] = value
        return True

    who, what = cut_off
    found = changed(networks["managed-vnet"], shut)
    assert any(line.startswith(f"no path from {who} (") and f"to {what}: " in line for line in found), found


def test_nodes_without_address_and_network_reach_nothing(networks: dict[str, Plan]) -> None:
    """The mistake of mixing profiles: an open workspace, whose nodes have no address."""

    def no_addresses(one: PlannedResource, body: dict[str, Any]) -> bool:
        if one.name == "cpu-cluster":
            body["properties"]["properties"]["enableNodePublicIp"] = False
        return True

    assert any("a network without a way out" in line for line in changed(networks["public-dev"], no_addresses))


# --- What a request leaves open, and what does not go together ---------------------------------------------


def test_what_a_first_request_leaves_open_is_undecided_and_no_fault() -> None:
    plan = plan_environment(Request.model_validate(minimal()), "prod")
    assert plan.unreachable == []
    undecided = {cell.undecided for cell in plan.reachability} - {""}
    assert undecided == {"subnets.endpoints", "ci.runner"}
    assert [line for line in plan.warnings if "ways are missing until" in line]


def test_a_hosted_runner_gets_into_nothing_that_is_closed() -> None:
    data = full()
    data["ci"]["runner"] = "hosted"
    plan = plan_environment(Request.model_validate(data), "prod")
    found = ways(plan, "ci-hosted")
    assert set(found.values()) == {Path.NONE}
    assert plan_environment(Request.model_validate(data), "dev").unreachable == []


def test_central_resources_are_reached_by_what_their_owners_make() -> None:
    switches = ("central registry", "central lake", "central logs", "ml registry")
    own = planned("prod", "own-vnet", switches=switches)
    assert own.unreachable == []
    assert {ways(own, "cluster")[resource] for resource in (*LAKE, "container-registry")} == {Path.OWNER}
    managed = planned("prod", "managed-vnet", switches=switches)
    assert managed.unreachable == []
    assert {ways(managed, "cluster")[one] for one in (*LAKE, "container-registry", "ml-registry")} == {
        Path.MANAGED_ENDPOINT
    }


EXCLUDED = [(network, option) for network, one in NETWORK_PROFILES.items() for option in one.excluded_options]
# learn.microsoft.com/azure/machine-learning/how-to-managed-network, limitations: "Kubernetes and attached VMs aren't
# supported in an Azure Machine Learning managed virtual network." No way would be missing; Azure refuses to attach.
REFUSED_BY_AZURE = {("managed-vnet", "kubernetes")}


@pytest.mark.parametrize(("network", "option"), EXCLUDED)
def test_an_option_is_excluded_because_somebody_would_be_cut_off(network: str, option: str) -> None:
    if (network, option) in REFUSED_BY_AZURE:
        return
    assert planned("prod", network, option).unreachable, f"{option} works with {network}: do not exclude it"


def test_what_azure_refuses_is_excluded() -> None:
    assert set(EXCLUDED) >= REFUSED_BY_AZURE


# --- The tables, and what people see ---------------------------------------------------------------------


def pairs() -> Iterable[tuple[str, str]]:
    return [(need.consumer, need.resource) for need in NEEDS]


def test_needs_name_consumers_and_resources_that_there_are_once() -> None:
    assert len(set(pairs())) == len(NEEDS)
    assert {consumer for consumer, _ in pairs()} == set(CONSUMERS)
    assert {resource for _, resource in pairs()} == set(RESOURCES)
    assert all(need.why and need.source for need in NEEDS)


def test_plan_shows_the_matrix(write_request: Callable[..., Any], plans: dict[str, dict[str, Plan]]) -> None:
    shown = CliRunner().invoke(app, ["plan", str(write_request()), "--environment", "prod", "--reachability"])
    assert shown.exit_code == 0
    assert "managed private endpoint" in shown.stdout
    prod = document([plans["full"]["prod"]])["environments"]["prod"]
    queue = [
        cell for cell in prod["reachability"] if (cell["consumer"], cell["resource"]) == ("cluster", "storage-queue")
    ]
    assert [cell["path"] for cell in queue] == ["managed private endpoint"]
    assert prod["unreachable"] == []


def test_a_need_without_a_way_fails_the_plan(
    write_request: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_queues = {**CORE, "storage": Endpoints(CORE["storage"].inbound, ("table",))}
    monkeypatch.setattr("amlplatform.environment.CORE", without_queues)
    result = CliRunner().invoke(app, ["plan", str(write_request()), "--environment", "prod"])
    assert result.exit_code == 1
    assert "prod: no path from job on a cluster (the workspace's managed network) to workspace storage: queue" in (
        result.stderr.replace("\n", " ")
    )
