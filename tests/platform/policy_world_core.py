"""The core of the hand-made prod environment: access, storage, vault, registry, monitoring. See policy_world."""

from __future__ import annotations

import copy

from policy_parts import BLOB_READER, GROUP_ID, READER, SERVICE, TENANT, Body, id_of, identity_id, resource

from amlplatform.policies import arm
from amlplatform.policies.rule import Options, Resource

_CLOSED = {"defaultAction": "Deny", "ipRules": []}
_FIREWALL = {**_CLOSED, "bypass": "AzureServices", "virtualNetworkRules": []}


def _account(*, lake: bool) -> Body:
    services = {part: {"enabled": True, "keyType": "Account"} for part in ("blob", "file", "queue", "table")}
    return {
        "kind": "StorageV2",
        "sku": {"name": "Standard_GZRS"},
        "properties": {
            "isHnsEnabled": lake,
            "allowSharedKeyAccess": False,
            "defaultToOAuthAuthentication": True,
            "allowBlobPublicAccess": False,
            "allowCrossTenantReplication": False,
            "isLocalUserEnabled": False,
            "isSftpEnabled": False,
            "isNfsV3Enabled": False,
            "supportsHttpsTrafficOnly": True,
            "minimumTlsVersion": "TLS1_2",
            "publicNetworkAccess": "Disabled",
            "networkAcls": copy.deepcopy(_FIREWALL),
            "encryption": {
                "keySource": "Microsoft.Storage",
                "requireInfrastructureEncryption": True,
                "services": services,
            },
        },
    }


_PROTECTED = Options(protect=True, replace_on_changes=())
_BLOBS: Body = {
    "properties": {
        "deleteRetentionPolicy": {"enabled": True, "days": 30, "allowPermanentDelete": False},
        "containerDeleteRetentionPolicy": {"enabled": True, "days": 30},
    }
}


def _access() -> list[Resource]:
    return [
        resource("resource-group", arm.GROUP, {}, options=_PROTECTED, last="unused"),
        *(resource(f"{role}-identity", arm.IDENTITY, {}, last=f"id-{role}") for role in ("workspace", "cluster")),
        resource("deploy-identity", arm.IDENTITY, {}, last="id-deploy"),
        resource("plan-identity", arm.IDENTITY, {}, last="id-plan"),
        resource(
            "deploy-credential",
            arm.FEDERATED_CREDENTIAL,
            {
                "properties": {
                    "issuer": "https://token.actions.githubusercontent.com",
                    "subject": "repo:example@123/churn@456:environment:prod",
                    "audiences": ["api://AzureADTokenExchange"],
                }
            },
            scope=identity_id("deploy"),
            tags=False,
        ),
        resource(
            "plan-credential",
            arm.FEDERATED_CREDENTIAL,
            {
                "properties": {
                    "issuer": "https://token.actions.githubusercontent.com",
                    "subject": "repo:example@123/churn@456:pull_request",
                    "audiences": ["api://AzureADTokenExchange"],
                }
            },
            scope=identity_id("plan"),
            tags=False,
            depends_on=("plan-identity",),
        ),
        resource("deploy-reads", arm.ROLE_ASSIGNMENT, assignment(BLOB_READER), scope=GROUP_ID, tags=False),
        resource(
            "plan-reads",
            arm.ROLE_ASSIGNMENT,
            assignment(READER),
            scope=GROUP_ID,
            tags=False,
            depends_on=("plan-identity",),
        ),
        resource(
            "invoke-role",
            arm.ROLE_DEFINITION,
            {
                "properties": {
                    "roleName": "Invoke endpoints",
                    "description": "Calls online endpoints, and nothing else",
                    "type": "CustomRole",
                    "assignableScopes": [GROUP_ID],
                    "permissions": [
                        {"actions": [], "dataActions": [f"{arm.ML_WORKSPACE}/onlineEndpoints/score/action"]}
                    ],
                }
            },
            scope=GROUP_ID,
            tags=False,
        ),
    ]


def assignment(role: str) -> Body:
    return {"properties": {"principalId": SERVICE, "principalType": "ServicePrincipal", "roleDefinitionId": role}}


def _core() -> list[Resource]:
    storage, lake = id_of(arm.STORAGE, "st"), id_of(arm.STORAGE, "dl")
    return [
        resource("storage", arm.STORAGE, _account(lake=False), last="st", options=_PROTECTED),
        resource("storage-blobs", arm.BLOB_SERVICE, copy.deepcopy(_BLOBS), scope=storage, last="default", tags=False),
        resource(
            "storage-files",
            arm.FILE_SERVICE,
            {"properties": {"shareDeleteRetentionPolicy": {"enabled": True, "days": 30}}},
            scope=storage,
            last="default",
            tags=False,
        ),
        resource("lake", arm.STORAGE, _account(lake=True), last="dl", options=_PROTECTED),
        resource("lake-blobs", arm.BLOB_SERVICE, copy.deepcopy(_BLOBS), scope=lake, last="default", tags=False),
        resource(
            "lake-raw",
            arm.CONTAINER,
            {"properties": {"publicAccess": "None"}},
            scope=f"{lake}/blobServices/default",
            last="raw",
            tags=False,
            options=_PROTECTED,
        ),
        resource("key-vault", arm.VAULT, _vault(), last="kv", options=_PROTECTED),
        resource(
            "container-registry",
            arm.REGISTRY,
            _registry(),
            last="cr",
            options=_PROTECTED,
        ),
    ]


