"""Faults between the fields of a request, found in the raw data: they are told beside those of single fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amlplatform import names, rules, vm_sizes
from amlplatform.profiles import ENVIRONMENT_PROFILES, NETWORK_PROFILES, EnvironmentProfile
from amlplatform.request.faults import Fault
from amlplatform.request.network import shared_subnets, subnet_example


def faults(data: dict[str, Any]) -> Iterator[Fault]:
    """Everything that does not go together in `data`, which may have any content."""
    yield from _repository_faults(data.get("ci"))
    environments = data.get("environments")
    if not isinstance(environments, dict):
        return
    for name, profile in ENVIRONMENT_PROFILES.items():
        if profile.required and name not in environments:
            text = f"environments.{name}: is missing; every product has {' and '.join(required_environments())}"
            yield Fault(("environments",), text)
    for name, environment in environments.items():
        path = ("environments", str(name))
        if name not in ENVIRONMENT_PROFILES:
            message = rules.check_choice(str(name), "environments", list(ENVIRONMENT_PROFILES))
            yield Fault(path, message or "")
        elif isinstance(environment, dict):
            yield from _environment_faults(ENVIRONMENT_PROFILES[name], environment, path)
    yield from _subnet_faults(environments)
    yield from _kubernetes_faults(environments)
    yield from _name_faults(data, environments)


def required_environments() -> list[str]:
    return [name for name, profile in ENVIRONMENT_PROFILES.items() if profile.required]


def _repository_faults(ci: object) -> Iterator[Fault]:
    if isinstance(ci, dict) and isinstance(ci.get("repository"), str):
        message = rules.check_repository(ci["repository"], str(ci.get("provider")))
        if message:
            yield Fault(("ci", "repository"), message)


def _environment_faults(
    profile: EnvironmentProfile, environment: dict[str, Any], path: tuple[str, ...]
) -> Iterator[Fault]:
    where = ".".join(path)
    network = environment.get("network")
    if isinstance(network, str) and network in NETWORK_PROFILES and network not in profile.networks:
        rule = f"is not allowed in {profile.name}: it is open to the internet"
        text = rules.fault(f"{where}.network", network, rule, profile.networks[0])
        yield Fault((*path, "network"), text)
    yield from _option_faults(environment, path)
    yield from _databricks_faults(environment, path)
    yield from _cluster_faults(profile, environment, path)
    instances = environment.get("compute_instances")
    if isinstance(instances, list) and instances and not profile.people:
        text = f"{where}.compute_instances: no person works in {profile.name}, so it has no compute instances; use []"
        yield Fault((*path, "compute_instances"), text)
    if isinstance(instances, list):
        yield from _instance_faults(instances, (*path, "compute_instances"))
    cluster = environment.get("gpu_cluster")
    size = vm_sizes.find(str(cluster.get("vm_size"))) if isinstance(cluster, dict) else None
    if size and not size.gpus:
        rule = "has no GPU; leave gpu_cluster out, or take a size with one"
        text = rules.fault(f"{where}.gpu_cluster.vm_size", size.name, rule, "Standard_NC4as_T4_v3")
        yield Fault((*path, "gpu_cluster", "vm_size"), text)


def _option_faults(environment: dict[str, Any], path: tuple[str, ...]) -> Iterator[Fault]:
    network, options = NETWORK_PROFILES.get(str(environment.get("network"))), environment.get("options")
    if network is None or not isinstance(options, dict):
        return
    for name, why in network.excluded_options.items():
        if options.get(name) is not None:
            where = (*path, "options", name)
            yield Fault(where, f"{'.'.join(where)}: does not go with network {network.name!r}: {why}; leave it out")
    kubernetes = options.get("kubernetes")
    if isinstance(kubernetes, dict) and not network.private and not kubernetes.get("authorized_ip_ranges"):
        where = (*path, "options", "kubernetes", "authorized_ip_ranges")
        rule = f"is empty, and network {network.name!r} would open the cluster's API to everybody"
        yield Fault(where, f"{'.'.join(where)}: {rule}; for example ['198.51.100.0/24']")
    sql = options.get("sql")
    if isinstance(sql, dict) and network.private and sql.get("addresses"):
        where = (*path, "options", "sql", "addresses")
        text = f"names addresses of the internet, and network {network.name!r} is closed to the internet; leave it out"
        yield Fault(where, f"{'.'.join(where)}: {text}")


def _databricks_faults(environment: dict[str, Any], path: tuple[str, ...]) -> Iterator[Fault]:
    """A Databricks workspace stands in one network."""
    subnets = environment.get("subnets")
    if not isinstance(subnets, dict):
        return
    hosts, containers = str(subnets.get("databricks_public") or ""), str(subnets.get("databricks_private") or "")
    where = (*path, "subnets", "databricks_private")
    if not hosts or not containers or rules.check_resource_id(containers, "subnet", ".".join(where)):
        return
    network = hosts.rpartition("/subnets/")[0]
    if containers.lower() == hosts.lower():
        rule = "is the subnet of the hosts, too; Databricks needs one of its own for each"
    elif containers.rpartition("/subnets/")[0].lower() != network.lower():
        rule = "is in another network than databricks_public"
    else:
        return
    example = subnet_example("databricks_private", hosts)
    yield Fault(where, rules.fault(".".join(where), containers, rule, example))


def _subnet_faults(environments: dict[str, Any]) -> Iterator[Fault]:
    for name, field, rule in shared_subnets(environments):
        path, subnet = ("environments", str(name), "subnets", str(field)), environments[name]["subnets"][field]
        yield Fault(path, rules.fault(".".join(path), subnet, rule, subnet_example(field, subnet)))


def _cluster_faults(profile: EnvironmentProfile, environment: dict[str, Any], path: tuple[str, ...]) -> Iterator[Fault]:
    for name in ("cpu_cluster", "gpu_cluster"):
        cluster = environment.get(name)
        if isinstance(cluster, dict) and cluster.get("low_priority") is True and not profile.low_priority:
            where = (*path, name, "low_priority")
            rule = f"is not allowed in {profile.name}: Azure may take such nodes away at any time"
            yield Fault(where, f"{'.'.join(where)}: true {rule}; leave it out")


def _kubernetes_faults(environments: dict[str, Any]) -> Iterator[Fault]:
    """Nodes fit, and a stress test says something: on machines of the size that serves, and fewer of them."""
    asked = {
        name: environment["options"]["kubernetes"]
        for name, environment in environments.items()
        if name in ENVIRONMENT_PROFILES
        and isinstance(environment, dict)
        and isinstance(environment.get("options"), dict)
        and isinstance(environment["options"].get("kubernetes"), dict)
    }
    serving = [name for name in asked if ENVIRONMENT_PROFILES[name].options.kubernetes_serves]
    for name, kubernetes in asked.items():
        yield from _kubernetes_node_faults(name, kubernetes)
        if name not in serving:
            yield from _stress_test_faults(name, kubernetes, {other: asked[other] for other in serving})


def _kubernetes_node_faults(name: str, kubernetes: dict[str, Any]) -> Iterator[Fault]:
    path = ("environments", name, "options", "kubernetes")
    size, nodes = kubernetes.get("vm_size"), kubernetes.get("max_nodes")
    low = ENVIRONMENT_PROFILES[name].options.kubernetes_min_nodes
    if isinstance(nodes, int) and nodes < low:
        rule = f"must be at least {low} in {name}: routers of endpoints stand on as many nodes"
        yield Fault((*path, "max_nodes"), rules.fault(f"{'.'.join(path)}.max_nodes", nodes, rule, low))
    if isinstance(size, str) and not vm_sizes.has_local_disk(size):
        rule = "has no disk of its own, on which Kubernetes keeps the system of a node"
        yield Fault((*path, "vm_size"), rules.fault(f"{'.'.join(path)}.vm_size", size, rule, "Standard_D4ds_v5"))


def _stress_test_faults(name: str, kubernetes: dict[str, Any], serving: dict[str, dict[str, Any]]) -> Iterator[Fault]:
    path = ("environments", name, "options", "kubernetes")
    size, nodes = kubernetes.get("vm_size"), kubernetes.get("max_nodes")
    for other, real in serving.items():
        if size != real.get("vm_size"):
            rule = f"must be {other}'s size, so that a stress test shows what {other} can do"
            yield Fault((*path, "vm_size"), rules.fault(f"{'.'.join(path)}.vm_size", size, rule, real.get("vm_size")))
        limit = real.get("max_nodes")
        if isinstance(nodes, int) and isinstance(limit, int) and nodes >= limit:
            rule = f"must be fewer than {other}'s {limit}"
            text = rules.fault(f"{'.'.join(path)}.max_nodes", nodes, rule, max(1, limit - 1))
            yield Fault((*path, "max_nodes"), text)


def _instance_faults(instances: list[Any], path: tuple[str, ...]) -> Iterator[Fault]:
    # The name of an instance holds the first part of the object id, so that is what must differ.
    seen: set[str] = set()
    for index, instance in enumerate(instances):
        object_id = str(instance.get("object_id", "")).lower() if isinstance(instance, dict) else ""
        if object_id and object_id[:8] in seen:
            where = f"{'.'.join(path)}.{index}.object_id"
            text = f"{where}: {object_id!r} gives the same machine's name as one above; keep one for each person"
            yield Fault((*path, str(index), "object_id"), text)
        seen.add(object_id[:8])


def _name_faults(data: dict[str, Any], environments: dict[str, Any]) -> Iterator[Fault]:
    product, suffix = data.get("product"), data.get("name_suffix")
    if not (isinstance(product, str) and isinstance(suffix, str)) or rules.check_product(product):
        return
    if rules.check_name_suffix(suffix):
        return
    for message in names.faults(product, [name for name in environments if name in ENVIRONMENT_PROFILES], suffix):
        yield Fault(("product",), f"product: {product!r} gives a name that Azure refuses: {message}")
    for name, environment in environments.items():
        options = environment.get("options") if isinstance(environment, dict) else None
        for option, asked in options.items() if isinstance(options, dict) else ():
            endpoint = asked.get("batch_endpoint") if isinstance(asked, dict) else None
            if not isinstance(endpoint, str) or rules.check_endpoint(endpoint, ""):
                continue
            try:
                names.Names(product, str(name), suffix).endpoint(endpoint)
            except ValueError as error:
                where = ("environments", str(name), "options", str(option), "batch_endpoint")
                yield Fault(where, f"{'.'.join(where)}: {endpoint!r} gives a name that Azure refuses: {error}")
