"""One change of an option's resources for each thing that a rule must stop: see test_policies."""

from __future__ import annotations

from policy_cases import REMOVE, Case, case, flags
from policy_parts import PEOPLE, REMOVED

from amlplatform.policies import arm

POOL = "properties.agentPoolProfiles.0"
OPTIONS = [
    *flags("kubernetes-entra-only", "aks", False, "properties.disableLocalAccounts", "properties.aadProfile.managed"),
    *case("kubernetes-no-admin-group-without-people", "aks", "properties.aadProfile.adminGroupObjectIDs", [PEOPLE]),
    *case(
        "kubernetes-api-not-open", "aks", "properties.apiServerAccessProfile", {}, {"authorizedIPRanges": ["0.0.0.0/0"]}
    ),
    *case("kubernetes-api-not-open", "aks", "properties.publicNetworkAccess", "Enabled", REMOVED),
    *case("kubernetes-api-not-open", "aks", "properties.networkProfile.outboundType", "loadBalancer", REMOVED),
    *flags("kubernetes-api-not-open", "aks", False, "properties.apiServerAccessProfile.disableRunCommand"),
    *case("kubernetes-pods-separated", "aks", "properties.networkProfile.networkDataplane", "azure", REMOVED),
    *flags("kubernetes-updates-itself", "aks", False, "properties.securityProfile.imageCleaner.enabled"),
    *flags("kubernetes-extension-updates-itself", "aks-extension", False, "properties.autoUpgradeMinorVersion"),
    *case("kubernetes-namespace-not-taken-over", "aks-namespace", "properties.adoptionPolicy", "Always", REMOVED),
    *case("kubernetes-nodes-hardened", "aks", f"{POOL}.securityProfile.sshAccess", "LocalUser", REMOVED),
    *case("sql-encrypted", "sql-encryption", "properties.state", "Disabled"),
    *case("sql-threats-reported", "sql-alerts", "properties.state", "Disabled"),
    *case("sql-threats-reported", "sql-alerts", "properties.disabledAlerts", ["Sql_Injection"]),
    *case("kubernetes-pods-separated", "aks", "properties.networkProfile.networkPolicy", "none", REMOVED),
    *case("kubernetes-acts-by-identity", "aks", "identity", {"type": "None"}),
    *case("kubernetes-acts-by-identity", "aks", "properties.servicePrincipalProfile", {"clientId": "x", "secret": "y"}),
    *flags("kubernetes-watched", "aks", False, "properties.addonProfiles.omsagent.enabled"),
    *flags(
        "kubernetes-secrets-rotated",
        "aks",
        "false",
        "properties.addonProfiles.azureKeyvaultSecretsProvider.config.enableSecretRotation",
    ),
    *case("kubernetes-updates-itself", "aks", "properties.autoUpgradeProfile.upgradeChannel", "none", "rapid"),
    *flags("kubernetes-nodes-hardened", "aks", True, f"{POOL}.enableNodePublicIP"),
    *flags("kubernetes-nodes-hardened", "aks-users", False, "properties.enableEncryptionAtHost"),
    *case("kubernetes-nodes-hardened", "aks", f"{POOL}.maxPods", 30),
    *flags("kubernetes-scales-within-bounds", "aks-users", False, "properties.enableAutoScaling"),
    *case("kubernetes-scales-within-bounds", "aks", f"{POOL}.maxCount", 500),
    *case("kubernetes-has-an-sla", "aks", "sku.tier", "Free"),
    *case("kubernetes-in-zones", "aks", f"{POOL}.availabilityZones", ["1"]),
    *case(
        "kubernetes-endpoints-encrypted",
        "aks-extension",
        "properties.configurationSettings.allowInsecureConnections",
        "True",
        REMOVED,
    ),
    *case(
        "kubernetes-endpoints-encrypted", "aks-extension", "properties.configurationSettings.enableInference", "False"
    ),
    *flags(
        "kubernetes-routers-redundant", "aks-extension", "False", "properties.configurationSettings.inferenceRouterHA"
    ),
    *flags("ai-services-no-keys", "ai", False, "properties.disableLocalAuth"),
    *case("ai-services-act-by-identity", "ai", "identity", REMOVED),
    *case("ai-services-contained", "ai", "properties.restrictOutboundNetworkAccess", False),
    *case("ai-services-contained", "ai", "properties.allowProjectManagement", True),
    *case("sql-backups-redundant", "sql-database", "properties.requestedBackupStorageRedundancy", "Local", "Zone"),
    *case("sql-entra-only", "sql", "identity", REMOVED),
    *flags("sql-entra-only", "sql", False, "properties.administrators.azureADOnlyAuthentication"),
    *case("sql-entra-only", "sql", "properties.administrators.principalType", "User", "Group"),
    *case("sql-entra-only", "sql", "properties.administratorLoginPassword", "x"),
    *case("sql-transport-encrypted", "sql", "properties.minimalTlsVersion", "1.0", "None", REMOVED),
    Case("sql-no-hole-in-the-firewall", "sql-audit", {"resource.arm_type": arm.SQL_FIREWALL}),
    Case("sql-has-auditing", "sql-audit", REMOVE),
    *case("sql-audit-kept", "sql-audit", "properties.retentionDays", 30, REMOVED),
    *case("sql-audit-kept", "sql-audit", "properties.state", "Disabled"),
    *case("sql-outbound-restricted", "sql", "properties.restrictOutboundNetworkAccess", "Disabled", REMOVED),
    *case("sql-zone-redundant", "sql-database", "properties.zoneRedundant", False),
    *flags("synapse-isolated", "syn", False, "properties.managedVirtualNetworkSettings.preventDataExfiltration"),
    *flags("synapse-entra-only", "syn", False, "properties.azureADOnlyAuthentication"),
    *case("synapse-isolated", "syn", "properties.trustedServiceBypassEnabled", True),
    *flags(
        "synapse-isolated", "syn", False, "properties.managedVirtualNetworkSettings.linkedAccessCheckOnTargetResource"
    ),
    *flags("synapse-isolated", "syn", False, "properties.defaultDataLakeStorage.createManagedPrivateEndpoint"),
    *flags("spark-pool-packages-reviewed", "spark", True, "properties.sessionLevelPackagesEnabled"),
    *case("databricks-hardened", "databricks", "properties.computeMode", "Serverless"),
    *case("databricks-hardened", "databricks", "properties.defaultCatalog.initialType", "HiveMetastore"),
    *case("databricks-hardened", "databricks", "properties.requiredNsgRules", "AllRules"),
    *flags(
        "databricks-encrypted-twice", "databricks", False, "properties.parameters.requireInfrastructureEncryption.value"
    ),
    *case("sql-can-be-restored", "sql-restore", "properties.retentionDays", 1, REMOVED),
    *case("deployment-hides-nothing", "adf-network", "properties.mode", "Complete"),
    *case("deployment-hides-nothing", "adf-network", "properties.templateLink", {"uri": "https://example.com"}),
    *case("deployment-hides-nothing", "adf-network", "properties.template.resources.0.type", arm.STORAGE),
    *case("deployment-hides-nothing", "adf-network", "properties.template.resources", {"symbolic": {}}, REMOVED),
    *case(
        "data-factory-calls-by-identity", "adf-pipeline", "properties.activities.0.typeProperties.authentication", {}
    ),
    *case(
        "data-factory-calls-by-identity",
        "adf-pipeline",
        "properties.activities.1.typeProperties.activities.0.typeProperties.authentication.type",
        "Basic",
    ),
    *flags("spark-pool-pauses", "spark", False, "properties.autoPause.enabled"),
    *case("spark-pool-pauses", "spark", "properties.autoPause.delayInMinutes", 120),
    *case("databricks-hardened", "databricks", "sku.name", "standard"),
    *case("databricks-hardened", "databricks", "properties.parameters.enableNoPublicIp.value", False),
    *case("databricks-in-own-network", "databricks", "properties.parameters.customVirtualNetworkId", REMOVED),
    *case("databricks-reads-by-identity", "connector", "identity", {"type": "None"}),
    *case("data-factory-acts-by-identity", "adf", "identity", REMOVED),
    *case("data-factory-no-credentials", "adf-lake", "properties.typeProperties.accountKey", "abc"),
    *case(
        "data-factory-no-credentials",
        "adf-lake",
        "properties.typeProperties.connectionString",
        {"type": "SecureString", "value": "abc"},
    ),
    *case(
        "data-factory-git-in-dev-only", "adf", "properties.repoConfiguration", {"type": "FactoryGitHubConfiguration"}
    ),
    *case("data-factory-runs-in-a-managed-network", "adf-runtime", "properties.managedVirtualNetwork", REMOVED),
    *flags("event-hubs-no-keys", "eh", False, "properties.disableLocalAuth"),
    *case("event-hubs-tier", "eh", "sku", {"name": "Basic", "tier": "Basic"}, {"name": "Standard", "tier": "Premium"}),
    *flags("event-hubs-zone-redundant", "eh", False, "properties.zoneRedundant"),
    *flags("only-trusted-services-pass-the-firewall", "eh-network", False, "properties.trustedServiceAccessEnabled"),
    *case("event-hubs-growth-bounded", "eh", "properties.maximumThroughputUnits", 40, 0),
    *case(
        "stream-analytics-acts-by-identity",
        "asa",
        "properties.inputs.0.properties.datasource.properties.authenticationMode",
        "ConnectionString",
        REMOVED,
    ),
    *case("stream-analytics-units-bounded", "asa", "properties.transformation.properties.streamingUnits", 120, REMOVED),
    *case("logic-app-acts-by-identity", "logic", "properties.definition.triggers.hourly.type", "Request"),
    *case("logic-app-acts-by-identity", "logic", "properties.definition.actions.check.else.actions.again.inputs", {}),
    *case(
        "event-subscription-not-public",
        "topic-subscription",
        "properties.destination.properties",
        {"endpointUrl": "https://example.com"},
    ),
]
