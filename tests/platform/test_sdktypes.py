"""Inputs held against the types of the installed SDK."""

from __future__ import annotations

from typing import Any

import pytest

from amlplatform import sdktypes
from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.sdktypes import SIGNATURE, check_inputs

ACCOUNT: dict[str, Any] = {
    "resourceGroupName": "rg",
    "kind": "StorageV2",
    "sku": {"name": "Standard_LRS"},
    "tags": {"a": "b"},
    "isHnsEnabled": True,
    "networkRuleSet": {"defaultAction": "Deny", "ipRules": [{"iPAddressOrRange": "10.0.0.0/8"}]},
}
CLUSTER: dict[str, Any] = {
    "resourceGroupName": "rg",
    "workspaceName": "mlw",
    "properties": {"computeType": "AmlCompute", "properties": {"vmSize": "Standard_D4ds_v4"}},
}
STORAGE, COMPUTE = "azure-native:storage:StorageAccount", "azure-native:machinelearningservices:Compute"


def test_good_inputs_pass() -> None:
    assert check_inputs(STORAGE, ACCOUNT) == []
    assert check_inputs("azure-native:storage/v20240101:StorageAccount", ACCOUNT) == []
    assert check_inputs(COMPUTE, CLUSTER) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"isHnsEnabld": True}, "isHnsEnabld: unknown property of StorageAccountArgs"),
        ({"is_hns_enabled": True}, "is_hns_enabled: unknown property of StorageAccountArgs"),
        ({"isHnsEnabled": "yes"}, "isHnsEnabled: 'yes' is given, wanted is true or false"),
        ({"isHnsEnabled": 1}, "isHnsEnabled: 1 is given, wanted is true or false"),
        ({"resourceGroupName": 1}, "resourceGroupName: 1 is given, wanted is text"),
        ({"kind": "StorageV3"}, "kind: 'StorageV3' is none of"),
        ({"tags": {"a": 1}}, "tags.a: 1 is given, wanted is text"),
        ({"tags": []}, "tags: a list is given, wanted is a map"),
        ({"sku": {}}, "sku.name: required property is missing"),
        ({"sku": "Standard_LRS"}, "sku: 'Standard_LRS' is given, wanted is SkuArgs"),
        (
            {"networkRuleSet": {"defaultAction": "Deny", "ipRules": "10.0.0.0"}},
            "ipRules: '10.0.0.0' is given, wanted is a list",
        ),
        ({"networkRuleSet": {"defaultAction": "Deny", "ipRules": [{}]}}, "ipRules[0].iPAddressOrRange: required"),
    ],
)
def test_a_wrong_input_is_one_line(change: dict[str, Any], fault: str) -> None:
    faults = check_inputs(STORAGE, ACCOUNT | change)
    assert len(faults) == 1
    assert fault in faults[0]


def test_a_missing_input_is_told() -> None:
    without = {key: value for key, value in ACCOUNT.items() if key != "kind"}
    assert check_inputs(STORAGE, without) == ["kind: required property is missing"]


def test_snake_case_in_a_union_is_found() -> None:
    # The SDK sends such a dict as it is, and a type checker lets it pass.
    faults = check_inputs(COMPUTE, CLUSTER | {"properties": {"compute_type": "AmlCompute"}})
    assert any("compute_type: unknown property" in fault for fault in faults)


def test_secrets_are_looked_into_and_unknown_values_pass() -> None:
    secret = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "value": "rg"}
    assert check_inputs(STORAGE, ACCOUNT | {"resourceGroupName": secret, "tags": UNKNOWN}) == []
    assert len(check_inputs(STORAGE, ACCOUNT | {"resourceGroupName": {**secret, "value": 5}})) == 1


def test_whole_numbers_arrive_as_floats() -> None:
    scale = {"scaleSettings": {"maxNodeCount": 4.0}}
    properties = {"computeType": "AmlCompute", "properties": scale}
    assert check_inputs(COMPUTE, CLUSTER | {"properties": properties}) == []
    scale["scaleSettings"]["maxNodeCount"] = 4.5
    assert len(check_inputs(COMPUTE, CLUSTER | {"properties": properties})) == 1


def test_a_resource_that_the_sdk_does_not_have() -> None:
    with pytest.raises(sdktypes.UnknownResourceType):
        check_inputs("azure-native:storage:Bucket", {})
