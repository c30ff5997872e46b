"""What must be secure, written out: properties of every environment and network profile, and every role.

The tables repeat on purpose what the program says and take nothing from it. To drop or change a secure property or a
role, both have to change. `{e}` in a value stands for the environment.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from platform_requests import GROUP, PERSON, REQUESTS

from amlplatform.plan import Plan
from amlplatform.recorder import invented_principal_id

Plans = dict[str, dict[str, Plan]]
Table = dict[str, dict[str, Any]]

CASES = [(name, environment) for name in REQUESTS for environment in ("dev", "prod")]
ABSENT = "(absent)"
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
RESOURCE_GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-digit-scoring-{{e}}"
PROVIDERS = f"{RESOURCE_GROUP}/providers/Microsoft."
IDENTITY = f"{PROVIDERS}ManagedIdentity/userAssignedIdentities/id-digit-scoring-{{e}}"
LAKE = f"{PROVIDERS}Storage/storageAccounts/dldigitscoring{{e}}k3x9a"
IDS = {
    "resource-group": RESOURCE_GROUP,
    "workspace-identity": f"{IDENTITY}-workspace",
    "cluster-identity": f"{IDENTITY}-cluster",
    "endpoint-identity": f"{IDENTITY}-endpoint",
    "deploy-identity": f"{IDENTITY}-deploy",
    "storage": f"{PROVIDERS}Storage/storageAccounts/stdigitscoring{{e}}k3x9a",
    "lake": LAKE,
    "lake-raw": f"{LAKE}/blobServices/default/containers/raw",
    "lake-curated": f"{LAKE}/blobServices/default/containers/curated",
    "lake-output": f"{LAKE}/blobServices/default/containers/output",
    "key-vault": f"{PROVIDERS}KeyVault/vaults/kv-digitscori-{{e}}-k3x9a",
    "container-registry": f"{PROVIDERS}ContainerRegistry/registries/crdigitscoring{{e}}k3x9a",
    "log-analytics": f"{PROVIDERS}OperationalInsights/workspaces/log-digit-scoring-{{e}}",
    "application-insights": f"{PROVIDERS}Insights/components/appi-digit-scoring-{{e}}",
    "workspace": f"{PROVIDERS}MachineLearningServices/workspaces/mlw-digit-scoring-{{e}}",
}
ENDPOINTS = {
    f"endpoint-storage-{one}": f"{PROVIDERS}Network/privateEndpoints/pe-digit-scoring-{{e}}-storage-{one}"
    for one in ("blob", "file")
}
INSTANCE = "ci-k3x9a-dev-ub0e1c2d3"

_STORAGE: dict[str, Any] = {
    "kind": "StorageV2",
    **dict.fromkeys(
        [f"properties.allow{one}" for one in ("SharedKeyAccess", "BlobPublicAccess", "CrossTenantReplication")], False
    ),
    **dict.fromkeys([f"properties.is{one}Enabled" for one in ("LocalUser", "Sftp", "NfsV3")], False),
    "properties.defaultToOAuthAuthentication": True,
    "properties.supportsHttpsTrafficOnly": True,
    "properties.minimumTlsVersion": "TLS1_2",
    "properties.encryption.keySource": "Microsoft.Storage",
    "properties.encryption.services": {
        part: {"enabled": True, "keyType": "Account"} for part in ("blob", "file", "queue", "table")
    },
}
_BLOBS: dict[str, Any] = {
    "properties.deleteRetentionPolicy.enabled": True,
    "properties.deleteRetentionPolicy.allowPermanentDelete": False,
    "properties.containerDeleteRetentionPolicy.enabled": True,
}
_CLUSTER: dict[str, Any] = {
    "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDS["cluster-identity"]: {}}},
    "properties.computeType": "AmlCompute",
    "properties.disableLocalAuth": True,
    "properties.properties.vmPriority": "Dedicated",
    "properties.properties.remoteLoginPortPublicAccess": "Disabled",
    "properties.properties.scaleSettings.minNodeCount": 0,
    "properties.properties.userAccountCredentials": ABSENT,
}
_DATASTORE: dict[str, Any] = {
    "properties.credentials": {"credentialsType": "None"},
    "properties.serviceDataAccessAuthIdentity": "WorkspaceUserAssignedIdentity",
    "properties.accountName": "dldigitscoring{e}k3x9a",
    "properties.resourceGroup": "rg-digit-scoring-{e}",
    "properties.endpoint": "core.windows.net",
    "properties.protocol": "https",
}
_LAKE_DATASTORE: dict[str, Any] = {**_DATASTORE, "properties.datastoreType": "AzureDataLakeGen2"}
_MAIL: dict[str, Any] = {
    "enabled": True,
    "contactEmails": ["owner@example.com"],
    "contactGroups": [f"{PROVIDERS}Insights/actionGroups/ag-digit-scoring-{{e}}"],
    "locale": "en-us",
}
_NOTIFICATION = {**_MAIL, "operator": "GreaterThanOrEqualTo"}

ALWAYS: Table = {
    **{one: {} for one in IDS if one == "resource-group" or one.endswith("-identity")},
    "storage": {**_STORAGE, "properties.isHnsEnabled": False},
    "storage-blobs": _BLOBS,
    "lake": {**_STORAGE, "properties.isHnsEnabled": True},
    "lake-blobs": _BLOBS,
    # What they say is tested in test_monitoring; here they are only no surprise.
    "storage-files": {"properties.shareDeleteRetentionPolicy.enabled": True},
    "lake-lifecycle": {},
    **{f"lake-{one}": {"properties.publicAccess": "None"} for one in ("raw", "curated", "output")},
    "key-vault": {
        "properties.tenantId": "00000000-0000-0000-0000-00000000000a",
        "properties.enableRbacAuthorization": True,
        "properties.accessPolicies": ABSENT,
        "properties.enableSoftDelete": True,
        "properties.enabledForDeployment": False,
        "properties.enabledForDiskEncryption": False,
        "properties.enabledForTemplateDeployment": False,
    },
    "container-registry": {
        "sku.name": "Premium",
        "properties.adminUserEnabled": False,
        "properties.anonymousPullEnabled": False,
        "properties.networkRuleBypassOptions": "AzureServices",
        # Nothing here would release a quarantined image.
        "properties.policies.quarantinePolicy.status": "disabled",
        "properties.policies.retentionPolicy.status": "enabled",
    },
    "deploy-credential-github": {
        "properties.issuer": "https://token.actions.githubusercontent.com",
        "properties.subject": "repo:example-organisation@1234567/digit-scoring@7654321:environment:{e}",
        "properties.audiences": ["api://AzureADTokenExchange"],
    },
    "log-analytics": {
        "properties.features.disableLocalAuth": True,
        "properties.features.enableLogAccessUsingOnlyResourcePermissions": True,
    },
    "application-insights": {
        "properties.IngestionMode": "LogAnalytics",
        "properties.WorkspaceResourceId": IDS["log-analytics"],
        "properties.DisableIpMasking": False,
        # Azure ML reports telemetry with the instrumentation key.
        "properties.DisableLocalAuth": False,
    },
    "workspace": {
        "kind": "Default",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDS["workspace-identity"]: {}}},
        "properties.primaryUserAssignedIdentity": IDS["workspace-identity"],
        "properties.systemDatastoresAuthMode": "Identity",
        "properties.v1LegacyMode": False,
        "properties.allowPublicAccessWhenBehindVnet": False,
        "properties.storageAccount": IDS["storage"],
        "properties.keyVault": IDS["key-vault"],
        "properties.containerRegistry": IDS["container-registry"],
        "properties.applicationInsights": IDS["application-insights"],
    },
    "datastore-lake-raw": {**_LAKE_DATASTORE, "properties.filesystem": "raw"},
    "datastore-lake-curated": {**_LAKE_DATASTORE, "properties.filesystem": "curated"},
    "datastore-lake-output": {**_LAKE_DATASTORE, "properties.filesystem": "output"},
    "datastore-batch-output": {
        **_DATASTORE,
        "properties.datastoreType": "AzureBlob",
        "properties.containerName": "output",
    },
    "cpu-cluster": {
        **_CLUSTER,
        "properties.properties.scaleSettings.maxNodeCount": 4,
        "properties.properties.vmSize": "Standard_D4ds_v4",
    },
    "gpu-cluster": {
        **_CLUSTER,
        "properties.properties.scaleSettings.maxNodeCount": 2,
        "properties.properties.vmSize": "Standard_NC4as_T4_v3",
    },
    INSTANCE: {
        "identity": ABSENT,
        "properties.computeType": "ComputeInstance",
        "properties.disableLocalAuth": True,
        "properties.properties.computeInstanceAuthorizationType": "personal",
        "properties.properties.personalComputeInstanceSettings.assignedUser": {
            "objectId": PERSON,
            "tenantId": "00000000-0000-0000-0000-00000000000a",
        },
        "properties.properties.applicationSharingPolicy": "Personal",
        "properties.properties.sshSettings": {"sshPublicAccess": "Disabled"},
        "properties.properties.enableSSO": True,
        "properties.properties.vmSize": "Standard_D4ds_v4",
    },
    "budget": {
        "properties.category": "Cost",
        "properties.timeGrain": "Monthly",
        "properties.amount": 500,
        "properties.timePeriod.startDate": "2026-12-01T00:00:00Z",
        "properties.notifications": {
            "actual-80": {**_NOTIFICATION, "threshold": 80, "thresholdType": "Actual"},
            "actual-100": {**_NOTIFICATION, "threshold": 100, "thresholdType": "Actual"},
            "forecast-100": {**_NOTIFICATION, "threshold": 100, "thresholdType": "Forecasted"},
        },
    },
}


def _environment(
    days: int, vault: int, purge: Any, logs: int, cap: Any, *, hardened: bool, sku: str, zones: str, idle: str
) -> Table:
    account = {"sku": {"name": sku}, "properties.encryption.requireInfrastructureEncryption": hardened}
    blobs = {"properties.deleteRetentionPolicy.days": days, "properties.containerDeleteRetentionPolicy.days": days}
    cluster = {"properties.properties.scaleSettings.nodeIdleTimeBeforeScaleDown": idle}
    return {
        "storage": account,
        "lake": account,
        "storage-blobs": blobs,
        "lake-blobs": blobs,
        "key-vault": {"properties.softDeleteRetentionInDays": vault, "properties.enablePurgeProtection": purge},
        "container-registry": {"properties.policies.retentionPolicy.days": days, "properties.zoneRedundancy": zones},
        "log-analytics": {"properties.retentionInDays": logs, "properties.workspaceCapping": cap},
        "workspace": {"properties.hbiWorkspace": hardened},
        "cpu-cluster": cluster,
        "gpu-cluster": cluster,
    }


# The vault of dev: Azure refuses false for purge protection.
ENVIRONMENTS: dict[str, Table] = {
    "dev": {
        **_environment(
            7, 7, ABSENT, 30, {"dailyQuotaGb": 1}, hardened=False, sku="Standard_LRS", zones="Disabled", idle="PT120S"
        ),
        INSTANCE: {"properties.properties.idleTimeBeforeShutdown": "PT30M"},
    },
    "prod": _environment(30, 90, True, 90, ABSENT, hardened=True, sku="Standard_GZRS", zones="Enabled", idle="PT300S"),
}


def _network(*, access: str, default: str, export: str, public_ip: bool, workspace: dict[str, Any]) -> Table:
    rules = {"bypass": "AzureServices", "defaultAction": default, "ipRules": [], "virtualNetworkRules": []}
    closed = {"properties.publicNetworkAccess": access, "properties.networkAcls": rules}
    compute = {"properties.properties.enableNodePublicIp": public_ip}
    logs = {f"properties.publicNetworkAccessFor{door}": "Enabled" for door in ("Ingestion", "Query")}
    return {
        "storage": closed,
        "lake": closed,
        "key-vault": closed,
        "container-registry": {
            "properties.publicNetworkAccess": access,
            "properties.networkRuleSet": {"defaultAction": default, "ipRules": []},
            "properties.policies.exportPolicy.status": export,
        },
        "workspace": {"properties.publicNetworkAccess": access, **workspace},
        "log-analytics": logs,
        "application-insights": logs,
        "cpu-cluster": compute,
        "gpu-cluster": compute,
        INSTANCE: compute,
    }


def _rule(target: str, part: str) -> dict[str, Any]:
    return {
        "type": "PrivateEndpoint",
        "category": "UserDefined",
        "destination": {"serviceResourceId": target, "subresourceTarget": part, "sparkEnabled": False},
    }


NETWORKS: dict[str, Table] = {
    "public-dev": _network(
        access="Enabled",
        default="Allow",
        export="enabled",
        public_ip=True,
        workspace={
            "properties.managedNetwork.isolationMode": "Disabled",
            "properties.managedNetwork.outboundRules": ABSENT,
            "properties.provisionNetworkNow": False,
            "properties.imageBuildCompute": ABSENT,
            "properties.serverlessComputeSettings": {"serverlessComputeNoPublicIP": False},
        },
    ),
    "managed-vnet": _network(
        access="Disabled",
        default="Deny",
        export="disabled",
        public_ip=False,
        workspace={
            "properties.managedNetwork.isolationMode": "AllowOnlyApprovedOutbound",
            "properties.managedNetwork.outboundRules": {
                "lake-blob": _rule(LAKE, "blob"),
                "lake-dfs": _rule(LAKE, "dfs"),
                "storage-queue": _rule(IDS["storage"], "queue"),
                "storage-table": _rule(IDS["storage"], "table"),
            },
            "properties.provisionNetworkNow": True,
            "properties.imageBuildCompute": "cpu-cluster",
            "properties.serverlessComputeSettings": {"serverlessComputeNoPublicIP": True},
        },
    ),
}

# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
ROLE_IDS = {
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Network Connection Approver": "b556d68e-0be0-4f35-a333-ad7ee1ce17ea",
    "Inference Deployment Operator": "3afb7f49-54cb-416e-8c09-6dc049efa503",
    "ML Data Scientist": "f6c7c914-8db3-469d-8ca1-694a8f32e121",
    "ML Compute Operator": "e503ece1-11d0-4e8e-8e2c-7a6c3bf38815",
    "ML Metrics Writer": "635dd51f-9968-44d3-b7fb-6d9a6bd613ae",
    "Blob Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Blob Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "File Privileged Contributor": "69566ab7-960f-475b-8e7c-b3118f30c6bd",
    "Queue Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Table Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "Key Vault Administrator": "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "AcrPush": "8311e382-0749-4cb8-b61a-304f252e45ec",
    "Managed Identity Operator": "f1a07417-d97a-45cb-824c-7a7467783830",
    "Monitoring Reader": "43d0d8ad-25c7-4714-9337-8ba259a9fe05",
    "Log Analytics Reader": "73c42c96-874c-492b-b04d-ab87d138a893",
}

# Principal, role, scope, in dev (public-dev), in prod (managed-vnet).
ROLES: list[tuple[str, str, str, bool, bool]] = [
    ("workspace", "Contributor", "workspace", True, True),
    ("workspace", "Contributor", "storage", True, True),
    ("workspace", "Blob Contributor", "storage", True, True),
    ("workspace", "File Privileged Contributor", "storage", True, True),
    ("workspace", "Contributor", "key-vault", True, True),
    ("workspace", "Key Vault Administrator", "key-vault", True, True),
    ("workspace", "Contributor", "container-registry", True, True),
    ("workspace", "Contributor", "application-insights", True, True),
    *(("workspace", "Blob Reader", f"lake-{one}", True, True) for one in ("raw", "curated", "output")),
    ("workspace", "Network Connection Approver", "resource-group", False, True),
    ("workspace", "Reader", "endpoint-storage-blob", False, True),
    ("workspace", "Reader", "endpoint-storage-file", False, True),
    ("cluster", "ML Data Scientist", "workspace", True, True),
    ("cluster", "Blob Contributor", "storage", True, True),
    ("cluster", "Queue Contributor", "storage", True, True),
    ("cluster", "Table Contributor", "storage", True, True),
    ("cluster", "Blob Reader", "lake-raw", True, True),
    ("cluster", "Blob Reader", "lake-curated", True, True),
    ("cluster", "Blob Contributor", "lake-output", True, True),
    ("cluster", "AcrPull", "container-registry", True, True),
    ("endpoint", "ML Metrics Writer", "workspace", True, True),
    ("endpoint", "Blob Reader", "storage", True, True),
    ("endpoint", "AcrPull", "container-registry", True, True),
    ("deploy", "ML Data Scientist", "workspace", True, True),
    ("deploy", "Blob Contributor", "storage", True, True),
    ("deploy", "AcrPush", "container-registry", True, True),
    *(("deploy", "Blob Reader", f"lake-{one}", True, True) for one in ("raw", "curated", "output")),
    ("deploy", "Inference Deployment Operator", "resource-group", True, True),
    ("deploy", "Managed Identity Operator", "cluster-identity", True, True),
    ("deploy", "Managed Identity Operator", "endpoint-identity", True, True),
    ("people", "ML Data Scientist", "workspace", True, False),
    ("people", "ML Compute Operator", "workspace", True, False),
    ("people", "Blob Contributor", "storage", True, False),
    ("people", "File Privileged Contributor", "storage", True, False),
    *(("people", "Blob Reader", f"lake-{one}", True, False) for one in ("raw", "curated", "output")),
    ("people", "Key Vault Secrets User", "key-vault", True, False),
    ("people", "Monitoring Reader", "application-insights", True, False),
    ("people", "Inference Deployment Operator", "resource-group", True, False),
    ("people", "Log Analytics Reader", "log-analytics", True, False),
]


def text_at(body: Any, path: str) -> str:
    """As JSON, in which False is not 0."""
    for key in path.split("."):
        if not isinstance(body, dict) or key not in body:
            return json.dumps(ABSENT)
        body = body[key]
    return json.dumps(body, sort_keys=True)


def differences(plan: Plan, table: Table) -> list[str]:
    present = {resource.name: dict(resource.body) for resource in plan.resources}
    return [
        f"{name}: {path}: {found}, not {expected}"
        for name, paths in table.items()
        if name in present
        for path, value in paths.items()
        if (expected := json.dumps(value, sort_keys=True).replace("{e}", plan.environment))
        != (found := text_at(present[name], path))
    ]


# Roles are below; what hangs on the resources of these tables has tests of its own: test_network, test_monitoring,
# test_locks.
ELSEWHERE = (
    "roleAssignments",
    "privateEndpoints",
    "diagnosticSettings",
    "Authorization/locks",
    "metricAlerts",
    "scheduledQueryRules",
    "actionGroups",
)


@pytest.mark.parametrize(("name", "environment"), CASES)
def test_nothing_is_planned_that_the_tables_do_not_name(name: str, environment: str, plans: Plans) -> None:
    plan = plans[name][environment]
    planned = {one.name: one.arm_id for one in plan.resources if not any(word in one.arm_type for word in ELSEWHERE)}
    absent = {INSTANCE} if environment == "prod" else set()
    if name == "minimal":
        absent = {"gpu-cluster", INSTANCE, "deploy-credential-github"}
    assert set(planned) == set(ALWAYS) - absent
    assert {one: planned[one] for one in IDS} == {one: arm.replace("{e}", environment) for one, arm in IDS.items()}


@pytest.mark.parametrize(("name", "environment"), CASES)
def test_secure_properties_have_their_values(name: str, environment: str, plans: Plans) -> None:
    plan = plans[name][environment]
    assert differences(plan, ALWAYS) == []
    assert differences(plan, ENVIRONMENTS[environment]) == []


@pytest.mark.parametrize(("name", "environment"), CASES)
def test_a_network_profile_is_what_it_says(name: str, environment: str, plans: Plans) -> None:
    closed = environment == "prod" or name == "full-private"
    assert differences(plans[name][environment], NETWORKS["managed-vnet" if closed else "public-dev"]) == []


@pytest.mark.parametrize(("name", "environment"), CASES)
def test_the_roles_are_these_and_no_others(name: str, environment: str, plans: Plans) -> None:
    expected = []
    for principal, role, scope, dev, prod in ROLES:
        wanted = prod if environment == "prod" else dev
        wanted = wanted or (name == "full-private" and (role == "Network Connection Approver" or scope in ENDPOINTS))
        # The minimal request names neither a group nor a subnet for private endpoints.
        if not wanted or (name == "minimal" and (principal == "people" or scope in ENDPOINTS)):
            continue
        who = GROUP if principal == "people" else invented_principal_id(f"id-digit-scoring-{environment}-{principal}")
        kind = "Group" if principal == "people" else "ServicePrincipal"
        role_id = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{ROLE_IDS[role]}"
        expected.append(({**IDS, **ENDPOINTS}[scope].replace("{e}", environment), who, kind, role_id))
    planned = []
    for one in plans[name][environment].resources:
        if one.arm_type == "Microsoft.Authorization/roleAssignments":
            body = one.body["properties"]
            assert set(body) == {"description", "principalId", "principalType", "roleDefinitionId"}
            scope = one.arm_id.rsplit("/providers/Microsoft.Authorization/roleAssignments/", 1)[0]
            planned.append((scope, body["principalId"], body["principalType"], body["roleDefinitionId"]))
    assert sorted(planned) == sorted(expected)
    if environment == "prod":
        assert {kind for _, _, kind, _ in planned} == {"ServicePrincipal"}
