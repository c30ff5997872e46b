"""A deployment in the offline Azure makes what its template lists: the network of a Data Factory."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure_support import GROUP, HERE, IN_GROUP, Azure, refused

from amlplatform.components.options.data_factory import network_template

FACTORY = f"{IN_GROUP}/Microsoft.DataFactory/factories/adf-churn"
NETWORK = f"{FACTORY}/managedVirtualNetworks/default"
DEPLOYMENT = f"{IN_GROUP}/Microsoft.Resources/deployments/adf-churn-network"
ENDPOINT = {"properties": {"groupId": "dfs", "privateLinkResourceId": "/subscriptions/x"}}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Azure]:
    azure = Azure(tmp_path)
    azure.put("resources:ResourceGroup", GROUP, HERE)
    yield azure
    azure.state.close()


def deploy(azure: Azure, template: dict[str, Any]) -> dict[str, Any]:
    body = {"properties": {"mode": "Incremental", "template": template}}
    return azure.put("resources:Deployment", DEPLOYMENT, body)


def factory(azure: Azure) -> None:
    azure.put("datafactory:Factory", FACTORY, {**HERE, "properties": {}, "identity": {"type": "SystemAssigned"}})


def test_the_network_is_there_after_the_deployment_and_not_before(cloud: Azure) -> None:
    factory(cloud)
    with refused(404, "ParentResourceNotFound"):
        cloud.put("datafactory:ManagedPrivateEndpoint", f"{NETWORK}/managedPrivateEndpoints/lake", ENDPOINT)
    answer = deploy(cloud, network_template("adf-churn"))
    assert answer["properties"]["outputResources"] == [{"id": NETWORK}]
    assert "template" not in answer["properties"], "Azure does not give templates back"
    made = cloud.put("datafactory:ManagedPrivateEndpoint", f"{NETWORK}/managedPrivateEndpoints/lake", ENDPOINT)
    assert made["properties"]["connectionState"]["status"] == "Pending", "the owner of the target approves it"


def test_the_network_outlives_its_deployment_and_goes_with_the_factory(cloud: Azure) -> None:
    factory(cloud)
    deploy(cloud, network_template("adf-churn"))
    cloud.manager.delete(DEPLOYMENT)
    assert cloud.state.get(NETWORK) is not None
    cloud.manager.delete(FACTORY)
    assert cloud.state.get(NETWORK) is None


def test_a_network_needs_its_factory_and_a_template_of_plain_names(cloud: Azure) -> None:
    with refused(404, "ParentResourceNotFound"):
        deploy(cloud, network_template("adf-churn"))
    factory(cloud)
    template = copy.deepcopy(network_template("adf-churn"))
    template["resources"][0]["name"] = "[concat('adf', '/default')]"
    with refused(400, "InvalidTemplate"):
        deploy(cloud, template)


def test_a_trigger_is_made_stopped_and_stays_as_it_was(cloud: Azure) -> None:
    factory(cloud)
    trigger = {
        "properties": {
            "type": "BlobEventsTrigger",
            "typeProperties": {"events": ["Microsoft.Storage.BlobCreated"], "scope": "/subscriptions/x"},
        }
    }
    arm_id = f"{FACTORY}/triggers/file-arrived"
    assert cloud.put("datafactory:Trigger", arm_id, trigger)["properties"]["runtimeState"] == "Stopped"
    document = cloud.state.get(arm_id)
    assert document is not None
    cloud.state.put({**document, "properties": {**document["properties"], "runtimeState": "Started"}})
    assert cloud.put("datafactory:Trigger", arm_id, trigger)["properties"]["runtimeState"] == "Started"
