"""Plans of every environment: valid, complete, secure, and without people in prod."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from platform_requests import GROUP, PERSON, REQUESTS, full

from amlplatform import roles
from amlplatform.bootstrap.access import CUSTOM_ROLES, rights
from amlplatform.components.storage import LAKE_CONTAINERS
from amlplatform.plan import CONCERNS, Plan, PlannedResource, plan_environment
from amlplatform.profiles import ENVIRONMENT_PROFILES, NETWORK_PROFILES
from amlplatform.regions import REGIONS
from amlplatform.request import Request
from amlplatform.roles import EXCEPTIONS, GRANTS, PRIVATE_ENDPOINTS, ROLES

Plans = dict[str, dict[str, Plan]]
ALL = [(name, environment) for name in REQUESTS for environment in ("dev", "prod")]
ML = "Microsoft.MachineLearningServices/workspaces"


def of_type(plan: Plan, arm_type: str) -> list[PlannedResource]:
    return [resource for resource in plan.resources if resource.arm_type == arm_type]


def properties(plan: Plan, name: str) -> dict[str, Any]:
    return dict(plan.resource(name).body["properties"])


@pytest.mark.parametrize(("name", "environment"), ALL)
def test_every_body_is_valid_and_every_name_is_unique(name: str, environment: str, plans: Plans) -> None:
    plan = plans[name][environment]
    assert plan.faults == []
    names = [resource.name for resource in plan.resources]
    assert len(set(names)) == len(names)
    assert len({resource.arm_id.lower() for resource in plan.resources}) == len(names)
    assert {resource.concern for resource in plan.resources} <= set(CONCERNS)


def test_what_an_environment_consists_of(plans: Plans) -> None:
    kinds: dict[str, int] = {}
    # What hangs on these (endpoints, diagnostic settings, locks, alerts) follows from them and has tests of its own.
    hanging = ("diagnosticSettings", "privateEndpoints", "locks", "Alerts", "scheduledQueryRules", "actionGroups")
    for resource in plans["full"]["dev"].resources:
        if any(word in resource.arm_type for word in hanging):
            continue
        kinds[resource.arm_type] = kinds.get(resource.arm_type, 0) + 1
    assert kinds == {
        "Microsoft.Resources/resourceGroups": 1,
        "Microsoft.ManagedIdentity/userAssignedIdentities": 4,
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials": 1,
        "Microsoft.Authorization/roleAssignments": len([grant for grant in GRANTS if grant.when == "always"]),
        "Microsoft.Storage/storageAccounts": 2,
        "Microsoft.Storage/storageAccounts/blobServices": 2,
        "Microsoft.Storage/storageAccounts/fileServices": 1,
        "Microsoft.Storage/storageAccounts/managementPolicies": 1,
        "Microsoft.Storage/storageAccounts/blobServices/containers": len(LAKE_CONTAINERS),
        "Microsoft.KeyVault/vaults": 1,
        "Microsoft.ContainerRegistry/registries": 1,
        "Microsoft.OperationalInsights/workspaces": 1,
        "Microsoft.Insights/components": 1,
        ML: 1,
        f"{ML}/datastores": len(LAKE_CONTAINERS) + 1,
        f"{ML}/computes": 3,
        "Microsoft.Consumption/budgets": 1,
    }


# What must hold whatever the profile: resource, path in the body, value.
ALWAYS: list[tuple[str, str, Any]] = [
    *[
        (account, f"properties.{path}", value)
        for account in ("storage", "lake")
        for path, value in {
            "allowSharedKeyAccess": False,
            "allowBlobPublicAccess": False,
            "allowCrossTenantReplication": False,
            "supportsHttpsTrafficOnly": True,
            "minimumTlsVersion": "TLS1_2",
            "isLocalUserEnabled": False,
            "isSftpEnabled": False,
            "isNfsV3Enabled": False,
            "defaultToOAuthAuthentication": True,
            "networkAcls.bypass": "AzureServices",
        }.items()
    ],
    ("storage", "properties.isHnsEnabled", False),
    ("lake", "properties.isHnsEnabled", True),
    *[(f"lake-{container}", "properties.publicAccess", "None") for container in LAKE_CONTAINERS],
    *[(f"{account}-blobs", "properties.deleteRetentionPolicy.enabled", True) for account in ("storage", "lake")],
    ("key-vault", "properties.enableRbacAuthorization", True),
    ("key-vault", "properties.enableSoftDelete", True),
    ("key-vault", "properties.enabledForDeployment", False),
    ("key-vault", "properties.enabledForTemplateDeployment", False),
    ("key-vault", "properties.enabledForDiskEncryption", False),
    ("container-registry", "sku.name", "Premium"),
    ("container-registry", "properties.adminUserEnabled", False),
    ("container-registry", "properties.anonymousPullEnabled", False),
    ("container-registry", "properties.policies.quarantinePolicy.status", "disabled"),
    ("container-registry", "properties.policies.retentionPolicy.status", "enabled"),
    ("log-analytics", "properties.features.disableLocalAuth", True),
    ("application-insights", "properties.IngestionMode", "LogAnalytics"),
    ("workspace", "kind", "Default"),
    ("workspace", "identity.type", "UserAssigned"),
    ("workspace", "properties.systemDatastoresAuthMode", "Identity"),
    ("workspace", "properties.v1LegacyMode", False),
    ("workspace", "properties.allowPublicAccessWhenBehindVnet", False),
    *[
        (cluster, f"properties.{path}", value)
        for cluster in ("cpu-cluster", "gpu-cluster")
        for path, value in {
            "disableLocalAuth": True,
            "properties.remoteLoginPortPublicAccess": "Disabled",
            "properties.scaleSettings.minNodeCount": 0,
        }.items()
    ],
    *[
        (f"datastore-{name}", "properties.credentials.credentialsType", "None")
        for name in ("lake-raw", "lake-curated", "lake-output", "batch-output")
    ],
    ("datastore-batch-output", "properties.datastoreType", "AzureBlob"),
    ("datastore-lake-output", "properties.datastoreType", "AzureDataLakeGen2"),
]


def at(body: Any, path: str) -> Any:
    for key in path.split("."):
        body = body[key]
    return body


@pytest.mark.parametrize(("name", "environment"), [pair for pair in ALL if pair[0] != "minimal"])
def test_secure_properties_are_explicit_in_every_profile(name: str, environment: str, plans: Plans) -> None:
    plan = plans[name][environment]
    for resource, path, expected in ALWAYS:
        assert at(plan.resource(resource).body, path) == expected, (resource, path)


@pytest.mark.parametrize(("name", "environment"), ALL)
def test_the_network_is_one_consistent_set(name: str, environment: str, plans: Plans) -> None:
    plan = plans[name][environment]
    network = NETWORK_PROFILES[REQUESTS[name]()["environments"][environment]["network"]]
    access = {properties(plan, one)["publicNetworkAccess"] for one in CLOSED}
    assert access == {network.public_network_access}
    rules = {properties(plan, one)["networkAcls"]["defaultAction"] for one in ("storage", "lake", "key-vault")}
    assert rules == {properties(plan, "container-registry")["networkRuleSet"]["defaultAction"]}
    assert rules == {network.firewall_default_action}
    for compute in of_type(plan, f"{ML}/computes"):
        assert compute.body["properties"]["properties"]["enableNodePublicIp"] is network.node_public_ip
    workspace = properties(plan, "workspace")
    assert workspace["serverlessComputeSettings"]["serverlessComputeNoPublicIP"] is not network.node_public_ip
    assert workspace["provisionNetworkNow"] is network.managed_network
    # Azure refuses to disable export while the registry is public.
    export = properties(plan, "container-registry")["policies"]["exportPolicy"]["status"]
    assert (export == "disabled") == network.private


CLOSED = ("workspace", "storage", "lake", "key-vault", "container-registry")


def test_a_managed_network_reaches_lake_queues_and_tables_by_private_endpoints_only(plans: Plans) -> None:
    lake, storage = (plans["full"]["prod"].resource(name).arm_id for name in ("lake", "storage"))
    network = properties(plans["full"]["prod"], "workspace")["managedNetwork"]
    assert network["isolationMode"] == "AllowOnlyApprovedOutbound"
    rules = network["outboundRules"]
    assert {rule["type"] for rule in rules.values()} == {"PrivateEndpoint"}
    targets = {
        (rule["destination"]["serviceResourceId"], rule["destination"]["subresourceTarget"]) for rule in rules.values()
    }
    assert targets == {(lake, "blob"), (lake, "dfs"), (storage, "queue"), (storage, "table")}
    public = properties(plans["full"]["dev"], "workspace")["managedNetwork"]
    assert public["isolationMode"] == "Disabled"
    assert "outboundRules" not in public


def test_prod_is_the_hardened_one(plans: Plans) -> None:
    dev, prod = plans["full"]["dev"], plans["full"]["prod"]
    vault = properties(prod, "key-vault")
    assert (vault["enablePurgeProtection"], vault["softDeleteRetentionInDays"]) == (True, 90)
    # Azure refuses false: in dev the property is absent.
    assert "enablePurgeProtection" not in properties(dev, "key-vault")
    assert properties(prod, "workspace")["hbiWorkspace"] is True
    assert properties(dev, "workspace")["hbiWorkspace"] is False
    for account in ("storage", "lake"):
        assert prod.resource(account).body["sku"] == {"name": "Standard_GZRS"}
        assert properties(prod, account)["encryption"]["requireInfrastructureEncryption"] is True
    assert properties(prod, "log-analytics")["retentionInDays"] >= 90
    assert properties(prod, "container-registry")["zoneRedundancy"] == "Enabled"


def test_what_holds_data_is_protected_in_prod_and_only_there(plans: Plans) -> None:
    protected = {resource.name for resource in plans["full"]["prod"].resources if resource.protect}
    assert protected == {
        "resource-group",
        "storage",
        "lake",
        "lake-raw",
        "lake-curated",
        "lake-output",
        "key-vault",
        "container-registry",
        "log-analytics",
        "workspace",
        # And the locks on what holds data, so that nobody takes one away by the way.
        *(f"{name}-lock" for name in ("storage", "lake", "key-vault", "container-registry", "log-analytics")),
    }
    assert [resource.name for resource in plans["full"]["dev"].resources if resource.protect] == []


def test_telemetry_keys_are_secret(plans: Plans) -> None:
    secret = plans["full"]["prod"].resource("application-insights").secret_outputs
    assert set(secret) == {"connectionString", "instrumentationKey"}


@pytest.mark.parametrize(("name", "environment"), ALL)
def test_no_plan_holds_a_secret(name: str, environment: str, plans: Plans) -> None:
    words = ("accountkey", "sharedaccesskey", "sastoken", "password", "clientsecret", "connectionstring")
    for resource in plans[name][environment].resources:
        text = json.dumps(dict(resource.body)).lower()
        assert [word for word in words if word in text] == [], resource.name


@pytest.mark.parametrize("name", REQUESTS)
def test_nobody_but_service_identities_has_a_role_in_prod(name: str, plans: Plans) -> None:
    plan = plans[name]["prod"]
    assignments = of_type(plan, "Microsoft.Authorization/roleAssignments")
    assert {one.body["properties"]["principalType"] for one in assignments} == {"ServicePrincipal"}
    text = json.dumps([dict(resource.body) for resource in plan.resources])
    assert GROUP not in text
    assert PERSON not in text
    assert not any("ComputeInstance" in json.dumps(dict(resource.body)) for resource in plan.resources)


def test_scientists_get_their_roles_in_dev_and_none_that_manages_access(plans: Plans) -> None:
    assignments = of_type(plans["full"]["dev"], "Microsoft.Authorization/roleAssignments")
    groups = [one for one in assignments if one.body["properties"]["principalType"] == "Group"]
    assert len(groups) == len([grant for grant in GRANTS if grant.person and grant.when == "always"])
    assert {one.body["properties"]["principalId"] for one in groups} == {GROUP}
    assert of_people(plans["minimal"]["dev"]) == []


def of_people(plan: Plan) -> list[str]:
    return [grant.name for grant in plan.grants if grant.person]


@pytest.mark.parametrize(("name", "environment"), ALL)
def test_the_table_of_roles_and_the_plan_agree(name: str, environment: str, plans: Plans) -> None:
    plan = plans[name][environment]
    assignments = of_type(plan, "Microsoft.Authorization/roleAssignments")
    assert {one.name for one in assignments} == {grant.name for grant in plan.grants}
    for grant in plan.grants:
        body = plan.resource(grant.name).body["properties"]
        assert body["roleDefinitionId"].endswith(f"/{ROLES[grant.role].role_id}")
        assert body["principalType"] == grant.principal_type


def test_lake_data_is_written_by_the_cluster_in_one_container_only(plans: Plans) -> None:
    prod = plans["full"]["prod"]
    writers = [
        grant
        for grant in prod.grants
        if grant.scope.startswith("lake") and grant.role == "Storage Blob Data Contributor"
    ]
    assert [(grant.principal, grant.scope) for grant in writers] == [("cluster", "lake_output")]
    body = prod.resource(writers[0].name)
    assert body.arm_id.lower().startswith(prod.resource("lake-output").arm_id.lower())


def test_roles_come_before_what_uses_them(plans: Plans) -> None:
    plan = plans["full"]["prod"]
    before_workspace = {
        grant.name
        for grant in plan.grants
        # Its private endpoints come after the workspace, and with them the right to see them.
        if grant.principal == "workspace" and grant.scope != "workspace" and grant.when != PRIVATE_ENDPOINTS
    }
    assert before_workspace
    assert before_workspace <= set(plan.resource("workspace").depends_on)
    of_cluster = {grant.name for grant in plan.grants if grant.principal == "cluster"}
    for cluster in ("cpu-cluster", "gpu-cluster"):
        assert of_cluster <= set(plan.resource(cluster).depends_on)
    # Two computes at once in a new managed network fail.
    assert "cpu-cluster" in plan.resource("gpu-cluster").depends_on


def test_a_compute_instance_belongs_to_one_person_and_stops_by_itself(plans: Plans) -> None:
    plan = plans["full"]["dev"]
    instances = [
        one for one in of_type(plan, f"{ML}/computes") if one.body["properties"]["computeType"] == "ComputeInstance"
    ]
    assert len(instances) == 1
    settings = instances[0].body["properties"]
    assert settings["disableLocalAuth"] is True
    inner = settings["properties"]
    assert inner["personalComputeInstanceSettings"]["assignedUser"]["objectId"] == PERSON
    assert inner["applicationSharingPolicy"] == "Personal"
    assert inner["sshSettings"]["sshPublicAccess"] == "Disabled"
    assert inner["idleTimeBeforeShutdown"] == ENVIRONMENT_PROFILES["dev"].instance_idle_time
    # With an identity it would never count as idle.
    assert "identity" not in instances[0].body


def test_tags_are_on_everything_that_can_have_them(plans: Plans) -> None:
    for resource in plans["full"]["prod"].resources:
        if "tags" in resource.body:
            tags = resource.body["tags"]
            assert (tags["costCentre"], tags["environment"], tags["owner"]) == ("CC-1000", "prod", "owner@example.com")
    tagged = {resource.arm_type for resource in plans["full"]["prod"].resources if "tags" in resource.body}
    assert {ML, "Microsoft.Storage/storageAccounts", "Microsoft.Resources/resourceGroups"} <= tagged


def test_redundancy_follows_what_the_region_offers() -> None:
    prod = ENVIRONMENT_PROFILES["prod"]
    expected = {
        "westeurope": ("Standard_GZRS", "Enabled"),
        "polandcentral": ("Standard_ZRS", "Enabled"),
        "northcentralus": ("Standard_GRS", "Disabled"),
    }
    for region, (sku, zones) in expected.items():
        assert (prod.storage_sku(REGIONS[region]), prod.zone_redundancy(REGIONS[region])) == (sku, zones)
    assert {ENVIRONMENT_PROFILES["dev"].storage_sku(region) for region in REGIONS.values()} == {"Standard_LRS"}


@pytest.mark.parametrize("region", ["westeurope", "polandcentral", "northcentralus"])
def test_a_plan_is_valid_in_every_kind_of_region(region: str) -> None:
    plan = plan_environment(Request.model_validate(full() | {"region": region}), "prod")
    assert plan.faults == []


def test_a_plan_is_the_same_every_time(plans: Plans) -> None:
    assert plan_environment(Request.model_validate(full()), "prod") == plans["full"]["prod"]


def test_no_code_asks_for_an_environment_by_name() -> None:
    """Environments differ in profiles.py and nowhere else."""
    package = Path(roles.__file__).parent
    for path in package.rglob("*.py"):
        if path.name == "profiles.py" or "cloud" in path.parts:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            compared = any(f'{operator} "{name}"' in line for operator in ("==", "!=") for name in ("dev", "prod"))
            assert not compared, f"{path.name}:{number}: {line.strip()}"


def test_a_further_environment_is_data(monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    profile = dataclasses.replace(ENVIRONMENT_PROFILES["prod"], name="uat", required=False, protect_data=False)
    monkeypatch.setitem(ENVIRONMENT_PROFILES, "uat", profile)
    data = full()
    for name in ("test", "uat"):
        data["environments"][name] = data["environments"]["prod"]
    for name in ("test", "uat"):
        plan = plan_environment(Request.model_validate(data), name)
        assert plan.faults == []
        assert plan.resource("workspace").azure_name == f"mlw-digit-scoring-{name}"


def test_the_roles_are_microsofts(shared: Path) -> None:
    lines = (shared / "roles" / "built-in-roles.json").read_text(encoding="utf-8")
    known = {role["name"]: role["roleName"] for role in json.loads(lines)}
    for role in ROLES.values():
        assert known.get(role.role_id) == role.name
    of_stacks = {right.role for right in rights(Request.model_validate(full()), "prod")} - set(CUSTOM_ROLES)
    of_exceptions = {grant.role for purpose in EXCEPTIONS.values() for grant in purpose.grants}
    assert {grant.role for grant in GRANTS} | of_stacks | of_exceptions == set(ROLES), "a role that nobody gets"


def permissions(shared: Path, role: str) -> Iterator[str]:
    text = (shared / "roles" / "built-in-roles.json").read_text(encoding="utf-8")
    definition = next(one for one in json.loads(text) if one["name"] == ROLES[role].role_id)
    for permission in definition["permissions"]:
        yield from permission.get("actions", [])


def test_ci_may_make_the_arm_deployments_that_batch_deployments_need(shared: Path) -> None:
    on_group = [grant.role for grant in GRANTS if grant.principal == "deploy" and grant.scope == "resource_group"]
    actions = [action for role in on_group for action in permissions(shared, role)]
    assert "Microsoft.Resources/deployments/*" in actions
    # And nothing that changes resources beside that.
    assert "*" not in actions


def test_the_program_refuses_a_request_outside_the_live_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pulumi

    from amlplatform import program

    (tmp_path / "live").mkdir()
    (tmp_path / "request.yaml").write_text(yaml.safe_dump(full()), encoding="utf-8")
    (tmp_path / "live" / "request.yaml").write_text(yaml.safe_dump(full()), encoding="utf-8")
    monkeypatch.chdir(tmp_path / "live")
    monkeypatch.setattr(program, "build_environment", lambda *_: None)
    for path, stack, expected in (
        ("../request.yaml", "digit-scoring-dev", "must be a path inside the live project"),
        (str(tmp_path / "request.yaml"), "digit-scoring-dev", "must be a path inside the live project"),
        ("nothing.yaml", "digit-scoring-dev", "no such file"),
        ("request.yaml", "other-dev", "its stacks are digit-scoring-dev, digit-scoring-prod"),
    ):
        monkeypatch.setattr(pulumi, "Config", lambda path=path: type("Config", (), {"require": lambda *_: path})())
        monkeypatch.setattr(pulumi, "get_stack", lambda stack=stack: stack)
        with pytest.raises(pulumi.RunError, match=expected):
            program.run()
