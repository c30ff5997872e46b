"""Microsoft's types inside the package: whole, current, and they refuse what Azure refuses."""

from __future__ import annotations

import copy
import gzip
import importlib
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi import _types as pulumi_types

from amlplatform.armtypes import build, catalogue, validator
from amlplatform.armtypes.catalogue import RESOURCE_TYPES, UNKNOWN
from amlplatform.plan import Plan


def test_the_packed_types_are_microsofts(shared: Path) -> None:
    packed = json.loads(gzip.decompress(build.PACK.read_bytes()))
    assert packed == build.build(shared / "arm-types")


def test_packing_twice_gives_the_same_bytes(shared: Path, tmp_path: Path) -> None:
    output = tmp_path / "types.json.gz"
    assert build.main(["--source", str(shared / "arm-types"), "--output", str(output)]) == 0
    assert output.read_bytes() == build.PACK.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == [output.name]


def test_a_source_without_the_types_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text("{}", encoding="utf-8")
    command = [sys.executable, "-m", "amlplatform.armtypes.build", "--source", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "no entry for" in done.stderr


def test_microsofts_licence_is_carried_along() -> None:
    assert "Microsoft Corporation" in (build.PACK.parent / "LICENSE").read_text(encoding="utf-8")


def _sdk(token: str, suffix: str = "") -> Any:
    _, module, name = token.split(":")
    package = importlib.import_module(f"pulumi_azure_native.{module}")
    # A nested type may have the name "…Args" already; the resource's own is then called "…InitArgs".
    own = getattr(package, f"{name}InitArgs", None) if suffix == "Args" else None
    return own or getattr(package, name + suffix)


@pytest.mark.parametrize("token", RESOURCE_TYPES)
def test_the_catalogue_has_the_api_version_that_the_sdk_sends(token: str) -> None:
    stated = re.findall(r"Uses Azure REST API version ([\w-]+)", inspect.getsource(_sdk(token)))
    assert set(stated) == {RESOURCE_TYPES[token].api_version}


@pytest.mark.parametrize("token", RESOURCE_TYPES)
def test_every_input_of_the_sdk_finds_its_arm_property(token: str) -> None:
    inputs = set(pulumi_types.input_type_py_to_pulumi_names(_sdk(token, "Args")).values())
    kind = RESOURCE_TYPES[token]
    assert kind.name_input in inputs or kind.own_name({}) == "default"
    inputs -= NOT_OF_A_RESOURCE.get(token, set())
    envelope, properties = validator.property_names(kind.arm_type, kind.api_version)
    body = catalogue.arm_body(token, dict.fromkeys(inputs))
    known = set(envelope.values()) | {f"properties.{inner}" for inner in properties.values()}
    nested = "properties" in inputs
    sent = {key for key in body if key != "properties" or nested}
    if not nested:
        sent |= {f"properties.{inner}" for inner in body.get("properties", {})}
    assert sent <= known


# Inputs of types that are also parts of others (a subnet in a network): they name the part, and a resource has them in
# its address. The platform sets none of them.
NOT_OF_A_RESOURCE = {
    "azure-native:network:VirtualNetwork": {"id"},
    "azure-native:network:Subnet": {"id", "name", "type"},
    "azure-native:network:NetworkSecurityGroup": {"id"},
    "azure-native:network:PrivateEndpoint": {"id"},
    "azure-native:network:PrivateDnsZoneGroup": {"id", "name"},
    "azure-native:sql:FirewallRule": {"name"},
}


def test_ids_and_tokens() -> None:
    inputs = {"resourceGroupName": "rg", "workspaceName": "mlw", "computeName": "cpu-cluster"}
    token = "azure-native:machinelearningservices/v20251201:Compute"
    assert catalogue.normal_token(token) == "azure-native:machinelearningservices:Compute"
    assert catalogue.arm_id(token, inputs, "sub") == (
        "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/mlw"
        "/computes/cpu-cluster"
    )
    scope = "/subscriptions/sub/resourceGroups/rg"
    assignment = {"scope": scope, "roleAssignmentName": "a"}
    expected = f"{scope}/providers/Microsoft.Authorization/roleAssignments/a"
    assert catalogue.arm_id("authorization:RoleAssignment", assignment, "sub") == expected
    assert UNKNOWN in catalogue.arm_id("authorization:RoleAssignment", {"scope": scope}, "sub")
    with pytest.raises(KeyError, match="not in the catalogue"):
        catalogue.resource_type("azure-native:web:WebApp")


def test_flattened_inputs_become_the_body_that_arm_wants() -> None:
    inputs = {
        "accountName": "stexample",
        "resourceGroupName": "rg",
        "location": "westeurope",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "isHnsEnabled": True,
        "enableHttpsTrafficOnly": True,
        "networkRuleSet": {"defaultAction": "Deny"},
        "identity": {"type": "UserAssigned", "userAssignedIdentities": ["/a", "/b"]},
        "mistyped": 3.0,
    }
    body = catalogue.arm_body("azure-native:storage:StorageAccount", inputs)
    assert body == {
        "location": "westeurope",
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {"/a": {}, "/b": {}}},
        "properties": {
            "isHnsEnabled": True,
            "supportsHttpsTrafficOnly": True,
            "networkAcls": {"defaultAction": "Deny"},
            "mistyped": 3,
        },
    }
    assert catalogue.check_body("storage:StorageAccount", body) == ["properties.mistyped: unknown property"]


