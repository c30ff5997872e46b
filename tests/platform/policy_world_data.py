"""Synapse, Databricks, Data Factory and streams of the hand-made prod environment: see policy_world."""

from __future__ import annotations

import copy
from typing import Any

from policy_parts import GROUP_ID, SERVICE, TAGS, TENANT, id_of, resource

from amlplatform.policies import arm
from amlplatform.policies.rule import Resource

SYSTEM = {"type": "SystemAssigned"}


def analytics() -> list[Resource]:
    synapse, factory = id_of(arm.SYNAPSE, "syn"), id_of(arm.DATA_FACTORY, "adf")
    parameters = {
        "enableNoPublicIp": {"value": True},
        "requireInfrastructureEncryption": {"value": True},
        "customVirtualNetworkId": {"value": id_of(arm.VIRTUAL_NETWORK, "vnet")},
        "customPublicSubnetName": {"value": "hosts"},
        "customPrivateSubnetName": {"value": "containers"},
    }
    return [
        resource(
            "syn",
            arm.SYNAPSE,
            {
                "identity": SYSTEM,
                "properties": {
                    "managedVirtualNetwork": "default",
                    "managedVirtualNetworkSettings": {
                        "preventDataExfiltration": True,
                        "linkedAccessCheckOnTargetResource": True,
                    },
                    "defaultDataLakeStorage": {"createManagedPrivateEndpoint": True},
                    "azureADOnlyAuthentication": True,
                    "publicNetworkAccess": "Disabled",
                    "trustedServiceBypassEnabled": False,
                },
            },
        ),
        resource(
            "spark",
            arm.SPARK_POOL,
            {
                "properties": {
                    "nodeSize": "Medium",
                    "nodeSizeFamily": "MemoryOptimized",
                    "sparkVersion": "3.5",
                    "sessionLevelPackagesEnabled": False,
                    "autoPause": {"enabled": True, "delayInMinutes": 10},
                    "autoScale": {"enabled": True, "minNodeCount": 3, "maxNodeCount": 5},
                }
            },
            scope=synapse,
        ),
        resource(
            "databricks",
            arm.DATABRICKS,
            {
                "sku": {"name": "premium"},
                "properties": {
                    "computeMode": "Hybrid",
                    "defaultCatalog": {"initialType": "UnityCatalog"},
                    "managedResourceGroupId": f"{GROUP_ID}-databricks",
                    "parameters": parameters,
                    "publicNetworkAccess": "Disabled",
                    "requiredNsgRules": "NoAzureDatabricksRules",
                },
            },
        ),
        resource("connector", arm.ACCESS_CONNECTOR, {"identity": SYSTEM, "properties": {}}),
        resource("adf", arm.DATA_FACTORY, {"identity": SYSTEM, "properties": {"publicNetworkAccess": "Disabled"}}),
        resource(
            "adf-lake",
            arm.LINKED_SERVICE,
            {"properties": {"type": "AzureBlobFS", "typeProperties": {"url": "https://dl.dfs.core.windows.net"}}},
            scope=factory,
            tags=False,
        ),
        resource(
            "adf-pipeline", arm.PIPELINE, {"properties": {"activities": _activities()}}, scope=factory, tags=False
        ),
        resource(
            "adf-network",
            arm.DEPLOYMENT,
            {
                "tags": dict(TAGS),
                "properties": {
                    "mode": "Incremental",
                    "template": {
                        "resources": [
                            {
                                "type": f"{arm.DATA_FACTORY}/managedVirtualNetworks",
                                "apiVersion": "2018-06-01",
                                "name": "adf/default",
                                "properties": {},
                            }
                        ]
                    },
                },
            },
            tags=False,
        ),
        resource(
            "adf-runtime",
            arm.INTEGRATION_RUNTIME,
            {
                "properties": {
                    "type": "Managed",
                    "typeProperties": {"computeProperties": {"location": "AutoResolve"}},
                    "managedVirtualNetwork": {"type": "ManagedVirtualNetworkReference", "referenceName": "default"},
                }
            },
            scope=factory,
            tags=False,
        ),
    ]


