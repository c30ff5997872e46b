"""Who needs what: the table that the paths of an environment are held against. Standard library only."""

from __future__ import annotations

from amlplatform.reachability.model import Need

STREAM_TO_SQL = "the job writes to the database"
KUBERNETES_ATTACHED = "the cluster is attached to the workspace"
"""Conditions of needs."""
CONSUMERS: dict[str, str] = {
    "scientist": "data scientist at a desk",
    "instance": "compute instance",
    "cluster": "job on a cluster",
    "image-build": "build of an image",
    "deployment": "online deployment",
    "caller": "application that calls an endpoint",
    "data-source": "system that delivers data",
    "ci-hosted": "CI on a hosted runner",
    "ci-self-hosted": "CI on a runner of yours",
    "azure-ml": "Azure ML itself",
    "azure-monitor": "diagnostic settings",
    "kubernetes-pods": "pods on Kubernetes",
    "databricks-clusters": "clusters of Databricks",
    "synapse-pools": "pools of Synapse",
    "data-factory-runs": "pipelines of Data Factory",
    "logic-app": "Logic App",
    "stream-analytics": "Stream Analytics",
    "devices": "devices in the field",
}
"""Rows of the matrix. A consumer is there where the environment has what it runs on."""

RESOURCES: dict[str, str] = {
    "workspace": "workspace",
    "storage-blob": "workspace storage: blob",
    "storage-file": "workspace storage: file",
    "storage-queue": "workspace storage: queue",
    "storage-table": "workspace storage: table",
    "lake-blob": "lake: blob",
    "lake-dfs": "lake: dfs",
    "key-vault": "key vault",
    "container-registry": "container registry",
    "ml-registry": "Azure ML registry",
    "logs-sent": "logs, to send",
    "logs-read": "logs, to read",
    "ai-services": "AI services",
    "sql": "SQL database",
    "event-hubs": "Event Hubs",
    "data-factory": "Data Factory",
    "synapse": "Synapse",
    "databricks": "Databricks",
    "kubernetes": "Kubernetes API",
}
"""Columns of the matrix, in the order in which people read them."""

_ML = "learn.microsoft.com/azure/machine-learning"
_VNET = f"{_ML}/how-to-secure-training-vnet"
_MANAGED = f"{_ML}/how-to-managed-network"
_STUDIO = f"{_ML}/how-to-enable-studio-virtual-network"
_ENDPOINT = f"{_ML}/concept-secure-online-endpoint"
_BATCH = f"{_ML}/how-to-secure-batch-endpoint"
_KUBERNETES = f"{_ML}/how-to-access-azureml-behind-firewall"


def _needs(consumer: str, *rows: tuple[str, str, str]) -> tuple[Need, ...]:
    return tuple(Need(consumer, *row) for row in rows)


