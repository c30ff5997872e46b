"""Logs in one place, kept long enough, alerts that reach somebody, budgets that warn."""

from __future__ import annotations

import re
from collections.abc import Iterator

from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.policies import arm
from amlplatform.policies.checks import absent, between, each, equals, given
from amlplatform.policies.rule import (
    ADVISED_IN_DEV,
    EVERYWHERE,
    PROD,
    Context,
    Resource,
    ResourceRule,
    Rule,
    Stack,
    StackRule,
)
from amlplatform.policies.values import ABSENT, at, entries, in_group, is_empty, is_known_id, items, shown

OBSERVED = (
    arm.ML_WORKSPACE,
    arm.VAULT,
    arm.REGISTRY,
    arm.AKS,
    arm.AI_SERVICES,
    arm.SQL_DATABASE,
    arm.SYNAPSE,
    arm.DATABRICKS,
    arm.DATA_FACTORY,
    arm.EVENT_HUBS,
    arm.STREAM_ANALYTICS,
    arm.LOGIC_APP,
    arm.BLOB_SERVICE,
)
"""Types that have resource logs. A storage account has its logs at its services."""


# An account has only metrics itself. Its services have the logs.
_OF_AN_ACCOUNT = re.compile(r"/storageaccounts/[^/]+/providers/")


def _log_rules(resource: Resource, _context: Context) -> Iterator[str]:
    logs = items(resource.body, "properties.logs")
    metrics = items(resource.body, "properties.metrics")
    wanted = "metrics" if _OF_AN_ACCOUNT.search(in_group(resource.arm_id)) else "logs"
    if is_known_id(resource.arm_id) and is_empty(resource.body, f"properties.{wanted}"):
        yield f"properties.{wanted} is empty"
    for name, found in (("logs", logs), ("metrics", metrics)):
        for one in found:
            if at(one, "enabled") not in (True, UNKNOWN):
                yield f"properties.{name}: enabled is {shown(at(one, 'enabled'))}, must be true"
    groups = {at(one, "categoryGroup") for one in logs} - {ABSENT, UNKNOWN}
    if groups and not groups & {"allLogs", "audit"}:
        yield f"properties.logs: categoryGroup is {', '.join(map(str, groups))}, must be 'allLogs'"


