"""What every environment has, and what environments share, by ARM type. Sources: see `__init__`."""

from __future__ import annotations

from typing import Any

from amlplatform.fixed_properties.model import Creation, Fixed, can_be_replaced, every, every_id

_ML_COMPUTE_PAGE = "learn: Create compute clusters; azurerm machine_learning_compute_cluster"
_ML_INSTANCE_PAGE = "github.com/Azure/bicep-types-az/issues/2543; azurerm machine_learning_compute_instance"
_ISOLATION = ("Disabled", "AllowInternetOutbound", "AllowOnlyApprovedOutbound")


def _in_zones(sku: Any) -> bool:
    return "ZRS" in str(sku)


def _own_name(arm_id: Any) -> str:
    """A role's id may be written with or without the subscription."""
    return str(arm_id).rpartition("/")[2]


_STORAGE = {
    "Microsoft.Storage/storageAccounts": Creation(
        (
            Fixed("properties.isHnsEnabled", "azure-native: replacement; azurerm storage_account"),
            # The one change of kind in Azure is the upgrade of old kinds to StorageV2; the platform makes no others.
            Fixed("kind", "azurerm storage_account"),
            Fixed(
                "properties.encryption.requireInfrastructureEncryption",
                "learn: Enable infrastructure encryption for double encryption of data",
            ),
            Fixed("properties.isNfsV3Enabled", "azurerm storage_account"),
            Fixed("properties.immutableStorageWithVersioning.enabled", "type: StorageAccountProperties"),
            # Between copies in one place and in several zones Azure converts on request, not by a PUT.
            Fixed(
                "sku.name",
                "learn: Change how a storage account is replicated",
                part=_in_zones,
                note="whether copies lie in several zones",
            ),
        ),
        loses="its files",
        holds_data=True,
    ),
    "Microsoft.Storage/storageAccounts/blobServices/containers": Creation(
        every("type: ContainerProperties", "properties.immutableStorageWithVersioning.enabled"),
        loses="its files",
        holds_data=True,
    ),
    "Microsoft.Storage/storageAccounts/blobServices": Creation(),
    "Microsoft.Storage/storageAccounts/fileServices": Creation(),
    "Microsoft.Storage/storageAccounts/managementPolicies": Creation(),
}
_VAULT = {
    "Microsoft.KeyVault/vaults": Creation(
        (
            Fixed("properties.tenantId", "learn: Moving an Azure Key Vault to another tenant"),
            Fixed("properties.softDeleteRetentionInDays", "learn: Azure Key Vault soft-delete overview"),
            Fixed("properties.enableSoftDelete", "type: VaultProperties", forwards=(False, True)),
            Fixed("properties.enablePurgeProtection", "type: VaultProperties", forwards=(False, True)),
        ),
        loses="its secrets and keys",
        holds_data=True,
        keeps_name=True,
    ),
    "Microsoft.KeyVault/vaults/keys": Creation(
        every("learn: Keys - Create If Not Exist", "properties.kty", "properties.keySize", "properties.curveName"),
        loses="what was encrypted with it",
        holds_data=True,
    ),
}
_REGISTRY = {
    "Microsoft.ContainerRegistry/registries": Creation(
        (
            Fixed("properties.zoneRedundancy", "learn: Zone redundancy in Azure Container Registry"),
            Fixed("properties.encryption.status", "learn: Customer-managed keys for Azure Container Registry"),
        ),
        loses="its images",
        holds_data=True,
    ),
}
_MONITORING = {
    # Deleted logs come back with a workspace of the same name: learn, "Delete and recover a Log Analytics workspace".
    "Microsoft.OperationalInsights/workspaces": Creation(loses="its logs", holds_data=True, keeps_name=True),
    "Microsoft.Insights/components": Creation(
        every("azurerm application_insights", "properties.Application_Type"),
        loses="its link to the workspace, which is fixed",
    ),
    "Microsoft.Insights/diagnosticSettings": Creation(),
    "Microsoft.Insights/actionGroups": Creation(),
    "Microsoft.Insights/metricAlerts": Creation(),
    "Microsoft.Insights/scheduledQueryRules": can_be_replaced(
        *every_id("azurerm monitor_scheduled_query_rules_alert_v2", "properties.scopes"),
    ),
    "Microsoft.Insights/workbooks": can_be_replaced(*every("azurerm application_insights_workbook", "kind")),
    "Microsoft.Portal/dashboards": Creation(),
    # Azure does not move the start of a budget that exists.
    "Microsoft.Consumption/budgets": can_be_replaced(
        *every("azurerm consumption_budget_resource_group", "properties.timePeriod.startDate", "properties.timeGrain")
    ),
}
_MACHINE_LEARNING = {
    "Microsoft.MachineLearningServices/workspaces": Creation(
        (
            # "Storage Account update is not supported yet": Azure/azure-cli#21791, Azure/MLOpsPython#364.
            *every("type: WorkspaceProperties", "properties.storageAccount", "properties.keyVault"),
            *every("azurerm machine_learning_workspace", "properties.applicationInsights"),
            # Azure would change it, and models would no longer be traced to the images that they ran in.
            Fixed("properties.containerRegistry", "learn: How to change a workspace's registry", by_choice=True),
            Fixed("properties.hbiWorkspace", "learn: Manage Azure Machine Learning workspaces"),
            Fixed("properties.enableDataIsolation", "learn: Manage Azure Machine Learning workspaces"),
            Fixed("kind", "azurerm machine_learning_workspace"),
            Fixed("properties.encryption.status", "learn: Customer-managed keys for Azure Machine Learning"),
            # A managed network closes and never opens again.
            Fixed(
                "properties.managedNetwork.isolationMode",
                "learn: Workspace managed virtual network isolation",
                forwards=_ISOLATION,
                absent="Disabled",
            ),
            Fixed(
                "identity.type",
                "learn: Set up authentication between Azure Machine Learning and other services",
                forwards=("SystemAssigned", "SystemAssigned,UserAssigned"),
            ),
        ),
        loses="its models, runs and endpoints",
        holds_data=True,
        keeps_name=True,
    ),
    "Microsoft.MachineLearningServices/workspaces/computes": can_be_replaced(
        *every(
            _ML_COMPUTE_PAGE,
            "properties.computeType",
            "properties.disableLocalAuth",
            "properties.properties.vmSize",
            "properties.properties.vmPriority",
            "properties.properties.osType",
            "properties.properties.remoteLoginPortPublicAccess",
            "properties.properties.enableNodePublicIp",
            "properties.properties.userAccountCredentials",
        ),
        *every_id(_ML_COMPUTE_PAGE, "properties.properties.subnet.id"),
        # Compute instances: a PUT on one that exists changes nothing.
        *every(
            _ML_INSTANCE_PAGE,
            "properties.properties.personalComputeInstanceSettings",
            "properties.properties.computeInstanceAuthorizationType",
            "properties.properties.applicationSharingPolicy",
            "properties.properties.sshSettings",
            "properties.properties.enableSSO",
            "properties.properties.setupScripts",
        ),
        # Attached clusters: a second PUT fails.
        *every("avm: machine-learning-services/workspace/compute, deployCompute", "properties.properties.namespace"),
        *every_id("avm: machine-learning-services/workspace/compute, deployCompute", "properties.resourceId"),
    ),
    "Microsoft.MachineLearningServices/workspaces/datastores": can_be_replaced(
        *every("azurerm machine_learning_datastore_blobstorage", "properties.datastoreType")
    ),
    "Microsoft.MachineLearningServices/workspaces/outboundRules": can_be_replaced(
        *every("azurerm machine_learning_workspace_network_outbound_rule_private_endpoint", "properties.type")
    ),
    "Microsoft.MachineLearningServices/registries": Creation(
        every(
            "learn: Create and manage registries",
            "properties.regionDetails[*].storageAccountDetails[*].systemCreatedStorageAccount.storageAccountHnsEnabled",
            "properties.regionDetails[*].storageAccountDetails[*].systemCreatedStorageAccount.storageAccountType",
            "properties.regionDetails[*].acrDetails[*].systemCreatedAcrAccount.acrAccountSku",
        ),
        loses="the models that environments share",
        holds_data=True,
    ),
}
_ACCESS = {
    "Microsoft.Resources/resourceGroups": Creation(loses="everything in it", holds_data=True),
    "Microsoft.Resources/deployments": Creation(),
    "Microsoft.ManagedIdentity/userAssignedIdentities": Creation(
        loses="its object id, which roles and databases know it by"
    ),
    # Issuer, subject and audience can be changed; the name cannot, and is part of the address.
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials": Creation(),
    "Microsoft.Authorization/roleAssignments": can_be_replaced(
        Fixed("properties.principalId", "azure-native: replacement; Azure/cyclecloud-slurm-workspace#169"),
        Fixed("properties.roleDefinitionId", "Azure/cyclecloud-slurm-workspace#169", part=_own_name, arm_id=True),
    ),
    "Microsoft.Authorization/roleDefinitions": Creation(),
    "Microsoft.Authorization/locks": Creation(),
    "Microsoft.Authorization/policyAssignments": can_be_replaced(
        *every_id("azurerm resource_group_policy_assignment", "properties.policyDefinitionId")
    ),
    "Microsoft.Authorization/policyExemptions": can_be_replaced(
        *every_id("azurerm resource_group_policy_exemption", "properties.policyAssignmentId")
    ),
}
_NETWORK = {
    "Microsoft.Network/virtualNetworks": Creation(),
    "Microsoft.Network/virtualNetworks/subnets": can_be_replaced(
        *every("type: SubnetPropertiesFormat", "properties.defaultOutboundAccess")
    ),
    "Microsoft.Network/networkSecurityGroups": Creation(),
    "Microsoft.Network/privateEndpoints": can_be_replaced(
        *every_id(
            "azure-native: replacement; azurerm private_endpoint",
            "properties.subnet.id",
            "properties.privateLinkServiceConnections[*].properties.privateLinkServiceId",
        ),
        *every(
            "azurerm private_endpoint",
            "properties.customNetworkInterfaceName",
            "properties.privateLinkServiceConnections[*].properties.groupIds",
        ),
    ),
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": Creation(),
    "Microsoft.Network/privateDnsZones": Creation(),
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": can_be_replaced(
        *every_id("azurerm private_dns_zone_virtual_network_link", "properties.virtualNetwork.id")
    ),
}
CORE: dict[str, Creation] = {
    **_STORAGE,
    **_VAULT,
    **_REGISTRY,
    **_MONITORING,
    **_MACHINE_LEARNING,
    **_ACCESS,
    **_NETWORK,
}
"""By ARM type."""
