"""Which way a consumer takes to a service, from where it stands and what the bodies of the plan say."""

from __future__ import annotations

from collections.abc import Callable

from amlplatform.policies import arm
from amlplatform.reachability.doors import NOBODY, Open, open_to, trusts
from amlplatform.reachability.model import Path, Place
from amlplatform.reachability.world import Service, World

_LOGS = (arm.APP_INSIGHTS, arm.LOG_ANALYTICS)
# learn.microsoft.com/azure/machine-learning/concept-secure-online-endpoint, "legacy network isolation method": each
# deployment whose egress_public_network_access is disabled gets endpoints to these three, and reaches nothing else.
_OF_A_DEPLOYMENT = ("amlworkspace", "blob", "registry")


def path(consumer: str, place: Place, service: Service, world: World) -> Path:
    """The way, or `Path.NONE`."""
    found = _WAYS[place](consumer, service, world)
    if found is Path.NONE and service.body is None:
        return Path.OWNER
    return found


def _public(service: Service, world: World, address: Open) -> Path:
    return Path.PUBLIC if address in open_to(service, world) else Path.NONE


def _from_azure(consumer: str, service: Service, world: World) -> Path:
    if (consumer, service.arm_type) in _SAME_SERVICE:
        return Path.SAME
    found = _public(service, world, Open.AZURE)
    return Path.TRUSTED if found is Path.NONE and trusts(service, consumer, world) else found


def _has_endpoint(service: Service, world: World) -> bool:
    if service.arm_type == arm.AKS:
        # A private cluster brings an endpoint of its API into the subnet of its nodes.
        return open_to(service, world) is NOBODY and Place.SUBNET in world.pods()
    return (service.arm_id, service.group) in world.private_endpoints


def _from_organisation(_consumer: str, service: Service, world: World) -> Path:
    return Path.PRIVATE_ENDPOINT if _has_endpoint(service, world) else _public(service, world, Open.NAMED)


def _from_subnet(_consumer: str, service: Service, world: World) -> Path:
    return Path.OWN_SUBNET if _has_endpoint(service, world) else _public(service, world, Open.NAMED)


def _from_managed_network(_consumer: str, service: Service, world: World) -> Path:
    way = (service.arm_id, service.group)
    if way in world.outbound:
        return Path.MANAGED_ENDPOINT
    strict, public = world.isolation == "AllowOnlyApprovedOutbound", _public(service, world, Open.AZURE)
    # With internet outbound, endpoints are made by themselves only to what is closed.
    if way in world.of_workspace and (strict or public is Path.NONE):
        return Path.MANAGED_ENDPOINT
    if not strict:
        return public
    # The required service tags of a managed network have Azure Monitor, and no service of the matrix besides.
    return Path.SERVICE_TAG if service.arm_type in _LOGS and public is not Path.NONE else Path.NONE


def _from_deployment(_consumer: str, service: Service, world: World) -> Path:
    if (service.arm_id, service.group) in world.of_workspace and service.group in _OF_A_DEPLOYMENT:
        return Path.MANAGED_ENDPOINT
    return Path.NONE


def _from_factory(consumer: str, service: Service, world: World) -> Path:
    if (service.arm_id, service.group) in world.factory_endpoints:
        return Path.MANAGED_ENDPOINT
    return _from_azure(consumer, service, world)


def _from_synapse(consumer: str, service: Service, world: World) -> Path:
    if service.group == "dfs" and world.synapse_lake_endpoint(service.arm_id):
        return Path.MANAGED_ENDPOINT
    # "Resources within the managed virtual network always communicate over managed private endpoints", also to what is
    # open: learn.microsoft.com/azure/synapse-analytics/security/workspace-data-exfiltration-protection.
    return Path.NONE if world.synapse_keeps_data_in else _from_azure(consumer, service, world)


def _from_nowhere(_consumer: str, _service: Service, _world: World) -> Path:
    return Path.NONE


_SAME_SERVICE = {
    ("azure-monitor", arm.APP_INSIGHTS),
    # The registry builds in itself, with a task.
    ("image-build", arm.REGISTRY),
}
_WAYS: dict[Place, Callable[[str, Service, World], Path]] = {
    Place.INTERNET: _from_azure,
    Place.ORGANISATION: _from_organisation,
    Place.SUBNET: _from_subnet,
    Place.MANAGED: _from_managed_network,
    Place.DEPLOYMENT: _from_deployment,
    Place.FACTORY: _from_factory,
    Place.SYNAPSE: _from_synapse,
    Place.AZURE: _from_azure,
    Place.NOWHERE: _from_nowhere,
}
