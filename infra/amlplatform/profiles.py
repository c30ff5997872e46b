"""How environments and network profiles differ. The only place that knows: everything else reads these tables.

Standard library only. A further environment (for example `test`) or network profile is another entry, not code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from amlplatform.regions import Region

Access = Literal["Enabled", "Disabled"]


@dataclass(frozen=True)
class NetworkProfile:
    """Every property that touches the network, as one set that fits together.

    Mixing does not work: compute without a public address, for example, cannot reach a workspace that has no private
    endpoint.
    """

    name: str
    summary: str
    # Workspace, storage accounts, key vault and container registry: the door to the internet, and what waits behind it.
    public_network_access: Access
    firewall_default_action: Literal["Allow", "Deny"]
    # The workspace's managed network: https://learn.microsoft.com/azure/machine-learning/how-to-managed-network
    isolation_mode: Literal["Disabled", "AllowInternetOutbound", "AllowOnlyApprovedOutbound"]
    node_public_ip: bool
    # Images may leave the registry by export only where the internet can reach it anyway: Azure refuses to disable the
    # export policy of a registry with public access, and without it a private registry could still be copied out.
    registry_export: Literal["enabled", "disabled"]
    # Azure Monitor has no private door without a private link scope, which belongs to the network's owner. Logs hold no
    # data of the project, reading them takes an Entra role, and closing ingestion would lose what jobs report.
    log_ingestion: Access
    log_query: Access
    # Nodes and Azure's services have no addresses of their own that a firewall by address could name: SQL lets all of
    # Azure knock, also other organisations. Whoever comes in needs an Entra identity that is a user of the database.
    azure_addresses: bool
    # Nodes stand in a subnet of the organisation's own network, given by id.
    own_network: bool
    # How nodes of Kubernetes reach the internet: through a load balancer of the cluster's own, or as the subnet's route
    # table says. Fixed when the cluster is made.
    kubernetes_outbound: Literal["loadBalancer", "userDefinedRouting"]
    # Options that do not fit, and why.
    excluded_options: Mapping[str, str]

    @property
    def managed_network(self) -> bool:
        return self.isolation_mode != "Disabled"

    @property
    def private(self) -> bool:
        """The internet cannot reach the workspace and its data."""
        return self.public_network_access == "Disabled"


NETWORK_PROFILES: dict[str, NetworkProfile] = {
    profile.name: profile
    for profile in (
        NetworkProfile(
            name="public-dev",
            summary="reached over the internet with Entra identities; for trying things out on data that may be there",
            public_network_access="Enabled",
            firewall_default_action="Allow",
            isolation_mode="Disabled",
            node_public_ip=True,
            registry_export="enabled",
            log_ingestion="Enabled",
            log_query="Enabled",
            azure_addresses=True,
            own_network=False,
            kubernetes_outbound="loadBalancer",
            excluded_options={},
        ),
        NetworkProfile(
            name="managed-vnet",
            summary="closed to the internet; jobs run in a managed network and reach only what is approved; "
            "people and CI come in through private endpoints in a subnet of yours",
            public_network_access="Disabled",
            firewall_default_action="Deny",
            isolation_mode="AllowOnlyApprovedOutbound",
            node_public_ip=False,
            registry_export="disabled",
            log_ingestion="Enabled",
            log_query="Enabled",
            azure_addresses=False,
            own_network=False,
            kubernetes_outbound="loadBalancer",
            excluded_options={
                # learn.microsoft.com, "Workspace managed virtual network isolation", limitations.
                "kubernetes": "Azure ML attaches no Kubernetes cluster to a workspace with a managed network",
                "databricks": "its clusters would have no way to a lake that is closed to the internet",
                # learn.microsoft.com, "Azure Logic Apps: hosting options": the Consumption plan joins no network.
                "scheduled_start": "a Consumption Logic App has no way to a workspace that is closed to the internet",
            },
        ),
        NetworkProfile(
            name="own-vnet",
            summary="closed to the internet; nodes and private endpoints stand in subnets of your own network, "
            "whose firewall decides what they reach",
            public_network_access="Disabled",
            firewall_default_action="Deny",
            isolation_mode="Disabled",
            node_public_ip=False,
            registry_export="disabled",
            log_ingestion="Enabled",
            log_query="Enabled",
            azure_addresses=False,
            own_network=True,
            kubernetes_outbound="userDefinedRouting",
            excluded_options={
                "scheduled_start": "a Consumption Logic App has no way to a workspace that is closed to the internet",
            },
        ),
    )
}


@dataclass(frozen=True)
class OptionsProfile:
    """What an environment's purpose decides of the options."""

    sql_vcores: int
    sql_pause_after: int | None
    """Minutes without use after which the database pauses and costs storage only; None: it never does."""
    sql_threat_alerts: bool
    """Microsoft Defender watches the database, charged for each server, and mails the owner what looks like an
    attack."""
    throughput_units: int
    """Event Hubs grows up to this many."""
    event_retention_hours: int
    """Readings can be replayed for this long."""
    schedules_run: bool
    """Schedules and triggers work by themselves; False: they are made, switched off."""
    kubernetes_serves: bool
    """The Kubernetes cluster answers for real. Others are for stress tests: nodes of its size, and fewer of them."""
    kubernetes_tier: Literal["Free", "Standard"]
    """Standard: Microsoft promises that the API server is available, and it is paid by the hour."""
    kubernetes_min_nodes: int
    """Nodes that stay without load."""
    kubernetes_system_nodes: int
    """Nodes on which Kubernetes itself runs alone; 0: it shares those of the endpoints."""
    kubernetes_log_interval: str
    """How often the list of pods is sent to the logs."""
    spark_idle_minutes: int
    """The Spark pool of Synapse has no nodes after this long without work."""
    kubernetes_routers: Literal[1, 3]
    """Copies of the router of the endpoints, each on a node of its own."""

    @property
    def kubernetes_pools(self) -> int:
        """Pools of nodes: one for all, or one that Kubernetes has for itself besides that of the endpoints."""
        return 2 if self.kubernetes_system_nodes else 1

    def kubernetes_nodes(self, max_nodes: int) -> int:
        """Nodes at most when that many may serve: with those that Kubernetes has for itself, which may be one more than
        there are at rest, and with one in each pool that an upgrade adds for a while."""
        own = self.kubernetes_system_nodes + 1 if self.kubernetes_system_nodes else 0
        return max_nodes + own + self.kubernetes_pools


