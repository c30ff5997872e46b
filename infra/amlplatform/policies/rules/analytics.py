"""Synapse, Databricks and Data Factory: isolated, without keys, paused without work."""

from __future__ import annotations

from collections.abc import Iterator

from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.policies import arm
from amlplatform.policies.bounds import Bounds
from amlplatform.policies.checks import absent, between, constant, each, equals, given, where
from amlplatform.policies.rule import EVERYWHERE, NOT_IN_DEV, Context, Resource, ResourceRule, Rule
from amlplatform.policies.values import at, items, shown, texts

# Inputs of linked services that carry a credential: learn.microsoft.com/azure/data-factory, the connectors' pages.
_CREDENTIALS = frozenset(
    {
        "accesstoken",
        "accountkey",
        "connectionstring",
        "encryptedcredential",
        "password",
        "sasuri",
        "sastoken",
        "serviceprincipalcredential",
        "serviceprincipalkey",
    }
)


def _spark_idle(bounds: Bounds) -> int:
    return bounds.spark_idle_minutes


def _linked_service(resource: Resource, _context: Context) -> Iterator[str]:
    kind = at(resource.body, "properties.type")
    for path, text in texts(at(resource.body, "properties.typeProperties")):
        key = path.partition(".")[0].partition("[")[0]
        # A secret of the key vault is a pointer, and the vault's own linked service needs nothing else.
        pointer = at(resource.body, f"properties.typeProperties.{key}.type") == "AzureKeyVaultSecret"
        if text == key and key.lower() in _CREDENTIALS and not pointer:
            yield f"properties.typeProperties.{key} of {shown(kind)} carries a credential"


def _calls(resource: Resource, _context: Context) -> Iterator[str]:
    for activity in _activities(at(resource.body, "properties")):
        if at(activity, "type") not in ("WebActivity", "WebHook", "AzureFunctionActivity"):
            continue
        login = at(activity, "typeProperties.authentication.type")
        if login not in ("MSI", "UserAssignedManagedIdentity", UNKNOWN):
            yield f"the activity {shown(at(activity, 'name'))} calls with {shown(login)}, must be 'MSI'"


def _activities(value: object) -> Iterator[object]:
    """All activities, also those inside of others (loops, conditions)."""
    for activity in items(value, "activities"):
        yield activity
        inner = at(activity, "typeProperties")
        yield from _activities(inner)
        for branch in ("ifTrueActivities", "ifFalseActivities", "defaultActivities"):
            yield from _activities({"activities": items(inner, branch)})
        for one in items(inner, "cases"):
            yield from _activities(one)


# What the SDK has no class for, and only that.
_IN_TEMPLATES = ("Microsoft.DataFactory/factories/managedVirtualNetworks",)


def _template(resource: Resource, context: Context) -> Iterator[str]:
    yield from equals("properties.mode", "Incremental")(resource, context)
    yield from absent("properties.templateLink")(resource, context)
    for one in items(resource.body, "properties.template.resources"):
        if at(one, "type") not in (*_IN_TEMPLATES, UNKNOWN):
            yield f"properties.template makes a {shown(at(one, 'type'))}"
    made = at(resource.body, "properties.template.resources")
    if made != UNKNOWN and (not isinstance(made, list) or not made):
        yield "properties.template has no list of resources that could be looked at"