def _activities() -> list[dict[str, Any]]:
    call = {
        "name": "invoke",
        "type": "WebActivity",
        "typeProperties": {
            "method": "POST",
            "url": "https://churn.westeurope.inference.ml.azure.com/jobs",
            "authentication": {"type": "MSI", "resource": "https://ml.azure.com"},
        },
    }
    again = {
        "name": "until-done",
        "type": "Until",
        "typeProperties": {
            "expression": {"type": "Expression", "value": "@true"},
            "activities": [{**copy.deepcopy(call), "name": "ask"}],
        },
    }
    return [call, again]


def _source(name: str, kind: str) -> dict[str, Any]:
    source = {
        "type": "Microsoft.EventHub/EventHub",
        "properties": {"serviceBusNamespace": "eh", "eventHubName": "readings", "authenticationMode": "Msi"},
    }
    return {"name": name, "properties": {"type": kind, "datasource": source}}


def streaming() -> list[Resource]:
    namespace, topic = id_of(arm.EVENT_HUBS, "eh"), id_of(arm.SYSTEM_TOPIC, "topic")
    output = copy.deepcopy(_source("lake", ""))
    del output["properties"]["type"]
    call = {
        "type": "Http",
        "inputs": {
            "method": "POST",
            "uri": "https://churn.westeurope.inference.ml.azure.com/jobs",
            "authentication": {"type": "ManagedServiceIdentity"},
        },
    }
    hourly = {"type": "Recurrence", "recurrence": {"frequency": "Hour", "interval": 1}}
    inside = {"type": "If", "actions": {}, "else": {"actions": {"again": copy.deepcopy(call)}}}
    definition = {"triggers": {"hourly": hourly}, "actions": {"invoke": call, "check": inside}}
    return [
        resource(
            "eh",
            arm.EVENT_HUBS,
            {
                "sku": {"name": "Standard", "tier": "Standard", "capacity": 1},
                "properties": {
                    "disableLocalAuth": True,
                    "minimumTlsVersion": "1.2",
                    "publicNetworkAccess": "Disabled",
                    "zoneRedundant": True,
                    "isAutoInflateEnabled": True,
                    "maximumThroughputUnits": 4,
                },
            },
        ),
        resource(
            "eh-network",
            arm.EVENT_HUBS_NETWORK,
            {
                "properties": {
                    "defaultAction": "Deny",
                    "publicNetworkAccess": "Disabled",
                    "trustedServiceAccessEnabled": True,
                }
            },
            scope=namespace,
            last="default",
            tags=False,
        ),
        resource(
            "asa",
            arm.STREAM_ANALYTICS,
            {
                "identity": SYSTEM,
                "properties": {
                    "sku": {"name": "Standard"},
                    "inputs": [_source("readings", "Stream")],
                    "outputs": [output],
                    "transformation": {"name": "main", "properties": {"streamingUnits": 3, "query": "SELECT 1"}},
                },
            },
        ),
        resource(
            "logic",
            arm.LOGIC_APP,
            {"identity": SYSTEM, "properties": {"state": "Enabled", "definition": definition}},
        ),
        resource("topic", arm.SYSTEM_TOPIC, {"properties": {"source": id_of(arm.STORAGE, "dl"), "topicType": "x"}}),
        resource(
            "topic-subscription",
            arm.EVENT_SUBSCRIPTION,
            {
                "properties": {
                    "destination": {
                        "endpointType": "WebHook",
                        "properties": {
                            "endpointUrl": "https://example.com/hook",
                            "azureActiveDirectoryApplicationIdOrUri": SERVICE,
                            "azureActiveDirectoryTenantId": TENANT,
                        },
                    }
                }
            },
            scope=topic,
            tags=False,
        ),
    ]
