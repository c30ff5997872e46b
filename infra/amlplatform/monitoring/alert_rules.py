"""When somebody is told: every alert rule, what it means and what to do, as data.

Severities are Azure's: 0 critical, 1 error, 2 warning, 3 informational, 4 verbose. They are those of an environment
that others rely on; a profile makes them milder. Sources: learn.microsoft.com, "Supported metrics with Azure Monitor"
for the names, aggregations and dimensions of metrics; "Azure Monitor Logs reference" for the tables of queries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from amlplatform.profiles import EnvironmentProfile

MOST_LENIENT = 4
"""Azure's mildest severity, verbose."""

Limit = Literal["", "max_nodes", "latency"]
Scope = Literal["resource_group", "log_analytics"]


@dataclass(frozen=True)
class AlertRule:
    """What all alert rules have.

    `key`: part of the rule's name. `title`: what happened, in a few words. `meaning`: one sentence. `action`: what the
    person who gets the mail does. `sustained`: looks at the profile's longer window, for what is no fault while it
    is short.
    """

    key: str
    title: str
    meaning: str
    action: str
    severity: int
    sustained: bool = False

    @property
    def description(self) -> str:
        """What the mail says."""
        return f"{self.meaning} {self.action}"

    def severity_in(self, profile: EnvironmentProfile) -> int:
        return min(self.severity + profile.alert_severity_offset, MOST_LENIENT)

    def window_in(self, profile: EnvironmentProfile) -> str:
        return profile.alert_sustained_window if self.sustained else profile.alert_window


@dataclass(frozen=True)
class MetricRule(AlertRule):
    """A rule over a metric of one kind of resource: made once for each such resource, or for each cluster.

    `only`: values of dimensions that count. `by`: dimensions of which each value is judged, and named, for itself.
    `limit`: what the threshold is in truth: that of the request ("max_nodes") instead of `threshold`.
    """

    arm_type: str = ""
    metric: str = ""
    aggregation: Literal["Average", "Maximum", "Minimum", "Total"] = "Total"
    operator: Literal["GreaterThan", "GreaterThanOrEqual", "LessThan"] = "GreaterThan"
    threshold: float = 0
    limit: Limit = ""
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class QueryRule(AlertRule):
    """A rule over a log query. `scope`: which logs it sees. `measure`: the column that is compared with the threshold,
    "" to count rows. `by`: columns of which each value is judged, and named, for itself. `needs_cap`: only where Log
    Analytics is made here and has a daily cap."""

    query: str = ""
    scope: Scope = "resource_group"
    measure: str = ""
    threshold: float = 0
    limit: Limit = ""
    by: tuple[str, ...] = ()
    needs_cap: bool = False


def kusto_span(duration: str) -> str:
    """A duration of ISO 8601, in one unit of at most hours, as a query writes it: "15m" for "PT15M"."""
    return duration.removeprefix("PT").lower()


_WORKSPACE = "Microsoft.MachineLearningServices/workspaces"

