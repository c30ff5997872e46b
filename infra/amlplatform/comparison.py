"""Plans side by side: which resources each environment has, and in which properties they differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amlplatform.phrases import MISSING, text
from amlplatform.plan import CONCERNS, Plan, PlannedResource

_SCALE = "properties.properties.scaleSettings"
# What a person wants to see of a resource at a glance: how to say it, and the paths of the values in the body.
_GLANCE: dict[str, tuple[tuple[str, ...], ...]] = {
    "Microsoft.Storage/storageAccounts": (
        ("{}", "sku.name"),
        ("hierarchical: {}", "properties.isHnsEnabled"),
        ("public access: {}", "properties.publicNetworkAccess"),
    ),
    "Microsoft.Storage/storageAccounts/blobServices": (
        ("deleted blobs kept {} days", "properties.deleteRetentionPolicy.days"),
    ),
    "Microsoft.KeyVault/vaults": (
        ("kept {} days", "properties.softDeleteRetentionInDays"),
        ("purge protection: {}", "properties.enablePurgeProtection"),
        ("public access: {}", "properties.publicNetworkAccess"),
    ),
    "Microsoft.ContainerRegistry/registries": (
        ("{}", "sku.name"),
        ("zones: {}", "properties.zoneRedundancy"),
        ("public access: {}", "properties.publicNetworkAccess"),
    ),
    "Microsoft.OperationalInsights/workspaces": (
        ("kept {} days", "properties.retentionInDays"),
        ("at most {} GB a day", "properties.workspaceCapping.dailyQuotaGb"),
    ),
    "Microsoft.MachineLearningServices/workspaces": (
        ("public access: {}", "properties.publicNetworkAccess"),
        ("managed network: {}", "properties.managedNetwork.isolationMode"),
        ("high business impact: {}", "properties.hbiWorkspace"),
    ),
    "Microsoft.MachineLearningServices/workspaces/datastores": (
        ("{}", "properties.datastoreType"),
        ("credentials: {}", "properties.credentials.credentialsType"),
    ),
    "Microsoft.MachineLearningServices/workspaces/computes": (
        ("{}", "properties.properties.vmSize"),
        ("{} to {} nodes", f"{_SCALE}.minNodeCount", f"{_SCALE}.maxNodeCount"),
        ("nodes without work go after {}", f"{_SCALE}.nodeIdleTimeBeforeScaleDown"),
        ("stops after {}", "properties.properties.idleTimeBeforeShutdown"),
        ("public addresses: {}", "properties.properties.enableNodePublicIp"),
    ),
    "Microsoft.Consumption/budgets": (("{} a month", "properties.amount"),),
    "Microsoft.Storage/storageAccounts/fileServices": (
        ("deleted shares kept {} days", "properties.shareDeleteRetentionPolicy.days"),
    ),
    "Microsoft.Insights/metricAlerts": (
        ("severity {}", "properties.severity"),
        ("looks at the last {} every {}", "properties.windowSize", "properties.evaluationFrequency"),
    ),
    "Microsoft.Insights/scheduledQueryRules": (
        ("severity {}", "properties.severity"),
        ("looks at the last {} every {}", "properties.windowSize", "properties.evaluationFrequency"),
    ),
    "Microsoft.Authorization/locks": (("{}", "properties.level"),),
    "Microsoft.CognitiveServices/accounts": (
        ("{}", "kind"),
        ("public access: {}", "properties.publicNetworkAccess"),
    ),
    "Microsoft.Sql/servers": (
        ("Entra logins only: {}", "properties.administrators.azureADOnlyAuthentication"),
        ("public access: {}", "properties.publicNetworkAccess"),
    ),
    "Microsoft.Sql/servers/databases": (
        ("{}, {} vCores", "sku.name", "sku.capacity"),
        ("pauses after {} minutes", "properties.autoPauseDelay"),
        ("zones: {}", "properties.zoneRedundant"),
        ("backups: {}", "properties.requestedBackupStorageRedundancy"),
    ),
    "Microsoft.Sql/servers/databases/backupShortTermRetentionPolicies": (
        ("can be set back {} days", "properties.retentionDays"),
    ),
    "Microsoft.Sql/servers/firewallRules": (("{} to {}", "properties.startIpAddress", "properties.endIpAddress"),),
    "Microsoft.EventHub/namespaces": (
        ("{}, up to {} throughput units", "sku.name", "properties.maximumThroughputUnits"),
        ("zones: {}", "properties.zoneRedundant"),
        ("public access: {}", "properties.publicNetworkAccess"),
    ),
    "Microsoft.EventHub/namespaces/eventhubs": (
        ("{} partitions", "properties.partitionCount"),
        ("kept {} hours", "properties.retentionDescription.retentionTimeInHours"),
    ),
    "Microsoft.StreamAnalytics/streamingjobs": (
        ("{} streaming units", "properties.transformation.properties.streamingUnits"),
    ),
    "Microsoft.Logic/workflows": (("{}", "properties.state"),),
    "Microsoft.ContainerService/managedClusters": (
        ("tier {}", "sku.tier"),
        ("private: {}", "properties.apiServerAccessProfile.enablePrivateCluster"),
        ("local accounts off: {}", "properties.disableLocalAccounts"),
    ),
    "Microsoft.KubernetesConfiguration/extensions": (
        ("endpoints at {}", "properties.configurationSettings.sslCname"),
        ("redundant routers: {}", "properties.configurationSettings.inferenceRouterHA"),
    ),
    "Microsoft.Databricks/workspaces": (
        ("{}", "sku.name"),
        ("public access: {}", "properties.publicNetworkAccess"),
    ),
    "Microsoft.Synapse/workspaces": (
        ("public access: {}", "properties.publicNetworkAccess"),
        ("lets no data out: {}", "properties.managedVirtualNetworkSettings.preventDataExfiltration"),
    ),
    "Microsoft.Synapse/workspaces/bigDataPools": (
        ("Spark {}", "properties.sparkVersion"),
        ("{} to {} nodes", "properties.autoScale.minNodeCount", "properties.autoScale.maxNodeCount"),
        ("pauses after {} minutes", "properties.autoPause.delayInMinutes"),
    ),
    "Microsoft.DataFactory/factories": (("public access: {}", "properties.publicNetworkAccess"),),
    "Microsoft.DataFactory/factories/triggers": (("files below {}", "properties.typeProperties.blobPathBeginsWith"),),
}
# What a difference is about, in words: path to topic and label. What is not here is shown by its path, under "Other".
_NETWORK, _SAFETY, _LOGS, _COMPUTE, _COST = "Network", "Safety of data", "Logs and images", "Compute", "Cost"
TOPICS = (_NETWORK, _SAFETY, _LOGS, _COMPUTE, _COST, "Other")
_LABELS: dict[str, tuple[str, str]] = {
    "properties.publicNetworkAccess": (_NETWORK, "Access over the internet"),
    "properties.networkAcls.defaultAction": (_NETWORK, "Firewall, for who is not named"),
    "properties.networkRuleSet.defaultAction": (_NETWORK, "Firewall, for who is not named"),
    "properties.defaultAction": (_NETWORK, "Firewall, for who is not named"),
    "properties.managedNetwork.isolationMode": (_NETWORK, "Managed network for jobs"),
    "properties.managedNetwork.outboundRules": (_NETWORK, "Approved destinations of jobs"),
    "properties.provisionNetworkNow": (_NETWORK, "Managed network is made with the workspace"),
    "properties.serverlessComputeSettings.serverlessComputeNoPublicIP": (
        _NETWORK,
        "Serverless compute without public addresses",
    ),
    "properties.serverlessComputeSettings.serverlessComputeCustomSubnet": (_NETWORK, "Subnet of serverless compute"),
    "properties.properties.subnet": (_NETWORK, "Subnet of nodes"),
    "properties.agentPoolProfiles.vnetSubnetID": (_NETWORK, "Subnet of Kubernetes' nodes"),
    "properties.properties.enableNodePublicIp": (_NETWORK, "Nodes have public addresses"),
    "properties.imageBuildCompute": (_NETWORK, "Images are built on"),
    "properties.policies.exportPolicy.status": (_NETWORK, "Images may be exported"),
    "properties.apiServerAccessProfile.enablePrivateCluster": (_NETWORK, "Kubernetes' API is private"),
    "properties.apiServerAccessProfile.enablePrivateClusterPublicFQDN": (
        _NETWORK,
        "A private Kubernetes has a public name",
    ),
    "properties.apiServerAccessProfile.privateDNSZone": (_NETWORK, "Zone of the private Kubernetes"),
    "properties.apiServerAccessProfile.authorizedIPRanges": (_NETWORK, "Who reaches Kubernetes' API"),
    "properties.networkProfile.outboundType": (_NETWORK, "Nodes of Kubernetes reach the internet by"),
    "properties.configurationSettings.internalLoadBalancerProvider": (_NETWORK, "Endpoints on Kubernetes are internal"),
    "properties.requiredNsgRules": (_NETWORK, "Rules that Databricks needs in its subnets"),
    "properties.parameters.customVirtualNetworkId": (_NETWORK, "Network of Databricks"),
    "properties.parameters.customPublicSubnetName": (_NETWORK, "Subnet of Databricks' hosts"),
    "properties.parameters.customPrivateSubnetName": (_NETWORK, "Subnet of Databricks' containers"),
    "properties.connectVia": (_NETWORK, "Data Factory goes out by"),
    "properties.activities.typeProperties.connectVia": (_NETWORK, "Data Factory goes out by"),
    "properties.activities.typeProperties.activities.typeProperties.connectVia": (_NETWORK, "Data Factory goes out by"),
    "protected from deletion": (_SAFETY, "Pulumi refuses to delete or replace"),
    "properties.enablePurgeProtection": (_SAFETY, "Nothing can be purged before its time"),
    "properties.softDeleteRetentionInDays": (_SAFETY, "Deleted secrets are kept, days"),
    "properties.deleteRetentionPolicy.days": (_SAFETY, "Deleted blobs are kept, days"),
    "properties.containerDeleteRetentionPolicy.days": (_SAFETY, "Deleted containers are kept, days"),
    "properties.shareDeleteRetentionPolicy.days": (_SAFETY, "Deleted file shares are kept, days"),
    "properties.encryption.requireInfrastructureEncryption": (_SAFETY, "Encrypted twice"),
    "properties.hbiWorkspace": (_SAFETY, "High business impact: less diagnostic data leaves"),
    "properties.zoneRedundancy": (_SAFETY, "Spread over zones"),
    "sku.name": (_SAFETY, "Tier or redundancy"),
    "properties.zoneRedundant": (_SAFETY, "Spread over zones"),
    "properties.requestedBackupStorageRedundancy": (_SAFETY, "Copies of the backups"),
    "properties.retentionDays": (_SAFETY, "The database can be set back, days"),
    "properties.retentionDescription.retentionTimeInHours": (_SAFETY, "Readings can be replayed, hours"),
    "properties.configurationSettings.inferenceRouterHA": (_SAFETY, "Routers of endpoints are redundant"),
    "properties.parameters.requireInfrastructureEncryption": (_SAFETY, "Encrypted twice"),
    "properties.parameters.storageAccountSkuName": (_SAFETY, "Redundancy of Databricks' own storage"),
    "properties.retentionInDays": (_LOGS, "Logs are kept, days"),
    "properties.workspaceCapping": (_LOGS, "Daily cap of logs, GB"),
    "properties.logs": (_LOGS, "What is logged"),
    "properties.severity": (_LOGS, "Severity of an alert, 0 is the highest"),
    "properties.evaluationFrequency": (_LOGS, "How often an alert rule looks"),
    "properties.windowSize": (_LOGS, "The time that an alert rule looks at"),
    "properties.criteria.allOf.threshold": (_LOGS, "The limit of an alert rule"),
    "properties.criteria.allOf.query": (_LOGS, "What an alert rule searches for"),
    "properties.dataSources.extensions.extensionSettings.dataCollectionSettings.interval": (
        _LOGS,
        "How often logs of Kubernetes are collected",
    ),
    "properties.policies.retentionPolicy.days": (_LOGS, "Untagged images are kept, days"),
    "properties.properties.vmSize": (_COMPUTE, "VM size"),
    "properties.properties.scaleSettings.maxNodeCount": (_COMPUTE, "Nodes at most"),
    "properties.properties.scaleSettings.nodeIdleTimeBeforeScaleDown": (_COMPUTE, "A node without work goes after"),
    "properties.agentPoolProfiles": (_COMPUTE, "Pools of Kubernetes' nodes"),
    "properties.agentPoolProfiles.maxCount": (_COMPUTE, "Nodes of Kubernetes at most"),
    "properties.agentPoolProfiles.vmSize": (_COMPUTE, "VM size of Kubernetes' nodes"),
    "properties.autoPause.delayInMinutes": (_COMPUTE, "The Spark pool pauses after, minutes"),
    "properties.state": (_COMPUTE, "Switched on"),
    "properties.outputs": (_COMPUTE, "Streams are written to"),
    "properties.transformation.properties.streamingUnits": (_COMPUTE, "Streaming units"),
    "sku.capacity": (_COST, "Units or vCores"),
    "properties.autoPauseDelay": (_COST, "The database pauses after, minutes"),
    "properties.minCapacity": (_COST, "vCores at least, while the database is awake"),
    "properties.maximumThroughputUnits": (_COST, "Throughput units at most"),
    "sku.tier": (_COST, "Tier"),
    "properties.amount": (_COST, "Monthly budget"),
    "properties.timePeriod.startDate": (_COST, "Budget counts from"),
}
# Different by nature: the name of the environment itself, an identity of its own, a query that follows from outputs.
_EXPECTED = frozenset(
    {
        "tags.environment",
        "properties.customNetworkInterfaceName",
        "properties.friendlyName",
        "properties.subject",
        "properties.groupShortName",
        "properties.identityProfile.kubeletidentity.clientId",
        "properties.identityProfile.kubeletidentity.objectId",
        "properties.labels.environment",
        "properties.parameters.endpoint_url.defaultValue",
        "properties.administrators.sid",
        "properties.transformation.properties.query",
    }
)
# Of a mapping with this key alone the value is what differs. A reference of Data Factory has its type beside it.
_WRAPPERS = frozenset({"value", "id", "dailyQuotaGb"})
_REFERENCE = {"referenceName", "type"}


@dataclass(frozen=True)
class Row:
    """One resource in every environment, None where there is none. `differs`: in existence or in a property."""

    concern: str
    name: str
    cells: Mapping[str, PlannedResource | None]
    differs: bool

    @property
    def shared(self) -> frozenset[str]:
        """The phrases of `at_a_glance` that hold in every environment."""
        phrases = [set(at_a_glance(resource)) if resource else set() for resource in self.cells.values()]
        return frozenset(set.intersection(*phrases))


@dataclass(frozen=True)
class Difference:
    """One property that is not the same everywhere, with the resources for which the values are these.

    An empty path means the resource itself. Names that derive from the environment count as the same.
    """

    path: str
    values: Mapping[str, str]
    resources: tuple[str, ...]

    @property
    def topic(self) -> str:
        """One of TOPICS."""
        return _LABELS.get(self.path, ("Other", ""))[0]

    @property
    def label(self) -> str:
        """The property in words; its path where there are none."""
        return _LABELS.get(self.path, ("", self.path or "is there"))[1]


def rows(plans: Sequence[Plan]) -> list[Row]:
    """Every resource but the role assignments (they have a matrix of their own), by concern."""
    indexes = {plan.environment: {resource.name: resource for resource in plan.resources} for plan in plans}
    differing = {name for difference in differences(plans) for name in difference.resources}
    found: dict[str, Row] = {}
    for resource in (resource for plan in plans for resource in plan.resources):
        if resource.concern != "access" and resource.name not in found:
            cells = {environment: index.get(resource.name) for environment, index in indexes.items()}
            found[resource.name] = Row(resource.concern, resource.name, cells, resource.name in differing)
    order = list(CONCERNS)
    return sorted(found.values(), key=lambda row: order.index(row.concern))


def differences(plans: Sequence[Plan]) -> list[Difference]:
    """Every property that differs between the environments, role assignments left out."""
    if len(plans) < 2:
        return []
    bodies = {plan.environment: _comparable(plan) for plan in plans}
    names = dict.fromkeys(name for one in bodies.values() for name in one)
    grouped: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
    for name in names:
        versions = {environment: one.get(name, MISSING) for environment, one in bodies.items()}
        for path, values in _differing(versions, ""):
            grouped.setdefault((path, tuple(values.items())), []).append(name)
    found = [Difference(path, dict(values), tuple(names)) for (path, values), names in grouped.items()]
    order = [*_LABELS, ""]
    return sorted(
        found, key=lambda one: (TOPICS.index(one.topic), order.index(one.path) if one.path in order else len(order))
    )


def at_a_glance(resource: PlannedResource) -> list[str]:
    """What a person wants to see of a resource first, as short phrases."""
    found: list[str] = []
    for phrase, *paths in _GLANCE.get(resource.arm_type, ()):
        values = [_at(resource.body, path) for path in paths]
        if MISSING not in values:
            found.append(phrase.format(*map(text, values)))
    return [*found, "protected from deletion"] if resource.protect else found


def _at(body: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(body, Mapping) or key not in body:
            return MISSING
        body = body[key]
    return body


def _comparable(plan: Plan) -> dict[str, Any]:
    """Bodies by resource, with the environment's own names replaced by what they name."""
    # Names that are the same everywhere stay: Kubernetes' namespace is the product's name, a part of all others.
    derived = plan.request.derived_names(plan.environment)
    names = {kind: name for kind, name in derived.items() if plan.environment in name}
    # Longest first: the name of one resource may be the beginning of another's.
    replacements = sorted(((name, f"<{kind}>") for kind, name in names.items()), key=lambda pair: -len(pair[0]))
    return {
        resource.name: _without_names({**resource.body, "protected from deletion": resource.protect}, replacements)
        for resource in plan.resources
        if resource.concern != "access"
    }