def _vault() -> Body:
    return {
        "properties": {
            "tenantId": TENANT,
            "sku": {"family": "A", "name": "standard"},
            "enableRbacAuthorization": True,
            "enableSoftDelete": True,
            "softDeleteRetentionInDays": 90,
            "enablePurgeProtection": True,
            "enabledForDeployment": False,
            "enabledForDiskEncryption": False,
            "enabledForTemplateDeployment": False,
            "publicNetworkAccess": "Disabled",
            "networkAcls": copy.deepcopy(_FIREWALL),
        }
    }


def _registry() -> Body:
    return {
        "sku": {"name": "Premium"},
        "properties": {
            "adminUserEnabled": False,
            "anonymousPullEnabled": False,
            "dataEndpointEnabled": False,
            "publicNetworkAccess": "Disabled",
            "networkRuleBypassOptions": "AzureServices",
            "networkRuleSet": copy.deepcopy(_CLOSED),
            "zoneRedundancy": "Enabled",
            "policies": {
                "quarantinePolicy": {"status": "disabled"},
                "retentionPolicy": {"status": "enabled", "days": 30},
                "exportPolicy": {"status": "disabled"},
            },
        },
    }


def _monitoring() -> list[Resource]:
    doors = {"publicNetworkAccessForIngestion": "Enabled", "publicNetworkAccessForQuery": "Enabled"}
    logs = id_of(arm.LOG_ANALYTICS, "log")
    group = id_of(arm.ACTION_GROUP, "ag")
    mail = {"enabled": True, "operator": "GreaterThanOrEqualTo", "contactEmails": ["owner@example.com"]}
    budget = {
        "category": "Cost",
        "amount": 500,
        "timeGrain": "Monthly",
        "timePeriod": {"startDate": "2026-12-01T00:00:00Z"},
        "notifications": {
            "actual": {**mail, "threshold": 80, "thresholdType": "Actual"},
            "forecast": {**mail, "threshold": 100, "thresholdType": "Forecasted"},
        },
    }
    features = {"disableLocalAuth": True, "enableLogAccessUsingOnlyResourcePermissions": True}
    return [
        resource(
            "log-analytics",
            arm.LOG_ANALYTICS,
            {"properties": {"sku": {"name": "PerGB2018"}, "retentionInDays": 90, "features": features, **doors}},
            last="log",
            options=_PROTECTED,
        ),
        resource(
            "application-insights",
            arm.APP_INSIGHTS,
            {
                "kind": "web",
                "properties": {
                    "Application_Type": "web",
                    "WorkspaceResourceId": logs,
                    "IngestionMode": "LogAnalytics",
                    "DisableIpMasking": False,
                    "DisableLocalAuth": False,
                    **doors,
                },
            },
            last="appi",
        ),
        resource("budget", arm.BUDGET, {"properties": budget}, scope=GROUP_ID, tags=False),
        resource(
            "action-group",
            arm.ACTION_GROUP,
            {
                "location": "global",
                "properties": {
                    "groupShortName": "churn",
                    "enabled": True,
                    "emailReceivers": [{"name": "owner", "emailAddress": "owner@example.com"}],
                },
            },
            last="ag",
        ),
        resource("alert-metric", arm.METRIC_ALERT, _metric_alert(group)),
        resource("alert-query", arm.QUERY_ALERT, _query_alert(group, logs)),
    ]


def _metric_alert(group: str) -> Body:
    criterion = {
        "name": "quota",
        "metricName": "Quota Utilization Percentage",
        "operator": "GreaterThan",
        "threshold": 80,
        "timeAggregation": "Average",
        "criterionType": "StaticThresholdCriterion",
    }
    return {
        "location": "global",
        "properties": {
            "enabled": True,
            "severity": 2,
            "scopes": [id_of(arm.ML_WORKSPACE, "mlw")],
            "evaluationFrequency": "PT15M",
            "windowSize": "PT1H",
            "criteria": {
                "odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
                "allOf": [criterion],
            },
            "actions": [{"actionGroupId": group}],
        },
    }


def _query_alert(group: str, logs: str) -> Body:
    criterion = {
        "query": "AmlRunStatusChangedEvent",
        "timeAggregation": "Count",
        "operator": "GreaterThan",
        "threshold": 0,
    }
    return {
        "properties": {
            "enabled": True,
            "severity": 2,
            "scopes": [logs],
            "evaluationFrequency": "PT15M",
            "windowSize": "PT1H",
            "criteria": {"allOf": [criterion]},
            "actions": {"actionGroups": [group]},
        }
    }


def core() -> list[Resource]:
    """What every environment has, save the workspace."""
    return [*_access(), *_core(), *_monitoring()]
