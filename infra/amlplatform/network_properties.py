"""Every property of a body that touches the network, by ARM type: what a network profile decides as one set.

A test walks through the bodies of all profiles: a property that looks like one of these and is not in the table fails
it, so that a new resource cannot slip past the profiles. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amlplatform.policies import arm

_DOOR = {"properties.publicNetworkAccess": "public network access"}
_ACLS = {
    "properties.networkAcls.defaultAction": "firewall, who is not named",
    "properties.networkAcls.ipRules": "firewall, addresses let in",
    "properties.networkAcls.virtualNetworkRules": "firewall, subnets let in",
}
_BYPASS = {"properties.networkAcls.bypass": "firewall, who passes by"}
_ANONYMOUS = "blobs may be read without identity"
_MONITOR = {
    "properties.publicNetworkAccessForIngestion": "logs are taken over the internet",
    "properties.publicNetworkAccessForQuery": "logs are read over the internet (with a role)",
}

PROPERTIES: dict[str, dict[str, str]] = {
    arm.ML_WORKSPACE: {
        **_DOOR,
        "properties.allowPublicAccessWhenBehindVnet": "open in spite of a private endpoint",
        "properties.managedNetwork.isolationMode": "managed network",
        "properties.managedNetwork.enableNetworkMonitor": "managed network, monitor of flows",
        "properties.managedNetwork.outboundRules": "managed network, approved destinations",
        "properties.provisionNetworkNow": "managed network is made with the workspace",
        "properties.imageBuildCompute": "images are built on",
        "properties.serverlessComputeSettings.serverlessComputeNoPublicIP": "serverless nodes have no public address",
        "properties.serverlessComputeSettings.serverlessComputeCustomSubnet": "serverless nodes stand in",
    },
    arm.COMPUTE: {
        "properties.properties.enableNodePublicIp": "nodes have a public address",
        "properties.properties.subnet.id": "nodes stand in",
        "properties.properties.remoteLoginPortPublicAccess": "SSH to cluster nodes from the internet",
        "properties.properties.sshSettings.sshPublicAccess": "SSH to compute instances from the internet",
    },
    arm.STORAGE: {
        **_DOOR,
        **_ACLS,
        **_BYPASS,
        "properties.allowBlobPublicAccess": "blobs may be read without identity",
    },
    arm.CONTAINER: {"properties.publicAccess": "blobs may be read without identity"},
    arm.VAULT: {**_DOOR, **_ACLS, **_BYPASS},
    arm.REGISTRY: {
        **_DOOR,
        "properties.networkRuleSet.defaultAction": "firewall, who is not named",
        "properties.networkRuleSet.ipRules": "firewall, addresses let in",
        "properties.networkRuleBypassOptions": "firewall, who passes by",
        "properties.policies.exportPolicy.status": "images may be exported",
    },
    arm.APP_INSIGHTS: _MONITOR,
    arm.LOG_ANALYTICS: _MONITOR,
    arm.AI_SERVICES: {
        **_DOOR,
        **_ACLS,
        "properties.restrictOutboundNetworkAccess": "models fetch only from named hosts",
    },
    arm.SQL_SERVER: {**_DOOR, "properties.restrictOutboundNetworkAccess": "queries reach only named hosts"},
    arm.SQL_FIREWALL: {
        "properties.startIpAddress": "firewall, addresses let in: from",
        "properties.endIpAddress": "firewall, addresses let in: to",
    },
    arm.EVENT_HUBS: _DOOR,
    arm.EVENT_HUBS_NETWORK: {
        **_DOOR,
        "properties.defaultAction": "firewall, who is not named",
        "properties.ipRules": "firewall, addresses let in",
        "properties.virtualNetworkRules": "firewall, subnets let in",
        "properties.trustedServiceAccessEnabled": "firewall: trusted services pass by",
    },
    arm.DATA_FACTORY: _DOOR,
    arm.INTEGRATION_RUNTIME: {"properties.managedVirtualNetwork": "managed network"},
    arm.AKS: {
        **_DOOR,
        "properties.apiServerAccessProfile.enablePrivateCluster": "API server has a private address alone",
        "properties.apiServerAccessProfile.enablePrivateClusterPublicFQDN": "API server has a public name",
        "properties.apiServerAccessProfile.privateDNSZone": "API server's name stands in",
        "properties.apiServerAccessProfile.authorizedIPRanges": "API server answers to",
        "properties.networkProfile.outboundType": "way out of the nodes",
        "properties.agentPoolProfiles.enableNodePublicIP": "nodes have a public address",
        "properties.agentPoolProfiles.vnetSubnetID": "nodes stand in",
    },
    arm.SYNAPSE: {
        **_DOOR,
        "properties.managedVirtualNetwork": "managed network",
        "properties.managedVirtualNetworkSettings.preventDataExfiltration": "managed network lets out to approved only",
        "properties.managedVirtualNetworkSettings.linkedAccessCheckOnTargetResource": "who links needs a role there",
        "properties.managedVirtualNetworkSettings.allowedAadTenantIdsForLinking": "tenants whose targets are approved",
        "properties.defaultDataLakeStorage.createManagedPrivateEndpoint": "managed network has an endpoint to the lake",
        "properties.trustedServiceBypassEnabled": "trusted services pass by",
    },
    arm.SYNAPSE_FIREWALL: {
        "properties.startIpAddress": "firewall, addresses let in: from",
        "properties.endIpAddress": "firewall, addresses let in: to",
    },
    arm.SPARK_POOL: {"properties.isComputeIsolationEnabled": "nodes share no machine with others"},
    arm.DATABRICKS: {
        **_DOOR,
        "properties.requiredNsgRules": "rules that the security groups need",
        "properties.parameters.enableNoPublicIp.value": "nodes have no public address",
        "properties.parameters.customVirtualNetworkId.value": "nodes stand in the network",
        "properties.parameters.customPublicSubnetName.value": "hosts stand in the subnet",
        "properties.parameters.customPrivateSubnetName.value": "containers stand in the subnet",
        "properties.defaultStorageFirewall": "firewall of its own storage",
    },
    arm.PRIVATE_ENDPOINT: {"properties.subnet.id": "stands in"},
}
"""By ARM type: paths of properties, and what people call them."""


def found(arm_type: str, body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Path and value of each property of the table that the body has; of a list of parts, one for each part."""
    for path in PROPERTIES.get(arm_type, {}):
        yield from ((path, value) for value in _values(body, path.split(".")))


def _values(value: Any, keys: list[str]) -> Iterator[Any]:
    if not keys:
        yield value
    elif isinstance(value, Mapping) and keys[0] in value:
        yield from _values(value[keys[0]], keys[1:])
    elif isinstance(value, list):
        for item in value:
            yield from _values(item, keys)
