"""Requests that the platform's tests plan and check."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
GROUP = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
PERSON = "b0e1c2d3-1111-4222-8333-444455556666"
NETWORK = "/subscriptions/7c9e6679-7425-40de-944b-e07fc1f90ae7/resourceGroups/rg-network"
DNS_ZONES = "/subscriptions/7c9e6679-7425-40de-944b-e07fc1f90ae7/resourceGroups/rg-dns"

Change = Callable[[dict[str, Any]], None]


def subnet(name: str) -> str:
    """The id of a subnet of the organisation's network."""
    return f"{NETWORK}/providers/Microsoft.Network/virtualNetworks/vnet-data/subnets/{name}"


def minimal() -> dict[str, Any]:
    """What a team has to say at least."""
    environment = {
        "monthly_budget": 500,
        "budget_start": "2026-12-01",
        "cpu_cluster": {"vm_size": "Standard_D4ds_v4", "max_nodes": 4},
    }
    return {
        "version": 1,
        "product": "digit-scoring",
        "name_suffix": "k3x9a",
        "description": "Scores images of handwritten digits",
        "owner": {"email": "owner@example.com"},
        "cost_centre": "CC-1000",
        "region": "westeurope",
        "ci": {"provider": "github"},
        "environments": {
            "dev": {"network": "public-dev", **copy.deepcopy(environment)},
            "prod": {"network": "managed-vnet", **copy.deepcopy(environment)},
        },
    }


def full() -> dict[str, Any]:
    """Everything that can be asked for."""
    data = minimal()
    data["ci"] = {
        "provider": "github",
        "repository": "example-organisation/digit-scoring",
        "runner": "self-hosted",
        "github": {"owner_id": "1234567", "repository_id": "7654321"},
    }
    data["groups"] = {"data_scientists": GROUP}
    for environment in data["environments"].values():
        environment["gpu_cluster"] = {"vm_size": "Standard_NC4as_T4_v3", "max_nodes": 2}
    data["environments"]["prod"] |= {"subnets": {"endpoints": subnet("snet-endpoints")}, "dns_zones": DNS_ZONES}
    data["environments"]["dev"]["compute_instances"] = [{"object_id": PERSON}]
    return data


def full_private() -> dict[str, Any]:
    """As `full`, with dev in a managed network too."""
    data = full()
    data["environments"]["dev"] |= {
        "network": "managed-vnet",
        "subnets": {"endpoints": subnet("snet-endpoints")},
        "dns_zones": DNS_ZONES,
    }
    return data


REQUESTS: dict[str, Callable[[], dict[str, Any]]] = {"minimal": minimal, "full": full, "full-private": full_private}
