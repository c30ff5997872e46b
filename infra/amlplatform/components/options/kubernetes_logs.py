"""Logs of pods: what the monitoring add-on of a cluster sends to Log Analytics, with its identity and no key.

Without a rule the add-on sends nothing. Sources: learn.microsoft.com/azure/azure-monitor/containers, "Enable monitoring
for Kubernetes clusters" (the template for managed identities) and "Configure data collection and cost optimization in
Container insights" (streams and settings).
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import containerservice as aks
from pulumi_azure_native import monitor

from amlplatform.components.settings import Settings

STREAMS = ("Microsoft-ContainerLogV2", "Microsoft-KubeEvents", "Microsoft-KubePodInventory")
"""What pods write, what happens to them, and which there are. No metrics: Azure Monitor has those of nodes already."""
_ASSOCIATION = "ContainerInsightsExtension"
"""The name by which the add-on finds its rule."""


def container_logs(
    settings: Settings,
    resource_group: pulumi.Input[str],
    *,
    cluster: aks.ManagedCluster,
    logs_id: pulumi.Input[str],
    parent: pulumi.Resource,
) -> None:
    """The rule, and its association with the cluster. Azure wants the rule in the region of the logs' workspace."""
    child = pulumi.ResourceOptions(parent=parent)
    rule = monitor.DataCollectionRule(
        "kubernetes-logs",
        data_collection_rule_name=settings.names.kubernetes_logs,
        resource_group_name=resource_group,
        location=settings.location,
        kind=monitor.KnownDataCollectionRuleResourceKind.LINUX,
        description="Logs of pods",
        data_sources=monitor.DataCollectionRuleDataSourcesArgs(
            extensions=[
                monitor.ExtensionDataSourceArgs(
                    name=_ASSOCIATION,
                    extension_name="ContainerInsights",
                    streams=list(STREAMS),
                    extension_settings={
                        "dataCollectionSettings": {
                            "interval": settings.profile.options.kubernetes_log_interval,
                            "namespaceFilteringMode": "Off",
                            "enableContainerLogV2": True,
                        }
                    },
                )
            ]
        ),
        destinations=monitor.DataCollectionRuleDestinationsArgs(
            log_analytics=[monitor.LogAnalyticsDestinationArgs(name="logs", workspace_resource_id=logs_id)]
        ),
        data_flows=[monitor.DataFlowArgs(streams=list(STREAMS), destinations=["logs"])],
        tags=settings.tags,
        opts=child,
    )
    monitor.DataCollectionRuleAssociation(
        "kubernetes-logs-association",
        association_name=_ASSOCIATION,
        resource_uri=cluster.id,
        data_collection_rule_id=rule.id,
        description="Without it the logs of pods are lost",
        opts=child,
    )