@dataclass(frozen=True)
class EnvironmentProfile:
    """What an environment's purpose decides. Durations are ISO 8601, retention is in days."""

    name: str
    summary: str
    networks: tuple[str, ...]
    """Network profiles that a request may choose here."""
    required: bool
    """Every request has this environment."""
    people: bool
    """Groups of people get roles, and compute instances may be asked for. False: only service identities."""
    protect_data: bool
    """Pulumi refuses to delete or replace what holds data."""
    purge_protection: bool
    """Key vault: nothing is purged before its retention ends. Cannot be undone: only where names are never reused."""
    vault_retention: int
    blob_retention: int
    """Deleted blobs, containers and file shares can be restored for this long."""
    lake_cool_after: int
    """A file of the lake that nobody has read for this long moves to cheaper storage, and back when it is read."""
    image_retention: int
    """Untagged images are kept for this long."""
    log_retention: int
    log_daily_cap_gb: float | None
    """Gigabytes of logs a day before Log Analytics stops taking more; None for no cap."""
    log_storage_reads: bool
    """Each read of a blob or file is logged, not only what is written and deleted. Jobs read a lot: not with a cap."""
    alert_severity_offset: int
    """Added to the severity of each alert (0 critical to 4 verbose): how much milder than in an environment that others
    rely on."""
    alert_frequency: str
    """How often alert rules look; at most the windows below."""
    alert_window: str
    """The time that alert rules look at."""
    alert_sustained_window: str
    """The time that alert rules look at for what is no fault while it is short: a cluster at its maximum."""
    endpoint_latency_limit: int
    """Milliseconds in which 95 % of the requests to an online endpoint are to be answered."""
    high_business_impact: bool
    """Microsoft gets less diagnostic data, scratch disks are encrypted. Fixed when the workspace is made."""
    infrastructure_encryption: bool
    """Storage encrypts a second time. Fixed when the account is made."""
    geo_redundant: bool
    """Copies of the data in other zones and in a partner region, as far as the region has them."""
    cluster_idle_time: str
    """A node goes after this long without work."""
    instance_idle_time: str
    """A compute instance stops after this long without use."""
    low_priority: bool
    """Clusters may be asked for with nodes that Azure may take away."""
    options: OptionsProfile
    locks: bool
    """What holds data has a CanNotDelete lock of its own in Azure, besides Pulumi's protection."""

    def storage_sku(self, region: Region) -> str:
        """The redundancy of storage accounts. A region without a partner or without zones gets the best it offers."""
        if not self.geo_redundant:
            return "Standard_LRS"
        return {
            (True, True): "Standard_GZRS",
            (True, False): "Standard_ZRS",
            (False, True): "Standard_GRS",
            (False, False): "Standard_LRS",
        }[region.zones, region.paired]

    def zones(self, region: Region) -> list[str]:
        """The zones that nodes are spread over; none where the environment or the region has none."""
        return ["1", "2", "3"] if self.geo_redundant and region.zones else []

    def zone_redundancy(self, region: Region) -> Access:
        """Whether the container registry is spread over the region's zones."""
        return "Enabled" if self.geo_redundant and region.zones else "Disabled"


