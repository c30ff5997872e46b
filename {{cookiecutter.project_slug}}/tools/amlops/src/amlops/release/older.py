"""Deployments of earlier releases that nobody goes back to any more."""

from __future__ import annotations

from collections.abc import Collection

from amlops.workspace import BatchDeployments, OnlineDeployments


def delete(deployments: BatchDeployments | OnlineDeployments, endpoint: str, kept: Collection[str | None]) -> list[str]:
    """Delete the deployments of an endpoint but those that are `kept`; their names. Raises UserError."""
    old = [str(one["name"]) for one in deployments.list(endpoint) if one["name"] not in kept]
    for each in old:
        deployments.delete(each, endpoint)
    return old
