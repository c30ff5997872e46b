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
    # queue and table: parallel jobs and batch endpoints hand out their mini-batches and keep their progress there. A
    # managed network has endpoints of its own to blob, file, vault, registry and workspace, and not to these two:
    # learn.microsoft.com/azure/machine-learning/how-to-managed-network, "Scenario: Use batch endpoints".
    "storage": Endpoints(("blob", "file", "queue", "table"), ("queue", "table")),
    "key-vault": Endpoints(("vault",)),
    "container-registry": Endpoints(("registry",)),
    "lake": Endpoints(("blob", "dfs"), ("blob", "dfs")),
    "workspace": Endpoints(("amlworkspace",)),
}
OPTIONS: dict[str, Endpoints] = {
    "ai_services": Endpoints(("account",), ("account",)),
    "sql": Endpoints(("sqlServer",), ("sqlServer",)),
    "streaming": Endpoints(("namespace",), ("namespace",)),
    "databricks": Endpoints(("databricks_ui_api", "browser_authentication")),
    "synapse": Endpoints(("Dev", "Sql", "SqlOnDemand")),
    "data_factory": Endpoints(("dataFactory",)),
}
"""By option of the request."""
