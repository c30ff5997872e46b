"""What the options make, by ARM type. Sources: see `__init__`."""

from __future__ import annotations

from typing import Any

from amlplatform.fixed_properties.model import Creation, Fixed, can_be_replaced, every, every_id

_AKS_PAGE = "azure-native: replacement; azurerm kubernetes_cluster"
_POOL_PAGE = "azure-native: replacement; azurerm kubernetes_cluster_node_pool"


def _is_premium(sku: Any) -> bool:
    return str(sku).lower().startswith("premium")


_KUBERNETES = {
    "Microsoft.ContainerService/managedClusters": can_be_replaced(
        *every(
            _AKS_PAGE,
            "properties.dnsPrefix",
            "properties.fqdnSubdomain",
            "properties.nodeResourceGroup",
            "properties.enableRBAC",
            "properties.apiServerAccessProfile.enablePrivateCluster",
            "properties.networkProfile.networkPlugin",
            "properties.networkProfile.networkPluginMode",
            "properties.networkProfile.networkDataplane",
            "properties.networkProfile.networkPolicy",
            "properties.networkProfile.outboundType",
            "properties.networkProfile.loadBalancerSku",
            "properties.networkProfile.podCidr",
            "properties.networkProfile.serviceCidr",
            "properties.networkProfile.dnsServiceIP",
            "properties.agentPoolProfiles[*].vmSize",
            "properties.agentPoolProfiles[*].osDiskType",
            "properties.agentPoolProfiles[*].osType",
            "properties.agentPoolProfiles[*].maxPods",
            "properties.agentPoolProfiles[*].enableEncryptionAtHost",
            "properties.agentPoolProfiles[*].availabilityZones",
        ),
        *every_id(
            _AKS_PAGE,
            "properties.diskEncryptionSetID",
            "properties.apiServerAccessProfile.privateDNSZone",
            "properties.agentPoolProfiles[*].vnetSubnetID",
        ),
    ),
    "Microsoft.ContainerService/managedClusters/agentPools": can_be_replaced(
        *every(
            _POOL_PAGE,
            "properties.vmSize",
            "properties.osDiskType",
            "properties.osType",
            "properties.maxPods",
            "properties.scaleSetPriority",
            "properties.enableEncryptionAtHost",
            "properties.availabilityZones",
        ),
        *every_id(_POOL_PAGE, "properties.vnetSubnetID"),
    ),
    "Microsoft.ContainerService/managedClusters/managedNamespaces": Creation(),
    "Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings": can_be_replaced(
        *every_id("azurerm kubernetes_cluster_trusted_access_role_binding", "properties.sourceResourceId")
    ),
    "Microsoft.ContainerService/managedClusters/maintenanceConfigurations": Creation(),
    "Microsoft.Insights/dataCollectionRules": Creation(),
    "Microsoft.Insights/dataCollectionRuleAssociations": Creation(),
    "Microsoft.KubernetesConfiguration/extensions": can_be_replaced(
        *every(
            "azurerm kubernetes_cluster_extension",
            "properties.extensionType",
            "properties.scope",
            "properties.releaseTrain",
        )
    ),
}
_SQL = {
    "Microsoft.Sql/servers": Creation(
        (
            Fixed("properties.administratorLogin", "type: ServerProperties"),
            Fixed("properties.version", "azurerm mssql_server"),
            # A resource of its own changes it later: learn, "Server Azure AD Administrators".
            Fixed("properties.administrators.sid", "type: ServerProperties"),
        ),
        loses="its databases",
        holds_data=True,
    ),
    "Microsoft.Sql/servers/databases": Creation(
        (
            Fixed("properties.isLedgerOn", "type: DatabaseProperties"),
            Fixed("properties.collation", "azurerm mssql_database"),
            Fixed("properties.catalogCollation", "learn: Databases - Create Or Update"),
        ),
        loses="its rows",
        holds_data=True,
    ),
    "Microsoft.Sql/servers/databases/transparentDataEncryption": Creation(),
    "Microsoft.Sql/servers/databases/backupShortTermRetentionPolicies": Creation(),
    "Microsoft.Sql/servers/databases/securityAlertPolicies": Creation(),
    "Microsoft.Sql/servers/firewallRules": Creation(),
    "Microsoft.Sql/servers/auditingSettings": Creation(),
}
_ANALYTICS = {
    "Microsoft.Databricks/workspaces": Creation(
        (
            Fixed("properties.computeMode", "type: WorkspaceProperties"),
            *every(
                "azurerm databricks_workspace",
                "properties.managedResourceGroupId",
                "properties.parameters.customVirtualNetworkId.value",
                "properties.parameters.customPublicSubnetName.value",
                "properties.parameters.customPrivateSubnetName.value",
                "properties.parameters.enableNoPublicIp.value",
                "properties.parameters.storageAccountName.value",
                "properties.parameters.requireInfrastructureEncryption.value",
                "properties.parameters.prepareEncryption.value",
            ),
        ),
        loses="its notebooks, jobs and tables",
        holds_data=True,
    ),
    "Microsoft.Databricks/accessConnectors": Creation(),
    "Microsoft.Synapse/workspaces": Creation(
        every(
            "azurerm synapse_workspace",
            "properties.defaultDataLakeStorage.accountUrl",
            "properties.defaultDataLakeStorage.filesystem",
            "properties.managedVirtualNetwork",
            "properties.managedVirtualNetworkSettings.preventDataExfiltration",
            "properties.managedResourceGroupName",
            "properties.sqlAdministratorLogin",
        ),
        loses="its notebooks and pipelines",
        holds_data=True,
    ),
    "Microsoft.Synapse/workspaces/bigDataPools": can_be_replaced(
        *every("azurerm synapse_spark_pool", "properties.nodeSizeFamily", "properties.isComputeIsolationEnabled")
    ),
    "Microsoft.Synapse/workspaces/firewallRules": Creation(),
    # Pipelines stand in the program. A managed network, once made, stays.
    "Microsoft.DataFactory/factories": Creation(),
    "Microsoft.DataFactory/factories/pipelines": Creation(),
    "Microsoft.DataFactory/factories/triggers": can_be_replaced(*every("learn: Triggers", "properties.type")),
    "Microsoft.DataFactory/factories/linkedservices": can_be_replaced(
        *every("learn: Linked services", "properties.type")
    ),
    "Microsoft.DataFactory/factories/datasets": can_be_replaced(*every("learn: Datasets", "properties.type")),
    "Microsoft.DataFactory/factories/integrationRuntimes": can_be_replaced(
        *every("learn: Managed virtual network", "properties.type", "properties.managedVirtualNetwork")
    ),
    "Microsoft.DataFactory/factories/managedVirtualNetworks/managedPrivateEndpoints": can_be_replaced(
        *every("azurerm data_factory_managed_private_endpoint", "properties.groupId"),
        *every_id("azurerm data_factory_managed_private_endpoint", "properties.privateLinkResourceId"),
    ),
}
_STREAMS = {
    "Microsoft.EventHub/namespaces": Creation(
        (
            Fixed("properties.zoneRedundant", "azurerm eventhub_namespace"),
            Fixed("properties.clusterArmId", "azurerm eventhub_namespace"),
            Fixed("sku.name", "azurerm eventhub_namespace", part=_is_premium, note="Premium or not"),
        ),
        loses="the events that nobody has read yet",
        holds_data=True,
    ),
    "Microsoft.EventHub/namespaces/eventhubs": Creation(
        every("learn: Dynamically add partitions to an event hub", "properties.partitionCount"),
        loses="the events that nobody has read yet",
        holds_data=True,
    ),
    "Microsoft.EventHub/namespaces/eventhubs/consumergroups": Creation(),
    "Microsoft.EventHub/namespaces/networkRuleSets": Creation(),
    "Microsoft.StreamAnalytics/streamingjobs": can_be_replaced(
        *every("azurerm stream_analytics_job", "properties.jobType")
    ),
    "Microsoft.Logic/workflows": Creation(),
    "Microsoft.EventGrid/systemTopics": can_be_replaced(
        *every("azurerm eventgrid_system_topic", "properties.topicType"),
        *every_id("azurerm eventgrid_system_topic", "properties.source"),
    ),
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": can_be_replaced(
        *every("azurerm eventgrid_system_topic_event_subscription", "properties.eventDeliverySchema")
    ),
}
_AI_SERVICES = {
    "Microsoft.CognitiveServices/accounts": Creation(
        every("azurerm cognitive_account", "kind", "properties.customSubDomainName"),
        loses="the models that were deployed into it",
        keeps_name=True,
    ),
    "Microsoft.CognitiveServices/accounts/deployments": can_be_replaced(
        *every("azurerm cognitive_deployment", "properties.model.name", "properties.model.format")
    ),
}
OPTIONS: dict[str, Creation] = {
    **_KUBERNETES,
    **_SQL,
    **_ANALYTICS,
    **_STREAMS,
    **_AI_SERVICES,
}
"""By ARM type."""
