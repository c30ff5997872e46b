"""The network profiles as tables for the docs: made from the bodies that the program would send to Azure."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from amlplatform import rules
from amlplatform.components.private_endpoints import ZONES
from amlplatform.costs.items import fixed_costs
from amlplatform.endpoints import CORE, OPTIONS
from amlplatform.network_properties import PROPERTIES, found
from amlplatform.plan import Plan, plan_environment
from amlplatform.profiles import NETWORK_PROFILES, NetworkProfile
from amlplatform.reachability import CONSUMERS, NEEDS, RESOURCES, Cell
from amlplatform.request import Request
from amlplatform.request.network import Subnets
from amlplatform.request.options import Options

_ENVIRONMENT = "dev"
"""The environment that all network profiles are allowed in, and that people work in."""
_GUID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    headings = list(headings)
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _asked(network: str) -> dict[str, Any]:
    """Everything that can be asked for with a network profile."""
    subnet = rules.RESOURCE_IDS["subnet"].example
    options = [name for name in Options.model_fields if name not in NETWORK_PROFILES[network].excluded_options]
    return {
        "network": network,
        "monthly_budget": 500,
        "budget_start": "2026-12-01",
        "cpu_cluster": {"vm_size": "Standard_D4ds_v4", "max_nodes": 4},
        "compute_instances": [{"object_id": _GUID}],
        "subnets": {name: f"{subnet.rpartition('/')[0]}/{name}" for name in Subnets.model_fields},
        "dns_zones": rules.RESOURCE_IDS["resource_group"].example,
        "options": {name: _example(name, NETWORK_PROFILES[network]) for name in options},
    }


def _example(option: str, network: NetworkProfile) -> dict[str, Any]:
    """An option with the examples of what it needs, and of who may come in over the internet."""
    (model, _) = get_args(Options.model_fields[option].annotation)
    more = {"endpoint_host", *(() if network.private else ("addresses", "authorized_ip_ranges"))}
    return {
        name: copy.deepcopy((field.examples or [None])[0])
        for name, field in model.model_fields.items()
        if field.is_required() or name in more
    }


@functools.cache
def _plans() -> Mapping[str, Plan]:
    """One environment of each network profile, with everything that can be asked for there."""
    plans: dict[str, Plan] = {}
    for network in NETWORK_PROFILES:
        request = Request.model_validate(
            {
                "version": 1,
                "product": "digit-scoring",
                "name_suffix": "k3x9a",
                "description": "Scores images of handwritten digits",
                "owner": {"email": "owner@example.com"},
                "cost_centre": "CC-1000",
                "region": "westeurope",
                "ci": {"provider": "github", "runner": "self-hosted"},
                "groups": {"data_scientists": _GUID},
                "environments": {_ENVIRONMENT: _asked(network)},
            }
        )
        plans[network] = plan_environment(request, _ENVIRONMENT)
    return plans


def profiles() -> str:
    """What each profile sets, property by property."""
    return _table(["resource", "property", *NETWORK_PROFILES], _property_rows())


def _property_rows() -> Iterator[list[str]]:
    values = {network: _values_of(plan) for network, plan in _plans().items()}
    for arm_type, paths in PROPERTIES.items():
        first = arm_type
        for path, label in paths.items():
            cells = [_told(values[network].get((arm_type, path), ())) for network in values]
            if any(cell != "-" for cell in cells):
                yield [f"`{first}`" if first else "", f"{label} `{path.removeprefix('properties.')}`", *cells]
                first = ""


def _values_of(plan: Plan) -> dict[tuple[str, str], list[Any]]:
    values: dict[tuple[str, str], list[Any]] = {}
    for one in plan.resources:
        for path, value in found(one.arm_type, one.body):
            known = values.setdefault((one.arm_type, path), [])
            if value not in known:
                known.append(value)
    return values


def _told(values: Iterable[Any]) -> str:
    return ", ".join(dict.fromkeys(_word(value) for value in values)) or "-"


def _word(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"`{key}`" for key in value)
    if isinstance(value, str) and "/subnets/" in value:
        return f"`subnets.{value.rpartition('/')[2]}`"
    if isinstance(value, str):
        return f"`{value.rpartition('/')[2]}`" if value.startswith("/") else f"`{value}`"
    if isinstance(value, list):
        return ", ".join(f"`{item}`" for item in value) or "none"
    return f"`{json.dumps(value)}`"


def ways() -> str:
    """Who reaches what, by which way, with each profile."""
    cells = {
        (network, cell.consumer, cell.resource): cell
        for network, plan in _plans().items()
        for cell in plan.reachability
    }

    def rows() -> Iterator[list[str]]:
        last = ""
        for need in NEEDS:
            told = [_way(cells.get((network, need.consumer, need.resource))) for network in NETWORK_PROFILES]
            if all(way == "-" for way in told):
                continue
            who = "" if need.consumer == last else CONSUMERS[need.consumer]
            last = need.consumer
            yield [who, RESOURCES[need.resource], need.why, *told]

    return _table(["who", "needs", "why", *NETWORK_PROFILES], rows())


def _way(cell: Cell | None) -> str:
    return cell.path.value if cell and cell.need else "-"


def exclusions() -> str:
    """Options that do not go with a profile, and why."""
    return _table(
        ["profile", "option", "why"],
        (
            [f"`{network}`", f"`{option}`", why]
            for network, profile in NETWORK_PROFILES.items()
            for option, why in profile.excluded_options.items()
        ),
    )


def zones() -> str:
    """Sub-resources that get private endpoints, and the DNS zones of their names."""
    return _table(
        ["part", "sub-resource", "private DNS zones"],
        (
            [part, f"`{sub_resource}`", ", ".join(f"`{zone}`" for zone in ZONES[sub_resource])]
            for part, ends in {**CORE, **OPTIONS}.items()
            for sub_resource in ends.inbound
        ),
    )


def at_rest() -> str:
    """What the network alone is charged for, without options."""

    def rows() -> Iterator[list[str]]:
        for network in NETWORK_PROFILES:
            data = _plans()[network].request.model_dump(exclude_none=True)
            data["environments"][_ENVIRONMENT]["options"] = {}
            costs = fixed_costs(Request.model_validate(data))
            for cost in costs:
                if cost.meter == "private-endpoint":
                    yield [f"`{network}`", cost.item, str(cost.quantity), cost.why]
            if not any(cost.meter == "private-endpoint" for cost in costs):
                yield [f"`{network}`", "nothing", "0", "everything is reached at its public address"]

    return _table(["profile", "item", "pieces", "why"], rows())
