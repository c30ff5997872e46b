"""Diagnostic settings: logs and metrics of every part go to one Log Analytics workspace, its own or a central one."""

from __future__ import annotations

from collections.abc import Iterable

import pulumi
from pulumi_azure_native import monitor

from amlplatform import names
from amlplatform.components.context import Part
from amlplatform.components.settings import Settings
from amlplatform.components.targets import Target, logged
from amlplatform.monitoring.log_settings import ALL_LOGS, ALL_METRICS, LOG_SETTINGS, LogSettings


class Diagnostics(pulumi.ComponentResource):
    """One setting for each part, and each child of a part, that has something to send."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        parts: Iterable[Part],
        logs_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`logs_id`: the Log Analytics workspace. Raises KeyError for a part of a type that LOG_SETTINGS lacks."""
        super().__init__("amlplatform:diagnostics:Diagnostics", name, None, opts)
        for target in (target for part in parts for target in logged(part)):
            chosen = LOG_SETTINGS[target.arm_type]
            if not chosen.is_empty:
                self._setting(target, chosen, logs_id, reads=settings.profile.log_storage_reads)
        self.register_outputs({})

    def _setting(self, target: Target, chosen: LogSettings, logs_id: pulumi.Input[str], *, reads: bool) -> None:
        monitor.DiagnosticSetting(
            f"{target.name}-diagnostics",
            name=names.DIAGNOSTIC_SETTING,
            resource_uri=target.arm_id,
            workspace_id=logs_id,
            logs=_logs(chosen, reads=reads),
            metrics=[monitor.DiagnosticsMetricSettingsArgs(category=ALL_METRICS, enabled=True)]
            if chosen.metrics
            else [],
            log_analytics_destination_type="Dedicated" if chosen.own_tables else None,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _logs(chosen: LogSettings, *, reads: bool) -> list[monitor.DiagnosticsLogSettingsArgs]:
    if not chosen.logs:
        return []
    categories = chosen.chosen(reads=reads)
    if not categories:
        return [monitor.DiagnosticsLogSettingsArgs(category_group=ALL_LOGS, enabled=True)]
    return [monitor.DiagnosticsLogSettingsArgs(category=category, enabled=True) for category in categories]
