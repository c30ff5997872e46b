"""Synapse: Spark in a managed network that lets no data out; Entra logins only; no nodes without work."""

from __future__ import annotations

import pytest
from data_options import asked, assigned, body, faults, plan_of, planned

from amlplatform.recorder import TENANT_ID, invented_principal_id
from amlplatform.roles import ROLES

pytestmark = pytest.mark.slow

DEV, PROD = ("dev", "public-dev"), ("prod", "own-vnet")
CASES = [
    (DEV, "Enabled"),
    (("dev", "managed-vnet"), "Disabled"),
    (("prod", "managed-vnet"), "Disabled"),
    (PROD, "Disabled"),
]


@pytest.mark.parametrize(("case", "access"), CASES)
def test_the_workspace_lets_no_data_out_and_nobody_in_by_password(case: tuple[str, str], access: str) -> None:
    plan = planned(*case, "synapse")
    workspace = plan.resource("synapse")
    assert workspace.azure_name == f"syndigitscoring{case[0]}k3x9a"
    assert workspace.body["identity"] == {"type": "SystemAssigned"}
    assert workspace.body["properties"] == {
        "managedVirtualNetwork": "default",
        "managedVirtualNetworkSettings": {
            "preventDataExfiltration": True,
            "linkedAccessCheckOnTargetResource": True,
            "allowedAadTenantIdsForLinking": [TENANT_ID],
        },
        "azureADOnlyAuthentication": True,
        "publicNetworkAccess": access,
        "trustedServiceBypassEnabled": False,
        "managedResourceGroupName": f"rg-digit-scoring-{case[0]}-synapse",
        "defaultDataLakeStorage": {
            "accountUrl": f"https://dldigitscoring{case[0]}k3x9a.dfs.core.windows.net",
            "resourceId": plan.resource("lake").arm_id,
            "filesystem": "curated",
            # Also to a lake that is open: nothing else leaves the managed network.
            "createManagedPrivateEndpoint": True,
        },
    }
    assert workspace.protect is (case[0] == "prod")


@pytest.mark.parametrize(("case", "idle"), [(DEV, 5), (PROD, 15)])
def test_the_spark_pool_pauses_and_grows_within_bounds(case: tuple[str, str], idle: int) -> None:
    data = asked(*case, "synapse", synapse={"max_nodes": 8, "node_size": "Medium"})
    pool = body(plan_of(data, case[0]), "synapse-spark")
    assert pool["sparkVersion"] == "3.5"
    assert (pool["nodeSizeFamily"], pool["nodeSize"]) == ("MemoryOptimized", "Medium")
    assert pool["autoPause"] == {"enabled": True, "delayInMinutes": idle}
    assert pool["autoScale"] == {"enabled": True, "minNodeCount": 3, "maxNodeCount": 8}
    assert pool["dynamicExecutorAllocation"] == {"enabled": True, "minExecutors": 1, "maxExecutors": 7}
    assert pool["sessionLevelPackagesEnabled"] is False


def test_its_identity_works_in_the_lake_and_nowhere_else() -> None:
    for case in (DEV, PROD):
        plan = planned(*case, "synapse")
        who = invented_principal_id(f"syndigitscoring{case[0]}k3x9a")
        found = {
            (
                one.arm_id.rpartition("/providers/Microsoft.Authorization/")[0],
                one.body["properties"]["roleDefinitionId"],
            )
            for one in plan.resources
            if one.arm_type == "Microsoft.Authorization/roleAssignments"
            and one.body["properties"]["principalId"] == who
        }
        names = {scope.rpartition("/")[2]: role.rpartition("/")[2] for scope, role in found}
        reader, writer = (ROLES[f"Storage Blob Data {what}"].role_id for what in ("Reader", "Contributor"))
        assert names == {"raw": reader, "curated": writer, "output": writer}
        assert (who, "ServicePrincipal", writer) in assigned(plan, "lake-curated")


def test_over_the_internet_only_named_addresses_come_in() -> None:
    data = asked(*DEV, "synapse", synapse={"addresses": ["198.51.100.7", "203.0.113.8"]})
    rules = [
        (one.body["properties"]["startIpAddress"], one.body["properties"]["endIpAddress"])
        for one in plan_of(data, "dev").resources
        if one.arm_type == "Microsoft.Synapse/workspaces/firewallRules"
    ]
    assert rules == [("198.51.100.7", "198.51.100.7"), ("203.0.113.8", "203.0.113.8")]
    closed = asked(*PROD, "synapse", synapse={"addresses": ["198.51.100.7"]})
    assert not any("firewallRules" in one.arm_type for one in plan_of(closed, "prod").resources)


def test_in_a_closed_network_it_is_reached_by_private_endpoint() -> None:
    made = planned(*PROD, "synapse").resources
    assert sorted(one.name for one in made if one.name.startswith("endpoint-synapse")) == [
        "endpoint-synapse-Dev",
        "endpoint-synapse-Sql",
        "endpoint-synapse-SqlOnDemand",
    ]


def test_what_is_refused() -> None:
    (line,) = faults(asked(*DEV, "synapse", synapse={"max_nodes": 2}))
    assert line.startswith("environments.dev.options.synapse.max_nodes: 2")
    (line,) = faults(asked(*DEV, "synapse", synapse={"addresses": ["0.0.0.0"]}))
    assert line.startswith("environments.dev.options.synapse.addresses.0: '0.0.0.0' must be one public")


def test_nothing_of_it_is_there_unless_it_is_asked_for() -> None:
    made = planned(*PROD, "kubernetes", "databricks", "data_factory").resources
    assert [one.name for one in made if "Synapse" in one.arm_type] == []
