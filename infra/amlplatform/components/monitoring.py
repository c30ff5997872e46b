"""Monitoring: one Log Analytics workspace, and Application Insights that writes to it."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import applicationinsights, operationalinsights

from amlplatform.components.settings import Settings


class Monitoring(pulumi.ComponentResource):
    """Where logs and telemetry go."""

    logs: operationalinsights.Workspace | None
    """The Log Analytics workspace that was made here; None where a central one is used."""
    logs_id: pulumi.Input[str]
    insights: applicationinsights.Component

    def __init__(
        self,
        name: str,
        settings: Settings,
        resource_group: pulumi.Input[str],
        central_logs: str = "",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`central_logs`: id of a Log Analytics workspace that exists and is used instead of one of its own."""
        super().__init__("amlplatform:monitoring:Monitoring", name, None, opts)
        self.logs = None if central_logs else self._log_analytics(settings, resource_group)
        self.logs_id = self.logs.id if self.logs else central_logs
        self.insights = self._application_insights(settings, resource_group)
        self.register_outputs({"logAnalyticsId": self.logs_id})

    def _log_analytics(self, settings: Settings, resource_group: pulumi.Input[str]) -> operationalinsights.Workspace:
        profile, network = settings.profile, settings.network
        cap = profile.log_daily_cap_gb
        return operationalinsights.Workspace(
            "log-analytics",
            workspace_name=settings.names.log_analytics,
            resource_group_name=resource_group,
            location=settings.location,
            sku=operationalinsights.WorkspaceSkuArgs(name=operationalinsights.WorkspaceSkuNameEnum.PER_GB2018),
            retention_in_days=profile.log_retention,
            workspace_capping=operationalinsights.WorkspaceCappingArgs(daily_quota_gb=cap) if cap else None,
            public_network_access_for_ingestion=network.log_ingestion,
            public_network_access_for_query=network.log_query,
            features=operationalinsights.WorkspaceFeaturesArgs(
                disable_local_auth=True,
                enable_log_access_using_only_resource_permissions=True,
            ),
            tags=settings.tags,
            opts=settings.holds_data(self),
        )

    def _application_insights(
        self, settings: Settings, resource_group: pulumi.Input[str]
    ) -> applicationinsights.Component:
        network = settings.network
        return applicationinsights.Component(
            "application-insights",
            resource_name_=settings.names.application_insights,
            resource_group_name=resource_group,
            location=settings.location,
            kind="web",
            application_type=applicationinsights.ApplicationType.WEB,
            ingestion_mode=applicationinsights.IngestionMode.LOG_ANALYTICS,
            workspace_resource_id=self.logs_id,
            # Azure ML reports telemetry with the instrumentation key, so local authentication has to stay.
            disable_local_auth=False,
            disable_ip_masking=False,
            public_network_access_for_ingestion=network.log_ingestion,
            public_network_access_for_query=network.log_query,
            tags=settings.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                # The SDK returns both in plain text, and they let anybody write telemetry.
                additional_secret_outputs=["connectionString", "instrumentationKey"],
            ),
        )
