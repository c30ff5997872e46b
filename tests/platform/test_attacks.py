"""Ten attacks on prod, each as a pull request that changes the program would make it, each stopped by a named rule."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from platform_requests import GROUP, PERSON, REQUESTS, ROOT

from amlplatform.plan import Plan, PlannedResource, plan_environment
from amlplatform.policies.evaluate import Finding
from amlplatform.policies.planned import judge
from amlplatform.profiles import ENVIRONMENT_PROFILES
from amlplatform.request import Request

Plans = dict[str, dict[str, Plan]]
Attack = Callable[[dict[str, PlannedResource]], None]


def body(planned: dict[str, PlannedResource], name: str) -> dict[str, Any]:
    """The body of a resource, to be changed in place."""
    planned[name] = dataclasses.replace(planned[name], body=copy.deepcopy(planned[name].body))
    return dict(planned[name].body)


def a_person_added(planned: dict[str, PlannedResource]) -> None:
    name = next(one for one in planned if one.startswith("deploy-workspace-"))
    body(planned, name)["properties"] |= {"principalType": "User", "principalId": PERSON}


def a_group_added(planned: dict[str, PlannedResource]) -> None:
    name = next(one for one in planned if one.startswith("deploy-workspace-"))
    body(planned, name)["properties"] |= {"principalType": "Group", "principalId": GROUP}


def storage_opened(planned: dict[str, PlannedResource]) -> None:
    body(planned, "lake")["properties"]["publicNetworkAccess"] = "Enabled"


def storage_opened_for_one_address(planned: dict[str, PlannedResource]) -> None:
    body(planned, "lake")["properties"]["networkAcls"]["ipRules"] = [{"value": "198.51.100.7", "action": "Allow"}]


def keys_turned_on(planned: dict[str, PlannedResource]) -> None:
    body(planned, "lake")["properties"]["allowSharedKeyAccess"] = True


def a_subject_loosened(planned: dict[str, PlannedResource]) -> None:
    name = next(one for one in planned if one.startswith("deploy-credential"))
    properties = body(planned, name)["properties"]
    properties["subject"] = properties["subject"].replace("environment:prod", "ref:refs/heads/*")


def a_subject_of_another_environment(planned: dict[str, PlannedResource]) -> None:
    name = next(one for one in planned if one.startswith("deploy-credential"))
    properties = body(planned, name)["properties"]
    properties["subject"] = properties["subject"].replace("environment:prod", "environment:dev")


def the_lake_unprotected(planned: dict[str, PlannedResource]) -> None:
    planned["lake"] = dataclasses.replace(planned["lake"], protect=False)


def the_lake_replaced(planned: dict[str, PlannedResource]) -> None:
    planned["lake"] = dataclasses.replace(planned["lake"], hooks=())


def the_lake_taken_out(planned: dict[str, PlannedResource]) -> None:
    for name in [one for one in planned if one == "lake" or one.startswith("lake-")]:
        del planned[name]


def a_cluster_kept_awake(planned: dict[str, PlannedResource]) -> None:
    body(planned, "gpu-cluster")["properties"]["properties"]["scaleSettings"]["minNodeCount"] = 1


def a_cluster_that_hardly_sleeps(planned: dict[str, PlannedResource]) -> None:
    scale = body(planned, "gpu-cluster")["properties"]["properties"]["scaleSettings"]
    scale["nodeIdleTimeBeforeScaleDown"] = "P7D"


def an_unreachable_service(planned: dict[str, PlannedResource]) -> None:
    for name, one in list(planned.items()):
        if one.arm_type == "Microsoft.Network/privateEndpoints" and "workspace" in name:
            del planned[name]


def an_unreachable_lake(planned: dict[str, PlannedResource]) -> None:
    body(planned, "workspace")["properties"]["managedNetwork"]["outboundRules"] = {}
    for name, one in list(planned.items()):
        if one.arm_type == "Microsoft.Network/privateEndpoints" and "lake" in name:
            del planned[name]


def local_login(planned: dict[str, PlannedResource]) -> None:
    body(planned, "cpu-cluster")["properties"]["disableLocalAuth"] = False


def ssh(planned: dict[str, PlannedResource]) -> None:
    body(planned, "cpu-cluster")["properties"]["properties"]["remoteLoginPortPublicAccess"] = "Enabled"


def a_public_registry(planned: dict[str, PlannedResource]) -> None:
    body(planned, "container-registry")["properties"]["publicNetworkAccess"] = "Enabled"


def a_registry_for_everybody(planned: dict[str, PlannedResource]) -> None:
    body(planned, "container-registry")["properties"]["anonymousPullEnabled"] = True


def a_secret_in_tags(planned: dict[str, PlannedResource]) -> None:
    body(planned, "storage")["tags"]["connection"] = "AccountName=x;AccountKey=" + "a" * 86 + "=="


def purge_protection_off(planned: dict[str, PlannedResource]) -> None:
    del body(planned, "key-vault")["properties"]["enablePurgeProtection"]


ATTACKS: list[tuple[Attack, str]] = [
    (a_person_added, "no-people"),
    (a_group_added, "no-people"),
    (storage_opened, "public-network-access-off"),
    (storage_opened_for_one_address, "firewall-denies-by-default"),
    (keys_turned_on, "storage-keys-off"),
    (a_subject_loosened, "federation-subject-exact"),
    (a_subject_of_another_environment, "federation-subject-exact"),
    (the_lake_unprotected, "data-protected"),
    (the_lake_replaced, "fixed-at-creation-guarded"),
    (the_lake_taken_out, "datastore-has-its-account"),
    (a_cluster_kept_awake, "cluster-scales-to-zero"),
    (a_cluster_that_hardly_sleeps, "cluster-scales-to-zero"),
    (an_unreachable_service, "closed-service-is-reachable"),
    (an_unreachable_lake, "closed-service-is-reachable"),
    (local_login, "compute-no-local-login"),
    (ssh, "compute-no-ssh"),
    (a_public_registry, "public-network-access-off"),
    (a_registry_for_everybody, "registry-no-local-login"),
    (a_secret_in_tags, "no-secret-in-text"),
    (purge_protection_off, "vault-purge-protection"),
]


def stopped(plan: Plan, attack: Attack) -> list[Finding]:
    planned = {one.name: one for one in plan.resources}
    attack(planned)
    return [one for one in judge(plan.request, plan.environment, list(planned.values())) if one.stops]


@pytest.mark.parametrize(("attack", "rule"), ATTACKS, ids=[attack.__name__ for attack, _ in ATTACKS])
def test_an_attack_on_prod_is_stopped_by_a_rule(attack: Attack, rule: str, plans: Plans) -> None:
    plan = plans["full"]["prod"]
    assert [one.line for one in plan.policies] == []
    assert rule in {one.rule for one in stopped(plan, attack)}
    # The plan that was attacked is whole again for the next one.
    assert judge(plan.request, "prod", plan.resources) == []


LOOSENED: dict[str, tuple[Any, str]] = {
    "people": (True, "no-people"),
    "protect_data": (False, "data-protected"),
    "locks": (False, "data-locked"),
    "purge_protection": (False, "vault-purge-protection"),
    "vault_retention": (7, "vault-soft-delete"),
    "blob_retention": (1, "blobs-can-be-restored"),
    "image_retention": (1, "registry-keeps-images"),
    "log_retention": (30, "logs-kept"),
    "log_daily_cap_gb": (1, "logs-not-capped-in-prod"),
    "high_business_impact": (False, "workspace-high-business-impact"),
    "infrastructure_encryption": (False, "storage-encrypted-twice"),
    "geo_redundant": (False, "storage-redundant"),
    "cluster_idle_time": ("PT10H", "cluster-scales-to-zero"),
}


def test_a_loosened_profile_of_prod_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules read nothing of the profiles: they are what guards them."""
    changes = {name: value for name, (value, _) in LOOSENED.items()}
    monkeypatch.setitem(ENVIRONMENT_PROFILES, "prod", dataclasses.replace(ENVIRONMENT_PROFILES["prod"], **changes))
    plan = plan_environment(Request.model_validate(REQUESTS["full"]()), "prod")
    assert {rule for _, rule in LOOSENED.values()} <= {one.rule for one in plan.policies if one.stops}


def test_the_page_names_each_attack_and_its_rule() -> None:
    page = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    for _, rule in ATTACKS:
        assert f"`{rule}`" in page


def test_no_request_can_let_people_into_prod_by_itself() -> None:
    assert all("access_exceptions" not in data()["environments"]["prod"] for data in REQUESTS.values())
