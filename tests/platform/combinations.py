"""Requests over environments, network profiles and pairs of options: each option alone, and every pair of settings.

Pairwise: for any two switches, each combination of their values occurs in a request of each environment and network.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from platform_requests import DNS_ZONES, GROUP, PERSON, full, subnet

from amlplatform.profiles import ENVIRONMENT_PROFILES, NETWORK_PROFILES
from amlplatform.request.options import Options

HUB = "/subscriptions/7c9e6679-7425-40de-944b-e07fc1f90ae7/resourceGroups/rg-central/providers"
OPTION_VALUES: dict[str, dict[str, Any]] = {
    "kubernetes": {
        "vm_size": "Standard_D4ds_v5",
        "max_nodes": 3,
        "authorized_ip_ranges": ["198.51.100.0/24"],
        "endpoint_host": "scoring.example.com",
    },
    "databricks": {},
    "synapse": {},
    "data_factory": {"batch_endpoint": "image-scoring"},
    "ai_services": {},
    "streaming": {},
    "sql": {},
    "scheduled_start": {"batch_endpoint": "image-scoring"},
}
"""What is asked for of each option."""

Switch = Callable[[dict[str, Any]], None]


def _central(key: str, value: Any) -> Switch:
    return lambda environment: environment.setdefault("central", {}).update({key: value})


SWITCHES: dict[str, Switch] = {
    "central logs": _central("log_analytics", f"{HUB}/Microsoft.OperationalInsights/workspaces/log-central"),
    "central registry": _central("container_registry", f"{HUB}/Microsoft.ContainerRegistry/registries/crcentral"),
    "central lake": _central("lake", {"account": f"{HUB}/Microsoft.Storage/storageAccounts/dlcentral"}),
    "ml registry": _central("ml_registry", f"{HUB}/Microsoft.MachineLearningServices/registries/mlr-shared-s4r7d"),
    "no gpu": lambda environment: environment.pop("gpu_cluster", None),
    "no dns zones": lambda environment: environment.pop("dns_zones", None),
    "exception": lambda environment: environment.update(
        access_exceptions=[
            {
                "purpose": "log-reader",
                "group": "9a1b2c3d-0000-4000-8000-000000000001",
                "reason": "On-call reads logs at night",
                "until": "2099-12-31",
            }
        ]
    ),
}
"""Further settings that change what is built, each on top of the full request."""


@dataclass(frozen=True)
class Combination:
    """One environment of one request."""

    environment: str
    network: str
    options: tuple[str, ...]
    switches: tuple[str, ...]

    @property
    def id(self) -> str:
        return "-".join([self.environment, self.network, *self.options, *self.switches]).replace(" ", "_")

    def request(self) -> dict[str, Any]:
        data = full()
        environment = copy.deepcopy(data["environments"]["dev"])
        environment["network"] = self.network
        if NETWORK_PROFILES[self.network].private:
            environment |= {"subnets": subnets(self.network), "dns_zones": DNS_ZONES}
        if not ENVIRONMENT_PROFILES[self.environment].people:
            environment.pop("compute_instances", None)
        else:
            environment["compute_instances"] = [{"object_id": PERSON}]
        environment["options"] = {name: copy.deepcopy(OPTION_VALUES[name]) for name in self.options}
        for name in self.switches:
            SWITCHES[name](environment)
        data["groups"] = {"data_scientists": GROUP}
        data["environments"][self.environment] = environment
        return data


def subnets(network: str) -> dict[str, str]:
    """Those that the network profile may need, with every option."""
    names = {"endpoints": "snet-endpoints"}
    if NETWORK_PROFILES[network].own_network:
        names |= {
            "compute": "snet-compute",
            "kubernetes": "snet-kubernetes",
            "databricks_public": "snet-databricks-public",
            "databricks_private": "snet-databricks-private",
        }
    return {key: subnet(name) for key, name in names.items()}


def allowed_options(network: str) -> list[str]:
    return [name for name in Options.model_fields if name not in NETWORK_PROFILES[network].excluded_options]


def pairwise(names: list[str]) -> list[set[str]]:
    """Sets of switched-on names in which every pair occurs as on/on, on/off, off/on and off/off. Greedy and stable."""
    wanted = {
        ((one, first), (other, second))
        for one, other in itertools.combinations(names, 2)
        for first, second in itertools.product((True, False), repeat=2)
    }
    rows: list[set[str]] = []
    while wanted:
        row: dict[str, bool] = {}
        for name in names:
            gains = {value: _covered({**row, name: value}, wanted, name) for value in (True, False)}
            # Ties alternate, so that rows differ.
            row[name] = gains[True] > gains[False] or (gains[True] == gains[False] and len(rows) % 2 == 0)
        pairs = {pair for pair in wanted if all(row[name] == value for name, value in pair)}
        if not pairs:
            row = dict(next(iter(sorted(wanted)))) | {name: False for name in names if name not in row}
            pairs = {pair for pair in wanted if all(row.get(name, False) == value for name, value in pair)}
        wanted -= pairs
        rows.append({name for name, on in row.items() if on})
    return rows


def _covered(row: dict[str, bool], wanted: set[Any], name: str) -> int:
    return sum(
        1
        for pair in wanted
        if any(one == name for one, _ in pair) and all(row.get(one) == value for one, value in pair)
    )


def all_combinations() -> list[Combination]:
    return list(_combinations())


def _combinations() -> Iterator[Combination]:
    for environment, profile in ENVIRONMENT_PROFILES.items():
        for network in profile.networks:
            options = allowed_options(network)
            for option in options:
                yield Combination(environment, network, (option,), ())
            private = NETWORK_PROFILES[network].private
            switches = [name for name in SWITCHES if private or name != "no dns zones"]
            for row in pairwise([*options, *switches]):
                yield Combination(
                    environment,
                    network,
                    tuple(name for name in options if name in row),
                    tuple(name for name in switches if name in row),
                )