METRIC_RULES: tuple[MetricRule, ...] = (
    MetricRule(
        "failed-jobs",
        "A job failed",
        "A job, or a step of a pipeline, ended as failed.",
        "Open the experiment in Azure ML studio and read the job's Outputs + logs; where nobody may enter the "
        "workspace, read the CI job that submitted it and AmlRunStatusChangedEvent. Then fix and submit it again.",
        severity=1,
        arm_type=_WORKSPACE,
        metric="Failed Runs",
        by=("ExperimentName",),
    ),
    MetricRule(
        "quota",
        "Quota nearly used up",
        "More than 80 % of the compute quota of a VM family is in use; jobs will wait when it is at 100 %.",
        "See who runs what in Azure ML studio, Quota; ask for more quota there, or lower max_nodes in the request.",
        severity=2,
        arm_type=_WORKSPACE,
        metric="Quota Utilization Percentage",
        aggregation="Maximum",
        threshold=80,
        by=("VmFamilyName", "VmPriority"),
    ),
    MetricRule(
        "cluster-at-maximum",
        "A cluster is at its maximum",
        "The cluster had all the nodes that it may have for the whole time; further jobs wait.",
        "Look at the queue of the cluster in Azure ML studio: end what hangs, or raise max_nodes in the request.",
        severity=3,
        sustained=True,
        arm_type=_WORKSPACE,
        metric="Total Nodes",
        aggregation="Average",
        operator="GreaterThanOrEqual",
        limit="max_nodes",
    ),
    MetricRule(
        "key-vault-unavailable",
        "The key vault does not answer",
        "Less than 99 % of the requests to the key vault were answered; jobs and endpoints cannot read secrets.",
        "Look at Service Health in the portal; if the region is well, look for a change of firewall or DNS.",
        severity=1,
        arm_type="Microsoft.KeyVault/vaults",
        metric="Availability",
        aggregation="Average",
        operator="LessThan",
        threshold=99,
    ),
    MetricRule(
        "pipeline-failed",
        "A Data Factory pipeline failed",
        "A pipeline of the Data Factory ended as failed; a file that arrived may not have been scored.",
        "Open the run in Data Factory Studio, Monitor; after the fix choose Rerun, which takes the same file again.",
        severity=1,
        arm_type="Microsoft.DataFactory/factories",
        metric="PipelineFailedRuns",
        by=("Name",),
    ),
    MetricRule(
        "scheduled-start-failed",
        "A scheduled start failed",
        "The Logic App could not start the batch endpoint.",
        "Open the run history of the Logic App: 401 or 403 is a missing role, 404 an endpoint that is not deployed.",
        severity=1,
        arm_type="Microsoft.Logic/workflows",
        metric="RunsFailed",
    ),
    MetricRule(
        "streaming-errors",
        "The streaming job reports errors",
        "Stream Analytics could not read, convert or write events.",
        "Open the job's Activity log and the table AzureDiagnostics; the message names the input or output.",
        severity=1,
        arm_type="Microsoft.StreamAnalytics/streamingjobs",
        metric="Errors",
    ),
    MetricRule(
        "streaming-behind",
        "The streaming job is behind",
        "Results come more than five minutes after the events.",
        "Compare SU % utilisation with the number of input events: raise streaming_units in the request if it is full.",
        severity=2,
        arm_type="Microsoft.StreamAnalytics/streamingjobs",
        metric="OutputWatermarkDelaySeconds",
        aggregation="Maximum",
        threshold=300,
    ),
    MetricRule(
        "events-throttled",
        "Event Hubs turns devices away",
        "The namespace refused events because its throughput units are used up.",
        "Senders repeat what was refused; if it goes on, raise the maximum of throughput units.",
        severity=2,
        arm_type="Microsoft.EventHub/namespaces",
        metric="ThrottledRequests",
        by=("EntityName",),
    ),
    MetricRule(
        "database-nearly-full",
        "The database is nearly full",
        "More than 80 % of the space of the database is used; at 100 % it takes no more data.",
        "Delete what is old, or raise the maximum size.",
        severity=1,
        arm_type="Microsoft.Sql/servers/databases",
        metric="storage_percent",
        aggregation="Maximum",
        threshold=80,
    ),
    MetricRule(
        "database-busy",
        "The database is busy",
        "The database used more than 80 % of its processors for the whole time.",
        "Look at Query Performance Insight of the database for the query, then tune it or raise the maximum of vCores.",
        severity=2,
        sustained=True,
        arm_type="Microsoft.Sql/servers/databases",
        metric="cpu_percent",
        aggregation="Average",
        threshold=80,
    ),
    MetricRule(
        "node-not-ready",
        "A Kubernetes node is not ready",
        "A node of the cluster does not take work; endpoints on it may answer slowly or not at all.",
        "`kubectl describe node` names the condition. A node that stays so is drained and deleted; the pool makes a "
        "new one.",
        severity=1,
        arm_type="Microsoft.ContainerService/managedClusters",
        metric="kube_node_status_condition",
        aggregation="Average",
        only={"condition": ("Ready",), "status": ("false", "unknown")},
        by=("node",),
    ),
)

# Online endpoints are made by deployments, after the environment, and rules over metrics must name each of them (they
# cannot cover a resource group: learn.microsoft.com, "Supported resources for metric alerts"). Their logs can be
# searched before there are any.
QUERY_RULES: tuple[QueryRule, ...] = (
    QueryRule(
        "endpoint-errors",
        "An online endpoint answers with errors",
        "More than 1 % of the requests to an online endpoint were answered with a code of 500 or more.",
        "Read the container's log (`az ml online-deployment get-logs`); if the last deployment is the cause, send the "
        "traffic back to the one before it.",
        severity=1,
        query="AmlOnlineEndpointTrafficLog\n"
        "| summarize Requests = count(), Failed = countif(toint(ResponseCode) >= 500) "
        "by EndpointName, bin(TimeGenerated, {window})\n"
        "| extend FailedPercent = 100.0 * Failed / Requests",
        measure="FailedPercent",
        threshold=1,
        by=("EndpointName",),
    ),
    QueryRule(
        "endpoint-latency",
        "An online endpoint is slow",
        "One request in twenty took longer than the limit of this environment.",
        "Look at the CPU and memory of the deployment in Azure ML studio; add instances, or a larger size.",
        severity=2,
        query="AmlOnlineEndpointTrafficLog\n"
        "| summarize Milliseconds = percentile(TotalDurationMs, 95) "
        "by EndpointName, bin(TimeGenerated, {window})",
        measure="Milliseconds",
        limit="latency",
        by=("EndpointName",),
    ),
    QueryRule(
        "log-cap-reached",
        "The daily cap of logs is reached",
        "Log Analytics takes no more logs today; what happens until it is reset cannot be seen later.",
        "Find what writes so much (table Usage, by DataType), then turn it down or raise the cap in the profile.",
        severity=2,
        query='_LogOperation\n| where Category =~ "Ingestion"\n| where Detail contains "OverQuota"',
        scope="log_analytics",
        needs_cap=True,
    ),
)


def query_rules(profile: EnvironmentProfile, *, own_logs: bool) -> list[QueryRule]:
    """The rules over logs of an environment. `own_logs`: Log Analytics is made here; a central one is watched by its
    owner."""
    capped = own_logs and profile.log_daily_cap_gb is not None
    return [
        rule for rule in QUERY_RULES if (capped or not rule.needs_cap) and (own_logs or rule.scope == "resource_group")
    ]