def _without_diagnostics(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    settings = [one for one in stack.of(arm.DIAGNOSTICS) if not is_empty(one.body, "properties.logs")]
    for resource in stack.of(*OBSERVED):
        if not any(stack.is_below(setting, resource) for setting in settings):
            yield resource, "sends its logs nowhere"


def _receivers(resource: Resource, _context: Context) -> Iterator[str]:
    receivers = [value for name, value in entries(resource.body, "properties") if name.endswith("Receivers")]
    if at(resource.body, "properties") != UNKNOWN and not any(receivers):
        yield "has no receiver: nobody is told"
    for hook in items(resource.body, "properties.webhookReceivers"):
        if at(hook, "useAadAuth") is not True:
            yield "properties.webhookReceivers: a webhook without Entra authentication holds its secret in the address"


def _alert(resource: Resource, _context: Context) -> Iterator[str]:
    path = "properties.actions" if resource.arm_type == arm.METRIC_ALERT else "properties.actions.actionGroups"
    if is_empty(resource.body, path):
        yield f"{path} is empty: nobody is told"
    if at(resource.body, "properties.enabled") not in (True, UNKNOWN):
        yield f"properties.enabled is {shown(at(resource.body, 'properties.enabled'))}, must be true"


def _without_budget(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    budgets = stack.of(arm.BUDGET)
    for group in stack.of(arm.GROUP):
        if stack.of(arm.ML_WORKSPACE) and not any(stack.is_below(budget, group) for budget in budgets):
            yield group, "has no budget"


def _warnings(resource: Resource, _context: Context) -> Iterator[str]:
    kinds: set[object] = set()
    for name, notification in entries(resource.body, "properties.notifications"):
        if at(notification, "enabled") not in (True, UNKNOWN):
            yield f"properties.notifications.{name} is not enabled"
        contacts = [at(notification, f"contact{kind}") for kind in ("Emails", "Groups", "Roles")]
        if not any(contact not in (ABSENT, []) for contact in contacts):
            yield f"properties.notifications.{name} tells nobody"
        threshold = at(notification, "threshold")
        if isinstance(threshold, int | float) and not 0 < threshold <= 100:
            yield f"properties.notifications.{name}.threshold is {threshold}, must warn before the money is spent"
        if at(notification, "operator") not in ("GreaterThan", "GreaterThanOrEqualTo", UNKNOWN):
            yield f"properties.notifications.{name}.operator must be GreaterThanOrEqualTo"
        kinds.add(at(notification, "thresholdType"))
    for kind in ("Actual", "Forecasted"):
        known = at(resource.body, "properties.notifications") != UNKNOWN and UNKNOWN not in kinds
        if known and kind not in kinds:
            yield f"properties.notifications has none of type {kind}"


RULES: tuple[Rule, ...] = (
    ResourceRule(
        name="logs-read-by-role",
        protects="Logs are read with an Entra role on what they are about; the workspace's keys open nothing",
        remedy="set features.disableLocalAuth and enableLogAccessUsingOnlyResourcePermissions to true",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.LOG_ANALYTICS,),
        check=each(
            equals("properties.features.disableLocalAuth", True),
            equals("properties.features.enableLogAccessUsingOnlyResourcePermissions", True),
        ),
    ),
    ResourceRule(
        name="logs-kept",
        protects="What happened can be looked up months later",
        remedy="set retentionInDays",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.LOG_ANALYTICS,),
        check=between("properties.retentionInDays", lambda bounds: bounds.log_retention, lambda _bounds: 730),
    ),
    ResourceRule(
        name="logs-not-capped-in-prod",
        protects="An incident that logs a lot does not end the logging",
        remedy="leave workspaceCapping out; the budget warns instead",
        severity=PROD,
        sources=("own",),
        types=(arm.LOG_ANALYTICS,),
        check=absent("properties.workspaceCapping.dailyQuotaGb"),
    ),
    ResourceRule(
        name="telemetry-in-log-analytics",
        protects="Telemetry is kept and read like all other logs, without the addresses of those who call",
        remedy="set WorkspaceResourceId, IngestionMode LogAnalytics, DisableIpMasking false; say whether keys write",
        severity=EVERYWHERE,
        sources=("PSRule Azure.AppInsights.Workspace",),
        types=(arm.APP_INSIGHTS,),
        check=each(
            given("properties.WorkspaceResourceId"),
            equals("properties.IngestionMode", "LogAnalytics"),
            equals("properties.DisableIpMasking", False),
            # True is stricter, and Azure ML would no longer be able to report.
            equals("properties.DisableLocalAuth", False),
        ),
    ),
    ResourceRule(
        name="log-doors-open-for-azure-ml",
        protects="Logs of jobs arrive and can be read: Azure Monitor has no private door without a private link scope",
        remedy="set publicNetworkAccessForIngestion and publicNetworkAccessForQuery to Enabled; reading needs a role",
        severity=EVERYWHERE,
        sources=("AML how-to-managed-network",),
        types=(arm.LOG_ANALYTICS, arm.APP_INSIGHTS),
        check=each(*(equals(f"properties.publicNetworkAccessFor{door}", "Enabled") for door in ("Ingestion", "Query"))),
    ),
    ResourceRule(
        name="diagnostics-complete",
        protects="A diagnostic setting sends all logs, to Log Analytics, in tables of their own",
        remedy="enable the category group allLogs and name the Log Analytics workspace",
        severity=ADVISED_IN_DEV,
        sources=(
            "azure-policy AuditDiagnosticLog",
            "DMZ DiagnosticSettings",
            "PSRule Azure.KeyVault.Logs",
        ),
        types=(arm.DIAGNOSTICS,),
        check=each(given("properties.workspaceId"), _log_rules),
    ),
    StackRule(
        name="diagnostics-present",
        protects="Each service that has logs sends them to the one place where they are searched",
        remedy="add a diagnostic setting",
        severity=ADVISED_IN_DEV,
        sources=(
            "azure-policy AuditDiagnosticLog",
            "DMZ DiagnosticSettings",
        ),
        types=OBSERVED,
        check=_without_diagnostics,
    ),
    ResourceRule(
        name="action-group-reaches-somebody",
        protects="An alert arrives at a person or a system",
        remedy="enable the action group and name a receiver",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.ACTION_GROUP,),
        check=each(equals("properties.enabled", True), _receivers),
    ),
    ResourceRule(
        name="alert-acts",
        protects="An alert rule is on and tells an action group",
        remedy="enable it and name the action group",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.METRIC_ALERT, arm.QUERY_ALERT),
        check=_alert,
    ),
    StackRule(
        name="budget-present",
        protects="The cost of an environment is watched",
        remedy="add a budget over the resource group",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.GROUP,),
        check=_without_budget,
    ),
    ResourceRule(
        name="budget-warns",
        protects="Mails come before the money is spent, by what was spent and by what is forecast",
        remedy="add notifications of both types at 100 or less, with contacts",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.BUDGET,),
        check=each(equals("properties.category", "Cost"), equals("properties.timeGrain", "Monthly"), _warnings),
    ),
)
