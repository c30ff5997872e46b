"""The reachability matrix: for each consumer and each resource of an environment, the way there, or none.

Computed from the bodies that would be sent to Azure, not from the name of a network profile. What a consumer cannot do
without is a table (needs.py); a need without a way is a fault, told before anything is built.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from amlplatform.policies import arm
from amlplatform.reachability.model import Cell, Need, Path, Place, Planned, Situation
from amlplatform.reachability.needs import CONSUMERS, NEEDS, RESOURCES
from amlplatform.reachability.paths import path
from amlplatform.reachability.world import World

__all__ = [
    "CONSUMERS",
    "NEEDS",
    "RESOURCES",
    "Cell",
    "Need",
    "Path",
    "Place",
    "Situation",
    "faults",
    "matrix",
    "open_ways",
]

_NEED_OF: dict[tuple[str, str], Need] = {(need.consumer, need.resource): need for need in NEEDS}
_SUBNET_OF: dict[str, str] = {
    "instance": "subnets.compute",
    "cluster": "subnets.compute",
    "image-build": "subnets.compute",
    "kubernetes-pods": "subnets.kubernetes",
    "databricks-clusters": "subnets.databricks_public",
}
"""The field of the request that says where a consumer stands."""


def matrix(planned: Sequence[Planned], situation: Situation) -> list[Cell]:
    """Every consumer that the environment has, with every resource, in the order of the tables."""
    world = World(planned)
    places = _places(world, situation)
    return [
        _cell(consumer, resource, places[consumer], world, situation)
        for consumer in CONSUMERS
        if places[consumer]
        for resource in RESOURCES
        if resource in world.services
    ]


def faults(cells: Sequence[Cell]) -> list[str]:
    """One line for each need that nothing leads to."""
    return [
        f"no path from {CONSUMERS[cell.consumer]} ({cell.place}) to {RESOURCES[cell.resource]}: {cell.need.why}"
        for cell in cells
        if cell.need and cell.is_fault
    ]


def open_ways(cells: Sequence[Cell]) -> list[str]:
    """One line for each field of the request that is still empty, with how many needs wait for it."""
    waiting: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.undecided:
            waiting.setdefault(cell.undecided, []).append(cell)
    return [_told(field, cells) for field, cells in waiting.items()]


def _told(field: str, cells: Sequence[Cell]) -> str:
    consumers = dict.fromkeys(CONSUMERS[cell.consumer] for cell in cells)
    missing = "one way is missing" if len(cells) == 1 else f"{len(cells)} ways are missing"
    return f"{missing} until {field} is filled in, of: {', '.join(consumers)}"


def _places(world: World, situation: Situation) -> dict[str, list[Place]]:
    """Where each consumer stands; nowhere means that the environment does not have it."""

    def where(place: Place, *, present: bool) -> list[Place]:
        return [place] if present else []

    there = world.workspace is not None
    found: dict[str, Callable[[], list[Place]]] = {
        "scientist": lambda: where(Place.ORGANISATION, present=there and situation.people),
        "instance": lambda: world.computes("ComputeInstance"),
        "cluster": lambda: world.computes("AmlCompute"),
        "image-build": world.image_builder,
        "deployment": world.deployments,
        "caller": lambda: where(Place.ORGANISATION, present=there),
        "data-source": lambda: where(Place.ORGANISATION, present=there),
        "ci-hosted": lambda: where(Place.INTERNET, present=there and situation.runner == "hosted"),
        "ci-self-hosted": lambda: where(Place.ORGANISATION, present=there and situation.runner != "hosted"),
        "azure-ml": lambda: where(Place.AZURE, present=there),
        "azure-monitor": lambda: where(Place.AZURE, present=bool(world.of(arm.DIAGNOSTICS))),
        "kubernetes-pods": world.pods,
        "databricks-clusters": world.databricks_clusters,
        "synapse-pools": world.synapse_pools,
        "data-factory-runs": world.factories,
        "logic-app": lambda: where(Place.INTERNET, present=bool(world.of(arm.LOGIC_APP))),
        "stream-analytics": lambda: where(Place.AZURE, present=bool(world.of(arm.STREAM_ANALYTICS))),
        "devices": lambda: where(Place.ORGANISATION, present=bool(world.of(arm.EVENT_HUBS))),
    }
    return {consumer: places() for consumer, places in found.items()}


def _cell(consumer: str, resource: str, places: Sequence[Place], world: World, situation: Situation) -> Cell:
    need = _NEED_OF.get((consumer, resource))
    if need is None or (need.when and need.when not in world.conditions):
        return Cell(consumer, resource, Path.NOT_NEEDED, places[0])
    ways = [(path(consumer, place, world.services[resource], world), place) for place in dict.fromkeys(places)]
    # Two clusters in two places: the one without a way counts.
    way, place = next((one for one in ways if one[0] is Path.NONE), ways[0])
    undecided = _undecided(consumer, resource, place, situation) if way is Path.NONE else ""
    return Cell(consumer, resource, way, place, need, undecided)


def _undecided(consumer: str, resource: str, place: Place, situation: Situation) -> str:
    """The field of the request that would make the missing way and is still empty."""
    if _SUBNET_OF.get(consumer) in situation.open_fields:
        return _SUBNET_OF[consumer]
    if place in (Place.ORGANISATION, Place.SUBNET) and "subnets.endpoints" in situation.open_fields:
        return "subnets.endpoints"
    for field in situation.open_fields:
        if place is Place.ORGANISATION and field.startswith(f"options.{resource}."):
            return field
    if consumer == "ci-hosted" and "ci.runner" in situation.open_fields:
        return "ci.runner"
    return ""