def at(*path: str, value: Any = None, drop: bool = False) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        for key in path[:-1]:
            body = body[key]
        if drop:
            del body[path[-1]]
        else:
            body[path[-1]] = value

    return change


PROPS = "properties"
SCALE = (PROPS, PROPS, "scaleSettings")
# Resource, change of a body that is valid, and the fault that must be told.
REFUSED: dict[str, tuple[str, Callable[[dict[str, Any]], None], str]] = {
    "misspelt property": ("workspace", at(PROPS, "hbiWorkspce", value=True), "hbiWorkspce: unknown property"),
    "text for a truth": (
        "workspace",
        at(PROPS, "hbiWorkspace", value="yes"),
        "hbiWorkspace: 'yes' must be true or false",
    ),
    "truth for a number": ("cpu-cluster", at(*SCALE, "maxNodeCount", value=True), "maxNodeCount: True must be a whole"),
    "object for a text": ("lake", at("location", value={}), "location: {} must be text"),
    "text for a list": ("lake", at(PROPS, "networkAcls", "ipRules", value="any"), "ipRules: 'any' must be a list"),
    "text for an object": ("lake", at(PROPS, "encryption", value="on"), "encryption: 'on' must be an object"),
    "missing location": ("lake", at("location", drop=True), "location: required property is missing"),
    "missing tenant": ("key-vault", at(PROPS, "tenantId", drop=True), "tenantId: required property is missing"),
    "pattern": ("key-vault", at(PROPS, "tenantId", value="x" * 36), "tenantId: 'xxx"),
    "read-only": ("container-registry", at(PROPS, "loginServer", value="a"), "loginServer: only Azure sets"),
    "casing of a listed value": (
        "workspace",
        at(PROPS, "publicNetworkAccess", value="disabled"),
        "'disabled' is none of Enabled, Disabled",
    ),
    "casing of a free text": (
        "key-vault",
        at(PROPS, "publicNetworkAccess", value="disabled"),
        "none of Enabled, Disabled",
    ),
    "unknown login setting": (
        "cpu-cluster",
        at(PROPS, PROPS, "remoteLoginPortPublicAccess", value="Off"),
        "'Off' is none of Enabled, Disabled, NotSpecified",
    ),
    "unknown kind of compute": (
        "cpu-cluster",
        at(PROPS, "computeType", value="Cluster"),
        "computeType: 'Cluster' is none",
    ),
    "unknown outbound rule": (
        "workspace",
        at(PROPS, "managedNetwork", "outboundRules", "lake-dfs", "type", value="Fqdn"),
        "outboundRules.lake-dfs.type: 'Fqdn' is none",
    ),
    "seconds without ISO 8601": ("cpu-cluster", at(*SCALE, "nodeIdleTimeBeforeScaleDown", value="120"), "ISO 8601"),
    "more at least than at most": ("cpu-cluster", at(*SCALE, "minNodeCount", value=9), "9 is more than maxNodeCount"),
    "purge protection off": ("key-vault", at(PROPS, "enablePurgeProtection", value=False), "Azure refuses false"),
    "vault kept too short": ("key-vault", at(PROPS, "softDeleteRetentionInDays", value=1), "1 is not between 7 and 90"),
    "workspace without a vault": ("workspace", at(PROPS, "keyVault", drop=True), "keyVault: required for a workspace"),
    "foreign identity": (
        "workspace",
        at(PROPS, "primaryUserAssignedIdentity", value="/other"),
        "not among identity.userAssignedIdentities",
    ),
    "principal without a type": (
        "deploy-workspace-azureml-data-scientist",
        at(PROPS, "principalType", drop=True),
        "principalType: must be set",
    ),
    "principal by name": (
        "deploy-workspace-azureml-data-scientist",
        at(PROPS, "principalId", value="me"),
        "'me' must be an object id",
    ),
    "role by name": (
        "deploy-workspace-azureml-data-scientist",
        at(PROPS, "roleDefinitionId", value="Owner"),
        "must be the resource id of a role definition",
    ),
    "budget from mid-month": (
        "budget",
        at(PROPS, "timePeriod", "startDate", value="2026-12-15T00:00:00Z"),
        "first day",
    ),
    "tag that is no text": ("lake", at("tags", "product", value=1), "tags.product: 1 must be text"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_body_that_azure_would_refuse_is_refused(name: str, plans: dict[str, dict[str, Plan]]) -> None:
    resource_name, change, expected = REFUSED[name]
    resource = plans["full"]["prod"].resource(resource_name)
    body = copy.deepcopy(dict(resource.body))
    assert catalogue.check_body(resource.token, body) == []
    change(body)
    faults = catalogue.check_body(resource.token, body)
    assert any(expected in fault for fault in faults), faults
    assert all("\n" not in fault for fault in faults)


def test_values_that_are_known_later_pass_everywhere(plans: dict[str, dict[str, Plan]]) -> None:
    def unknown(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
        if not isinstance(value, dict):
            return [path]
        return [path, *(leaf for key, inner in value.items() for leaf in unknown(inner, (*path, key)))]

    for resource in plans["full"]["prod"].resources:
        for path in unknown(resource.body)[1:]:
            # The discriminator decides what the rest means; the engine always knows it.
            if path[-1] in ("computeType", "datastoreType", "credentialsType", "type", "odata.type"):
                continue
            body = copy.deepcopy(dict(resource.body))
            at(*path, value=UNKNOWN)(body)
            assert catalogue.check_body(resource.token, body) == [], (resource.name, path)


@pytest.mark.parametrize(
    ("token", "arm_path", "value", "expected"),
    [
        ("operationalinsights:Workspace", "workspaceCapping.dailyQuotaGb", 0.5, []),
        ("operationalinsights:Workspace", "workspaceCapping.dailyQuotaGb", 1, []),
        ("operationalinsights:Workspace", "workspaceCapping.dailyQuotaGb", True, ["must be a number"]),
        ("operationalinsights:Workspace", "workspaceCapping.dailyQuotaGb", "1", ["must be a number"]),
        ("operationalinsights:Workspace", "workspaceCapping.dailyQuotaGb", float("nan"), ["must be a number"]),
        ("operationalinsights:Workspace", "retentionInDays", 30.5, ["must be a whole number"]),
    ],
)
def test_decimals_pass_where_azure_takes_them(token: str, arm_path: str, value: Any, expected: list[str]) -> None:
    properties: Any = value
    for key in reversed(arm_path.split(".")):
        properties = {key: properties}
    faults = catalogue.check_body(token, {"location": "westeurope", "properties": properties})
    assert [fault.split(" ", 2)[2] for fault in faults] == expected


def test_a_budget_may_be_a_decimal(plans: dict[str, dict[str, Plan]]) -> None:
    resource = plans["full"]["prod"].resource("budget")
    body = copy.deepcopy(dict(resource.body))
    body["properties"]["amount"] = 99.5
    for notification in body["properties"]["notifications"].values():
        notification["threshold"] = 33.3
    assert catalogue.check_body(resource.token, body) == []


@pytest.mark.parametrize(
    ("tier", "properties", "expected"),
    [
        ("Premium", {"zoneRedundancy": "Enabled", "publicNetworkAccess": "Disabled"}, []),
        ("Standard", {"zoneRedundancy": "Disabled", "publicNetworkAccess": "Enabled"}, []),
        ("Standard", {"zoneRedundancy": "Enabled"}, ["properties.zoneRedundancy"]),
        ("Basic", {"publicNetworkAccess": "Disabled"}, ["properties.publicNetworkAccess"]),
        (UNKNOWN, {"publicNetworkAccess": "Disabled"}, []),
        ("Premium", {"export": "disabled", "publicNetworkAccess": "Disabled"}, []),
        ("Premium", {"export": "disabled", "publicNetworkAccess": UNKNOWN}, []),
        ("Premium", {"export": "enabled", "publicNetworkAccess": "Enabled"}, []),
        (
            "Premium",
            {"export": "disabled", "publicNetworkAccess": "Enabled"},
            ["properties.policies.exportPolicy.status"],
        ),
        ("Premium", {"export": "disabled"}, ["properties.policies.exportPolicy.status"]),
    ],
)
def test_what_a_registry_needs_premium_and_closed_doors_for(
    tier: str, properties: dict[str, str], expected: list[str]
) -> None:
    properties = dict(properties)
    export = properties.pop("export", None)
    policies = {"policies": {"exportPolicy": {"status": export}}} if export else {}
    body = {"location": "westeurope", "sku": {"name": tier}, "properties": {**properties, **policies}}
    assert [fault.split(":")[0] for fault in catalogue.check_body("containerregistry:Registry", body)] == expected


# Names that Azure takes; with a line break at their end it takes none.
GOOD_NAMES = {
    "machinelearningservices:Workspace": "mlw-churn",
    "machinelearningservices:Compute": "cpu-cluster",
    "machinelearningservices:Datastore": "lake_raw",
    "storage:StorageAccount": "stchurn",
    "storage:BlobContainer": "raw",
    "containerregistry:Registry": "crchurn",
    "keyvault:Vault": "kv-churn",
    "operationalinsights:Workspace": "log-churn",
    "resources:ResourceGroup": "rg-churn",
    "consumption:Budget": "budget",
}


@pytest.mark.parametrize("token", GOOD_NAMES)
def test_names_that_azure_takes_pass(token: str) -> None:
    assert catalogue.check_name(token, GOOD_NAMES[token]) == []


@pytest.mark.parametrize(
    ("token", "name"),
    [
        ("machinelearningservices:Workspace", "ab"),
        ("machinelearningservices:Workspace", "a" * 34),
        ("machinelearningservices:Compute", "cpu-1"),
        ("machinelearningservices:Compute", "1cpu"),
        ("storage:StorageAccount", "Storage"),
        ("containerregistry:Registry", "my-registry"),
        ("keyvault:Vault", "a_b"),
        *[(token, f"{name}\n") for token, name in GOOD_NAMES.items()],
    ],
)
def test_names_that_azure_refuses_are_refused(token: str, name: str) -> None:
    assert len(catalogue.check_name(token, name)) >= 1
