"""What handlers work with: the state, the resource manager for a caller, operations under way, ways to behave."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amlplatform.cloud.callers import PERSON, Caller
from amlplatform.cloud.https.behaviour import Behaviour
from amlplatform.cloud.https.containers import Containers
from amlplatform.cloud.https.egress import Egress
from amlplatform.cloud.https.operations import Operations
from amlplatform.cloud.resource_manager import ResourceManager
from amlplatform.cloud.state import CloudState


@dataclass(frozen=True)
class Seen:
    """One request to the door, other than sign-ins: what a test holds against what it expects.

    `body`: the JSON of the request, None without one; `caller`: the object id of who made it.
    """

    method: str
    path: str
    body: Any
    caller: str


@dataclass
class Azure:
    """One offline Azure, as the HTTPS door sees it.

    `manager` gives the resource manager that answers a caller. `caller` is whose token it is that is asked for without
    the name of an identity. `url` is the door's own address, without a slash at its end. `identity_header` is what a
    client must show to get a managed identity's token. `seen` are the requests of this door's life, in order.
    `egress` is where hosts of Azure lead to, `containers` makes those of blob storage; None: there is no blob storage.
    `images`: the folder of what container registries hold.
    """

    state: CloudState
    manager: Callable[[Caller], ResourceManager]
    behaviour: Behaviour = field(default_factory=Behaviour)
    url: str = ""
    identity_header: str = field(default_factory=lambda: secrets.token_hex(16))
    operations: Operations = field(default_factory=Operations)
    caller: Caller = PERSON
    seen: list[Seen] = field(default_factory=list)
    egress: Egress = field(default_factory=lambda: Egress(0))
    containers: Containers | None = None
    images: Path = Path("images")

    @property
    def ml_audiences(self) -> tuple[str, ...]:
        """For whom a token must be to be good at a scoring address."""
        return ("https://ml.azure.com", *self.audiences)

    @property
    def audiences(self) -> tuple[str, ...]:
        """For whom a token must be to be good at Resource Manager."""
        return (self.url, "https://management.azure.com", "https://management.core.windows.net")
