"""Which sub-resources of which part get private endpoints, and which of them jobs in a managed network reach.

Standard library only: `check` counts them, because each costs money all day, and the components make them. Sources: the
parts' pages under learn.microsoft.com, "Private endpoint: private-link resource".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoints:
    """Sub-resources of private link (`groupIds`) of one part. `outbound`: rules of a managed network."""

    inbound: tuple[str, ...] = ()
    outbound: tuple[str, ...] = ()


CORE: dict[str, Endpoints] = {
    # queue and table: parallel jobs hand out their mini-batches and keep their progress there. The workspace's own
    # parts get their endpoints in a managed network from Azure ML itself.
    "storage": Endpoints(("blob", "file", "queue", "table")),
    "key-vault": Endpoints(("vault",)),
    "container-registry": Endpoints(("registry",)),
    "lake": Endpoints(("blob", "dfs"), ("blob", "dfs")),
    "workspace": Endpoints(("amlworkspace",)),
}
OPTIONS: dict[str, Endpoints] = {}
"""By option of the request."""
