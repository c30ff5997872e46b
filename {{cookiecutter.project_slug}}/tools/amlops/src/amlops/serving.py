"""What keeps an endpoint serving, the same on the laptop and in Azure: what has traffic, or is the default, stays."""

from __future__ import annotations

from collections.abc import Mapping

from amlops.errors import UserError
from amlops.workspace.record import Record


def check_not_default(endpoint: Record, name: str, endpoint_name: str) -> None:
    """Raise UserError when a deployment is the default of its batch endpoint: another must take its place first."""
    if endpoint["defaults"]["deployment_name"] == name:
        raise UserError(
            f"--name: '{name}' is the default deployment of '{endpoint_name}'; choose another first, for example "
            f"amlops batch-endpoint update --name {endpoint_name} --set defaults.deployment_name=other"
        )


def check_no_traffic(endpoint: Record, name: str, endpoint_name: str) -> None:
    """Raise UserError when a deployment has live or mirrored traffic of its online endpoint."""
    for key in ("traffic", "mirror_traffic"):
        if endpoint[key].get(name):
            raise UserError(
                f"--name: '{name}' has {endpoint[key][name]} % of {key}; take it away first, for example "
                f"amlops online-endpoint update --name {endpoint_name} --{key.replace('_', '-')} {name}=0"
            )


def check_sum(traffic: Mapping[str, int]) -> None:
    """Raise UserError for live traffic that is neither whole nor none."""
    if sum(traffic.values()) not in (0, 100):
        raise UserError(f"traffic: sums to {sum(traffic.values())} and must sum to 100, or to 0 for none at all")
