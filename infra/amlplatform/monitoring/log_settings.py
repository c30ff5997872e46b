"""Which logs and metrics each kind of resource sends to Log Analytics.

Sources: learn.microsoft.com, "Supported resource log categories for Azure Monitor" (what there is), the built-in policy
initiative "Enable allLogs category group resource logging for supported resources to Log Analytics" (which kinds know
the group `allLogs`), and "Supported metrics with Azure Monitor" (which metrics may be exported).
"""

from __future__ import annotations

from dataclasses import dataclass

ALL_LOGS = "allLogs"
"""The category group that holds every category, also those that Azure adds later."""
ALL_METRICS = "AllMetrics"
_READS_LEFT_OUT = ("StorageWrite", "StorageDelete")


@dataclass(frozen=True)
class LogSettings:
    """The diagnostic setting of one kind of resource.

    `categories`: these instead of all logs. `without_reads`: these where the profile does not log each read of data.
    `logs` and `metrics`: whether the service has any that can be sent. `own_tables`: the service would write to the
    mixed table AzureDiagnostics unless it is told to use tables of its own (`logAnalyticsDestinationType: Dedicated`);
    left out for services that have no choice, because Azure then forgets the property and every refresh would find a
    difference. `note`: why it is as it is, for people.
    """

    logs: bool = True
    metrics: bool = True
    categories: tuple[str, ...] = ()
    without_reads: tuple[str, ...] = ()
    own_tables: bool = False
    note: str = ""

    @property
    def is_empty(self) -> bool:
        """The service has nothing to send that is not there already."""
        return not self.logs and not self.metrics

    def chosen(self, *, reads: bool) -> tuple[str, ...]:
        """The categories to send; empty for all logs, or where there are none. `reads`: also each read of data."""
        return self.without_reads if self.without_reads and not reads else self.categories


_STORAGE = "Microsoft.Storage/storageAccounts"
_STORAGE_SERVICE = LogSettings(
    without_reads=_READS_LEFT_OUT,
    note="one line for each read of a blob fills a daily cap within hours: only where logs have no cap",
)

LOG_SETTINGS: dict[str, LogSettings] = {
    "Microsoft.MachineLearningServices/workspaces": LogSettings(),
    "Microsoft.MachineLearningServices/registries": LogSettings(metrics=False),
    _STORAGE: LogSettings(logs=False, note="the logs belong to the services of the account"),
    f"{_STORAGE}/blobServices": _STORAGE_SERVICE,
    f"{_STORAGE}/fileServices": _STORAGE_SERVICE,
    f"{_STORAGE}/queueServices": _STORAGE_SERVICE,
    f"{_STORAGE}/tableServices": _STORAGE_SERVICE,
    "Microsoft.KeyVault/vaults": LogSettings(own_tables=True),
    "Microsoft.ContainerRegistry/registries": LogSettings(),
    "Microsoft.OperationalInsights/workspaces": LogSettings(note="who asked the logs for what"),
    "Microsoft.Insights/components": LogSettings(
        logs=False,
        metrics=False,
        note="it writes to Log Analytics by itself; a setting would store, and bill, everything twice",
    ),
    "Microsoft.ContainerService/managedClusters": LogSettings(
        categories=(
            "cloud-controller-manager",
            "cluster-autoscaler",
            "guard",
            "kube-apiserver",
            "kube-audit-admin",
            "kube-controller-manager",
            "kube-scheduler",
        ),
        own_tables=True,
        note="kube-audit-admin is kube-audit without each read, which would be most of the bill",
    ),
    "Microsoft.CognitiveServices/accounts": LogSettings(),
    "Microsoft.Sql/servers": LogSettings(
        logs=False, metrics=False, note="logs and metrics belong to the databases; logins to the database master"
    ),
    "Microsoft.Sql/servers/databases": LogSettings(),
    "Microsoft.EventHub/namespaces": LogSettings(own_tables=True),
    "Microsoft.EventGrid/systemTopics": LogSettings(),
    "Microsoft.StreamAnalytics/streamingjobs": LogSettings(),
    "Microsoft.DataFactory/factories": LogSettings(own_tables=True),
    "Microsoft.Synapse/workspaces": LogSettings(metrics=False, note="its metrics cannot be exported"),
    "Microsoft.Synapse/workspaces/bigDataPools": LogSettings(metrics=False, note="its metrics cannot be exported"),
    "Microsoft.Databricks/workspaces": LogSettings(metrics=False, note="it has no metrics of its own"),
    "Microsoft.Logic/workflows": LogSettings(),
}
"""By ARM type. A part of an environment whose type is not here cannot be built: say what it logs first."""
