"""Who may do what: Azure's built-in roles that are used, and every role that is given, as data. Standard library only.

Role ids are Microsoft's and the same everywhere; a test holds them against Microsoft's list of built-in roles. Sources
of the table, all under learn.microsoft.com/azure/machine-learning: how-to-identity-based-service-authentication
(workspace and cluster), how-to-disable-local-auth-storage (storage without keys), how-to-managed-network (approver),
concept-endpoints-online-auth (endpoint).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from amlplatform.profiles import EnvironmentProfile

PRINCIPALS: dict[str, str] = {
    "workspace": "workspace identity",
    "cluster": "cluster identity",
    "endpoint": "endpoint identity",
    "deploy": "CI (deploy identity)",
    "stream_analytics": "Stream Analytics",
    "senders": "senders of readings (of the request)",
    "kubernetes": "Kubernetes control plane",
    "kubernetes_nodes": "Kubernetes nodes (kubelet)",
    "databricks": "Databricks access connector",
    "synapse": "Synapse",
    "data_factory": "Data Factory",
    "logic_app": "Logic App",
    "data_scientists": "data scientists (group)",
}
"""Who gets roles in an environment, and what people call them. Exceptions are added below."""

SCOPES: dict[str, str] = {
    "resource_group": "resource group",
    "workspace": "workspace",
    "storage": "workspace storage",
    "lake_raw": "lake container raw",
    "lake_curated": "lake container curated",
    "lake_output": "lake container output",
    "key_vault": "key vault",
    "container_registry": "container registry",
    "application_insights": "Application Insights",
    "log_analytics": "Log Analytics",
    "cluster_identity": "cluster identity",
    "endpoint_identity": "endpoint identity",
    "ml_registry": "Azure ML registry (central)",
    "ai_services": "AI services account",
    "event_hubs": "Event Hubs namespace",
    "kubernetes": "Kubernetes cluster",
    "kubernetes_nodes_identity": "identity of Kubernetes nodes",
    "kubernetes_subnet": "subnet of Kubernetes nodes",
    "databricks": "Databricks workspace",
    "synapse": "Synapse workspace",
    "data_factory": "Data Factory",
    "storage_blob_endpoint": "private endpoint of the workspace storage (blob)",
    "storage_file_endpoint": "private endpoint of the workspace storage (file)",
}
"""What roles are given on, and what people call it."""

ALWAYS = "always"
MANAGED_NETWORK = "managed network"
PRIVATE_ENDPOINTS = "private endpoints"
ML_REGISTRY = "ml registry"
SENDERS = "senders"
STREAMS_TO_SQL = "streams to sql"
KUBERNETES_SUBNET = "kubernetes in a subnet"
"""Conditions of a row: it holds always, with a managed network, where private endpoints are made here, with a
central Azure ML registry, where the request names senders of readings, where the streaming job reaches the database,
where nodes of Kubernetes stand in a subnet of one's own, or with an option ("option sql")."""


def option(name: str) -> str:
    """The condition of rows that hold where the request asks for an option."""
    return f"option {name}"


@dataclass(frozen=True)
class Role:
    """A built-in role: the name that the portal shows, and its id."""

    name: str
    role_id: str


def _role(name: str, role_id: str) -> tuple[str, Role]:
    return name, Role(name, role_id)


