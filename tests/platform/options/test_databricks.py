"""Databricks: premium, without public addresses, the lake by identity; in the organisation's subnets if there are."""

from __future__ import annotations

from typing import Any

import pytest
from combinations import subnets
from data_options import asked, assigned, body, faults, given, planned
from platform_requests import NETWORK, full, subnet

from amlplatform.recorder import invented_principal_id
from amlplatform.roles import ROLES

pytestmark = pytest.mark.slow

DEV, PROD = ("dev", "public-dev"), ("prod", "own-vnet")
VNET = subnets("own-vnet")["databricks_public"].partition("/subnets/")[0]


@pytest.mark.parametrize(
    ("case", "access", "rules"),
    [
        (DEV, "Enabled", "AllRules"),
        (("dev", "own-vnet"), "Disabled", "NoAzureDatabricksRules"),
        (PROD, "Disabled", "NoAzureDatabricksRules"),
    ],
)
def test_the_workspace_is_premium_and_as_open_as_its_network(case: tuple[str, str], access: str, rules: str) -> None:
    workspace = planned(*case, "databricks").resource("databricks")
    properties = workspace.body["properties"]
    assert workspace.azure_name == f"dbw-digit-scoring-{case[0]}"
    assert workspace.body["sku"] == {"name": "premium"}
    assert properties["computeMode"] == "Hybrid"
    assert properties["publicNetworkAccess"] == access
    assert properties["requiredNsgRules"] == rules
    assert properties["defaultCatalog"] == {"initialType": "UnityCatalog"}
    assert properties["managedResourceGroupId"].endswith(f"/resourceGroups/rg-digit-scoring-{case[0]}-databricks")
    assert properties["parameters"]["enableNoPublicIp"] == {"value": True}


def parameters(environment: str, network: str) -> dict[str, Any]:
    found = body(planned(environment, network, "databricks"), "databricks")["parameters"]
    return {name: one["value"] for name, one in found.items() if name != "enableNoPublicIp"}


def test_dev_and_prod_differ_in_safety_and_network() -> None:
    assert parameters(*DEV) == {"requireInfrastructureEncryption": False, "storageAccountSkuName": "Standard_LRS"}
    assert parameters(*PROD) == {
        "requireInfrastructureEncryption": True,
        "storageAccountSkuName": "Standard_GZRS",
        "customVirtualNetworkId": VNET,
        "customPublicSubnetName": "snet-databricks-public",
        "customPrivateSubnetName": "snet-databricks-private",
    }
    protected = [planned(*case, "databricks").resource("databricks").protect for case in (DEV, PROD)]
    assert protected == [False, True]


def test_clusters_read_and_write_the_lake_with_an_identity() -> None:
    for case in (DEV, PROD):
        plan = planned(*case, "databricks")
        connector = plan.resource("databricks-connector").body["identity"]
        assert connector["type"] == "UserAssigned"
        assert [one.rpartition("/")[2] for one in connector["userAssignedIdentities"]] == [
            f"id-digit-scoring-{case[0]}-databricks"
        ]
        who = invented_principal_id(f"id-digit-scoring-{case[0]}-databricks")
        found = {
            name: {role for principal, _, role in assigned(plan, f"lake-{name}") if principal == who}
            for name in ("raw", "curated", "output")
        }
        reader, writer = (ROLES[f"Storage Blob Data {what}"].role_id for what in ("Reader", "Contributor"))
        assert found == {"raw": {reader}, "curated": {writer}, "output": {writer}}
        assert given(plan, "databricks") == set()


def test_it_is_not_attached_with_a_token() -> None:
    for case in (DEV, PROD):
        plan = planned(*case, "databricks")
        kinds = [one.body["properties"]["computeType"] for one in plan.resources if one.arm_type.endswith("/computes")]
        assert "Databricks" not in kinds


def test_in_a_closed_network_people_and_clusters_come_by_private_endpoint() -> None:
    def endpoints(case: tuple[str, str]) -> list[str]:
        made = planned(*case, "databricks").resources
        return sorted(one.name for one in made if one.name.startswith("endpoint-databricks"))

    assert endpoints(DEV) == []
    assert endpoints(PROD) == ["endpoint-databricks-browser_authentication", "endpoint-databricks-databricks_ui_api"]


@pytest.mark.parametrize(
    ("private", "words"),
    [
        (subnet("snet-databricks-public"), "is the subnet of the hosts, too"),
        (f"{NETWORK}/providers/Microsoft.Network/virtualNetworks/vnet-other/subnets/snet-x", "is in another network"),
    ],
)
def test_both_subnets_are_of_one_network(private: str, words: str) -> None:
    data = asked(*PROD, "databricks")
    data["environments"]["prod"]["subnets"]["databricks_private"] = private
    (line,) = faults(data)
    assert line.startswith("environments.prod.subnets.databricks_private: ")
    assert words in line
    assert f"'{VNET}/subnets/" in line


@pytest.mark.parametrize("other", ["endpoints", "compute", "kubernetes"])
def test_nothing_else_stands_in_its_subnets(other: str) -> None:
    data = asked(*PROD, "databricks")
    data["environments"]["prod"]["subnets"][other] = subnet("SNET-Databricks-Public")
    (line,) = faults(data)
    assert line.startswith("environments.prod.subnets.databricks_public: ")
    assert f"is also environments.prod.subnets.{other}, and one workspace of Databricks needs it for itself" in line


def test_two_environments_do_not_share_its_subnets_and_may_share_others() -> None:
    data = asked(*PROD, "databricks")
    prod = data["environments"]["prod"]["subnets"]
    data["environments"]["dev"]["subnets"] = {"endpoints": prod["endpoints"], "compute": prod["endpoints"]}
    assert faults(data) == []
    data["environments"]["dev"]["subnets"]["databricks_private"] = prod["databricks_private"]
    data["environments"]["dev"]["subnets"]["databricks_public"] = subnet("snet-other")
    (line,) = faults(data)
    assert line.startswith("environments.prod.subnets.databricks_private: ")
    assert "is also environments.dev.subnets.databricks_private, and" in line


def test_a_managed_network_and_databricks_do_not_go_together() -> None:
    data = full()
    data["environments"]["prod"]["options"] = {"databricks": {}}
    (line,) = faults(data)
    assert line.startswith("environments.prod.options.databricks: does not go with network 'managed-vnet'")


def test_nothing_of_it_is_there_unless_it_is_asked_for() -> None:
    made = planned(*PROD, "kubernetes", "synapse", "data_factory").resources
    assert [one.name for one in made if "Databricks" in one.arm_type] == []