NEEDS: tuple[Need, ...] = (
    *_needs(
        "scientist",
        ("workspace", "studio and the SDK", _STUDIO),
        ("storage-blob", "uploads code, reads outputs of jobs; the browser talks to storage itself", _STUDIO),
        ("storage-file", "notebooks are kept there", _STUDIO),
        ("lake-blob", "looks at data", "roles.py"),
        ("lake-dfs", "looks at data", "roles.py"),
        ("key-vault", "reads secrets of connections", "roles.py"),
        ("logs-read", "reads logs and telemetry", "roles.py"),
        ("ai-services", "tries out models", "roles.py"),
        ("sql", "looks at results", "components/options/sql.py"),
        ("data-factory", "looks at runs in Data Factory Studio", "learn.microsoft.com/azure/data-factory"),
        ("synapse", "works in Synapse Studio", "learn.microsoft.com/azure/synapse-analytics"),
        ("databricks", "works in Databricks", "learn.microsoft.com/azure/databricks"),
    ),
    *_needs(
        "instance",
        ("workspace", "is managed by it", _VNET),
        ("storage-blob", "reads and writes data", _VNET),
        ("storage-file", "mounts the file share of notebooks", _VNET),
        ("lake-blob", "looks at data", "roles.py"),
        ("lake-dfs", "looks at data", "roles.py"),
        ("key-vault", "reads secrets of connections", "roles.py"),
        ("container-registry", "pulls images of jobs that run locally", _VNET),
        ("ai-services", "tries out models", "roles.py"),
        ("sql", "looks at results", "components/options/sql.py"),
    ),
    *_needs(
        "cluster",
        ("workspace", "fetches its work, logs metrics, registers models", _VNET),
        ("storage-blob", "reads code, writes outputs and logs", _VNET),
        ("storage-file", "the share of the workspace is mounted", _VNET),
        ("storage-queue", "parallel and batch jobs hand out mini-batches by queue", _MANAGED),
        ("storage-table", "parallel and batch jobs keep their progress in tables", _MANAGED),
        ("lake-blob", "reads data, writes results of batch endpoints", _BATCH),
        ("lake-dfs", "reads and writes data", "roles.py"),
        ("key-vault", "reads secrets of connections", _VNET),
        ("container-registry", "pulls the image of the job", _VNET),
        ("ml-registry", "reads models and environments", "roles.py"),
        ("logs-sent", "sends telemetry", _MANAGED),
        ("ai-services", "calls models", "roles.py"),
        ("sql", "writes results", "components/options/sql.py"),
        ("event-hubs", "replays readings", "roles.py"),
    ),
    *_needs(
        "image-build",
        ("container-registry", "pushes the image", _MANAGED),
        ("storage-blob", "reads the description of the environment", _MANAGED),
    ),
    *_needs(
        "deployment",
        ("workspace", "fetches what it is made of", _ENDPOINT),
        ("storage-blob", "fetches model and code", _ENDPOINT),
        ("container-registry", "pulls its image", _ENDPOINT),
    ),
    *_needs("caller", ("workspace", "endpoints are behind the workspace's private endpoint", _ENDPOINT)),
    *_needs(
        "data-source",
        ("lake-blob", "puts data into the lake", "request/network.py"),
        ("lake-dfs", "puts data into the lake", "request/network.py"),
    ),
    *(
        need
        for runner in ("ci-hosted", "ci-self-hosted")
        for need in _needs(
            runner,
            ("workspace", "submits jobs, reads their logs", _STUDIO),
            ("storage-blob", "uploads code and data", "roles.py"),
            ("ml-registry", "promotes models", "roles.py"),
            ("sql", "makes users and tables, which Resource Manager cannot", "components/options/sql.py"),
        )
    ),
    *_needs(
        "azure-ml",
        ("storage-blob", "keeps code, models and outputs", _STUDIO),
        ("storage-file", "keeps notebooks", _STUDIO),
        ("lake-blob", "shows data of data stores", _STUDIO),
        ("lake-dfs", "shows data of data stores", _STUDIO),
        ("key-vault", "keeps secrets of connections", f"{_ML}/how-to-secure-workspace-vnet"),
        ("container-registry", "looks up images", f"{_ML}/how-to-secure-workspace-vnet"),
    ),
    Need(
        "azure-ml",
        "kubernetes",
        "deploys endpoints into it",
        "learn.microsoft.com/azure/aks/trusted-access-feature",
        KUBERNETES_ATTACHED,
    ),
    *_needs("azure-monitor", ("logs-sent", "logs and metrics of every resource", "components/diagnostics.py")),
    *_needs(
        "kubernetes-pods",
        ("workspace", "the extension asks for its work", _KUBERNETES),
        ("storage-blob", "fetch model and code", _KUBERNETES),
        ("container-registry", "pull images", _KUBERNETES),
        ("logs-sent", "send logs", _KUBERNETES),
    ),
    *_needs(
        "databricks-clusters",
        ("lake-dfs", "read and write data", "components/options/databricks.py"),
        (
            "databricks",
            "are steered by it",
            "learn.microsoft.com/azure/databricks/security/network/classic/private-link",
        ),
    ),
    *_needs("synapse-pools", ("lake-dfs", "read and write data", "components/options/synapse.py")),
    *_needs("data-factory-runs", ("workspace", "invoke a batch endpoint", "components/options/data_factory.py")),
    *_needs("logic-app", ("workspace", "invokes a batch endpoint", "components/options/scheduled_start.py")),
    *_needs(
        "stream-analytics",
        ("event-hubs", "reads readings of devices", "components/options/streaming.py"),
        ("lake-blob", "writes aggregates", "components/options/streaming.py"),
    ),
    Need("stream-analytics", "sql", "writes aggregates", "components/options/streaming.py", STREAM_TO_SQL),
    *_needs("devices", ("event-hubs", "send readings", "components/options/streaming.py")),
)
