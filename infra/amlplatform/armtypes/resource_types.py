"""The kinds of resources: Pulumi's token, ARM's type, the API version, how an id is formed.

One entry for each kind, and nothing else knows them. API versions are those that pulumi-azure-native 3.29.0 sends by
default; a test holds this table against the SDK, and `types.json.gz` is packed from it.
"""

from __future__ import annotations

from amlplatform.armtypes.kinds import GROUP, NestedRename, ResourceType, below, in_group, on_scope
from amlplatform.armtypes.project_types import project_types

__all__ = ["PLATFORM_TYPES", "RESOURCE_TYPES", "NestedRename", "ResourceType"]

_STORAGE = in_group(
    "storage:StorageAccount",
    "Microsoft.Storage/storageAccounts",
    "2024-01-01",
    "accountName",
    {
        "networkRuleSet": "networkAcls",
        "enableHttpsTrafficOnly": "supportsHttpsTrafficOnly",
        "enableNfsV3": "isNfsV3Enabled",
    },
    nested_renames=(
        NestedRename(("networkRuleSet", "ipRules"), sdk="iPAddressOrRange", arm="value"),
        NestedRename(("networkRuleSet", "virtualNetworkRules"), sdk="virtualNetworkResourceId", arm="id"),
    ),
)
_VAULT = in_group("keyvault:Vault", "Microsoft.KeyVault/vaults", "2024-11-01", "vaultName", nested=True)
_IDENTITY = in_group(
    "managedidentity:UserAssignedIdentity",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "2023-01-31",
    "resourceName",
)
_ML = "Microsoft.MachineLearningServices"
_ML_WORKSPACE = in_group("machinelearningservices:Workspace", f"{_ML}/workspaces", "2025-12-01", "workspaceName")
_VIRTUAL_NETWORK = in_group(
    "network:VirtualNetwork", "Microsoft.Network/virtualNetworks", "2024-05-01", "virtualNetworkName"
)
_PRIVATE_ENDPOINT = in_group(
    "network:PrivateEndpoint",
    "Microsoft.Network/privateEndpoints",
    "2024-05-01",
    "privateEndpointName",
    boxes=("properties",),
)
_PRIVATE_ZONE = in_group("privatedns:PrivateZone", "Microsoft.Network/privateDnsZones", "2024-06-01", "privateZoneName")
_AKS = in_group(
    "containerservice:ManagedCluster", "Microsoft.ContainerService/managedClusters", "2025-09-01", "resourceName"
)
_AI_SERVICES = in_group(
    "cognitiveservices:Account", "Microsoft.CognitiveServices/accounts", "2025-06-01", "accountName", nested=True
)
_SQL_SERVER = in_group("sql:Server", "Microsoft.Sql/servers", "2023-08-01", "serverName")
_SQL_DATABASE = below(_SQL_SERVER, "sql:Database", "databases", "databaseName")
_SYNAPSE = in_group("synapse:Workspace", "Microsoft.Synapse/workspaces", "2021-06-01", "workspaceName")
_DATA_FACTORY = in_group("datafactory:Factory", "Microsoft.DataFactory/factories", "2018-06-01", "factoryName")
# Where Data Factory keeps what belongs to one kind of activity, trigger, linked service or runtime.
_OF_A_KIND = ("typeProperties",)
_EVENT_HUBS = in_group("eventhub:Namespace", "Microsoft.EventHub/namespaces", "2024-01-01", "namespaceName")
_EVENT_HUB = below(_EVENT_HUBS, "eventhub:EventHub", "eventhubs", "eventHubName")
_SYSTEM_TOPIC = in_group("eventgrid:SystemTopic", "Microsoft.EventGrid/systemTopics", "2025-02-15", "systemTopicName")

