"""What an environment is charged for although nobody uses it, from the request alone: no Pulumi, no login.

What is charged by use (jobs, storage, logs, messages) is not here: a budget watches it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from amlplatform import endpoints
from amlplatform.costs import meters
from amlplatform.costs.prices import PriceTable
from amlplatform.monitoring.alert_rules import query_rules
from amlplatform.profiles import ENVIRONMENT_PROFILES, OptionsProfile
from amlplatform.request import Environment, Request

# A managed network brings endpoints of its own to what the workspace is made of: blob, file, vault, registry, and the
# workspace itself. learn.microsoft.com, "Workspace managed virtual network isolation", required private endpoint rules.
_MANAGED_NETWORK_OWN = 5
_OWN_NETWORKS = {"synapse": "Synapse", "data_factory": "Data Factory"}
NO_METER = ""


@dataclass(frozen=True)
class FixedCost:
    """One item: how many pieces of what, charged under which meter, and why it is there.

    `meter`: a key of `costs.meters`, or NO_METER where the price list's name of it is not known.
    """

    environment: str
    item: str
    quantity: int
    meter: str
    why: str


def fixed_costs(request: Request) -> list[FixedCost]:
    """All items of all environments, in the order of the request."""
    return [
        cost
        for name, environment in request.environments.items()
        for cost in (
            *_of_environment(name, environment),
            *_of_options(name, environment, request.profile(name).options),
        )
    ]


def _of_environment(name: str, asked: Environment) -> Iterator[FixedCost]:
    if not asked.central.container_registry:
        why = "tier Premium: private endpoints and zones need it"
        yield FixedCost(name, "container registry", 1, "registry", why)
    yield from _of_network(name, asked)
    if asked.compute_instances:
        why = "the disk of a stopped compute instance stays"
        yield FixedCost(name, "disks of compute instances", len(asked.compute_instances), "instance-disk", why)
    yield from _of_kubernetes(name, asked)
    profile = ENVIRONMENT_PROFILES[name]
    rules = len(query_rules(profile, own_logs=not asked.central.log_analytics))
    why = "each search is charged, found something or not"
    yield FixedCost(name, "alert rules over logs", rules, f"log-alert:{profile.alert_frequency}", why)


def _of_kubernetes(name: str, asked: Environment) -> Iterator[FixedCost]:
    kubernetes, profile = asked.options.kubernetes, ENVIRONMENT_PROFILES[name].options
    if kubernetes is None:
        return
    nodes = profile.kubernetes_min_nodes + profile.kubernetes_system_nodes
    why = "stay without load; `az aks stop` stops them"
    yield FixedCost(name, f"Kubernetes nodes ({kubernetes.vm_size})", nodes, f"machine:{kubernetes.vm_size}", why)
    if profile.kubernetes_tier == "Standard":
        why = "tier Standard: the API server is available as promised"
        yield FixedCost(name, "Kubernetes cluster", 1, "kubernetes-tier", why)
    if asked.network_profile.private:
        why = "nodes reach the private API server by it"
        yield FixedCost(name, "private endpoint of Kubernetes", 1, "private-endpoint", why)
    why = "endpoints stand behind it; the table has no price"
    yield FixedCost(name, "load balancer of Kubernetes", 1, NO_METER, why)


def _of_options(name: str, asked: Environment, profile: OptionsProfile) -> Iterator[FixedCost]:
    options = asked.options
    if options.streaming:
        yield FixedCost(name, "Event Hubs throughput unit", 1, "throughput-unit", "one is always there")
        why = "while the job runs, also without readings"
        yield FixedCost(name, "streaming units", options.streaming.streaming_units, "streaming-unit", why)
    if options.databricks and not asked.network_profile.own_network:
        why = "clusters without addresses reach the internet by it; the table has no price"
        yield FixedCost(name, "NAT gateway of Databricks", 1, NO_METER, why)
    if options.sql and profile.sql_pause_after is None:
        yield FixedCost(name, "SQL vCores", profile.sql_vcores, "sql-vcore", "the database never pauses")
    if options.sql and profile.sql_threat_alerts:
        yield FixedCost(name, "Microsoft Defender for SQL", 1, NO_METER, "watches the server; the table has no price")


def _of_network(name: str, asked: Environment) -> Iterator[FixedCost]:
    network = asked.network_profile
    parts = parts_with_endpoints(asked)
    if network.private and asked.subnets.endpoints:
        count = sum(len(part.inbound) for part in parts)
        yield FixedCost(name, "private endpoints", count, "private-endpoint", "the way in, one for each sub-resource")
    if network.managed_network:
        # The workspace's own, those of the lake (also of a central one), and a central registry for models.
        count = _MANAGED_NETWORK_OWN + sum(len(part.outbound) for part in endpoints.CORE.values())
        count += bool(asked.central.ml_registry)
        count += sum(
            len(endpoints.OPTIONS[option].outbound) for option in asked.options.asked if option in endpoints.OPTIONS
        )
        why = "approved destinations of jobs"
        yield FixedCost(name, "private endpoints of the managed network", count, "private-endpoint", why)
    for option, title in _OWN_NETWORKS.items():
        part = endpoints.OPTIONS[option]
        if option in asked.options.asked and (network.private or part.always):
            item, count = f"managed private endpoints of {title}", len(part.of_own_network)
            yield FixedCost(name, item, count, "private-endpoint", "its way to data, from a network of its own")


def parts_with_endpoints(asked: Environment) -> list[endpoints.Endpoints]:
    """What is made here and gets private endpoints where the network is closed."""
    central = {"container-registry": asked.central.container_registry, "lake": asked.central.lake.account}
    core = [part for name, part in endpoints.CORE.items() if not central.get(name)]
    return [*core, *(endpoints.OPTIONS[name] for name in asked.options.asked if name in endpoints.OPTIONS)]


def monthly(cost: FixedCost, region: str, table: PriceTable | None) -> float | None:
    """What an item costs in a month, in the table's currency; None where that is not known."""
    price = table.monthly(meters.meter(cost.meter), region) if table and cost.meter else None
    return None if price is None else round(price * cost.quantity, 2)