RULES: tuple[Rule, ...] = (
    ResourceRule(
        name="synapse-isolated",
        protects="Spark and pipelines run in a managed network and send data only to approved tenants",
        remedy="set managedVirtualNetwork 'default', preventDataExfiltration and linkedAccessCheckOnTargetResource, "
        "trustedServiceBypassEnabled false, and where it is closed a private endpoint to its lake",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_58",
            "CKV_AZURE_157",
        ),
        types=(arm.SYNAPSE,),
        check=each(
            equals("properties.managedVirtualNetwork", "default"),
            equals("properties.managedVirtualNetworkSettings.preventDataExfiltration", True),
            equals("properties.managedVirtualNetworkSettings.linkedAccessCheckOnTargetResource", True),
            # Nothing else of Azure comes in past the network.
            equals("properties.trustedServiceBypassEnabled", False),
            # Data exfiltration protection lets nothing out by another way, also not to a lake that is open.
            equals("properties.defaultDataLakeStorage.createManagedPrivateEndpoint", True),
        ),
    ),
    ResourceRule(
        name="synapse-entra-only",
        protects="No SQL login with a password exists in Synapse",
        remedy="set azureADOnlyAuthentication to true, and no sqlAdministratorLoginPassword",
        severity=EVERYWHERE,
        sources=(
            "CKV_AZURE_239",
            "CKV2_AZURE_51",
        ),
        types=(arm.SYNAPSE,),
        check=each(
            equals("properties.azureADOnlyAuthentication", True),
            absent("properties.sqlAdministratorLoginPassword"),
            equals("identity.type", "SystemAssigned", "SystemAssigned,UserAssigned"),
        ),
    ),
    ResourceRule(
        name="spark-pool-pauses",
        protects="Without work no nodes run; a job takes no more than was asked for",
        remedy="turn autoPause and autoScale on",
        severity=EVERYWHERE,
        sources=("DMZ Deny-Synapse-Spark-AutoPause",),
        types=(arm.SPARK_POOL,),
        check=each(
            equals("properties.autoPause.enabled", True),
            between("properties.autoPause.delayInMinutes", constant(5), _spark_idle),
            equals("properties.autoScale.enabled", True),
            between("properties.autoScale.maxNodeCount", constant(3), constant(200)),
        ),
    ),
    ResourceRule(
        name="spark-pool-packages-reviewed",
        protects="Code that nobody reviewed is not loaded by a notebook's cell",
        remedy="set sessionLevelPackagesEnabled to false, and install packages on the pool",
        severity=NOT_IN_DEV,
        sources=("own",),
        types=(arm.SPARK_POOL,),
        check=equals("properties.sessionLevelPackagesEnabled", False),
    ),
    ResourceRule(
        name="databricks-hardened",
        protects="Nodes have no public address and stand in a network; access is by role, down to tables and columns",
        remedy="take the SKU premium, computeMode Hybrid, enableNoPublicIp and the catalogue UnityCatalog",
        severity=EVERYWHERE,
        sources=(
            "DMZ Deny-Databricks-NoPublicIp",
            "DMZ Deny-Databricks-Sku",
            "PSRule Azure.Databricks.SecureConnectivity",
        ),
        types=(arm.DATABRICKS,),
        check=each(
            equals("sku.name", "premium"),
            equals("properties.computeMode", "Hybrid"),
            equals("properties.defaultCatalog.initialType", "UnityCatalog"),
            equals("properties.parameters.enableNoPublicIp.value", True),
            # Rules that let Databricks' own addresses in are needed where it comes over the internet, and only there.
            where(
                "properties.publicNetworkAccess",
                "Disabled",
                then=equals("properties.requiredNsgRules", "NoAzureDatabricksRules"),
            ),
            where("properties.publicNetworkAccess", "Enabled", then=equals("properties.requiredNsgRules", "AllRules")),
        ),
    ),
    ResourceRule(
        name="databricks-encrypted-twice",
        protects="One broken algorithm or key does not open the data",
        remedy="set requireInfrastructureEncryption to true; it is fixed when the workspace is made",
        severity=NOT_IN_DEV,
        sources=("own",),
        types=(arm.DATABRICKS,),
        check=equals("properties.parameters.requireInfrastructureEncryption.value", True),
    ),
    ResourceRule(
        name="databricks-in-own-network",
        protects="Clusters stand in the organisation's network, whose firewall decides what they reach",
        remedy="give the network and its two delegated subnets",
        severity=NOT_IN_DEV,
        sources=("DMZ Deny-Databricks-VirtualNetwork",),
        types=(arm.DATABRICKS,),
        check=each(
            given("properties.parameters.customVirtualNetworkId.value"),
            given("properties.parameters.customPublicSubnetName.value"),
            given("properties.parameters.customPrivateSubnetName.value"),
        ),
    ),
    ResourceRule(
        name="databricks-reads-by-identity",
        protects="The lake is read with a managed identity, not with keys in a notebook",
        remedy="set a managed identity on the access connector",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.ACCESS_CONNECTOR,),
        check=equals("identity.type", "UserAssigned", "SystemAssigned", "SystemAssigned,UserAssigned"),
    ),
    ResourceRule(
        name="data-factory-acts-by-identity",
        protects="Pipelines read, write and invoke with an identity of the factory",
        remedy="set a managed identity",
        severity=EVERYWHERE,
        sources=(
            "DMZ Deny-DataFactory",
            "PSRule Azure.DataFactory.ManagedIdentity",
        ),
        types=(arm.DATA_FACTORY,),
        check=equals("identity.type", "UserAssigned", "SystemAssigned", "SystemAssigned,UserAssigned"),
    ),
    ResourceRule(
        name="data-factory-no-credentials",
        protects="No linked service holds a key, a password or a connection string",
        remedy="use the factory's identity, or a secret of the key vault",
        severity=EVERYWHERE,
        sources=("DMZ Deny-DataFactory",),
        types=(arm.LINKED_SERVICE,),
        check=_linked_service,
    ),
    ResourceRule(
        name="data-factory-calls-by-identity",
        protects="A pipeline calls with the factory's identity: no password or token stands in it",
        remedy="set authentication of the activity to type MSI",
        severity=EVERYWHERE,
        sources=("DMZ Deny-DataFactory",),
        types=(arm.PIPELINE,),
        check=_calls,
    ),
    ResourceRule(
        name="deployment-hides-nothing",
        protects="An ARM template inside of the program makes nothing that no rule looks at, and deletes nothing",
        remedy="make the resource with its own class; mode Incremental",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.DEPLOYMENT,),
        check=_template,
    ),
    ResourceRule(
        name="data-factory-git-in-dev-only",
        protects="Pipelines of prod come from a deployment that was reviewed, not from an editor",
        remedy="leave repoConfiguration out",
        severity=NOT_IN_DEV,
        sources=("own",),
        types=(arm.DATA_FACTORY,),
        check=absent("properties.repoConfiguration"),
    ),
    ResourceRule(
        name="data-factory-runs-in-a-managed-network",
        protects="Copies of data do not pass over the internet",
        remedy="give the integration runtime a managed virtual network",
        severity=NOT_IN_DEV,
        sources=("DMZ Deny-DataFactory",),
        types=(arm.INTEGRATION_RUNTIME,),
        check=each(
            equals("properties.type", "Managed"),
            given("properties.managedVirtualNetwork.referenceName"),
        ),
    ),
)
