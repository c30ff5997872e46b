"""Which sub-resources of which part get private endpoints, and which of them jobs in a managed network reach.

Standard library only: `check` counts them, because each costs money all day, and the components make them. Sources: the
parts' pages under learn.microsoft.com, "Private endpoint: private-link resource".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoints:
    """Sub-resources of private link (`groupIds`).

    `inbound`: of this part, the ways in. `outbound`: of this part, as rules of the workspace's managed network.
    `of_own_network`: of other parts, which this one reaches from a managed network of its own; `always` where it has
    that network in an open environment too.
    """

    inbound: tuple[str, ...] = ()
    outbound: tuple[str, ...] = ()
    of_own_network: tuple[str, ...] = ()
    always: bool = False


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
    # Its default lake. Two more, to its own SQL pools, are not charged: learn.microsoft.com/azure/synapse-analytics,
    # "Managed private endpoints".
    "synapse": Endpoints(("Dev", "Sql", "SqlOnDemand"), of_own_network=("dfs",), always=True),
    # The lake and the workspace.
    "data_factory": Endpoints(("dataFactory",), of_own_network=("dfs", "amlworkspace")),
}
"""By option of the request."""
