"""The options' part of the hand-made prod environment: see policy_world."""

from __future__ import annotations

from typing import Any

from policy_parts import SERVICE, TENANT, id_of, resource
from policy_world_data import SYSTEM, analytics, streaming

from amlplatform.policies import arm
from amlplatform.policies.rule import Options, Resource

_PROTECTED = Options(protect=True, replace_on_changes=())


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
        "identity": SYSTEM,
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
                "identity": SYSTEM,
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
                "identity": SYSTEM,
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


def options() -> list[Resource]:
    """What the options bring, all of them at once."""
    return [*_kubernetes(), *_ai_and_sql(), *analytics(), *streaming()]