_FOR_TRIALS = OptionsProfile(
    sql_vcores=1,
    sql_pause_after=60,
    sql_threat_alerts=False,
    throughput_units=2,
    event_retention_hours=24,
    schedules_run=False,
    kubernetes_serves=False,
    kubernetes_tier="Free",
    kubernetes_min_nodes=1,
    kubernetes_system_nodes=0,
    kubernetes_routers=1,
    kubernetes_log_interval="5m",
    spark_idle_minutes=5,
)
"""Options where nobody relies on them: small, at rest where they can be, without schedules."""

_DEV = EnvironmentProfile(
    name="dev",
    summary="where the team works: people have access, everything can be made anew",
    networks=("public-dev", "managed-vnet", "own-vnet"),
    required=True,
    people=True,
    protect_data=False,
    purge_protection=False,
    vault_retention=7,
    blob_retention=7,
    lake_cool_after=90,
    image_retention=7,
    log_retention=30,
    log_daily_cap_gb=1,
    log_storage_reads=False,
    alert_severity_offset=1,
    alert_frequency="PT15M",
    alert_window="PT1H",
    alert_sustained_window="PT6H",
    endpoint_latency_limit=5000,
    high_business_impact=False,
    infrastructure_encryption=False,
    geo_redundant=False,
    cluster_idle_time="PT120S",
    instance_idle_time="PT30M",
    low_priority=True,
    options=_FOR_TRIALS,
    locks=False,
)
_TEST = replace(
    _DEV,
    name="test",
    summary="deployed by CI alone like prod, to try a release; everything can be made anew",
    networks=("managed-vnet", "own-vnet"),
    required=False,
    people=False,
    high_business_impact=True,
    infrastructure_encryption=True,
)

ENVIRONMENT_PROFILES: dict[str, EnvironmentProfile] = {
    profile.name: profile
    for profile in (
        _DEV,
        _TEST,
        EnvironmentProfile(
            name="prod",
            summary="deployed by CI alone, nobody works here; data is protected from deletion",
            networks=("managed-vnet", "own-vnet"),
            required=True,
            people=False,
            protect_data=True,
            purge_protection=True,
            vault_retention=90,
            blob_retention=30,
            lake_cool_after=90,
            image_retention=30,
            log_retention=90,
            log_daily_cap_gb=None,
            log_storage_reads=True,
            alert_severity_offset=0,
            alert_frequency="PT5M",
            alert_window="PT15M",
            alert_sustained_window="PT1H",
            endpoint_latency_limit=1000,
            high_business_impact=True,
            infrastructure_encryption=True,
            geo_redundant=True,
            cluster_idle_time="PT300S",
            instance_idle_time="PT30M",
            low_priority=False,
            options=OptionsProfile(
                sql_vcores=2,
                sql_pause_after=None,
                sql_threat_alerts=True,
                throughput_units=10,
                event_retention_hours=168,
                schedules_run=True,
                kubernetes_serves=True,
                kubernetes_tier="Standard",
                kubernetes_min_nodes=3,
                kubernetes_system_nodes=2,
                kubernetes_routers=3,
                kubernetes_log_interval="1m",
                spark_idle_minutes=15,
            ),
            locks=True,
        ),
    )
}