def _without_names(value: Any, replacements: Sequence[tuple[str, str]]) -> Any:
    if isinstance(value, Mapping):
        return {_without_names(key, replacements): _without_names(inner, replacements) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_names(inner, replacements) for inner in value]
    if isinstance(value, str):
        for name, placeholder in replacements:
            value = value.replace(name, placeholder)
    return value


def _differing(versions: Mapping[str, Any], path: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Path and values of each difference. What an environment lacks as a whole is one difference, not one per part."""
    if path in _EXPECTED:
        return
    versions = {environment: _bare(version) for environment, version in versions.items()}
    if all(isinstance(version, Mapping) for version in versions.values()):
        for key in dict.fromkeys(key for version in versions.values() for key in version):
            inner = {environment: version.get(key, MISSING) for environment, version in versions.items()}
            yield from _differing(inner, f"{path}.{key}" if path else key)
        return
    if _are_alike(versions.values()):
        for items in zip(*versions.values(), strict=True):
            yield from _differing(dict(zip(versions, items, strict=True)), path)
        return
    first, *others = versions.values()
    if any(other is not first and other != first for other in others):
        # Of the resource as a whole it matters only that it is there: its properties have nothing to be compared with.
        whole = {environment: version is not MISSING for environment, version in versions.items()} if not path else {}
        yield path, {environment: text(whole.get(environment, version)) for environment, version in versions.items()}


def _bare(value: Any) -> Any:
    """What a wrapper holds; any other value as it is."""
    if not isinstance(value, Mapping):
        return value
    if value.keys() == _REFERENCE:
        return value["referenceName"]
    key = next(iter(value), "")
    return value[key] if len(value) == 1 and key in _WRAPPERS else value


def _are_alike(versions: Iterable[Any]) -> bool:
    """Whether these are lists of equally many objects, which are compared one by one."""
    lists = list(versions)
    return (
        all(isinstance(one, list) and all(isinstance(item, Mapping) for item in one) for one in lists)
        and len({len(one) for one in lists}) == 1
    )
