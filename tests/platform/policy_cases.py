"""One change for each thing that a rule must stop: see test_policies."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from policy_parts import BLOB_READER, GROUP_ID, PEOPLE, REMOVED

from amlplatform.policies import arm

OWNER = BLOB_READER.replace("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635")
CONTRIBUTOR = BLOB_READER.replace("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", "b24988ac-6180-42a0-ab88-20f7382dd24c")
RBAC = BLOB_READER.replace("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", "f58310d9-a9f6-439a-9e8d-f62e7b41a168")
MANAGED_NETWORK = "properties.managedNetwork.isolationMode"
RAW = "properties.deleteRetentionPolicy"
OPEN_RULE = "properties.securityRules.0.properties.sourceAddressPrefix"
NODE = "properties.properties"
REMOVE = "(the resource is taken out)"


@dataclasses.dataclass(frozen=True)
class Case:
    """One change that one rule must stop. `resource`: which one is changed; the finding may name another."""

    rule: str
    resource: str
    changes: Mapping[str, Any] | str
    environment: str = "prod"

    def __str__(self) -> str:
        changes = self.changes if isinstance(self.changes, str) else ",".join(self.changes)
        return f"{self.rule}-{self.resource}-{changes}"


def case(rule: str, name: str, path: str, *values: Any) -> list[Case]:
    """One case for each wrong value of a property."""
    return [Case(rule, name, {path: value}) for value in values]


def flags(rule: str, name: str, wrong: Any, *paths: str) -> list[Case]:
    """One case for each property that has the wrong value, and one where it is left out."""
    return [Case(rule, name, {path: value}) for path in paths for value in (wrong, REMOVED)]


ACCESS = [
    *case("no-people", "deploy-reads", "properties.principalType", "User", "Group", "ForeignGroup", REMOVED),
    *case("no-unlimited-role", "deploy-reads", "properties.roleDefinitionId", OWNER),
    *case("delegation-needs-a-condition", "deploy-reads", "properties.roleDefinitionId", RBAC),
    Case(
        "delegation-needs-a-condition",
        "deploy-reads",
        {"properties.roleDefinitionId": RBAC, "properties.condition": "true", "properties.conditionVersion": "2.0"},
    ),
    *case("custom-role-names-its-actions", "invoke-role", "properties.permissions.0.actions", ["*"], ["Microsoft.X/*"]),
    *case("custom-role-names-its-actions", "invoke-role", "properties.permissions.0.dataActions", ["*"]),
    *case("federation-issuer-known", "deploy-credential", "properties.issuer", "https://example.com", REMOVED),
    *case("federation-issuer-known", "deploy-credential", "properties.audiences", [], ["api://x"], ["a", "b"]),
    *case(
        "federation-subject-exact",
        "deploy-credential",
        "properties.subject",
        "repo:example/churn:ref:refs/heads/main",
        "repo:example/churn:environment:dev",
        "repo:example/*:environment:prod",
        "repo:example/churn:environment:*",
        "repo:example/churn:*",
        "repo:example/churn:environment:prod:extra",
        "repo:example/churn:environment:non-prod",
        "*",
    ),
    Case(
        "federation-subject-exact",
        "deploy-credential",
        {"properties.issuer": "https://vstoken.dev.azure.com/" + PEOPLE, "properties.subject": "sc://example/*"},
    ),
    *case("pull-requests-only-read", "plan-reads", "properties.roleDefinitionId", CONTRIBUTOR),
]
NETWORK = [
    *(
        one
        for name in (
            *("storage", "lake", "key-vault", "container-registry", "workspace", "model-registry", "ai", "sql"),
            *("syn", "databricks", "adf", "eh", "eh-network"),
        )
        for one in flags("public-network-access-off", name, "Enabled", "properties.publicNetworkAccess")
    ),
    *case("public-network-access-off", "aks", "properties.apiServerAccessProfile.enablePrivateCluster", False, REMOVED),
    *(
        one
        for name in ("storage", "key-vault", "ai")
        for one in (
            *flags("firewall-denies-by-default", name, "Allow", "properties.networkAcls.defaultAction"),
            *case("firewall-denies-by-default", name, "properties.networkAcls.ipRules", [{"value": "198.51.100.1"}]),
        )
    ),
    *flags("firewall-denies-by-default", "container-registry", "Allow", "properties.networkRuleSet.defaultAction"),
    *flags("firewall-denies-by-default", "eh-network", "Allow", "properties.defaultAction"),
    *flags("only-trusted-services-pass-the-firewall", "storage", "Logging", "properties.networkAcls.bypass"),
    *case(
        "only-trusted-services-pass-the-firewall", "container-registry", "properties.networkRuleBypassOptions", REMOVED
    ),
    *case("network-properties-fit-together", "lake", "properties.publicNetworkAccess", "Enabled"),
    *case("network-properties-fit-together", "sql", "properties.publicNetworkAccess", "SecuredByPerimeter"),
    *flags("network-properties-fit-together", "cpu-cluster", True, f"{NODE}.enableNodePublicIp"),
    *case("network-properties-fit-together", "cpu-cluster", f"{NODE}.subnet", {"id": "/x"}),
    *flags("network-properties-fit-together", "workspace", False, "properties.provisionNetworkNow"),
    *case("network-properties-fit-together", "workspace", "properties.imageBuildCompute", REMOVED),
    *case("network-properties-fit-together", "workspace", "properties.managedNetwork", {"isolationMode": "Disabled"}),
    *case(
        "network-properties-fit-together",
        "workspace",
        "properties.serverlessComputeSettings.serverlessComputeNoPublicIP",
        False,
        REMOVED,
    ),
    *case("network-properties-fit-together", "workspace", "properties.publicNetworkAccess", "Enabled"),
    *case(
        "outbound-rules-name-their-targets",
        "workspace",
        "properties.managedNetwork.outboundRules.all",
        {"type": "FQDN", "destination": "*.example.com"},
        {"type": "ServiceTag", "destination": {"serviceTag": "Internet", "protocol": "TCP", "portRanges": "443"}},
    ),
    *case("outbound-rules-name-their-targets", "outbound-rule", "properties", {"type": "FQDN", "destination": "*"}),
    *case("no-inbound-from-the-internet", "nsg", OPEN_RULE, "*", "0.0.0.0/0", "Internet"),
    *case("subnet-has-a-security-group", "subnet", "properties.networkSecurityGroup", REMOVED),
    *flags("workspace-not-opened-behind-a-network", "workspace", True, "properties.allowPublicAccessWhenBehindVnet"),
    *(Case("closed-service-is-reachable", f"pe-{name}", REMOVE) for name in ("workspace", "ai", "eh", "adf", "syn")),
    Case("closed-service-is-reachable", "outbound-rule", REMOVE),
    *case("closed-service-is-reachable", "workspace", "properties.managedNetwork.outboundRules", {}),
    *case("private-endpoint-leads-somewhere", "pe-ai", "properties.privateLinkServiceConnections", [], REMOVED),
    *case(
        "private-endpoint-leads-somewhere",
        "pe-ai",
        "properties.privateLinkServiceConnections.0.properties.groupIds",
        [],
        REMOVED,
    ),
    Case("private-endpoint-has-a-name", "pe-ai-names", REMOVE),
]
DATA = [
    *flags("storage-keys-off", "lake", True, "properties.allowSharedKeyAccess"),
    *flags("storage-keys-off", "lake", False, "properties.defaultToOAuthAuthentication"),
    *flags("storage-anonymous-access-off", "storage", True, "properties.allowBlobPublicAccess"),
    *case("container-private", "lake-raw", "properties.publicAccess", "Blob", "Container", REMOVED),
    *flags("storage-transport-encrypted", "storage", False, "properties.supportsHttpsTrafficOnly"),
    *case("storage-transport-encrypted", "storage", "properties.minimumTlsVersion", "TLS1_0", "TLS1_1", REMOVED),
    *flags(
        "storage-other-protocols-off",
        "lake",
        True,
        *(f"properties.is{name}Enabled" for name in ("Sftp", "LocalUser", "NfsV3")),
    ),
    *flags("storage-stays-in-the-tenant", "lake", True, "properties.allowCrossTenantReplication"),
    *flags("storage-encrypted", "lake", False, "properties.encryption.services.table.enabled"),
    *case("storage-encrypted", "lake", "properties.encryption.services.queue.keyType", "Service"),
    *flags("storage-encrypted-twice", "lake", False, "properties.encryption.requireInfrastructureEncryption"),
    *case("storage-redundant", "lake", "sku.name", "Standard_LRS", "Standard_ZRS", "Standard_GRS"),
    *flags("blobs-can-be-restored", "lake-blobs", False, f"{RAW}.enabled"),
    *flags("blobs-can-be-restored", "lake-blobs", 7, f"{RAW}.days"),
    *flags("blobs-can-be-restored", "lake-blobs", True, f"{RAW}.allowPermanentDelete"),
    *flags("blobs-can-be-restored", "storage-blobs", 29, "properties.containerDeleteRetentionPolicy.days"),
    Case("account-has-soft-delete", "lake-blobs", REMOVE),
    *case("workspace-account-is-flat", "storage", "properties.isHnsEnabled", True),
    *case("storage-general-purpose", "storage", "kind", "BlobStorage"),
    *case("storage-general-purpose", "lake", "sku.name", "Premium_LRS", "StandardV2_LRS"),
    *case("storage-encrypted", "lake", "properties.encryption.keySource", "Microsoft.Keyvault", REMOVED),
    *flags("lake-is-hierarchical", "lake", False, "properties.isHnsEnabled"),
    *case("outbound-only-where-approved", "workspace", MANAGED_NETWORK, "AllowInternetOutbound"),
    *case("closed-service-denies-by-default", "key-vault", "properties.networkAcls.defaultAction", "Allow"),
    *flags("file-share-can-be-restored", "storage-files", False, "properties.shareDeleteRetentionPolicy.enabled"),
    *case("network-rules-need-no-exception", "lake", "properties.networkAcls.resourceAccessRules", [{"tenantId": "x"}]),
    *flags("vault-roles-only", "key-vault", False, "properties.enableRbacAuthorization"),
    *case("vault-roles-only", "key-vault", "properties.accessPolicies", [{"objectId": PEOPLE}]),
    *flags("vault-soft-delete", "key-vault", False, "properties.enableSoftDelete"),
    *flags("vault-soft-delete", "key-vault", 7, "properties.softDeleteRetentionInDays"),
    *case("vault-purge-protection", "key-vault", "properties.enablePurgeProtection", REMOVED),
    *flags("vault-hands-out-nothing", "key-vault", True, "properties.enabledForDeployment"),
    *flags("registry-no-local-login", "container-registry", True, "properties.adminUserEnabled"),
    *flags("registry-no-local-login", "container-registry", True, "properties.anonymousPullEnabled"),
    *case("registry-premium", "container-registry", "sku.name", "Basic", "Standard"),
    *case("registry-keeps-images", "container-registry", "properties.policies.retentionPolicy.status", "disabled"),
    *case("registry-keeps-images", "container-registry", "properties.policies.quarantinePolicy.status", "enabled"),
    *case(
        "registry-export-off-when-closed", "container-registry", "properties.policies.exportPolicy.status", "enabled"
    ),
    *case("registry-zone-redundant", "container-registry", "properties.zoneRedundancy", "Disabled"),
    *case("data-protected", "lake", "options.protect", False),
    *case("data-protected", "sql-database", "options.protect", False),
    *case("fixed-at-creation-guarded", "lake", "options.hooks", ()),
    *case("create-only-change-is-a-replacement", "cpu-cluster", "options.replace_on_changes", ()),
    Case("data-locked", "lake-lock", REMOVE),
    *case("lock-on-leaves-only", "lake-lock", "properties.level", "ReadOnly"),
    *case("lock-on-leaves-only", "lake-lock", "resource.arm_id", f"{GROUP_ID}/providers/{arm.LOCK}/all"),
    *case("drift-not-ignored", "lake", "options.ignore_changes", ("publicNetworkAccess",)),
    *case("drift-not-ignored", "cpu-cluster", "options.ignore_changes", ("properties.properties.vmSize",)),
]
MACHINE_LEARNING = [
    *flags("workspace-acts-by-identity", "workspace", "AccessKey", "properties.systemDatastoresAuthMode"),
    *case("workspace-acts-by-identity", "workspace", "identity.type", "SystemAssigned"),
    *flags("workspace-high-business-impact", "workspace", False, "properties.hbiWorkspace"),
    *case("workspace-has-its-parts", "workspace", "properties.containerRegistry", REMOVED, ""),
    *flags("workspace-current-api", "workspace", True, "properties.v1LegacyMode"),
    *case("datastore-without-credentials", "datastore-raw", "properties.credentials.credentialsType", "AccountKey"),
    *case("datastore-without-credentials", "datastore-raw", "properties.serviceDataAccessAuthIdentity", "None"),
    Case("datastore-has-its-account", "lake", REMOVE),
    Case("datastore-has-its-account", "lake-raw", REMOVE),
    *(Case("workspace-parts-are-there", one, REMOVE) for one in ("storage", "key-vault", "container-registry")),
    *case("model-registry-by-identity", "model-registry", "identity.type", "None"),
    *flags("compute-no-local-login", "cpu-cluster", False, "properties.disableLocalAuth"),
    *case("compute-no-local-login", "cpu-cluster", f"{NODE}.userAccountCredentials", {"adminUserName": "root"}),
    *flags("compute-no-ssh", "cpu-cluster", "Enabled", f"{NODE}.remoteLoginPortPublicAccess"),
    *case("cluster-scales-to-zero", "cpu-cluster", f"{NODE}.scaleSettings.minNodeCount", 1, REMOVED),
    *case("cluster-scales-to-zero", "cpu-cluster", f"{NODE}.scaleSettings.maxNodeCount", 1_000),
    *case(
        "cluster-scales-to-zero",
        "cpu-cluster",
        f"{NODE}.scaleSettings.nodeIdleTimeBeforeScaleDown",
        "PT1H",
        "900",
        "PT0S",
        REMOVED,
    ),
    *case("cluster-has-its-own-identity", "cpu-cluster", "identity", {"type": "SystemAssigned"}, REMOVED),
    Case(
        "cluster-has-its-own-identity",
        "workspace",
        {"identity.userAssignedIdentities": {f"{GROUP_ID}/providers/{arm.IDENTITY}/id-cluster": {}}},
    ),
    *case("cluster-dedicated-in-prod", "cpu-cluster", f"{NODE}.vmPriority", "LowPriority"),
    *case("cluster-priority-and-system-said", "cpu-cluster", f"{NODE}.osType", "Windows"),
    *case("cluster-priority-and-system-said", "cpu-cluster", f"{NODE}.vmPriority", REMOVED),
    *case("attached-compute-needs-no-secret", "kubernetes", "properties.computeType", "Databricks", "AKS", REMOVED),
    *case("kubernetes-compute-isolated", "kubernetes", f"{NODE}.namespace", "default", REMOVED),
    Case("no-compute-instance-without-people", "instance", {"location": "westeurope"}),
    *(
        Case("compute-instance-personal", "instance", {f"{NODE}.{path}": value}, "dev")
        for path, value in (
            ("applicationSharingPolicy", "Shared"),
            ("computeInstanceAuthorizationType", REMOVED),
            ("personalComputeInstanceSettings", REMOVED),
            ("setupScripts", {"scripts": {}}),
        )
    ),
    Case("compute-instance-personal", "instance", {"identity": {"userAssignedIdentities": {"/x": {}}}}, "dev"),
    *(
        Case("compute-instance-stops", "instance", {f"{NODE}.idleTimeBeforeShutdown": it}, "dev")
        for it in ("PT9H", REMOVED)
    ),
    Case("compute-no-ssh", "instance", {f"{NODE}.sshSettings.sshPublicAccess": "Enabled"}, "dev"),
]
MONITORING = [
    *flags("logs-read-by-role", "log-analytics", False, "properties.features.disableLocalAuth"),
    *case("logs-kept", "log-analytics", "properties.retentionInDays", 30, REMOVED),
    *case("logs-not-capped-in-prod", "log-analytics", "properties.workspaceCapping", {"dailyQuotaGb": 1}),
    *case("telemetry-in-log-analytics", "application-insights", "properties.IngestionMode", "ApplicationInsights"),
    *case("telemetry-in-log-analytics", "application-insights", "properties.DisableIpMasking", True),
    *case("log-doors-open-for-azure-ml", "log-analytics", "properties.publicNetworkAccessForQuery", "Disabled"),
    *case("diagnostics-complete", "key-vault-logs", "properties.workspaceId", REMOVED),
    *case(
        "diagnostics-complete",
        "key-vault-logs",
        "properties.logs",
        [],
        [{"categoryGroup": "allLogs", "enabled": False}],
    ),
    Case("diagnostics-present", "workspace-logs", REMOVE),
    *case("action-group-reaches-somebody", "action-group", "properties.enabled", False),
    *case("action-group-reaches-somebody", "action-group", "properties.emailReceivers", []),
    *case(
        "action-group-reaches-somebody", "action-group", "properties.webhookReceivers", [{"serviceUri": "https://x"}]
    ),
    *case("alert-acts", "alert-metric", "properties.actions", []),
    *case("alert-acts", "alert-query", "properties.enabled", False),
    Case("budget-present", "budget", REMOVE),
    *case("budget-warns", "budget", "properties.notifications.actual.enabled", False),
    *case("budget-warns", "budget", "properties.notifications.actual.contactEmails", []),
    *case("budget-warns", "budget", "properties.notifications.actual.threshold", 150),
    *case("budget-warns", "budget", "properties.notifications.forecast", REMOVED),
    *case("budget-warns", "budget", "properties.timeGrain", "Annually"),
]
GOVERNANCE = [
    *case("resource-type-known", "lake", "resource.arm_type", ""),
    *case("no-preview-api", "key-vault", "resource.api_version", "2025-01-01-preview"),
    *case("no-preview-api", "container-registry", "resource.api_version", "2026-01-01-preview"),
    *case("security-properties-explicit", "lake", "properties.minimumTlsVersion", REMOVED),
    *case("tags-present", "key-vault", "tags", REMOVED, {"product": "churn"}),
    *case("tags-present", "key-vault", "tags.environment", "dev"),
    *case("tags-present", "key-vault", "tags.owner", ""),
    *case("identity-fits-its-type", "ai", "identity.type", "UserAssigned", "SystemAssigned, UserAssigned"),
    *case("identity-fits-its-type", "workspace", "identity.type", "SystemAssigned", "None"),
    *case("one-region", "lake", "location", "eastus"),
    *case("no-secret-in-text", "lake", "tags.note", "AccountKey=abc"),
]
TWICE = [Case("federation-subject-once", "deploy-credential", "(the same credential a second time)")]
CORE = [*ACCESS, *NETWORK, *DATA, *MACHINE_LEARNING, *MONITORING, *GOVERNANCE, *TWICE]
