"""Alerts: rules that look at metrics and logs, and the group of people that they tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import monitor

from amlplatform.components.context import Part
from amlplatform.components.settings import Settings
from amlplatform.components.targets import Target, of_type
from amlplatform.monitoring.alert_rules import METRIC_RULES, AlertRule, MetricRule, QueryRule, kusto_span, query_rules

# Where Azure keeps rules over metrics and action groups.
_EVERYWHERE = "global"
_EVERY_VALUE = "*"


@dataclass(frozen=True)
class Watched:
    """What the rules look at. `clusters`: nodes at most, by name. `logs`: the Log Analytics workspace that was made
    here; None for a central one, whose owner watches it."""

    parts: Sequence[Part]
    clusters: Mapping[str, int]
    resource_group_id: pulumi.Input[str]
    logs: pulumi.CustomResource | None


class ActionGroup(pulumi.ComponentResource):
    """Who is told: the owner of the product, by mail."""

    id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: Settings,
        resource_group: pulumi.Input[str],
        *,
        email: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("amlplatform:alerts:ActionGroup", name, None, opts)
        group = monitor.ActionGroup(
            "action-group",
            action_group_name=settings.names.action_group,
            resource_group_name=resource_group,
            location=_EVERYWHERE,
            group_short_name=settings.names.action_group_short,
            enabled=True,
            email_receivers=[
                monitor.MicrosoftCommonEmailReceiverArgs(
                    name="owner", email_address=email, use_common_alert_schema=True
                )
            ],
            tags=settings.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = group.id
        self.register_outputs({"id": self.id})


class Alerts(pulumi.ComponentResource):
    """Every rule of the tables that has something to look at in this environment."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        resource_group: pulumi.Input[str],
        *,
        watched: Watched,
        action_group: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("amlplatform:alerts:Alerts", name, None, opts)
        self._settings, self._resource_group, self._action_group = settings, resource_group, action_group
        for rule in METRIC_RULES:
            targets = list(of_type(watched.parts, rule.arm_type))
            for target in targets:
                key = rule.key if len(targets) == 1 else f"{rule.key}-{target.name}"
                if rule.limit == "max_nodes":
                    for cluster, nodes in watched.clusters.items():
                        self._metric_alert(rule, target, f"{key}-{cluster}", nodes, {"ClusterName": (cluster,)})
                else:
                    self._metric_alert(rule, target, key, rule.threshold, rule.only)
        for rule in query_rules(settings.profile, own_logs=watched.logs is not None):
            self._query_alert(rule, self._scope(rule, watched))
        self.register_outputs({})

    def _scope(self, rule: QueryRule, watched: Watched) -> pulumi.Input[str]:
        """Which logs the rule searches.

        The resource group, and not Log Analytics: then the rule sees this environment alone, and needs no right on a
        central workspace.
        """
        return watched.logs.id if rule.scope == "log_analytics" and watched.logs else watched.resource_group_id

    def _timing(self, rule: AlertRule) -> tuple[str, str]:
        """How often the rule looks, and at what time."""
        profile = self._settings.profile
        return profile.alert_frequency, rule.window_in(profile)

    def _metric_alert(
        self,
        rule: MetricRule,
        target: Target,
        key: str,
        threshold: float,
        only: Mapping[str, Sequence[str]],
    ) -> None:
        settings = self._settings
        frequency, window = self._timing(rule)
        dimensions = {**only, **dict.fromkeys(rule.by, (_EVERY_VALUE,))}
        monitor.MetricAlert(
            f"alert-{key}",
            rule_name=settings.names.alert(key),
            resource_group_name=self._resource_group,
            location=_EVERYWHERE,
            description=rule.description,
            severity=rule.severity_in(settings.profile),
            enabled=True,
            scopes=[target.arm_id],
            target_resource_type=rule.arm_type,
            target_resource_region=settings.location,
            evaluation_frequency=frequency,
            window_size=window,
            auto_mitigate=True,
            criteria=monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
                odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
                all_of=[
                    monitor.MetricCriteriaArgs(
                        criterion_type=monitor.CriterionType.STATIC_THRESHOLD_CRITERION,
                        name=rule.key,
                        metric_namespace=rule.arm_type,
                        metric_name=rule.metric,
                        time_aggregation=rule.aggregation,
                        operator=rule.operator,
                        threshold=threshold,
                        # Azure knows these metrics: a wrong name is to be refused.
                        skip_metric_validation=False,
                        dimensions=[
                            monitor.MetricDimensionArgs(name=name, operator="Include", values=list(values))
                            for name, values in dimensions.items()
                        ],
                    )
                ],
            ),
            actions=[monitor.MetricAlertActionArgs(action_group_id=self._action_group)],
            tags=settings.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _query_alert(self, rule: QueryRule, scope: pulumi.Input[str]) -> None:
        settings = self._settings
        frequency, window = self._timing(rule)
        threshold = settings.profile.endpoint_latency_limit if rule.limit == "latency" else rule.threshold
        monitor.ScheduledQueryRule(
            f"alert-{rule.key}",
            rule_name=settings.names.alert(rule.key),
            resource_group_name=self._resource_group,
            location=settings.location,
            kind=monitor.Kind.LOG_ALERT,
            display_name=rule.title,
            description=rule.description,
            severity=rule.severity_in(settings.profile),
            enabled=True,
            scopes=[scope],
            evaluation_frequency=frequency,
            window_size=window,
            auto_mitigate=True,
            # The table is only there once the first line is written, and the rule has to be there before.
            skip_query_validation=True,
            check_workspace_alerts_storage_configured=False,
            # No identity of its own: the query runs with the rights of who wrote the rule, on this resource group.
            criteria=monitor.ScheduledQueryRuleCriteriaArgs(
                all_of=[
                    monitor.ConditionArgs(
                        criterion_type=monitor.CriterionType.STATIC_THRESHOLD_CRITERION,
                        query=rule.query.format(window=kusto_span(window)),
                        time_aggregation="Maximum" if rule.measure else "Count",
                        metric_measure_column=rule.measure or None,
                        operator="GreaterThan",
                        threshold=threshold,
                        dimensions=[
                            monitor.DimensionArgs(name=name, operator="Include", values=[_EVERY_VALUE])
                            for name in rule.by
                        ],
                        failing_periods=monitor.ConditionFailingPeriodsArgs(
                            number_of_evaluation_periods=1, min_failing_periods_to_alert=1
                        ),
                    )
                ]
            ),
            actions=monitor.ActionsArgs(action_groups=[self._action_group]),
            tags=settings.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
