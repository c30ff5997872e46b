"""The options' part of the hand-made prod environment: see policy_world."""

from __future__ import annotations

import copy
from typing import Any

from policy_parts import GROUP_ID, SERVICE, TAGS, TENANT, id_of, resource

from amlplatform.policies import arm
from amlplatform.policies.rule import Options, Resource

_PROTECTED = Options(protect=True, replace_on_changes=())
_SYSTEM = {"type": "SystemAssigned"}


def _pool() -> dict[str, Any]:
    return {
        "vmSize": "Standard_D4ds_v5",
        "osType": "Linux",
        "osDiskType": "Ephemeral",
        "type": "VirtualMachineScaleSets",
        "mode": "System",
        "maxPods": 60,
        "securityProfile": {"sshAccess": "Disabled"},
        "enableNodePublicIP": False,
        "enableEncryptionAtHost": True,
        "enableAutoScaling": True,
        "minCount": 2,
        "maxCount": 6,
        "availabilityZones": ["1", "2", "3"],
    }


def _cluster() -> dict[str, Any]:
    addons = {
        "omsagent": {
            "enabled": True,
            "config": {"logAnalyticsWorkspaceResourceID": id_of(arm.LOG_ANALYTICS, "log")},
        },
        "azurepolicy": {"enabled": True},
        "azureKeyvaultSecretsProvider": {"enabled": True, "config": {"enableSecretRotation": "true"}},
    }
    return {
        "identity": _SYSTEM,
        "sku": {"name": "Base", "tier": "Standard"},
        "properties": {
            "dnsPrefix": "churn",
            "agentPoolProfiles": [{"name": "system", **_pool()}],
            "disableLocalAccounts": True,
            "enableRBAC": True,
            "aadProfile": {"managed": True, "enableAzureRBAC": True},
            "networkProfile": {
                "networkPlugin": "azure",
                "networkPolicy": "cilium",
                "networkDataplane": "cilium",
                "loadBalancerSku": "standard",
                "outboundType": "userDefinedRouting",
            },
            "oidcIssuerProfile": {"enabled": True},
            "securityProfile": {"workloadIdentity": {"enabled": True}, "imageCleaner": {"enabled": True}},
            "autoUpgradeProfile": {"upgradeChannel": "stable", "nodeOSUpgradeChannel": "NodeImage"},
            "addonProfiles": addons,
            "publicNetworkAccess": "Disabled",
            "apiServerAccessProfile": {
                "enablePrivateCluster": True,
                "enablePrivateClusterPublicFQDN": False,
                "disableRunCommand": True,
            },
        },
    }


def _kubernetes() -> list[Resource]:
    settings = {"enableInference": "True", "allowInsecureConnections": "False", "inferenceRouterHA": "True"}
    return [
        resource("aks", arm.AKS, _cluster()),
        resource("aks-users", arm.AGENT_POOL, {"properties": _pool()}, scope=id_of(arm.AKS, "aks"), tags=False),
        resource(
            "aks-namespace",
            arm.AKS_NAMESPACE,
            {"properties": {"adoptionPolicy": "IfIdentical", "deletePolicy": "Delete"}},
            scope=id_of(arm.AKS, "aks"),
        ),
        resource(
            "aks-extension",
            arm.AKS_EXTENSION,
            {
                "properties": {
                    "extensionType": "Microsoft.AzureML.Kubernetes",
                    "autoUpgradeMinorVersion": True,
                    "configurationSettings": settings,
                }
            },
            scope=id_of(arm.AKS, "aks"),
            tags=False,
        ),
    ]


def _ai_and_sql() -> list[Resource]:
    administrators = {
        "administratorType": "ActiveDirectory",
        "principalType": "Application",
        "azureADOnlyAuthentication": True,
        "login": "id-sql",
        "sid": SERVICE,
        "tenantId": TENANT,
    }
    server = id_of(arm.SQL_SERVER, "sql")
    return [
        resource(
            "ai",
            arm.AI_SERVICES,
            {
                "kind": "AIServices",
                "sku": {"name": "S0"},
                "identity": _SYSTEM,
                "properties": {
                    "customSubDomainName": "ai-churn",
                    "disableLocalAuth": True,
                    "publicNetworkAccess": "Disabled",
                    "networkAcls": {"defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": []},
                    "restrictOutboundNetworkAccess": True,
                    "allowProjectManagement": False,
                },
            },
        ),
        resource(
            "sql",
            arm.SQL_SERVER,
            {
                "identity": _SYSTEM,
                "properties": {
                    "administrators": administrators,
                    "minimalTlsVersion": "1.2",
                    "publicNetworkAccess": "Disabled",
                    "restrictOutboundNetworkAccess": "Enabled",
                },
            },
            options=_PROTECTED,
        ),
        resource(
            "sql-audit",
            arm.SQL_AUDITING,
            {
                "properties": {
                    "state": "Enabled",
                    "retentionDays": 90,
                    "isAzureMonitorTargetEnabled": True,
                    "isDevopsAuditEnabled": True,
                }
            },
            scope=server,
            last="default",
            tags=False,
        ),
        resource(
            "sql-database",
            arm.SQL_DATABASE,
            {
                "sku": {"name": "GP_S_Gen5_2"},
                "properties": {"zoneRedundant": True, "requestedBackupStorageRedundancy": "Geo"},
            },
            scope=server,
            options=_PROTECTED,
        ),
        resource(
            "sql-encryption",
            arm.SQL_ENCRYPTION,
            {"properties": {"state": "Enabled"}},
            scope=f"{server}/databases/sql-database",
            last="current",
            tags=False,
        ),
        resource(
            "sql-restore",
            arm.SQL_RESTORE,
            {"properties": {"retentionDays": 30}},
            scope=f"{server}/databases/sql-database",
            last="default",
            tags=False,
        ),
        resource(
            "sql-alerts",
            arm.SQL_ALERTS,
            {"properties": {"state": "Enabled", "emailAccountAdmins": True}},
            scope=f"{server}/databases/sql-database",
            last="default",
            tags=False,
        ),
    ]


def _analytics() -> list[Resource]:
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
                "identity": _SYSTEM,
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
        resource("connector", arm.ACCESS_CONNECTOR, {"identity": _SYSTEM, "properties": {}}),
        resource("adf", arm.DATA_FACTORY, {"identity": _SYSTEM, "properties": {"publicNetworkAccess": "Disabled"}}),
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


def _streaming() -> list[Resource]:
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
                "identity": _SYSTEM,
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
            {"identity": _SYSTEM, "properties": {"state": "Enabled", "definition": definition}},
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


def options() -> list[Resource]:
    """What the options bring, all of them at once."""
    return [*_kubernetes(), *_ai_and_sql(), *_analytics(), *_streaming()]
