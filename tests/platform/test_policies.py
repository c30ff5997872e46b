"""The rules: each passes on an environment that is right, and stops what it is there to stop.

`policy_world.world()` is a hand-made prod environment with every kind of resource. The table below changes one thing of
it at a time.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Mapping
from typing import Any

import pytest
from policy_world import (
    BLOB_READER,
    GROUP_ID,
    LOG_READER,
    PEOPLE,
    REMOVED,
    RESOURCE_TYPES,
    changed,
    context,
    in_dev,
    instance,
    resource,
    world,
)

from amlplatform.armtypes import catalogue
from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.policies import arm
from amlplatform.policies.allowances import Allowance, PersonAllowance
from amlplatform.policies.evaluate import Finding, evaluate
from amlplatform.policies.rule import Context, Resource, ResourceRule, Severity
from amlplatform.policies.rules import ALL as RULES

World = dict[str, Resource]
TOKENS = {kind.arm_type: token for token, kind in RESOURCE_TYPES.items()}
BY_NAME = {rule.name: rule for rule in RULES}
OWNER = BLOB_READER.replace("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635")
RBAC = BLOB_READER.replace("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", "f58310d9-a9f6-439a-9e8d-f62e7b41a168")
RAW = "properties.deleteRetentionPolicy"
OPEN_RULE = "properties.securityRules.0.properties.sourceAddressPrefix"
POOL = "properties.agentPoolProfiles.0"
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
        "*",
    ),
    Case(
        "federation-subject-exact",
        "deploy-credential",
        {"properties.issuer": "https://vstoken.dev.azure.com/" + PEOPLE, "properties.subject": "sc://example/*"},
    ),
    *case("pull-requests-only-read", "plan-reads", "properties.roleDefinitionId", BLOB_READER),
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
    *case("only-trusted-services-pass-the-firewall", "syn", "properties.trustedServiceBypassEnabled", REMOVED),
    *case("network-properties-fit-together", "lake", "properties.publicNetworkAccess", "Enabled"),
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
    *case("storage-redundant", "lake", "sku.name", "Standard_LRS", "Standard_ZRS", "Premium_LRS"),
    *flags("blobs-can-be-restored", "lake-blobs", False, f"{RAW}.enabled"),
    *flags("blobs-can-be-restored", "lake-blobs", 7, f"{RAW}.days"),
    *flags("blobs-can-be-restored", "lake-blobs", True, f"{RAW}.allowPermanentDelete"),
    *flags("blobs-can-be-restored", "storage-blobs", 29, "properties.containerDeleteRetentionPolicy.days"),
    Case("account-has-soft-delete", "lake-blobs", REMOVE),
    *case("workspace-account-is-flat", "storage", "properties.isHnsEnabled", True),
    *case("workspace-account-is-flat", "storage", "kind", "BlobStorage"),
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
    *case("create-only-change-is-a-replacement", "lake", "options.replace_on_changes", ("kind",)),
    *case("create-only-change-is-a-replacement", "key-vault", "options.replace_on_changes", ()),
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
    *case("one-region", "lake", "location", "eastus"),
    *case("no-secret-in-text", "lake", "tags.note", "AccountKey=abc"),
]
OPTIONS = [
    *flags("kubernetes-entra-only", "aks", False, "properties.disableLocalAccounts", "properties.aadProfile.managed"),
    *case("kubernetes-no-admin-group-without-people", "aks", "properties.aadProfile.adminGroupObjectIDs", [PEOPLE]),
    *case(
        "kubernetes-api-not-open", "aks", "properties.apiServerAccessProfile", {}, {"authorizedIPRanges": ["0.0.0.0/0"]}
    ),
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
TWICE = [Case("federation-subject-once", "deploy-credential", "(the same credential a second time)")]
CASES = [*ACCESS, *NETWORK, *DATA, *MACHINE_LEARNING, *MONITORING, *GOVERNANCE, *OPTIONS, *TWICE]


@pytest.fixture(scope="module")
def right() -> World:
    return {**world()}


def judged(resources: World, environment: str = "prod", **more: Any) -> list[Finding]:
    return evaluate(resources.values(), context(environment, **more), RULES)


def broken(resources: World, environment: str = "prod", **more: Any) -> set[str]:
    return {finding.rule for finding in judged(resources, environment, **more)}


def applied(one: Case, right: World) -> World:
    resources = {**right, "instance": instance()} if one.resource == "instance" else dict(right)
    if one.environment == "dev":
        resources = {name: in_dev(each) for name, each in resources.items()}
    if one.changes == REMOVE:
        del resources[one.resource]
    elif isinstance(one.changes, str):
        resources["again"] = dataclasses.replace(resources[one.resource], name="again", key="again")
    else:
        resources[one.resource] = changed(resources[one.resource], one.changes)
    return resources


def test_the_hand_made_environment_is_valid_by_microsofts_types(right: World) -> None:
    for one in [*right.values(), instance()]:
        assert catalogue.check_body(TOKENS[one.arm_type], one.body) == [], one.name


def test_a_right_environment_breaks_no_rule(right: World) -> None:
    assert [finding.line for finding in judged(right)] == []
    assert {finding.rule for finding in judged({**right, "instance": instance()})} == {
        "no-compute-instance-without-people"
    }
    in_test = {
        name: changed(one, {"tags.environment": "test"}) if "tags" in one.body else one for name, one in right.items()
    }
    assert broken(in_test, "test") == {"federation-subject-exact"}  # its credential is prod's


@pytest.mark.parametrize("one", CASES, ids=str)
def test_a_rule_stops_what_it_is_there_to_stop(one: Case, right: World) -> None:
    findings = [finding for finding in judged(applied(one, right), one.environment) if finding.rule == one.rule]
    assert findings, one.rule
    rule = BY_NAME[one.rule]
    assert {finding.severity for finding in findings} == {rule.severity[one.environment]}
    for finding in findings:
        assert finding.text and "\n" not in finding.line
        assert finding.line.startswith(f"{one.environment}: {finding.resource} ({finding.arm_type}): {one.rule}: ")
        assert finding.line.endswith(f"; {rule.remedy}")


def test_each_rule_has_a_failing_case_and_a_resource_that_passes(right: World) -> None:
    assert {one.rule for one in CASES} == set(BY_NAME)
    present = {one.arm_type for one in right.values()} | {arm.SQL_FIREWALL}
    assert [rule.name for rule in RULES if rule.types and not set(rule.types) & present] == []


def test_rules_are_well_formed() -> None:
    assert len(BY_NAME) == len(RULES)
    known = {kind.arm_type for kind in RESOURCE_TYPES.values()}
    for rule in RULES:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name), rule.name
        assert set(rule.severity) == {"dev", "test", "prod"}
        assert rule.severity["prod"] is not Severity.DISABLED
        assert rule.protects and rule.remedy and rule.sources
        assert set(rule.types) <= known, rule.name


def test_a_value_that_is_known_only_after_the_deployment_passes(right: World) -> None:
    hidden = {name: dataclasses.replace(one, body=_hidden(one.body)) for name, one in right.items()}
    rules = [rule for rule in RULES if isinstance(rule, ResourceRule)]
    assert [finding.line for finding in evaluate(hidden.values(), context(), rules)] == []
    # Properties as a whole may be unknown, too.
    whole = {name: changed(one, {"properties": UNKNOWN}) for name, one in right.items()}
    assert [finding.line for finding in evaluate(whole.values(), context(), rules)] == []


def _hidden(value: Any, depth: int = 0) -> Any:
    if isinstance(value, dict):
        return {key: inner if key in ("computeType", "tags") else _hidden(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_hidden(inner) for inner in value]
    return UNKNOWN


def test_dev_may_be_open_and_have_groups(right: World) -> None:
    dev = {name: in_dev(one) for name, one in right.items()}
    dev["deploy-credential"] = changed(
        dev["deploy-credential"], {"properties.subject": "repo:example@123/churn@456:environment:dev"}
    )
    dev["deploy-reads"] = changed(dev["deploy-reads"], {"properties.principalType": "Group"})
    dev["instance"] = in_dev(instance())
    dev["lake"] = changed(dev["lake"], {"sku.name": "Standard_LRS", "options.protect": False})
    del dev["lake-lock"]
    assert [finding.line for finding in judged(dev, "dev")] == []
    dev["deploy-reads"] = changed(dev["deploy-reads"], {"properties.principalType": "User"})
    assert broken(dev, "dev") == {"no-people"}


def test_an_environment_that_is_not_named_is_held_to_what_prod_is_held_to(right: World) -> None:
    opened = {**right, "lake": changed(right["lake"], {"properties.publicNetworkAccess": "Enabled"})}
    found = {finding.rule: finding.severity for finding in judged(opened, "staging")}
    assert found["public-network-access-off"] is Severity.MANDATORY


def _log_readers(until: str) -> Context:
    entry = PersonAllowance(
        object_id=PEOPLE.upper(),
        role_ids=frozenset({LOG_READER.rpartition("/")[2]}),
        purpose="log-reader",
        reason="on-call reads logs at night",
        until=datetime.date.fromisoformat(until),
    )
    return context(people=(entry,), today=datetime.date(2027, 1, 31))


def test_people_may_have_what_the_allow_list_names_until_its_last_day(right: World) -> None:
    person = {"properties.principalType": "Group", "properties.principalId": PEOPLE}
    reader = {
        **right,
        "deploy-reads": changed(right["deploy-reads"], {**person, "properties.roleDefinitionId": LOG_READER}),
    }
    assert evaluate(reader.values(), _log_readers("2027-01-31")) == []
    assert [one.rule for one in evaluate(reader.values(), _log_readers("2027-01-30"))] == ["no-people"]
    # Another role, or another group, is not what was allowed.
    more = {**right, "deploy-reads": changed(right["deploy-reads"], person)}
    assert [one.rule for one in evaluate(more.values(), _log_readers("2027-01-31"))] == ["no-people"]
    other = changed(reader["deploy-reads"], {"properties.principalId": "b0e1c2d3-1111-4222-8333-444455556666"})
    assert [one.rule for one in evaluate([other], _log_readers("2027-01-31"))] == ["no-people"]


def test_an_exception_is_reported_with_its_reason_and_stops_nothing(right: World) -> None:
    opened = {**right, "ai": changed(right["ai"], {"properties.disableLocalAuth": False})}
    entry = Allowance("ai-services-no-keys", "ai", "the vendor's tool knows keys only", datetime.date(2027, 1, 31))
    (finding,) = judged(opened, allowances=(entry,), today=datetime.date(2027, 1, 31))
    assert (finding.stops, finding.warns, finding.allowed) == (False, False, entry.reason)
    (finding,) = judged(opened, allowances=(entry,), today=datetime.date(2027, 2, 1))
    assert (finding.stops, finding.allowed) == (True, "")
    assert all(one.stops for one in judged(opened, allowances=(dataclasses.replace(entry, resource="eh"),)))


def test_a_service_may_be_declared_as_reached_otherwise(right: World) -> None:
    alone = {name: one for name, one in right.items() if name != "pe-adf"}
    assert broken(alone) == {"closed-service-is-reachable"}
    assert broken(alone, reached_otherwise={"adf": "by the hub's own endpoint"}) == set()


SECRETS = [
    "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=" + "a" * 86 + "==",
    "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=r;SharedAccessKey=" + "b" * 43 + "=",
    "Server=tcp:x.database.windows.net;User ID=sa;Password=hunter2",
    "https://x.blob.core.windows.net/c?sv=2024-01-01&sp=r&sig=" + "c" * 43 + "%3D",
    "-----BEGIN RSA PRIVATE KEY-----",
    "abc8Q~" + "d" * 34,
    "ghp_" + "e" * 36,
    "github_pat_" + "f" * 60,
    "dapi" + "0123456789abcdef" * 2,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0abc.sig",
    "https://hooks.slack.com/services/T0/B0/x",
    "postgresql://user:hunter2@host/db",
    "g" * 86 + "==",
]
NO_SECRETS = [
    "Scores images of handwritten digits",
    "https://dl.dfs.core.windows.net",
    GROUP_ID + "/providers/Microsoft.KeyVault/vaults/kv",
    "example-organisation/digit-scoring",
    "0123456789abcdef" * 4,  # a SHA-256
    "sha256:" + "0" * 64,
    "the password is in the vault",
    "SELECT * INTO lake FROM readings WHERE token = 1",
    "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
]


@pytest.mark.parametrize("text", SECRETS, ids=lambda text: text[:12])
def test_a_secret_in_a_tag_is_found_and_never_shown(text: str, right: World) -> None:
    tagged = {**right, "lake": changed(right["lake"], {"tags.note": text})}
    (finding,) = judged(tagged)
    assert (finding.rule, finding.resource) == ("no-secret-in-text", "lake")
    assert text not in finding.line


@pytest.mark.parametrize("text", NO_SECRETS, ids=lambda text: text[:12])
def test_what_is_no_secret_is_not_taken_for_one(text: str, right: World) -> None:
    assert judged({**right, "lake": changed(right["lake"], {"tags.note": text})}) == []


def test_a_secret_is_also_known_by_the_name_of_its_key(right: World) -> None:
    for key in ("password", "clientSecret", "api_key", "sasToken"):
        assert broken({**right, "lake": changed(right["lake"], {f"tags.{key}": "hunter2"})}) == {"no-secret-in-text"}


def test_azure_devops_connections_are_trusted_to_the_letter(right: World) -> None:
    for issuer, subject in (
        (f"https://vstoken.dev.azure.com/{PEOPLE}", "sc://example/analytics/churn-prod"),
        (
            f"https://login.microsoftonline.com/{PEOPLE}/v2.0",
            f"/eid1/c/pub/t/abc_DEF-1/a/xyz/sc/{PEOPLE}/{PEOPLE}",
        ),
    ):
        one = changed(right["deploy-credential"], {"properties.issuer": issuer, "properties.subject": subject})
        assert broken({**right, "deploy-credential": one}) == set()


def test_a_hole_in_the_sql_firewall(right: World) -> None:
    def rule(start: str, end: str) -> Resource:
        body = {"properties": {"startIpAddress": start, "endIpAddress": end}}
        return resource("hole", arm.SQL_FIREWALL, body, scope=right["sql"].arm_id, tags=False)

    dev = context("dev")
    assert evaluate([rule("198.51.100.7", "198.51.100.7")], dev) == []
    for start, end in (("0.0.0.0", "0.0.0.0"), ("0.0.0.0", "255.255.255.255"), ("198.51.100.0", "198.51.100.9")):
        assert [one.rule for one in evaluate([rule(start, end)], dev)] == ["sql-no-hole-in-the-firewall"]
    assert [one.rule for one in evaluate([rule("198.51.100.7", "198.51.100.7")], context())] == [
        "sql-no-hole-in-the-firewall"
    ]
