"""What handlers work with: the state, the resource manager for a caller, operations under way, ways to behave."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from amlplatform.cloud.callers import PERSON, Caller
from amlplatform.cloud.https.behaviour import Behaviour
from amlplatform.cloud.https.operations import Operations
from amlplatform.cloud.resource_manager import ResourceManager
from amlplatform.cloud.state import CloudState


@dataclass
class Azure:
    """One offline Azure, as the HTTPS door sees it.

    `manager` gives the resource manager that answers a caller. `caller` is whose token it is that is asked for without
    the name of an identity. `url` is the door's own address, without a slash at its end. `identity_header` is what a
    client must show to get a managed identity's token.
    """

    state: CloudState
    manager: Callable[[Caller], ResourceManager]
    behaviour: Behaviour = field(default_factory=Behaviour)
    url: str = ""
    identity_header: str = field(default_factory=lambda: secrets.token_hex(16))
    operations: Operations = field(default_factory=Operations)
    caller: Caller = PERSON

    @property
    def audiences(self) -> tuple[str, ...]:
        """For whom a token must be to be good at Resource Manager."""
        return (self.url, "https://management.azure.com", "https://management.core.windows.net")
