"""The kinds of resources that the platform makes: Pulumi's token, ARM's type, the API version, how an id is formed.

One entry for each kind, and nothing else knows them. API versions are those that pulumi-azure-native 3.29.0 sends by
default; a test holds this table against the SDK, and `types.json.gz` is packed from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_GROUP = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class NestedRename:
    """A property inside an input that the SDK calls otherwise than ARM. `path`: the inputs that lead to its object;
    lists are gone through item by item."""

    path: tuple[str, ...]
    sdk: str
    arm: str


@dataclass(frozen=True)
class ResourceType:
    """One kind of resource.

    `id_template` has the inputs that form the id in braces, `name_input` is the one that holds the resource's own name
    ("" where the id ends in a fixed name).
    `renames` are the inputs whose ARM name the SDK changed beyond case and underscores, `query_inputs` those that are
    sent as query parameters. `nested`: the SDK shows ARM's `properties` as one output and does not lay them flat.
    `boxes`: what the SDK lays flat also below the first level (see flattening.py).
    """

    token: str
    arm_type: str
    api_version: str
    id_template: str
    name_input: str
    renames: Mapping[str, str] = field(default_factory=dict)
    query_inputs: frozenset[str] = frozenset()
    nested: bool = False
    nested_renames: tuple[NestedRename, ...] = ()
    boxes: tuple[str, ...] = ()

    @property
    def address_inputs(self) -> frozenset[str]:
        """The inputs that are part of the request's address, and therefore not of the body."""
        return frozenset(_PLACEHOLDER.findall(self.id_template)) | self.query_inputs

    def own_name(self, inputs: Mapping[str, object]) -> str:
        """The resource's own name: that of the input, or the one that its id always ends with; "" when not given."""
        if not self.name_input:
            return self.id_template.rpartition("/")[2]
        return str(inputs.get(self.name_input, ""))


def _in_group(
    token: str,
    arm_type: str,
    version: str,
    name_input: str,
    renames: Mapping[str, str] | None = None,
    *,
    nested: bool = False,
    nested_renames: tuple[NestedRename, ...] = (),
    boxes: tuple[str, ...] = (),
) -> ResourceType:
    template = f"{_GROUP}/providers/{arm_type}/{{{name_input}}}"
    return ResourceType(
        f"azure-native:{token}",
        arm_type,
        version,
        template,
        name_input,
        renames or {},
        nested=nested,
        nested_renames=nested_renames,
        boxes=boxes,
    )


def _below(
    parent: ResourceType,
    token: str,
    segments: str,
    name_input: str,
    *,
    arm_type: str | None = None,
    version: str | None = None,
    renames: Mapping[str, str] | None = None,
    query_inputs: frozenset[str] = frozenset(),
    nested: bool = False,
    boxes: tuple[str, ...] = (),
) -> ResourceType:
    """A child of `parent`, of the same API version; `segments` stand between the parent's id and the child's name."""
    return ResourceType(
        f"azure-native:{token}",
        arm_type or f"{parent.arm_type}/{segments}",
        version or parent.api_version,
        f"{parent.id_template}/{segments}/{{{name_input}}}",
        name_input,
        renames or {},
        query_inputs,
        nested,
        boxes=boxes,
    )


def _on_scope(
    token: str,
    arm_type: str,
    version: str,
    name_input: str,
    *,
    scope: str = "scope",
    renames: Mapping[str, str] | None = None,
) -> ResourceType:
    """An extension of another resource, whose id is the input `scope`."""
    template = f"{{{scope}}}/providers/{arm_type}/{{{name_input}}}"
    return ResourceType(f"azure-native:{token}", arm_type, version, template, name_input, renames or {})


