"""The properties that decide whether a resource is secure, by ARM type: each is set by the program, never left out.

Where a type has variants (the kinds of compute), its key has the variant after a `#`.
"""

from __future__ import annotations

from collections.abc import Iterator

from amlplatform.policies import arm
from amlplatform.policies.values import ABSENT, Body, at

_VARIANT = {arm.COMPUTE: "properties.computeType"}


def _in(prefix: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for name in names)


def _properties(*names: str) -> tuple[str, ...]:
    return _in("properties", *names)


_ACCESS_AND_LOGS = _properties("publicNetworkAccessForIngestion", "publicNetworkAccessForQuery")
_NODE = _in("properties.properties", "vmSize", "enableNodePublicIp")

SECURITY_PROPERTIES: dict[str, tuple[str, ...]] = {
    arm.ROLE_ASSIGNMENT: _properties("principalId", "principalType", "roleDefinitionId"),
    arm.FEDERATED_CREDENTIAL: _properties("issuer", "subject", "audiences"),
    arm.LOCK: _properties("level"),
    arm.STORAGE: (
        "kind",
        "sku.name",
        *_properties(
            "allowSharedKeyAccess",
            "defaultToOAuthAuthentication",
            "allowBlobPublicAccess",
            "allowCrossTenantReplication",
            "isHnsEnabled",
            "isLocalUserEnabled",
            "isSftpEnabled",
            "isNfsV3Enabled",
            "supportsHttpsTrafficOnly",
            "minimumTlsVersion",
            "publicNetworkAccess",
        ),
        *_in("properties.networkAcls", "defaultAction", "bypass", "ipRules", "virtualNetworkRules"),
        *_in("properties.encryption", "keySource", "requireInfrastructureEncryption"),
        *(
            f"properties.encryption.services.{service}.{name}"
            for service in ("blob", "file", "queue", "table")
            for name in ("enabled", "keyType")
        ),
    ),
    arm.BLOB_SERVICE: (
        *_in("properties.deleteRetentionPolicy", "enabled", "days", "allowPermanentDelete"),
        *_in("properties.containerDeleteRetentionPolicy", "enabled", "days"),
    ),
    arm.CONTAINER: _properties("publicAccess"),
    arm.VAULT: (
        *_properties(
            "tenantId",
            "enableRbacAuthorization",
            "enableSoftDelete",
            "softDeleteRetentionInDays",
            "enabledForDeployment",
            "enabledForDiskEncryption",
            "enabledForTemplateDeployment",
            "publicNetworkAccess",
        ),
        *_in("properties.networkAcls", "defaultAction", "bypass", "ipRules", "virtualNetworkRules"),
    ),
    arm.REGISTRY: (
        "sku.name",
        *_properties(
            "adminUserEnabled",
            "anonymousPullEnabled",
            "dataEndpointEnabled",
            "publicNetworkAccess",
            "networkRuleBypassOptions",
            "zoneRedundancy",
            "policies.quarantinePolicy.status",
            "policies.retentionPolicy.status",
            "policies.retentionPolicy.days",
            "policies.exportPolicy.status",
        ),
        *_in("properties.networkRuleSet", "defaultAction", "ipRules"),
    ),
    arm.LOG_ANALYTICS: (
        *_ACCESS_AND_LOGS,
        *_properties(
            "retentionInDays",
            "features.disableLocalAuth",
            "features.enableLogAccessUsingOnlyResourcePermissions",
        ),
    ),
    arm.APP_INSIGHTS: (
        *_ACCESS_AND_LOGS,
        *_properties("WorkspaceResourceId", "IngestionMode", "DisableLocalAuth", "DisableIpMasking"),
    ),
    arm.DIAGNOSTICS: _properties("workspaceId", "logs"),
    arm.ML_WORKSPACE: (
        "kind",
        "identity.type",
        *_properties(
            "primaryUserAssignedIdentity",
            "systemDatastoresAuthMode",
            "hbiWorkspace",
            "v1LegacyMode",
            "publicNetworkAccess",
            "allowPublicAccessWhenBehindVnet",
            "managedNetwork.isolationMode",
            "provisionNetworkNow",
            "serverlessComputeSettings.serverlessComputeNoPublicIP",
            "storageAccount",
            "keyVault",
            "containerRegistry",
            "applicationInsights",
        ),
    ),
    f"{arm.COMPUTE}#AmlCompute": (
        "identity.type",
        "properties.disableLocalAuth",
        *_NODE,
        *_in(
            "properties.properties",
            "osType",
            "vmPriority",
            "remoteLoginPortPublicAccess",
            "scaleSettings.minNodeCount",
            "scaleSettings.maxNodeCount",
            "scaleSettings.nodeIdleTimeBeforeScaleDown",
        ),
    ),
    f"{arm.COMPUTE}#ComputeInstance": (
        "properties.disableLocalAuth",
        *_NODE,
        *_in(
            "properties.properties",
            "applicationSharingPolicy",
            "computeInstanceAuthorizationType",
            "personalComputeInstanceSettings.assignedUser.objectId",
            "personalComputeInstanceSettings.assignedUser.tenantId",
            "sshSettings.sshPublicAccess",
            "enableSSO",
            "idleTimeBeforeShutdown",
        ),
    ),
    f"{arm.COMPUTE}#Kubernetes": _properties("disableLocalAuth", "resourceId", "properties.namespace"),
    arm.DATASTORE: _properties("credentials.credentialsType", "serviceDataAccessAuthIdentity", "protocol"),
    arm.ML_REGISTRY: ("identity.type", "properties.publicNetworkAccess"),
    arm.BUDGET: _properties("category", "timeGrain", "amount", "notifications"),
    arm.ACTION_GROUP: _properties("enabled"),
    arm.METRIC_ALERT: _properties("enabled", "actions"),
    arm.QUERY_ALERT: _properties("enabled", "actions.actionGroups"),
    arm.PRIVATE_ENDPOINT: _properties("subnet.id", "privateLinkServiceConnections"),
    arm.AKS: (
        "identity.type",
        "sku.tier",
        *_properties(
            "disableLocalAccounts",
            "enableRBAC",
            "aadProfile.managed",
            "aadProfile.enableAzureRBAC",
            "networkProfile.networkPolicy",
            "oidcIssuerProfile.enabled",
            "securityProfile.workloadIdentity.enabled",
            "autoUpgradeProfile.upgradeChannel",
            "autoUpgradeProfile.nodeOSUpgradeChannel",
            "addonProfiles.omsagent.enabled",
            "addonProfiles.azurepolicy.enabled",
            "addonProfiles.azureKeyvaultSecretsProvider.enabled",
            "addonProfiles.azureKeyvaultSecretsProvider.config.enableSecretRotation",
            "apiServerAccessProfile.enablePrivateCluster",
        ),
    ),
    arm.AKS_EXTENSION: _properties("configurationSettings.allowInsecureConnections"),
    arm.AI_SERVICES: (
        "identity.type",
        *_properties(
            "disableLocalAuth",
            "customSubDomainName",
            "publicNetworkAccess",
            "networkAcls.defaultAction",
            "restrictOutboundNetworkAccess",
            "allowProjectManagement",
        ),
    ),
    arm.EVENT_HUBS_NETWORK: _properties("publicNetworkAccess", "defaultAction", "trustedServiceAccessEnabled"),
    arm.SQL_SERVER: (
        "identity.type",
        *_properties("minimalTlsVersion", "publicNetworkAccess", "restrictOutboundNetworkAccess"),
        *_in(
            "properties.administrators",
            "azureADOnlyAuthentication",
            "administratorType",
            "principalType",
            "sid",
            "tenantId",
        ),
    ),
    arm.SQL_AUDITING: _properties("state", "retentionDays", "isAzureMonitorTargetEnabled", "isDevopsAuditEnabled"),
    arm.SQL_DATABASE: _properties("zoneRedundant", "requestedBackupStorageRedundancy"),
    arm.SYNAPSE: (
        "identity.type",
        *_properties(
            "managedVirtualNetwork",
            "managedVirtualNetworkSettings.preventDataExfiltration",
            "managedVirtualNetworkSettings.linkedAccessCheckOnTargetResource",
            "azureADOnlyAuthentication",
            "publicNetworkAccess",
            "trustedServiceBypassEnabled",
        ),
    ),
    arm.SPARK_POOL: _properties(
        "autoPause.enabled", "autoPause.delayInMinutes", "autoScale.enabled", "sessionLevelPackagesEnabled"
    ),
    arm.DATABRICKS: (
        "sku.name",
        *_properties(
            "computeMode",
            "defaultCatalog.initialType",
            "parameters.enableNoPublicIp.value",
            "parameters.requireInfrastructureEncryption.value",
            "publicNetworkAccess",
            "requiredNsgRules",
        ),
    ),
    arm.DEPLOYMENT: _properties("mode", "template"),
    arm.DATA_FACTORY: ("identity.type", "properties.publicNetworkAccess"),
    arm.EVENT_HUBS: (
        "sku.name",
        "sku.tier",
        *_properties("disableLocalAuth", "minimumTlsVersion", "publicNetworkAccess", "zoneRedundant"),
    ),
    arm.STREAM_ANALYTICS: ("identity.type", "properties.transformation.properties.streamingUnits"),
    arm.LOGIC_APP: ("identity.type", "properties.state"),
}


def properties_of(arm_type: str, body: Body) -> tuple[str, ...]:
    """The security properties of a resource with this body."""
    if arm_type in _VARIANT:
        return SECURITY_PROPERTIES.get(f"{arm_type}#{at(body, _VARIANT[arm_type])}", ())
    return SECURITY_PROPERTIES.get(arm_type, ())


def missing(arm_type: str, body: Body) -> Iterator[str]:
    """The security properties that a body does not set. An empty list is a value, and says "none"."""
    for path in properties_of(arm_type, body):
        if at(body, path) is ABSENT:
            yield path
