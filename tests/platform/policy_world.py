"""A prod environment with every kind of resource, written by hand, in which no rule is broken."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any

from amlplatform.armtypes.resource_types import RESOURCE_TYPES
from amlplatform.policies import arm
from amlplatform.policies.bounds import bounds_of
from amlplatform.policies.rule import Context, Options, Resource

LOCATION = "westeurope"
GROUP_ID = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-churn-prod"
TENANT = "00000000-0000-0000-0000-00000000000a"
SERVICE = "11111111-1111-4111-8111-111111111111"
PEOPLE = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
SUBNET = f"{GROUP_ID}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/endpoints"
TAGS = {
    "product": "churn",
    "environment": "prod",
    "owner": "owner@example.com",
    "costCentre": "CC-1000",
    "managedBy": "amlplatform",
}
REMOVED = object()
"""As a value of a change: the property is taken out."""

Body = dict[str, Any]


def _versions() -> dict[str, str]:
    return {kind.arm_type: kind.api_version for kind in RESOURCE_TYPES.values()}


VERSIONS = _versions()


def resource(
    name: str,
    arm_type: str,
    body: Body,
    *,
    scope: str = "",
    last: str = "",
    tags: bool = True,
    options: Options | None = None,
    depends_on: tuple[str, ...] = (),
) -> Resource:
    """One resource. `scope`: id of the parent or of what an extension hangs on; `last`: its own name in Azure."""
    segment = arm_type.rpartition("/")[2]
    own = last or name
    if scope and arm_type.count("/") > 1:
        full_id = f"{scope}/{segment}/{own}"
    else:
        full_id = f"{scope or GROUP_ID}/providers/{arm_type}/{own}"
    if tags:
        body = {"location": LOCATION, "tags": dict(TAGS), **body}
    return Resource(
        name,
        name,
        arm_type,
        VERSIONS[arm_type],
        full_id,
        body,
        options or Options(),
        frozenset(depends_on),
    )


def _identity(role: str) -> str:
    return f"{GROUP_ID}/providers/{arm.IDENTITY}/id-{role}"


def _acts_as(role: str) -> Body:
    return {"type": "UserAssigned", "userAssignedIdentities": {_identity(role): {}}}


def _id(arm_type: str, name: str) -> str:
    return f"{GROUP_ID}/providers/{arm_type}/{name}"


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


_STORAGE_OPTIONS = Options(
    protect=True, replace_on_changes=("isHnsEnabled", "kind", "encryption.requireInfrastructureEncryption")
)
_PROTECTED = Options(protect=True, replace_on_changes=())
_BLOBS: Body = {
    "properties": {
        "deleteRetentionPolicy": {"enabled": True, "days": 30, "allowPermanentDelete": False},
        "containerDeleteRetentionPolicy": {"enabled": True, "days": 30},
    }
}


def _role(role_id: str) -> str:
    return f"/subscriptions/{GROUP_ID.split('/')[2]}/providers/Microsoft.Authorization/roleDefinitions/{role_id}"


READER = _role("acdd72a7-3385-48ef-bd42-f606fba81ae7")
BLOB_READER = _role("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1")
LOG_READER = _role("73c42c96-874c-492b-b04d-ab87d138a893")


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
            scope=_identity("deploy"),
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
            scope=_identity("plan"),
            tags=False,
            depends_on=("plan-identity",),
        ),
        resource("deploy-reads", arm.ROLE_ASSIGNMENT, _assignment(BLOB_READER), scope=GROUP_ID, tags=False),
        resource(
            "plan-reads",
            arm.ROLE_ASSIGNMENT,
            _assignment(READER),
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


def _assignment(role: str) -> Body:
    return {"properties": {"principalId": SERVICE, "principalType": "ServicePrincipal", "roleDefinitionId": role}}


def _core() -> list[Resource]:
    storage, lake = _id(arm.STORAGE, "st"), _id(arm.STORAGE, "dl")
    return [
        resource("storage", arm.STORAGE, _account(lake=False), last="st", options=_STORAGE_OPTIONS),
        resource("storage-blobs", arm.BLOB_SERVICE, copy.deepcopy(_BLOBS), scope=storage, last="default", tags=False),
        resource(
            "storage-files",
            arm.FILE_SERVICE,
            {"properties": {"shareDeleteRetentionPolicy": {"enabled": True, "days": 30}}},
            scope=storage,
            last="default",
            tags=False,
        ),
        resource("lake", arm.STORAGE, _account(lake=True), last="dl", options=_STORAGE_OPTIONS),
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
        resource("key-vault", arm.VAULT, _vault(), last="kv", options=_VAULT_OPTIONS),
        resource(
            "container-registry",
            arm.REGISTRY,
            _registry(),
            last="cr",
            options=Options(protect=True, replace_on_changes=("zoneRedundancy",)),
        ),
    ]


_VAULT_OPTIONS = Options(
    protect=True, replace_on_changes=("properties.tenantId", "properties.softDeleteRetentionInDays")
)


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
    logs = _id(arm.LOG_ANALYTICS, "log")
    group = _id(arm.ACTION_GROUP, "ag")
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
            "scopes": [_id(arm.ML_WORKSPACE, "mlw")],
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


def _outbound(target: str, part: str) -> Body:
    destination = {"serviceResourceId": target, "subresourceTarget": part, "sparkEnabled": False}
    return {"type": "PrivateEndpoint", "category": "UserDefined", "destination": destination}


def _machine_learning() -> list[Resource]:
    workspace = _id(arm.ML_WORKSPACE, "mlw")
    scale = {"minNodeCount": 0, "maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": "PT300S"}
    return [
        resource(
            "workspace",
            arm.ML_WORKSPACE,
            {
                "kind": "Default",
                "identity": _acts_as("workspace"),
                "properties": {
                    "primaryUserAssignedIdentity": _identity("workspace"),
                    "systemDatastoresAuthMode": "Identity",
                    "hbiWorkspace": True,
                    "v1LegacyMode": False,
                    "publicNetworkAccess": "Disabled",
                    "allowPublicAccessWhenBehindVnet": False,
                    "managedNetwork": {
                        "isolationMode": "AllowOnlyApprovedOutbound",
                        "outboundRules": {"lake-dfs": _outbound(_id(arm.STORAGE, "dl"), "dfs")},
                    },
                    "provisionNetworkNow": True,
                    "imageBuildCompute": "cpu-cluster",
                    "serverlessComputeSettings": {"serverlessComputeNoPublicIP": True},
                    "storageAccount": _id(arm.STORAGE, "st"),
                    "keyVault": _id(arm.VAULT, "kv"),
                    "containerRegistry": _id(arm.REGISTRY, "cr"),
                    "applicationInsights": _id(arm.APP_INSIGHTS, "appi"),
                },
            },
            last="mlw",
            options=Options(protect=True, replace_on_changes=("hbiWorkspace", "kind")),
        ),
        resource(
            "cpu-cluster",
            arm.COMPUTE,
            {
                "identity": _acts_as("cluster"),
                "properties": {
                    "computeType": "AmlCompute",
                    "disableLocalAuth": True,
                    "properties": {
                        "osType": "Linux",
                        "vmSize": "Standard_D4ds_v4",
                        "vmPriority": "Dedicated",
                        "enableNodePublicIp": False,
                        "remoteLoginPortPublicAccess": "Disabled",
                        "scaleSettings": scale,
                    },
                },
            },
            scope=workspace,
        ),
        resource("kubernetes", arm.COMPUTE, _kubernetes_compute(), scope=workspace),
        resource(
            "datastore-raw",
            arm.DATASTORE,
            {
                "properties": {
                    "datastoreType": "AzureDataLakeGen2",
                    "accountName": "dl",
                    "filesystem": "raw",
                    "resourceGroup": "rg-churn-prod",
                    "subscriptionId": GROUP_ID.split("/")[2],
                    "credentials": {"credentialsType": "None"},
                    "serviceDataAccessAuthIdentity": "WorkspaceUserAssignedIdentity",
                    "protocol": "https",
                    "endpoint": "core.windows.net",
                }
            },
            scope=workspace,
            tags=False,
        ),
        resource(
            "model-registry",
            arm.ML_REGISTRY,
            {
                "identity": {"type": "SystemAssigned"},
                "properties": {
                    "publicNetworkAccess": "Disabled",
                    "regionDetails": [{"location": LOCATION, "acrDetails": [], "storageAccountDetails": []}],
                },
            },
        ),
        resource(
            "outbound-rule",
            arm.OUTBOUND_RULE,
            {"properties": _outbound(_id(arm.SQL_SERVER, "sql"), "sqlServer")},
            scope=workspace,
            tags=False,
        ),
    ]


def _kubernetes_compute() -> Body:
    return {
        "identity": _acts_as("cluster"),
        "properties": {
            "computeType": "Kubernetes",
            "disableLocalAuth": True,
            "resourceId": _id(arm.AKS, "aks"),
            "properties": {"namespace": "churn"},
        },
    }


def instance() -> Resource:
    """A compute instance as dev may have it; prod has none."""
    user = {"objectId": PEOPLE, "tenantId": TENANT}
    return resource(
        "instance",
        arm.COMPUTE,
        {
            "properties": {
                "computeType": "ComputeInstance",
                "disableLocalAuth": True,
                "properties": {
                    "vmSize": "Standard_D4ds_v4",
                    "applicationSharingPolicy": "Personal",
                    "computeInstanceAuthorizationType": "personal",
                    "personalComputeInstanceSettings": {"assignedUser": user},
                    "sshSettings": {"sshPublicAccess": "Disabled"},
                    "enableNodePublicIp": False,
                    "enableSSO": True,
                    "idleTimeBeforeShutdown": "PT30M",
                },
            }
        },
        scope=_id(arm.ML_WORKSPACE, "mlw"),
    )


def _network(services: list[Resource]) -> list[Resource]:
    rule = {
        "name": "from-the-office",
        "properties": {
            "direction": "Inbound",
            "access": "Allow",
            "protocol": "Tcp",
            "priority": 100,
            "sourceAddressPrefix": "198.51.100.0/24",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            "destinationPortRange": "443",
        },
    }
    nsg = _id(arm.NSG, "nsg")
    made = [
        resource("nsg", arm.NSG, {"properties": {"securityRules": [rule]}}),
        resource(
            "subnet",
            arm.SUBNET,
            {"properties": {"addressPrefix": "10.0.0.0/24", "networkSecurityGroup": {"id": nsg}}},
            scope=_id(arm.VIRTUAL_NETWORK, "vnet"),
            tags=False,
        ),
    ]
    for service in services:
        connection = {"name": service.name, "properties": {"privateLinkServiceId": service.arm_id, "groupIds": ["x"]}}
        endpoint = resource(
            f"pe-{service.name}",
            arm.PRIVATE_ENDPOINT,
            {"properties": {"subnet": {"id": SUBNET}, "privateLinkServiceConnections": [connection]}},
        )
        zone = {"name": "zone", "properties": {"privateDnsZoneId": _id(arm.PRIVATE_ZONE, "privatelink.example")}}
        names = resource(
            f"pe-{service.name}-names",
            "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
            {"properties": {"privateDnsZoneConfigs": [zone]}},
            scope=endpoint.arm_id,
            last="default",
            tags=False,
        )
        made += [endpoint, names]
    return made


_REACHED_BY_ENDPOINT = (
    arm.ML_WORKSPACE,
    arm.ML_REGISTRY,
    arm.AI_SERVICES,
    arm.SYNAPSE,
    arm.DATABRICKS,
    arm.DATA_FACTORY,
    arm.EVENT_HUBS,
)


def world() -> dict[str, Resource]:
    """Every resource by name. A new copy on each call."""
    from policy_world_options import options

    made = [*_access(), *_core(), *_monitoring(), *_machine_learning(), *options()]
    made += _network([one for one in made if one.arm_type in _REACHED_BY_ENDPOINT])
    made += _around(made)
    group = next(one for one in made if one.arm_type == arm.GROUP)
    made[made.index(group)] = dataclasses.replace(group, arm_id=GROUP_ID)
    return {one.name: one for one in made}


def _around(made: list[Resource]) -> list[Resource]:
    """Diagnostic settings and locks."""
    from amlplatform.policies.rules.data_protection import LOCKED
    from amlplatform.policies.rules.monitoring import OBSERVED

    logs = [{"categoryGroup": "allLogs", "enabled": True}]
    body = {"properties": {"workspaceId": _id(arm.LOG_ANALYTICS, "log"), "logs": logs}}
    lock = {"properties": {"level": "CanNotDelete"}}
    return [
        *(
            resource(f"{one.name}-logs", arm.DIAGNOSTICS, copy.deepcopy(body), scope=one.arm_id, tags=False)
            for one in made
            if one.arm_type in OBSERVED
        ),
        *(
            resource(f"{one.name}-lock", arm.LOCK, copy.deepcopy(lock), scope=one.arm_id, tags=False)
            for one in made
            if one.arm_type in LOCKED
        ),
    ]


def changed(one: Resource, changes: Mapping[str, Any]) -> Resource:
    """A copy with other values. A path leads into the body; `options.protect` and the like to an option."""
    body = copy.deepcopy(dict(one.body))
    options, fields = one.options, {}
    for path, value in changes.items():
        if path.startswith("options."):
            options = dataclasses.replace(options, **{path.removeprefix("options."): value})
        elif path.startswith("resource."):
            fields[path.removeprefix("resource.")] = value
        else:
            _set(body, path, value)
    return dataclasses.replace(one, body=body, options=options, **fields)


def _set(body: Any, path: str, value: Any) -> None:
    keys: list[Any] = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in keys[:-1]:
        body = body.setdefault(key, {}) if isinstance(body, dict) else body[key]
    if value is REMOVED:
        body.pop(keys[-1], None)
    else:
        body[keys[-1]] = value


def context(environment: str = "prod", **more: Any) -> Context:
    """The context of an environment, as the rules see it."""
    return Context(environment=environment, bounds=bounds_of(environment), **more)


def in_dev(one: Resource) -> Resource:
    """The same resource, tagged as part of dev."""
    return changed(one, {"tags.environment": "dev"}) if "tags" in one.body else one
