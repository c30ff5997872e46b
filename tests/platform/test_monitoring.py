"""What is logged, who is told when, and what becomes of data that nobody reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from platform_requests import minimal

from amlplatform.armtypes import catalogue
from amlplatform.cloud import arm_ids
from amlplatform.monitoring.alert_rules import METRIC_RULES, QUERY_RULES
from amlplatform.monitoring.log_settings import LOG_SETTINGS
from amlplatform.names import Names
from amlplatform.plan import Plan, plan_environment
from amlplatform.profiles import ENVIRONMENT_PROFILES
from amlplatform.request import Request

Plans = dict[str, dict[str, Plan]]

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
CENTRAL = "/subscriptions/3f2504e0-4f89-41d3-9a0c-0305e82c3301/resourceGroups/rg-central/providers"
CENTRAL_LOGS = f"{CENTRAL}/Microsoft.OperationalInsights/workspaces/log-central"
DIAGNOSTICS = "Microsoft.Insights/diagnosticSettings"
METRIC_ALERT, QUERY_ALERT = "Microsoft.Insights/metricAlerts", "Microsoft.Insights/scheduledQueryRules"
BOTH = pytest.mark.parametrize("environment", ["dev", "prod"])

ALL_LOGS = [{"categoryGroup": "allLogs", "enabled": True}]
WRITES = [{"category": "StorageWrite", "enabled": True}, {"category": "StorageDelete", "enabled": True}]
METRICS = [{"category": "AllMetrics", "enabled": True}]


def group(environment: str) -> str:
    return f"{SUBSCRIPTION}/resourceGroups/rg-digit-scoring-{environment}"


def of_type(plan: Plan, *arm_types: str) -> dict[str, dict[str, Any]]:
    """Properties by name."""
    return {one.name: dict(one.body["properties"]) for one in plan.resources if one.arm_type in arm_types}


@pytest.fixture(scope="module")
def changed() -> Callable[..., Plan]:
    """A plan of a request that `change` has changed."""

    def plan(change: Callable[[dict[str, Any]], None], environment: str = "dev") -> Plan:
        data = minimal()
        change(data)
        return plan_environment(Request.model_validate(data), environment)

    return plan


# --- Diagnostic settings --------------------------------------------------------------------------


@BOTH
def test_every_part_sends_its_logs_and_metrics_to_log_analytics(environment: str, plans: Plans) -> None:
    # Reads of data are most of the lines: they are logged where there is no daily cap that they could use up.
    storage = {"dev": WRITES, "prod": ALL_LOGS}[environment]
    expected: dict[str, tuple[list[Any], list[Any], str | None]] = {
        "workspace": (ALL_LOGS, METRICS, None),
        "storage": ([], METRICS, None),
        "storage-blob": (storage, METRICS, None),
        "storage-file": (storage, METRICS, None),
        "lake": ([], METRICS, None),
        "lake-blob": (storage, METRICS, None),
        "key-vault": (ALL_LOGS, METRICS, "Dedicated"),
        "container-registry": (ALL_LOGS, METRICS, None),
        "log-analytics": (ALL_LOGS, METRICS, None),
        # Not Application Insights: it writes to the same workspace by itself.
    }
    settings = of_type(plans["full"][environment], DIAGNOSTICS)
    assert {
        name.removesuffix("-diagnostics"): (
            body["logs"],
            body["metrics"],
            body.get("logAnalyticsDestinationType"),
        )
        for name, body in settings.items()
    } == expected
    logs = f"{group(environment)}/providers/Microsoft.OperationalInsights/workspaces/log-digit-scoring-{environment}"
    assert {body["workspaceId"] for body in settings.values()} == {logs}


def test_settings_hang_on_the_resource_or_the_service_that_has_the_logs(plans: Plans) -> None:
    accounts = f"{group('dev')}/providers/Microsoft.Storage/storageAccounts"
    name = "providers/Microsoft.Insights/diagnosticSettings/to-log-analytics"
    plan = plans["full"]["dev"]
    assert plan.resource("lake-diagnostics").arm_id == f"{accounts}/dldigitscoringdevk3x9a/{name}"
    services = f"{accounts}/stdigitscoringdevk3x9a/fileServices/default"
    assert plan.resource("storage-file-diagnostics").arm_id == f"{services}/{name}"


def test_a_central_log_analytics_gets_everything_and_none_is_made(changed: Callable[..., Plan]) -> None:
    plan = changed(lambda data: data["environments"]["dev"].update(central={"log_analytics": CENTRAL_LOGS}))
    assert plan.faults == []
    assert "log-analytics" not in {one.name for one in plan.resources}
    settings = of_type(plan, DIAGNOSTICS)
    assert {body["workspaceId"] for body in settings.values()} == {CENTRAL_LOGS}
    assert "log-analytics-diagnostics" not in settings
    assert of_type(plan, "Microsoft.Insights/components")["application-insights"]["WorkspaceResourceId"] == CENTRAL_LOGS
    # Its cap is its owner's, and rules look at this environment's resource group alone, which needs no right on it.
    alerts = of_type(plan, QUERY_ALERT)
    assert "alert-log-cap-reached" not in alerts
    assert {scope for body in alerts.values() for scope in body["scopes"]} == {group("dev")}


def test_everything_that_can_be_logged_is_a_known_type() -> None:
    known = {kind.arm_type for kind in catalogue.RESOURCE_TYPES.values()}
    # Services of a storage account that are there without being made.
    known |= {f"Microsoft.Storage/storageAccounts/{one}Services" for one in ("queue", "table")}
    assert set(LOG_SETTINGS) <= known
    for arm_type, settings in LOG_SETTINGS.items():
        assert settings.note or not settings.is_empty, f"{arm_type}: nothing is sent, and nobody says why"


# --- Alerts ---------------------------------------------------------------------------------------

# By rule: metric, aggregation, comparison, limit, dimensions; severity, window.
JOBS = ("Failed Runs", "Total", "GreaterThan", 0, {"ExperimentName": ["*"]})
QUOTA = ("Quota Utilization Percentage", "Maximum", "GreaterThan", 80, {"VmFamilyName": ["*"], "VmPriority": ["*"]})
CPU = ("Total Nodes", "Average", "GreaterThanOrEqual", 4, {"ClusterName": ["cpu-cluster"]})
GPU = ("Total Nodes", "Average", "GreaterThanOrEqual", 2, {"ClusterName": ["gpu-cluster"]})
VAULT = ("Availability", "Average", "LessThan", 99, {})
METRIC_ALERTS: dict[str, dict[str, tuple[Any, ...]]] = {
    "dev": {
        "alert-failed-jobs": (*JOBS, 2, "PT1H"),
        "alert-quota": (*QUOTA, 3, "PT1H"),
        "alert-cluster-at-maximum-cpu-cluster": (*CPU, 4, "PT6H"),
        "alert-cluster-at-maximum-gpu-cluster": (*GPU, 4, "PT6H"),
        "alert-key-vault-unavailable": (*VAULT, 2, "PT1H"),
    },
    "prod": {
        "alert-failed-jobs": (*JOBS, 1, "PT15M"),
        "alert-quota": (*QUOTA, 2, "PT15M"),
        "alert-cluster-at-maximum-cpu-cluster": (*CPU, 3, "PT1H"),
        "alert-cluster-at-maximum-gpu-cluster": (*GPU, 3, "PT1H"),
        "alert-key-vault-unavailable": (*VAULT, 1, "PT15M"),
    },
}


@BOTH
def test_metric_alerts_look_at_the_right_metric_of_the_right_resource(environment: str, plans: Plans) -> None:
    alerts = of_type(plans["full"][environment], METRIC_ALERT)
    found = {}
    for name, body in alerts.items():
        (criterion,) = body["criteria"]["allOf"]
        found[name] = (
            criterion["metricName"],
            criterion["timeAggregation"],
            criterion["operator"],
            criterion["threshold"],
            {one["name"]: one["values"] for one in criterion["dimensions"]},
            body["severity"],
            body["windowSize"],
        )
        assert body["criteria"]["odata.type"] == "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"
        assert criterion["metricNamespace"] == body["targetResourceType"]
        assert criterion["skipMetricValidation"] is False
        assert (body["enabled"], body["autoMitigate"]) == (True, True)
        (scope,) = body["scopes"]
        assert f"/providers/{body['targetResourceType']}/" in scope
    assert found == METRIC_ALERTS[environment]


@BOTH
def test_query_alerts_search_this_environment_and_nothing_else(environment: str, plans: Plans) -> None:
    alerts = of_type(plans["full"][environment], QUERY_ALERT)
    latency, cap = {"dev": (5000, ["alert-log-cap-reached"]), "prod": (1000, [])}[environment]
    limits = {name: body["criteria"]["allOf"][0]["threshold"] for name, body in alerts.items()}
    assert limits == {"alert-endpoint-errors": 1, "alert-endpoint-latency": latency, **dict.fromkeys(cap, 0)}
    for name, body in alerts.items():
        (condition,) = body["criteria"]["allOf"]
        measured = condition.get("metricMeasureColumn")
        assert condition["timeAggregation"] == ("Maximum" if measured else "Count")
        for column in [measured, *(one["name"] for one in condition["dimensions"])]:
            assert column is None or re.search(rf"\b{column}\b", condition["query"]), f"{name}: {column}"
        # The table of an endpoint's traffic is only there once there is an endpoint.
        assert body["skipQueryValidation"] is True
        assert body["checkWorkspaceAlertsStorageConfigured"] is False
        (scope,) = body["scopes"]
        assert scope.startswith(group(environment))
        assert (scope == group(environment)) == (name != "alert-log-cap-reached")


@BOTH
def test_all_alerts_and_the_budget_tell_the_action_group_which_tells_the_owner(environment: str, plans: Plans) -> None:
    plan = plans["full"][environment]
    receiver = plan.resource("action-group")
    assert receiver.body["properties"]["enabled"] is True
    assert len(receiver.body["properties"]["groupShortName"]) <= 12
    assert receiver.body["properties"]["emailReceivers"] == [
        {"name": "owner", "emailAddress": "owner@example.com", "useCommonAlertSchema": True}
    ]
    told = [
        *([action["actionGroupId"] for action in body["actions"]] for body in of_type(plan, METRIC_ALERT).values()),
        *(body["actions"]["actionGroups"] for body in of_type(plan, QUERY_ALERT).values()),
        *(one["contactGroups"] for one in plan.resource("budget").body["properties"]["notifications"].values()),
    ]
    assert len(told) > 9
    assert all(one == [receiver.arm_id] for one in told)


def test_without_a_gpu_cluster_no_rule_looks_at_one(plans: Plans) -> None:
    alerts = of_type(plans["minimal"]["dev"], METRIC_ALERT)
    assert [name for name in alerts if "cluster" in name] == ["alert-cluster-at-maximum-cpu-cluster"]


def test_the_limit_of_a_cluster_is_that_of_the_request(changed: Callable[..., Plan]) -> None:
    plan = changed(lambda data: data["environments"]["dev"]["cpu_cluster"].update(max_nodes=7))
    alert = plan.resource("alert-cluster-at-maximum-cpu-cluster")
    assert alert.body["properties"]["criteria"]["allOf"][0]["threshold"] == 7


def test_rules_are_complete_and_azure_takes_their_times_and_texts() -> None:
    # learn.microsoft.com: what both kinds of rules take; a rule looks at least at the time since it looked last.
    minutes = {"PT5M": 5, "PT15M": 15, "PT30M": 30, "PT1H": 60, "PT6H": 360}
    for profile in ENVIRONMENT_PROFILES.values():
        for rule in (*METRIC_RULES, *QUERY_RULES):
            assert minutes[profile.alert_frequency] <= minutes[rule.window_in(profile)]
            assert 0 <= rule.severity_in(profile) <= 4
    keys = [rule.key for rule in (*METRIC_RULES, *QUERY_RULES)]
    assert len(set(keys)) == len(keys)
    known = {kind.arm_type for kind in catalogue.RESOURCE_TYPES.values()}
    assert {rule.arm_type for rule in METRIC_RULES} <= known
    for rule in (*METRIC_RULES, *QUERY_RULES):
        assert rule.meaning.endswith(".") and rule.action.endswith(".")
        assert len(rule.description) < 1000


@pytest.mark.parametrize("product", ["abc", "digit-scoring", "a-product-with-a-l"])
@pytest.mark.parametrize("environment", list(ENVIRONMENT_PROFILES))
def test_the_short_name_of_the_action_group_fits_and_ends_in_the_environment(product: str, environment: str) -> None:
    short = Names(product, environment, "k3x9a").action_group_short
    assert len(short) <= 12
    assert short.endswith(f"-{environment}")
    assert short.startswith("a" if product.startswith("a") else "d")


# --- Data that is kept ----------------------------------------------------------------------------


@pytest.mark.parametrize(("environment", "days"), [("dev", 7), ("prod", 30)])
def test_deleted_file_shares_come_back(environment: str, days: int, plans: Plans) -> None:
    service = plans["full"][environment].resource("storage-files")
    assert service.arm_id.endswith("/storageAccounts/stdigitscoring" + environment + "k3x9a/fileServices/default")
    assert service.body["properties"]["shareDeleteRetentionPolicy"] == {"enabled": True, "days": days}


@BOTH
def test_unread_files_of_the_lake_get_cheaper_and_nothing_is_deleted(environment: str, plans: Plans) -> None:
    plan = plans["full"][environment]
    (rule,) = plan.resource("lake-lifecycle").body["properties"]["policy"]["rules"]
    assert rule["enabled"] is True
    assert rule["definition"] == {
        "filters": {"blobTypes": ["blockBlob"]},
        "actions": {
            "baseBlob": {"tierToCool": {"daysAfterLastAccessTimeGreaterThan": 90}, "enableAutoTierToHotFromCool": True}
        },
    }
    # Azure refuses such a rule unless it notes when a file was read.
    assert plan.resource("lake-blobs").body["properties"]["lastAccessTimeTrackingPolicy"]["enable"] is True
    assert "lake-blobs" in plan.resource("lake-lifecycle").depends_on


def test_a_central_lake_keeps_the_policies_of_its_owner(changed: Callable[..., Plan]) -> None:
    account = f"{CENTRAL}/Microsoft.Storage/storageAccounts/dlcentral"
    lake = {"account": account, "raw": "product-raw", "curated": "product-curated", "output": "product-output"}
    plan = changed(lambda data: data["environments"]["dev"].update(central={"lake": lake}))
    assert plan.faults == []
    assert not [one.name for one in plan.resources if one.name.startswith("lake")]


def test_sqls_own_database_is_there_with_its_server_so_that_its_logins_can_be_logged() -> None:
    server = f"{CENTRAL}/Microsoft.Sql/servers/sql-product"
    assert arm_ids.is_singleton(f"{server}/databases/MASTER")
    assert not arm_ids.is_singleton(f"{server}/databases/sqldb-product")
    assert not arm_ids.is_singleton(f"{server}/databases/default")
