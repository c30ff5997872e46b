"""The workspace's managed network. Which properties make up a network profile is said in `amlplatform.profiles`."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import machinelearningservices as ml

from amlplatform.profiles import NetworkProfile


def private_endpoint_rule(resource_id: pulumi.Input[str], subresource: str) -> ml.PrivateEndpointOutboundRuleArgs:
    """Jobs may reach one part (for example "dfs") of a resource, by a private endpoint in the managed network."""
    return ml.PrivateEndpointOutboundRuleArgs(
        type="PrivateEndpoint",
        category=ml.RuleCategory.USER_DEFINED,
        destination=ml.PrivateEndpointDestinationArgs(
            service_resource_id=resource_id, subresource_target=subresource, spark_enabled=False
        ),
    )


def managed_network(
    network: NetworkProfile, private_endpoints: Mapping[str, tuple[pulumi.Input[str], str]]
) -> ml.ManagedNetworkSettingsArgs:
    """Settings of the managed network. `private_endpoints`: rule name to resource id and subresource.

    The rules are part of the workspace: as resources of their own, made in parallel, they delete each other. The
    workspace's own storage, vault and registry get their endpoints from Azure ML. No FQDN rules: the first one starts a
    firewall that costs money all day long.
    """
    if not network.managed_network:
        return ml.ManagedNetworkSettingsArgs(isolation_mode=network.isolation_mode)
    rules = {
        name: private_endpoint_rule(resource_id, subresource)
        for name, (resource_id, subresource) in private_endpoints.items()
    }
    return ml.ManagedNetworkSettingsArgs(isolation_mode=network.isolation_mode, outbound_rules=rules)
