"""What a Kubernetes cluster is like: logins, network, nodes, add-ons. Apart from the resources that hang on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi_azure_native import containerservice as aks

from amlplatform.components.settings import Settings
from amlplatform.profiles import NetworkProfile
from amlplatform.request.options import Kubernetes

_PODS_PER_NODE = 110
# Ranges inside the cluster that organisations do not use in their own networks (RFC 6598).
_POD_RANGE, _SERVICE_RANGE, _DNS_ADDRESS = "100.64.0.0/16", "100.65.0.0/16", "100.65.0.10"


def cluster_body(
    settings: Settings,
    asked: Kubernetes,
    *,
    tenant_id: pulumi.Input[str],
    logs_id: pulumi.Input[str],
    subnet: str,
) -> dict[str, Any]:
    """Arguments of `aks.ManagedCluster`. `subnet`: of the nodes, where the network profile has one."""
    profile = settings.profile.options
    return {
        "sku": aks.ManagedClusterSKUArgs(
            name=aks.ManagedClusterSKUName.BASE, tier=aks.ManagedClusterSKUTier(profile.kubernetes_tier)
        ),
        "support_plan": aks.KubernetesSupportPlan.KUBERNETES_OFFICIAL,
        "dns_prefix": settings.names.kubernetes,
        "node_resource_group": settings.names.kubernetes_nodes,
        # People and programs sign in with Entra identities, and Azure roles say what they may do. Azure ML's page says
        # that it needs local accounts; it does not where it comes by Trusted Access.
        "disable_local_accounts": True,
        "enable_rbac": True,
        "aad_profile": aks.ManagedClusterAADProfileArgs(managed=True, enable_azure_rbac=True, tenant_id=tenant_id),
        "oidc_issuer_profile": aks.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
        "security_profile": aks.ManagedClusterSecurityProfileArgs(
            workload_identity=aks.ManagedClusterSecurityProfileWorkloadIdentityArgs(enabled=True),
            image_cleaner=aks.ManagedClusterSecurityProfileImageCleanerArgs(enabled=True, interval_hours=168),
        ),
        "api_server_access_profile": _api_server(settings.network, asked.authorized_ip_ranges),
        "public_network_access": settings.network.public_network_access,
        "network_profile": _network(settings.network),
        "agent_pool_profiles": _pools(settings, asked, subnet),
        "addon_profiles": _addons(logs_id),
        "auto_upgrade_profile": aks.ManagedClusterAutoUpgradeProfileArgs(
            upgrade_channel=aks.UpgradeChannel.STABLE, node_os_upgrade_channel=aks.NodeOSUpgradeChannel.NODE_IMAGE
        ),
    }


def _api_server(network: NetworkProfile, ip_ranges: Sequence[str]) -> aks.ManagedClusterAPIServerAccessProfileArgs:
    """Private where the network is closed. A public name of a private cluster is not supported by Azure ML."""
    return aks.ManagedClusterAPIServerAccessProfileArgs(
        enable_private_cluster=network.private,
        enable_private_cluster_public_fqdn=False if network.private else None,
        private_dns_zone="system" if network.private else None,
        authorized_ip_ranges=None if network.private else list(ip_ranges),
        # Commands through Resource Manager would go past network and namespaces.
        disable_run_command=True,
    )


def _network(network: NetworkProfile) -> aks.ContainerServiceNetworkProfileArgs:
    """Pods have addresses of a range of their own, and reach only what network policies allow."""
    return aks.ContainerServiceNetworkProfileArgs(
        network_plugin=aks.NetworkPlugin.AZURE,
        network_plugin_mode=aks.NetworkPluginMode.OVERLAY,
        network_dataplane=aks.NetworkDataplane.CILIUM,
        network_policy=aks.NetworkPolicy.CILIUM,
        load_balancer_sku=aks.LoadBalancerSku.STANDARD,
        outbound_type=aks.OutboundType(network.kubernetes_outbound),
        pod_cidr=_POD_RANGE,
        service_cidr=_SERVICE_RANGE,
        dns_service_ip=_DNS_ADDRESS,
    )


def _pools(settings: Settings, asked: Kubernetes, subnet: str) -> list[aks.ManagedClusterAgentPoolProfileArgs]:
    """One pool for all, or one that only Kubernetes itself uses, and one for the endpoints."""
    profile = settings.profile.options
    low, own = profile.kubernetes_min_nodes, profile.kubernetes_system_nodes
    alike = _nodes(settings, asked.vm_size, subnet)
    system, user = aks.AgentPoolMode.SYSTEM, aks.AgentPoolMode.USER
    if not own:
        return [_pool("system", system, low, asked.max_nodes, node_taints=[], **alike)]
    alone = ["CriticalAddonsOnly=true:NoSchedule"]
    return [
        _pool("system", system, own, own + 1, node_taints=alone, **alike),
        _pool("endpoints", user, low, asked.max_nodes, node_taints=[], **alike),
    ]


def _pool(
    name: str, mode: aks.AgentPoolMode, low: int, high: int, **more: Any
) -> aks.ManagedClusterAgentPoolProfileArgs:
    return aks.ManagedClusterAgentPoolProfileArgs(
        name=name, mode=mode, enable_auto_scaling=True, count=low, min_count=low, max_count=high, **more
    )


def _nodes(settings: Settings, vm_size: str, subnet: str) -> dict[str, Any]:
    """What the nodes of all pools have in common."""
    return {
        "type": aks.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
        "vm_size": vm_size,
        "os_type": aks.OSType.LINUX,
        "os_sku": aks.OSSKU.UBUNTU,
        # Nothing of a node stays on a disk when it goes.
        "os_disk_type": aks.OSDiskType.EPHEMERAL,
        "enable_encryption_at_host": True,
        "enable_node_public_ip": False,
        "security_profile": aks.AgentPoolSecurityProfileArgs(ssh_access=aks.AgentPoolSSHAccess.DISABLED),
        "max_pods": _PODS_PER_NODE,
        "availability_zones": settings.profile.zones(settings.region),
        "vnet_subnet_id": subnet if settings.network.own_network and subnet else None,
        "upgrade_settings": aks.AgentPoolUpgradeSettingsArgs(max_surge="1"),
        "tags": settings.tags,
    }


def _addons(logs_id: pulumi.Input[str]) -> dict[str, aks.ManagedClusterAddonProfileArgs]:
    return {
        "omsagent": aks.ManagedClusterAddonProfileArgs(
            enabled=True,
            # With the agent's own identity: Log Analytics takes no keys.
            config={"logAnalyticsWorkspaceResourceID": logs_id, "useAADAuth": "true"},
        ),
        "azurepolicy": aks.ManagedClusterAddonProfileArgs(enabled=True),
        "azureKeyvaultSecretsProvider": aks.ManagedClusterAddonProfileArgs(
            # Azure's type is a map of texts.
            enabled=True,
            config={"enableSecretRotation": "true"},
        ),
    }
