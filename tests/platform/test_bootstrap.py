"""The bootstrap stack: who may bring an environment up or preview it, and that nobody gets more than that."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from platform_requests import DNS_ZONES, GROUP, full, subnet

from amlplatform import delegation
from amlplatform.bootstrap.model import is_bootstrapped, load_bootstrap, requests_of
from amlplatform.bootstrap.stack import build_bootstrap
from amlplatform.plan import PlannedResource, planned
from amlplatform.policies.planned import judge_stack
from amlplatform.recorder import invented_principal_id
from amlplatform.request import RequestError

ROLE_NAMES = {
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
    "28bf596f-4eb7-45ce-b5bc-6cf482fec137": "Locks Contributor",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "12338af0-0e69-4776-bea7-57ae8d297424": "Key Vault Crypto User",
}
# What would let an identity give itself or others anything.
OWNER, USER_ACCESS_ADMINISTRATOR = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"


def bootstrap(environment: str, **changes: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "kind": "bootstrap",
        "environment": environment,
        "name_suffix": "p7q2x",
        "owner": {"email": "platform@example.com"},
        "cost_centre": "CC-2000",
        "region": "westeurope",
        "ci": {
            "provider": "github",
            "repository": "example-organisation/platform",
            "github": {"owner_id": "1234567", "repository_id": "7654322"},
        },
        "products": [{"product": "digit-scoring"}],
        **changes,
    }


Live = Callable[..., Path]


@pytest.fixture
def live(tmp_path: Path) -> Live:
    """A live project with one onboarded request and a bootstrap file."""

    def make(name: str, request: dict[str, Any] | None = None, **changes: Any) -> Path:
        for folder, file, data in (
            ("requests", "digit-scoring", request or full()),
            ("bootstrap", name, bootstrap(**{"environment": name, **changes})),
        ):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / f"{file}.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
        return tmp_path

    return make


def plan(root: Path, environment: str) -> dict[str, PlannedResource]:
    asked = load_bootstrap(root / "bootstrap" / f"{environment}.yaml")
    requests = requests_of(asked, root)
    return {one.name: one for one in planned(lambda: build_bootstrap(asked, requests), asked.stack)}


def assignments(resources: dict[str, PlannedResource]) -> list[PlannedResource]:
    return [one for one in resources.values() if one.arm_type == "Microsoft.Authorization/roleAssignments"]


def rows(resources: dict[str, PlannedResource]) -> set[tuple[str, str, str]]:
    """Identity, role, end of the scope."""
    names = {
        invented_principal_id(one.azure_name): one.azure_name.rsplit("-", 1)[-1]
        for one in resources.values()
        if one.arm_type.endswith("userAssignedIdentities")
    }
    custom = {
        one.azure_name: one.body["properties"]["roleName"] for one in resources.values() if "roleName" in str(one)
    }
    found = set()
    for one in assignments(resources):
        body = one.body["properties"]
        role_id = body["roleDefinitionId"].rsplit("/", 1)[-1]
        scope = one.arm_id.split("/providers/Microsoft.Authorization/")[0].rsplit("/", 1)[-1]
        assert body["principalType"] == "ServicePrincipal"
        found.add((names[body["principalId"]], ROLE_NAMES.get(role_id) or custom[role_id].split(" (")[0], scope))
    return found


def test_every_body_is_valid_by_microsofts_types(live: Live) -> None:
    resources = plan(live("prod"), "prod")
    assert {name: one.faults for name, one in resources.items() if one.faults} == {}


def test_the_rights_of_prods_identities_are_these_and_no_others(live: Live) -> None:
    assert rows(plan(live("prod"), "prod")) == {
        ("infra", "Contributor", "rg-digit-scoring-prod"),
        ("infra", "Role Based Access Control Administrator", "rg-digit-scoring-prod"),
        ("infra", "Locks Contributor", "rg-digit-scoring-prod"),
        ("infra", "Storage Blob Data Contributor", "state-digit-scoring"),
        ("infra", "Key Vault Crypto User", "pulumi-digit-scoring"),
        ("infra", "Private Network Joiner", "snet-endpoints"),
        ("infra", "Private Network Joiner", "rg-dns"),
        ("plan", "Reader", "rg-digit-scoring-prod"),
        ("plan", "Storage Blob Data Reader", "state-digit-scoring"),
        ("plan", "Key Vault Crypto User", "pulumi-digit-scoring"),
    }


def test_central_resources_are_used_with_narrow_rights(live: Live) -> None:
    request = full()
    hub = "/subscriptions/3f2504e0-4f89-41d3-9a0c-0305e82c3301/resourceGroups/rg-central/providers"
    request["environments"]["prod"]["central"] = {
        "log_analytics": f"{hub}/Microsoft.OperationalInsights/workspaces/log-central",
        "container_registry": f"{hub}/Microsoft.ContainerRegistry/registries/crcentral",
    }
    resources = plan(live("prod", request), "prod")
    found = rows(resources)
    assert ("infra", "Diagnostic Log Sender", "log-central") in found
    assert ("infra", "Role Based Access Control Administrator", "crcentral") in found
    assert not {row for row in found if row[0] == "infra" and row[1] == "Contributor"} - {
        ("infra", "Contributor", "rg-digit-scoring-prod")
    }
    # The hub may lie in another subscription: the custom role can be given there.
    (sender,) = [one for one in resources.values() if one.name == "role-log-sender"]
    assert "/subscriptions/3f2504e0-4f89-41d3-9a0c-0305e82c3301" in sender.body["properties"]["assignableScopes"]


@pytest.mark.parametrize(("environment", "groups"), [("dev", {GROUP}), ("prod", set())])
def test_roles_may_be_given_only_from_the_table_and_in_prod_to_no_person(
    live: Live, environment: str, groups: set[str]
) -> None:
    resources = plan(live(environment), environment)
    delegated = [one for one in assignments(resources) if "f58310d9" in one.body["properties"]["roleDefinitionId"]]
    assert delegated
    for one in delegated:
        body = one.body["properties"]
        assert body["conditionVersion"] == "2.0"
        condition = body["condition"]
        assert "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]" in condition
        assert "@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId]" in condition
        guids = set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", condition))
        assert not guids & {OWNER, USER_ACCESS_ADMINISTRATOR, "f58310d9-a9f6-439a-9e8d-f62e7b41a168"}
        assert {guid for guid in guids if guid in condition.split("PrincipalId]")[-1]} & {GROUP} == groups
        assert ("PrincipalId" in condition) == bool(groups)
    for one in assignments(resources):
        if one not in delegated:
            assert "condition" not in one.body["properties"]


def test_a_delegation_without_roles_is_no_delegation() -> None:
    with pytest.raises(ValueError, match="at least one role"):
        delegation.condition([])


def test_tokens_of_the_platforms_ci_become_these_identities_and_no_others(live: Live) -> None:
    resources = plan(live("dev"), "dev")
    subjects = {
        name: one.body["properties"]
        for name, one in resources.items()
        if one.arm_type.endswith("federatedIdentityCredentials")
    }
    prefix = "repo:example-organisation@1234567/platform@7654322"
    assert {name: body["subject"] for name, body in subjects.items()} == {
        "digit-scoring-infra-credential-github": f"{prefix}:environment:digit-scoring-dev",
        "digit-scoring-plan-credential-github": f"{prefix}:pull_request",
    }
    assert {body["issuer"] for body in subjects.values()} == {"https://token.actions.githubusercontent.com"}
    # They are kept where the environment's own identity cannot change them.
    assert all("/resourceGroups/rg-platform-dev/" in resources[name].arm_id for name in subjects)


def test_state_is_kept_apart_for_each_product_and_can_be_brought_back(live: Live) -> None:
    resources = plan(live("dev"), "dev")
    account, blobs = resources["state"].body["properties"], resources["state-blobs"].body["properties"]
    assert account["allowSharedKeyAccess"] is False
    assert account["allowBlobPublicAccess"] is False
    assert blobs["isVersioningEnabled"] is True
    assert blobs["deleteRetentionPolicy"] == {"enabled": True, "days": 90, "allowPermanentDelete": False}
    assert resources["key-vault"].body["properties"]["enablePurgeProtection"] is True
    assert resources["key-digit-scoring"].body["properties"]["attributes"]["exportable"] is False
    for name in ("state", "state-digit-scoring", "key-vault", "key-digit-scoring", "digit-scoring-resource-group"):
        assert resources[name].protect, name


def test_a_list_of_addresses_closes_the_state_to_all_others(live: Live) -> None:
    resources = plan(live("dev", runner_ip_ranges=["198.51.100.0/24"]), "dev")
    for name, acls in (("state", "networkAcls"), ("key-vault", "networkAcls")):
        rules = resources[name].body["properties"][acls]
        assert rules["defaultAction"] == "Deny"
        assert [one["value"] for one in rules["ipRules"]] == ["198.51.100.0/24"]


def test_the_environments_group_is_made_once(live: Live) -> None:
    root = live("dev")
    assert is_bootstrapped(root, "digit-scoring", "dev")
    assert not is_bootstrapped(root, "digit-scoring", "prod")
    assert not is_bootstrapped(root, "other", "dev")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"products": [{"product": "churn"}]}, "products.0.product: 'churn': "),
        ({"environment": "stage"}, "environment: 'stage' must be one of dev, test, prod"),
        (
            {"ci": {"provider": "github", "repository": "a/b", "github": {"owner_id": "x"}}},
            "ci.github.owner_id: 'x' must",
        ),
        ({"runner_ip_ranges": ["0.0.0.0/0"]}, "runner_ip_ranges.0: '0.0.0.0/0' must be a range of public addresses"),
        ({"surprise": 1}, "surprise: unknown key"),
    ],
)
def test_what_is_wrong_is_one_line(live: Live, change: dict[str, Any], expected: str) -> None:
    root = live("dev", **change)
    with pytest.raises(RequestError) as error:
        plan(root, "dev")
    assert len(error.value.faults) == 1
    assert expected in error.value.faults[0]


def test_an_environment_that_a_product_does_not_have_is_refused(live: Live) -> None:
    root = live("test")
    with pytest.raises(RequestError, match="'digit-scoring' has no environment 'test'"):
        plan(root, "test")


def test_own_networks_are_joined_and_not_changed(live: Live) -> None:
    request = full()
    request["environments"]["dev"] |= {
        "network": "own-vnet",
        "subnets": {"endpoints": subnet("snet-endpoints"), "compute": subnet("snet-compute")},
        "dns_zones": DNS_ZONES,
    }
    resources = plan(live("dev", request), "dev")
    joined = {row[2] for row in rows(resources) if row[1] == "Private Network Joiner"}
    assert joined == {"snet-endpoints", "snet-compute", "rg-dns"}
    actions = resources["role-join"].body["properties"]["permissions"][0]["actions"]
    assert all(action.endswith(("/read", "/join/action")) for action in actions)


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_no_policy_is_broken(environment: str, live: Live) -> None:
    for changes in ({}, {"runner_ip_ranges": ["198.51.100.0/24"]}):
        resources = plan(live(environment, **changes), environment)
        findings = judge_stack(f"bootstrap-{environment}", list(resources.values()))
        assert [one.line for one in findings if one.stops] == []


def test_a_policy_stops_a_state_that_could_be_deleted(live: Live) -> None:
    resources = plan(live("prod"), "prod")
    resources["state"] = dataclasses.replace(resources["state"], protect=False)
    assert {one.rule for one in judge_stack("bootstrap-prod", list(resources.values())) if one.stops} == {
        "data-protected"
    }