ROLES: dict[str, Role] = dict(
    (
        _role("Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c"),
        _role("Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7"),
        _role("Role Based Access Control Administrator", "f58310d9-a9f6-439a-9e8d-f62e7b41a168"),
        _role("Locks Contributor", "28bf596f-4eb7-45ce-b5bc-6cf482fec137"),
        _role("Key Vault Crypto User", "12338af0-0e69-4776-bea7-57ae8d297424"),
        _role("Azure AI Enterprise Network Connection Approver", "b556d68e-0be0-4f35-a333-ad7ee1ce17ea"),
        _role("Azure AI Inference Deployment Operator", "3afb7f49-54cb-416e-8c09-6dc049efa503"),
        _role("AzureML Data Scientist", "f6c7c914-8db3-469d-8ca1-694a8f32e121"),
        _role("AzureML Compute Operator", "e503ece1-11d0-4e8e-8e2c-7a6c3bf38815"),
        _role("Cognitive Services User", "a97b65f3-24c7-4388-baec-2e87135dc908"),
        _role("Azure Event Hubs Data Receiver", "a638d3c7-ab3a-418d-83e6-5f17a39d4fde"),
        _role("Azure Event Hubs Data Sender", "2b629674-e913-4c01-ae53-ef4638d8f975"),
        _role("Kubernetes Extension Contributor", "85cb6faf-e071-4c9b-8136-154b5a04f717"),
        _role("Azure Kubernetes Service Cluster Admin Role", "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8"),
        _role("AzureML Registry User", "1823dd4f-9b8c-4ab6-ab4e-7397a3684615"),
        _role("AzureML Metrics Writer (preview)", "635dd51f-9968-44d3-b7fb-6d9a6bd613ae"),
        _role("Storage Blob Data Contributor", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"),
        _role("Storage Blob Data Reader", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"),
        _role("Storage File Data Privileged Contributor", "69566ab7-960f-475b-8e7c-b3118f30c6bd"),
        _role("Storage Queue Data Contributor", "974c5e8b-45b9-4653-ba55-5f855dd0fb88"),
        _role("Storage Table Data Contributor", "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"),
        _role("Key Vault Administrator", "00482a5a-887f-4fb3-b363-3b7fe8e74483"),
        _role("Key Vault Secrets User", "4633458b-17de-408a-b874-0445c86b69e6"),
        _role("AcrPull", "7f951dda-4ed3-4680-a7ca-43fe172d538d"),
        _role("AcrPush", "8311e382-0749-4cb8-b61a-304f252e45ec"),
        _role("Managed Identity Operator", "f1a07417-d97a-45cb-824c-7a7467783830"),
        _role("Network Contributor", "4d97b98b-1d4f-4787-a291-c67834d212e7"),
        _role("Azure Kubernetes Service Cluster User Role", "4abbcc35-e782-43d8-92c5-2d3f1bd2253f"),
        _role("Azure Kubernetes Service RBAC Reader", "7f6c6a51-bcf8-42ba-9220-52d62157d7db"),
        _role("Data Factory Contributor", "673868aa-7521-48a0-acc6-0f60742d39f5"),
        _role("Monitoring Reader", "43d0d8ad-25c7-4714-9337-8ba259a9fe05"),
        _role("Log Analytics Reader", "73c42c96-874c-492b-b04d-ab87d138a893"),
    )
)


@dataclass(frozen=True)
class Grant:
    """One role of one principal on one scope, and why it is needed."""

    principal: str
    scope: str
    role: str
    why: str
    when: str = ALWAYS
    only_with_people: bool = False
    """It is for trying things out: only where people work."""

    @property
    def needs_people(self) -> bool:
        return self.only_with_people or self.person

    @property
    def person(self) -> bool:
        """The principal is a group of people, not a service identity."""
        return self.principal == "data_scientists" or self.principal in EXCEPTIONS

    @property
    def principal_type(self) -> Literal["ServicePrincipal", "Group"]:
        return "Group" if self.person else "ServicePrincipal"

    @property
    def name(self) -> str:
        """The name in the program, for example "cluster-storage-storage-blob-data-reader"."""
        words = "".join(character if character.isalnum() else "-" for character in self.role.lower())
        return "-".join(f"{self.principal}-{self.scope}-{words}".replace("_", "-").strip("-").split("--"))


@dataclass(frozen=True)
class Purpose:
    """Access of people where they otherwise have none. `summary`: what it lets them do."""

    summary: str
    grants: tuple[Grant, ...]


EXCEPTIONS: dict[str, Purpose] = {
    "log-reader": Purpose(
        "reads logs and telemetry, nothing of the workspace",
        (
            Grant("log-reader", "log_analytics", "Log Analytics Reader", "on-call reads logs"),
            Grant("log-reader", "application_insights", "Monitoring Reader", "on-call reads telemetry"),
        ),
    ),
}
"""The purposes for which a request may let a group in. Never a role on the workspace: its readers see credentials of
data stores (learn.microsoft.com/azure/machine-learning/how-to-assign-roles)."""


def _lake_readers(principal: str, why: str) -> tuple[Grant, ...]:
    """Reading each container of the lake, not the account: a central lake holds other products' data, too."""
    scopes = ("lake_raw", "lake_curated", "lake_output")
    return tuple(Grant(principal, scope, "Storage Blob Data Reader", why) for scope in scopes)


def _of_option(name: str, *rows: tuple[str, str, str, str]) -> tuple[Grant, ...]:
    return tuple(Grant(*row, when=option(name)) for row in rows)


_OPTION_GRANTS: tuple[Grant, ...] = (
    *_of_option(
        "ai_services",
        ("cluster", "ai_services", "Cognitive Services User", "jobs call the models of the account"),
        ("endpoint", "ai_services", "Cognitive Services User", "deployments call the models of the account"),
        ("data_scientists", "ai_services", "Cognitive Services User", "to try out the models of the account"),
    ),
    *_of_option(
        "streaming",
        ("stream_analytics", "event_hubs", "Azure Event Hubs Data Receiver", "reads the devices' readings"),
        ("stream_analytics", "lake_curated", "Storage Blob Data Contributor", "writes aggregated readings"),
        ("cluster", "event_hubs", "Azure Event Hubs Data Receiver", "jobs replay readings"),
        ("data_scientists", "event_hubs", "Azure Event Hubs Data Sender", "to send readings for tests"),
    ),
    Grant(
        "cluster",
        "event_hubs",
        "Azure Event Hubs Data Sender",
        "jobs send readings for tests",
        option("streaming"),
        only_with_people=True,
    ),
    Grant("senders", "event_hubs", "Azure Event Hubs Data Sender", "devices' gateways send readings", SENDERS),
    # learn.microsoft.com/azure/aks/use-managed-identity; azure/machine-learning/how-to-attach-kubernetes-to-workspace:
    # what a workspace with a user-assigned identity needs that comes by Trusted Access.
    *_of_option(
        "kubernetes",
        (
            "kubernetes",
            "kubernetes_nodes_identity",
            "Managed Identity Operator",
            "the control plane gives nodes their identity",
        ),
        ("kubernetes_nodes", "container_registry", "AcrPull", "nodes pull images"),
        ("workspace", "kubernetes", "Reader", "the service finds the attached cluster"),
        (
            "workspace",
            "kubernetes",
            "Kubernetes Extension Contributor",
            "the service checks its extension when the cluster is attached",
        ),
        ("workspace", "kubernetes", "Azure Kubernetes Service Cluster Admin Role", "the service attaches the cluster"),
        ("workspace", "kubernetes", "Contributor", "the service comes to the cluster by Trusted Access"),
        (
            "workspace",
            "endpoint_identity",
            "Managed Identity Operator",
            "the service gives the attached cluster the endpoints' identity",
        ),
        (
            "data_scientists",
            "kubernetes",
            "Azure Kubernetes Service Cluster User Role",
            "to sign in to the cluster with kubectl",
        ),
        (
            "data_scientists",
            "kubernetes",
            "Azure Kubernetes Service RBAC Reader",
            "to see what runs during a stress test",
        ),
    ),
    Grant(
        "kubernetes",
        "kubernetes_subnet",
        "Network Contributor",
        "the control plane puts nodes and load balancers into the subnet",
        KUBERNETES_SUBNET,
    ),
    *_of_option(
        "databricks",
        ("databricks", "lake_raw", "Storage Blob Data Reader", "clusters read data as it arrived"),
        ("databricks", "lake_curated", "Storage Blob Data Contributor", "clusters prepare data"),
        ("databricks", "lake_output", "Storage Blob Data Contributor", "clusters write results"),
    ),
    *_of_option(
        "synapse",
        ("synapse", "lake_raw", "Storage Blob Data Reader", "Spark reads data as it arrived"),
        ("synapse", "lake_curated", "Storage Blob Data Contributor", "Spark prepares data and keeps its own files"),
        ("synapse", "lake_output", "Storage Blob Data Contributor", "Spark writes results"),
    ),
    # learn.microsoft.com/azure/machine-learning/how-to-use-batch-azure-data-factory: who invokes a batch endpoint reads
    # its input, and reads and writes its data stores.
    *_of_option(
        "data_factory",
        ("data_factory", "workspace", "AzureML Data Scientist", "invokes the batch endpoint"),
        ("data_factory", "storage", "Storage Blob Data Contributor", "the job that it starts uses the data stores"),
        ("data_factory", "lake_raw", "Storage Blob Data Reader", "the invoker's identity reads the job's input"),
        ("data_factory", "lake_curated", "Storage Blob Data Reader", "the invoker's identity reads the job's input"),
        ("data_factory", "lake_output", "Storage Blob Data Contributor", "the job that it starts writes its results"),
        ("data_scientists", "data_factory", "Data Factory Contributor", "to see runs of pipelines, and to repeat them"),
    ),
    *_of_option(
        "scheduled_start",
        ("logic_app", "workspace", "AzureML Data Scientist", "invokes the batch endpoint"),
        # The same as Data Factory: learn.microsoft.com/azure/machine-learning/how-to-authenticate-batch-endpoint.
        ("logic_app", "storage", "Storage Blob Data Contributor", "the job that it starts uses the data stores"),
        ("logic_app", "lake_curated", "Storage Blob Data Reader", "the invoker's identity reads the job's input"),
        ("logic_app", "lake_output", "Storage Blob Data Contributor", "the job that it starts writes its results"),
    ),
)

GRANTS: tuple[Grant, ...] = (
    # The workspace's identity manages what the workspace is made of.
    Grant("workspace", "workspace", "Contributor", "the service acts on the workspace with this identity"),
    Grant("workspace", "storage", "Contributor", "the service sets up its containers and shares"),
    Grant("workspace", "storage", "Storage Blob Data Contributor", "system data stores without account keys"),
    Grant(
        "workspace",
        "storage",
        "Storage File Data Privileged Contributor",
        "notebooks and code shares without account keys",
    ),
    Grant("workspace", "key_vault", "Contributor", "the service manages the workspace's vault"),
    Grant("workspace", "key_vault", "Key Vault Administrator", "secrets of connections and data stores"),
    Grant("workspace", "container_registry", "Contributor", "images of environments are built and pushed"),
    Grant("workspace", "application_insights", "Contributor", "telemetry of endpoints and jobs"),
    *_lake_readers("workspace", "the data stores name this identity to read the lake for the service"),
    Grant(
        "workspace",
        "resource_group",
        "Azure AI Enterprise Network Connection Approver",
        "the managed network's private endpoints to storage, lake, vault and registry are approved",
        when=MANAGED_NETWORK,
    ),
    Grant(
        "workspace",
        "storage_blob_endpoint",
        "Reader",
        "the service finds the private endpoint of a closed storage account",
        PRIVATE_ENDPOINTS,
    ),
    Grant(
        "workspace",
        "storage_file_endpoint",
        "Reader",
        "the service finds the private endpoint of a closed storage account",
        PRIVATE_ENDPOINTS,
    ),
    # The clusters' identity is what jobs run as.
    Grant("cluster", "workspace", "AzureML Data Scientist", "jobs register models and log metrics"),
    Grant("cluster", "storage", "Storage Blob Data Contributor", "jobs read code and write outputs"),
    Grant(
        "cluster", "storage", "Storage Queue Data Contributor", "parallel and batch jobs hand out mini-batches by queue"
    ),
    Grant(
        "cluster", "storage", "Storage Table Data Contributor", "parallel and batch jobs keep their progress in tables"
    ),
    Grant("cluster", "lake_raw", "Storage Blob Data Reader", "jobs read data as it arrived"),
    Grant("cluster", "lake_curated", "Storage Blob Data Reader", "jobs read prepared data"),
    Grant("cluster", "lake_output", "Storage Blob Data Contributor", "jobs write their results"),
    Grant("cluster", "container_registry", "AcrPull", "nodes pull the job's image"),
    # The endpoints' identity is what online deployments run as.
    Grant("endpoint", "workspace", "AzureML Metrics Writer (preview)", "deployments report metrics"),
    Grant("endpoint", "storage", "Storage Blob Data Reader", "deployments read model and code"),
    Grant("endpoint", "container_registry", "AcrPull", "deployments pull their image"),
    # CI deploys the project with this identity.
    Grant("deploy", "workspace", "AzureML Data Scientist", "CI submits jobs, registers models, manages endpoints"),
    Grant("deploy", "storage", "Storage Blob Data Contributor", "CI uploads code and data"),
    Grant("deploy", "container_registry", "AcrPush", "CI pushes the images that it has built"),
    *_lake_readers("deploy", "a batch job reads its input as the one who invoked it"),
    Grant(
        "deploy",
        "resource_group",
        "Azure AI Inference Deployment Operator",
        "a batch deployment is made by an ARM deployment",
    ),
    Grant(
        "deploy", "cluster_identity", "Managed Identity Operator", "CI attaches the identity to jobs and deployments"
    ),
    Grant("deploy", "endpoint_identity", "Managed Identity Operator", "CI attaches the identity to endpoints"),
    Grant("deploy", "ml_registry", "AzureML Registry User", "CI promotes models through the registry", ML_REGISTRY),
    Grant("cluster", "ml_registry", "AzureML Registry User", "jobs read models and environments there", ML_REGISTRY),
    *_OPTION_GRANTS,
    # People, where the environment's profile lets them in.
    Grant("data_scientists", "workspace", "AzureML Data Scientist", "to work: jobs, models, endpoints, data"),
    # AzureML Data Scientist may use compute, and not make it.
    Grant("data_scientists", "workspace", "AzureML Compute Operator", "to have a compute instance of one's own"),
    Grant(
        "data_scientists",
        "storage",
        "Storage Blob Data Contributor",
        "to upload code and read outputs without account keys",
    ),
    Grant(
        "data_scientists", "storage", "Storage File Data Privileged Contributor", "notebooks are kept in a file share"
    ),
    *_lake_readers("data_scientists", "to explore data; jobs that they start read it as them"),
    Grant("data_scientists", "key_vault", "Key Vault Secrets User", "to read the secrets of connections"),
    Grant("data_scientists", "application_insights", "Monitoring Reader", "to see telemetry"),
    Grant(
        "data_scientists",
        "resource_group",
        "Azure AI Inference Deployment Operator",
        "a batch deployment is made by an ARM deployment",
    ),
    Grant("data_scientists", "log_analytics", "Log Analytics Reader", "to search logs"),
)


PRINCIPALS |= {purpose: f"{purpose} (group, by exception)" for purpose in EXCEPTIONS}


def grants(
    profile: EnvironmentProfile, conditions: Collection[str], exceptions: Collection[str] = ()
) -> Iterator[Grant]:
    """The rows that hold in an environment of this profile under these conditions, with the exceptions asked for."""
    rows = [
        *GRANTS,
        *(grant for purpose in EXCEPTIONS if purpose in exceptions for grant in EXCEPTIONS[purpose].grants),
    ]
    for grant in rows:
        if (grant.principal == "data_scientists" or grant.only_with_people) and not profile.people:
            continue
        if grant.when == ALWAYS or grant.when in conditions:
            yield grant