_STORAGE = _in_group(
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
_VAULT = _in_group("keyvault:Vault", "Microsoft.KeyVault/vaults", "2024-11-01", "vaultName", nested=True)
_IDENTITY = _in_group(
    "managedidentity:UserAssignedIdentity",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "2023-01-31",
    "resourceName",
)
_ML = "Microsoft.MachineLearningServices"
_ML_WORKSPACE = _in_group("machinelearningservices:Workspace", f"{_ML}/workspaces", "2025-12-01", "workspaceName")
_VIRTUAL_NETWORK = _in_group(
    "network:VirtualNetwork", "Microsoft.Network/virtualNetworks", "2024-05-01", "virtualNetworkName"
)
_PRIVATE_ENDPOINT = _in_group(
    "network:PrivateEndpoint",
    "Microsoft.Network/privateEndpoints",
    "2024-05-01",
    "privateEndpointName",
    boxes=("properties",),
)
_PRIVATE_ZONE = _in_group(
    "privatedns:PrivateZone", "Microsoft.Network/privateDnsZones", "2024-06-01", "privateZoneName"
)
_AKS = _in_group(
    "containerservice:ManagedCluster", "Microsoft.ContainerService/managedClusters", "2025-09-01", "resourceName"
)
_AI_SERVICES = _in_group(
    "cognitiveservices:Account", "Microsoft.CognitiveServices/accounts", "2025-06-01", "accountName", nested=True
)
_SQL_SERVER = _in_group("sql:Server", "Microsoft.Sql/servers", "2023-08-01", "serverName")
_SQL_DATABASE = _below(_SQL_SERVER, "sql:Database", "databases", "databaseName")
_SYNAPSE = _in_group("synapse:Workspace", "Microsoft.Synapse/workspaces", "2021-06-01", "workspaceName")
_DATA_FACTORY = _in_group("datafactory:Factory", "Microsoft.DataFactory/factories", "2018-06-01", "factoryName")
# Where Data Factory keeps what belongs to one kind of activity, trigger, linked service or runtime.
_OF_A_KIND = ("typeProperties",)
_EVENT_HUBS = _in_group("eventhub:Namespace", "Microsoft.EventHub/namespaces", "2024-01-01", "namespaceName")
_EVENT_HUB = _below(_EVENT_HUBS, "eventhub:EventHub", "eventhubs", "eventHubName")
_SYSTEM_TOPIC = _in_group("eventgrid:SystemTopic", "Microsoft.EventGrid/systemTopics", "2025-02-15", "systemTopicName")

_CORE = (
    ResourceType(
        "azure-native:resources:ResourceGroup",
        "Microsoft.Resources/resourceGroups",
        "2024-03-01",
        _GROUP,
        "resourceGroupName",
        nested=True,
    ),
    _in_group("resources:Deployment", "Microsoft.Resources/deployments", "2024-03-01", "deploymentName", nested=True),
    _STORAGE,
    _below(_STORAGE, "storage:BlobServiceProperties", "blobServices", "blobServicesName"),
    _below(_STORAGE, "storage:FileServiceProperties", "fileServices", "fileServicesName"),
    _below(
        _STORAGE,
        "storage:BlobContainer",
        "blobServices/default/containers",
        "containerName",
        arm_type="Microsoft.Storage/storageAccounts/blobServices/containers",
    ),
    _below(_STORAGE, "storage:ManagementPolicy", "managementPolicies", "managementPolicyName"),
    _VAULT,
    _below(_VAULT, "keyvault:Key", "keys", "keyName"),
    _in_group(
        "containerregistry:Registry", "Microsoft.ContainerRegistry/registries", "2023-01-01-preview", "registryName"
    ),
)
_ACCESS = (
    _on_scope(
        "authorization:RoleAssignment", "Microsoft.Authorization/roleAssignments", "2022-04-01", "roleAssignmentName"
    ),
    _on_scope(
        "authorization:RoleDefinition",
        "Microsoft.Authorization/roleDefinitions",
        "2022-05-01-preview",
        "roleDefinitionId",
        renames={"roleType": "type"},
    ),
    _on_scope("authorization:ManagementLockByScope", "Microsoft.Authorization/locks", "2020-05-01", "lockName"),
    _on_scope(
        "authorization:PolicyAssignment",
        "Microsoft.Authorization/policyAssignments",
        "2025-01-01",
        "policyAssignmentName",
    ),
    _on_scope(
        "authorization:PolicyExemption",
        "Microsoft.Authorization/policyExemptions",
        "2022-07-01-preview",
        "policyExemptionName",
    ),
    _IDENTITY,
    _below(
        _IDENTITY,
        "managedidentity:FederatedIdentityCredential",
        "federatedIdentityCredentials",
        "federatedIdentityCredentialResourceName",
    ),
)
_MONITORING = (
    _in_group(
        "operationalinsights:Workspace", "Microsoft.OperationalInsights/workspaces", "2023-09-01", "workspaceName"
    ),
    _in_group("applicationinsights:Component", "Microsoft.Insights/components", "2020-02-02", "resourceName"),
    _in_group("applicationinsights:Workbook", "Microsoft.Insights/workbooks", "2023-06-01", "resourceName"),
    _on_scope(
        "monitor:DiagnosticSetting",
        "Microsoft.Insights/diagnosticSettings",
        "2021-05-01-preview",
        "name",
        scope="resourceUri",
    ),
    _in_group(
        "monitor:DataCollectionRule",
        "Microsoft.Insights/dataCollectionRules",
        "2022-06-01",
        "dataCollectionRuleName",
    ),
    _on_scope(
        "monitor:DataCollectionRuleAssociation",
        "Microsoft.Insights/dataCollectionRuleAssociations",
        "2022-06-01",
        "associationName",
        scope="resourceUri",
    ),
    _in_group("monitor:ActionGroup", "Microsoft.Insights/actionGroups", "2024-10-01-preview", "actionGroupName"),
    _in_group(
        "monitor:MetricAlert",
        "Microsoft.Insights/metricAlerts",
        "2018-03-01",
        "ruleName",
        nested_renames=(NestedRename(("criteria",), sdk="odataType", arm="odata.type"),),
    ),
    _in_group("monitor:ScheduledQueryRule", "Microsoft.Insights/scheduledQueryRules", "2025-01-01-preview", "ruleName"),
    _on_scope("consumption:Budget", "Microsoft.Consumption/budgets", "2024-08-01", "budgetName"),
    _in_group("portal:Dashboard", "Microsoft.Portal/dashboards", "2022-12-01-preview", "dashboardName", nested=True),
)
_MACHINE_LEARNING = (
    _ML_WORKSPACE,
    _below(_ML_WORKSPACE, "machinelearningservices:Compute", "computes", "computeName", nested=True),
    _below(
        _ML_WORKSPACE,
        "machinelearningservices:Datastore",
        "datastores",
        "name",
        query_inputs=frozenset({"skipValidation"}),
        nested=True,
    ),
    _below(
        _ML_WORKSPACE, "machinelearningservices:ManagedNetworkSettingsRule", "outboundRules", "ruleName", nested=True
    ),
    _in_group("machinelearningservices:Registry", f"{_ML}/registries", "2025-12-01", "registryName"),
)
_NETWORK = (
    _VIRTUAL_NETWORK,
    _below(_VIRTUAL_NETWORK, "network:Subnet", "subnets", "subnetName"),
    _in_group(
        "network:NetworkSecurityGroup",
        "Microsoft.Network/networkSecurityGroups",
        "2024-05-01",
        "networkSecurityGroupName",
    ),
    _PRIVATE_ENDPOINT,
    _below(
        _PRIVATE_ENDPOINT,
        "network:PrivateDnsZoneGroup",
        "privateDnsZoneGroups",
        "privateDnsZoneGroupName",
        boxes=("properties",),
    ),
    _PRIVATE_ZONE,
    _below(_PRIVATE_ZONE, "privatedns:VirtualNetworkLink", "virtualNetworkLinks", "virtualNetworkLinkName"),
)
_OPTIONS = (
    _AKS,
    _below(_AKS, "containerservice:AgentPool", "agentPools", "agentPoolName"),
    _below(_AKS, "containerservice:ManagedNamespace", "managedNamespaces", "managedNamespaceName", nested=True),
    _below(
        _AKS,
        "containerservice:TrustedAccessRoleBinding",
        "trustedAccessRoleBindings",
        "trustedAccessRoleBindingName",
    ),
    _below(_AKS, "containerservice:MaintenanceConfiguration", "maintenanceConfigurations", "configName"),
    ResourceType(
        "azure-native:kubernetesconfiguration:Extension",
        "Microsoft.KubernetesConfiguration/extensions",
        "2023-05-01",
        f"{_GROUP}/providers/{{clusterRp}}/{{clusterResourceName}}/{{clusterName}}/providers/"
        "Microsoft.KubernetesConfiguration/extensions/{extensionName}",
        "extensionName",
    ),
    _AI_SERVICES,
    _below(_AI_SERVICES, "cognitiveservices:Deployment", "deployments", "deploymentName", nested=True),
    _SQL_SERVER,
    _SQL_DATABASE,
    _below(_SQL_DATABASE, "sql:TransparentDataEncryption", "transparentDataEncryption", "tdeName"),
    _below(_SQL_DATABASE, "sql:BackupShortTermRetentionPolicy", "backupShortTermRetentionPolicies", "policyName"),
    _below(_SQL_DATABASE, "sql:DatabaseSecurityAlertPolicy", "securityAlertPolicies", "securityAlertPolicyName"),
    _below(_SQL_SERVER, "sql:FirewallRule", "firewallRules", "firewallRuleName"),
    _below(_SQL_SERVER, "sql:ServerBlobAuditingPolicy", "auditingSettings", "blobAuditingPolicyName"),
    _SYNAPSE,
    _below(_SYNAPSE, "synapse:BigDataPool", "bigDataPools", "bigDataPoolName", query_inputs=frozenset({"force"})),
    _below(_SYNAPSE, "synapse:IpFirewallRule", "firewallRules", "ruleName"),
    _in_group("databricks:Workspace", "Microsoft.Databricks/workspaces", "2026-01-01", "workspaceName"),
    _in_group(
        "databricks:AccessConnector",
        "Microsoft.Databricks/accessConnectors",
        "2026-01-01",
        "connectorName",
        nested=True,
    ),
    _DATA_FACTORY,
    _below(_DATA_FACTORY, "datafactory:Pipeline", "pipelines", "pipelineName", boxes=_OF_A_KIND),
    _below(_DATA_FACTORY, "datafactory:Trigger", "triggers", "triggerName", nested=True, boxes=_OF_A_KIND),
    _below(
        _DATA_FACTORY, "datafactory:LinkedService", "linkedservices", "linkedServiceName", nested=True, boxes=_OF_A_KIND
    ),
    _below(_DATA_FACTORY, "datafactory:Dataset", "datasets", "datasetName", nested=True, boxes=_OF_A_KIND),
    _below(
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
    _below(_EVENT_HUB, "eventhub:ConsumerGroup", "consumergroups", "consumerGroupName"),
    ResourceType(
        "azure-native:eventhub:NamespaceNetworkRuleSet",
        "Microsoft.EventHub/namespaces/networkRuleSets",
        _EVENT_HUBS.api_version,
        f"{_EVENT_HUBS.id_template}/networkRuleSets/default",
        "",
    ),
    _in_group(
        "streamanalytics:StreamingJob",
        "Microsoft.StreamAnalytics/streamingjobs",
        "2020-03-01",
        "jobName",
        boxes=("properties",),
    ),
    _in_group("logic:Workflow", "Microsoft.Logic/workflows", "2019-05-01", "workflowName"),
    _SYSTEM_TOPIC,
    _below(
        _SYSTEM_TOPIC,
        "eventgrid:SystemTopicEventSubscription",
        "eventSubscriptions",
        "eventSubscriptionName",
    ),
)

RESOURCE_TYPES: dict[str, ResourceType] = {
    resource_type.token: resource_type
    for resource_type in (*_CORE, *_ACCESS, *_MONITORING, *_MACHINE_LEARNING, *_NETWORK, *_OPTIONS)
}