_CORE = (
    ResourceType(
        "azure-native:resources:ResourceGroup",
        "Microsoft.Resources/resourceGroups",
        "2024-03-01",
        GROUP,
        "resourceGroupName",
        nested=True,
    ),
    in_group("resources:Deployment", "Microsoft.Resources/deployments", "2024-03-01", "deploymentName", nested=True),
    _STORAGE,
    below(_STORAGE, "storage:BlobServiceProperties", "blobServices", "blobServicesName"),
    below(_STORAGE, "storage:FileServiceProperties", "fileServices", "fileServicesName"),
    below(
        _STORAGE,
        "storage:BlobContainer",
        "blobServices/default/containers",
        "containerName",
        arm_type="Microsoft.Storage/storageAccounts/blobServices/containers",
    ),
    below(_STORAGE, "storage:ManagementPolicy", "managementPolicies", "managementPolicyName"),
    _VAULT,
    below(_VAULT, "keyvault:Key", "keys", "keyName"),
    in_group(
        "containerregistry:Registry", "Microsoft.ContainerRegistry/registries", "2023-01-01-preview", "registryName"
    ),
)
_ACCESS = (
    on_scope(
        "authorization:RoleAssignment", "Microsoft.Authorization/roleAssignments", "2022-04-01", "roleAssignmentName"
    ),
    on_scope(
        "authorization:RoleDefinition",
        "Microsoft.Authorization/roleDefinitions",
        "2022-05-01-preview",
        "roleDefinitionId",
        renames={"roleType": "type"},
    ),
    on_scope("authorization:ManagementLockByScope", "Microsoft.Authorization/locks", "2020-05-01", "lockName"),
    on_scope(
        "authorization:PolicyAssignment",
        "Microsoft.Authorization/policyAssignments",
        "2025-01-01",
        "policyAssignmentName",
    ),
    on_scope(
        "authorization:PolicyExemption",
        "Microsoft.Authorization/policyExemptions",
        "2022-07-01-preview",
        "policyExemptionName",
    ),
    _IDENTITY,
    below(
        _IDENTITY,
        "managedidentity:FederatedIdentityCredential",
        "federatedIdentityCredentials",
        "federatedIdentityCredentialResourceName",
    ),
)
_MONITORING = (
    in_group(
        "operationalinsights:Workspace", "Microsoft.OperationalInsights/workspaces", "2023-09-01", "workspaceName"
    ),
    in_group("applicationinsights:Component", "Microsoft.Insights/components", "2020-02-02", "resourceName"),
    in_group("applicationinsights:Workbook", "Microsoft.Insights/workbooks", "2023-06-01", "resourceName"),
    on_scope(
        "monitor:DiagnosticSetting",
        "Microsoft.Insights/diagnosticSettings",
        "2021-05-01-preview",
        "name",
        scope="resourceUri",
    ),
    in_group(
        "monitor:DataCollectionRule",
        "Microsoft.Insights/dataCollectionRules",
        "2022-06-01",
        "dataCollectionRuleName",
    ),
    on_scope(
        "monitor:DataCollectionRuleAssociation",
        "Microsoft.Insights/dataCollectionRuleAssociations",
        "2022-06-01",
        "associationName",
        scope="resourceUri",
    ),
    in_group("monitor:ActionGroup", "Microsoft.Insights/actionGroups", "2024-10-01-preview", "actionGroupName"),
    in_group(
        "monitor:MetricAlert",
        "Microsoft.Insights/metricAlerts",
        "2018-03-01",
        "ruleName",
        nested_renames=(NestedRename(("criteria",), sdk="odataType", arm="odata.type"),),
    ),
    in_group("monitor:ScheduledQueryRule", "Microsoft.Insights/scheduledQueryRules", "2025-01-01-preview", "ruleName"),
    on_scope("consumption:Budget", "Microsoft.Consumption/budgets", "2024-08-01", "budgetName"),
    in_group("portal:Dashboard", "Microsoft.Portal/dashboards", "2022-12-01-preview", "dashboardName", nested=True),
)
_MACHINE_LEARNING = (
    _ML_WORKSPACE,
    below(_ML_WORKSPACE, "machinelearningservices:Compute", "computes", "computeName", nested=True),
    below(
        _ML_WORKSPACE,
        "machinelearningservices:Datastore",
        "datastores",
        "name",
        query_inputs=frozenset({"skipValidation"}),
        nested=True,
    ),
    below(
        _ML_WORKSPACE, "machinelearningservices:ManagedNetworkSettingsRule", "outboundRules", "ruleName", nested=True
    ),
    in_group("machinelearningservices:Registry", f"{_ML}/registries", "2025-12-01", "registryName"),
)
_NETWORK = (
    _VIRTUAL_NETWORK,
    below(_VIRTUAL_NETWORK, "network:Subnet", "subnets", "subnetName"),
    in_group(
        "network:NetworkSecurityGroup",
        "Microsoft.Network/networkSecurityGroups",
        "2024-05-01",
        "networkSecurityGroupName",
    ),
    _PRIVATE_ENDPOINT,
    below(
        _PRIVATE_ENDPOINT,
        "network:PrivateDnsZoneGroup",
        "privateDnsZoneGroups",
        "privateDnsZoneGroupName",
        boxes=("properties",),
    ),
    _PRIVATE_ZONE,
    below(_PRIVATE_ZONE, "privatedns:VirtualNetworkLink", "virtualNetworkLinks", "virtualNetworkLinkName"),
)
_OPTIONS = (
    _AKS,
    below(_AKS, "containerservice:AgentPool", "agentPools", "agentPoolName"),
    below(_AKS, "containerservice:ManagedNamespace", "managedNamespaces", "managedNamespaceName", nested=True),
    below(
        _AKS,
        "containerservice:TrustedAccessRoleBinding",
        "trustedAccessRoleBindings",
        "trustedAccessRoleBindingName",
    ),
    below(_AKS, "containerservice:MaintenanceConfiguration", "maintenanceConfigurations", "configName"),
    ResourceType(
        "azure-native:kubernetesconfiguration:Extension",
        "Microsoft.KubernetesConfiguration/extensions",
        "2023-05-01",
        f"{GROUP}/providers/{{clusterRp}}/{{clusterResourceName}}/{{clusterName}}/providers/"
        "Microsoft.KubernetesConfiguration/extensions/{extensionName}",
        "extensionName",
    ),
    _AI_SERVICES,
    below(_AI_SERVICES, "cognitiveservices:Deployment", "deployments", "deploymentName", nested=True),
    _SQL_SERVER,
    _SQL_DATABASE,
    below(_SQL_DATABASE, "sql:TransparentDataEncryption", "transparentDataEncryption", "tdeName"),
    below(_SQL_DATABASE, "sql:BackupShortTermRetentionPolicy", "backupShortTermRetentionPolicies", "policyName"),
    below(_SQL_DATABASE, "sql:DatabaseSecurityAlertPolicy", "securityAlertPolicies", "securityAlertPolicyName"),
    below(_SQL_SERVER, "sql:FirewallRule", "firewallRules", "firewallRuleName"),
    below(_SQL_SERVER, "sql:ServerBlobAuditingPolicy", "auditingSettings", "blobAuditingPolicyName"),
    _SYNAPSE,
    below(_SYNAPSE, "synapse:BigDataPool", "bigDataPools", "bigDataPoolName", query_inputs=frozenset({"force"})),
    below(_SYNAPSE, "synapse:IpFirewallRule", "firewallRules", "ruleName"),
    in_group("databricks:Workspace", "Microsoft.Databricks/workspaces", "2026-01-01", "workspaceName"),
    in_group(
        "databricks:AccessConnector",
        "Microsoft.Databricks/accessConnectors",
        "2026-01-01",
        "connectorName",
        nested=True,
    ),
    _DATA_FACTORY,
    below(_DATA_FACTORY, "datafactory:Pipeline", "pipelines", "pipelineName", boxes=_OF_A_KIND),
    below(_DATA_FACTORY, "datafactory:Trigger", "triggers", "triggerName", nested=True, boxes=_OF_A_KIND),
    below(
        _DATA_FACTORY, "datafactory:LinkedService", "linkedservices", "linkedServiceName", nested=True, boxes=_OF_A_KIND
    ),
    below(_DATA_FACTORY, "datafactory:Dataset", "datasets", "datasetName", nested=True, boxes=_OF_A_KIND),
    below(
        _DATA_FACTORY,
        "datafactory:IntegrationRuntime",
        "integrationRuntimes",
        "integrationRuntimeName",
        nested=True,
        boxes=_OF_A_KIND,
    ),
    ResourceType(
        "azure-native:datafactory:ManagedPrivateEndpoint",
        "Microsoft.DataFactory/factories/managedVirtualNetworks/managedPrivateEndpoints",
        _DATA_FACTORY.api_version,
        f"{_DATA_FACTORY.id_template}/managedVirtualNetworks/{{managedVirtualNetworkName}}"
        "/managedPrivateEndpoints/{managedPrivateEndpointName}",
        "managedPrivateEndpointName",
        nested=True,
    ),
    _EVENT_HUBS,
    _EVENT_HUB,
    below(_EVENT_HUB, "eventhub:ConsumerGroup", "consumergroups", "consumerGroupName"),
    ResourceType(
        "azure-native:eventhub:NamespaceNetworkRuleSet",
        "Microsoft.EventHub/namespaces/networkRuleSets",
        _EVENT_HUBS.api_version,
        f"{_EVENT_HUBS.id_template}/networkRuleSets/default",
        "",
    ),
    in_group(
        "streamanalytics:StreamingJob",
        "Microsoft.StreamAnalytics/streamingjobs",
        "2020-03-01",
        "jobName",
        boxes=("properties",),
    ),
    in_group("logic:Workflow", "Microsoft.Logic/workflows", "2019-05-01", "workflowName"),
    _SYSTEM_TOPIC,
    below(
        _SYSTEM_TOPIC,
        "eventgrid:SystemTopicEventSubscription",
        "eventSubscriptions",
        "eventSubscriptionName",
    ),
)

PLATFORM_TYPES: tuple[ResourceType, ...] = (*_CORE, *_ACCESS, *_MONITORING, *_MACHINE_LEARNING, *_NETWORK, *_OPTIONS)
"""What the platform makes; the others are made by projects."""

RESOURCE_TYPES: dict[str, ResourceType] = {
    resource_type.token: resource_type for resource_type in (*PLATFORM_TYPES, *project_types(_ML_WORKSPACE))
}
