"""Words of the reachability matrix: who reaches for something, what is reached, and the ways there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Path(StrEnum):
    """How a consumer gets to a resource."""

    PUBLIC = "public"
    """The resource's public address, which is open."""
    PRIVATE_ENDPOINT = "private endpoint"
    """From a network of the organisation, through a private endpoint of the environment."""
    OWN_SUBNET = "own subnet, private endpoint"
    """From a subnet that the environment uses, through a private endpoint in the same or a peered network."""
    MANAGED_ENDPOINT = "managed private endpoint"
    """Through an endpoint that an Azure service keeps in a managed network: an outbound rule, or one of its own."""
    SERVICE_TAG = "service tag"
    """From a managed network that lets through a few Azure services at their public addresses."""
    TRUSTED = "trusted service"
    """Past the resource's firewall, as an Azure service with an identity."""
    SAME = "same service"
    """No network between: Azure does it within the service."""
    OWNER = "endpoint of its owner"
    """A central resource, given by id: whoever owns it makes the way."""
    NOT_NEEDED = "not needed"
    NONE = "none"


class Place(StrEnum):
    """Where a consumer's packets come from."""

    INTERNET = "a public address of Azure"
    """Also hosted runners: both GitHub's and those of Azure DevOps stand in Azure."""
    ORGANISATION = "your network"
    """It reaches the subnet of private endpoints, and the internet."""
    SUBNET = "a subnet of yours"
    MANAGED = "the workspace's managed network"
    DEPLOYMENT = "the network that Azure ML makes for a single online deployment"
    FACTORY = "the managed network of Data Factory"
    SYNAPSE = "the managed network of Synapse"
    AZURE = "the network of an Azure service"
    NOWHERE = "a network without a way out"


class Planned(Protocol):
    """What is needed of a planned resource: see `amlplatform.plan.PlannedResource`."""

    @property
    def arm_type(self) -> str: ...
    @property
    def arm_id(self) -> str: ...
    @property
    def body(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Situation:
    """What a plan's bodies do not say. `people`: scientists work here; `runner`: where CI runs, hosted or self-hosted.

    `open_fields`: fields of the request without which the environment is not complete, and which are still empty, for
    example "subnets.endpoints". `check` warns of them, and `onboard` refuses the request.
    """

    people: bool
    runner: str
    open_fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Need:
    """This consumer cannot do without this resource. `source`: Microsoft's page, or the part of this program.

    `when`: a condition that the environment's bodies meet or not (`World.conditions`); "" for always.
    """

    consumer: str
    resource: str
    why: str
    source: str
    when: str = ""


@dataclass(frozen=True)
class Cell:
    """One consumer and one resource. `need`: None where the consumer can do without it, and the path is "not needed".

    `undecided`: the field of the request that is still empty and would make the path; "" where there is one, or where
    nothing that is left open would make it.
    """

    consumer: str
    resource: str
    path: Path
    place: Place
    need: Need | None = None
    undecided: str = ""

    @property
    def is_fault(self) -> bool:
        return self.path is Path.NONE and not self.undecided
