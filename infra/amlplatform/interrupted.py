"""What a killed `pulumi up` was making: it may be in Azure, and the state does not have it.

The engine writes a creation into the state before it begins, as pending. When the engine dies, the provider refuses to
make the resource a second time ("cannot create already existing resource"), and what `pulumi refresh` offers does not
help: `--clear-pending-creates` forgets the creation, and `--import-pending-creates` of Pulumi 3.230 in the end, too.

But its inputs are in the state, and with them its id. So it is put among the resources as if it had been made, and
`pulumi refresh` asks Azure: what is there is completed, what is not is taken out.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amlplatform.armtypes import catalogue
from amlplatform.armtypes.catalogue import UNKNOWN

_PROVIDER = "pulumi:providers:azure-native"


class StateError(Exception):
    """Not a state that can be worked on. The message is one line for the person."""


@dataclass(frozen=True)
class Interrupted:
    """A creation that was under way. `arm_id` is "" when it cannot be told: it stays pending, and `why` says so."""

    urn: str
    arm_id: str = ""
    why: str = ""

    @property
    def name(self) -> str:
        return self.urn.rsplit("::", 1)[-1]


def completed(exported: Mapping[str, Any], subscription_id: str = "") -> tuple[dict[str, Any], list[Interrupted]]:
    """The state with the creations that were under way among its resources, and what they are.

    `exported` is what `pulumi stack export` writes, `subscription_id` where the stack deploys to if its provider does
    not say. Raises StateError.
    """
    state = copy.deepcopy(dict(exported))
    deployment = state.get("deployment")
    if not isinstance(deployment, dict) or not isinstance(deployment.get("resources", []), list):
        raise StateError("this is no state; write one with pulumi stack export --stack STACK --file FILE")
    resources: list[dict[str, Any]] = deployment.setdefault("resources", [])
    subscription = subscription_id or _subscription(resources)
    found: list[Interrupted] = []
    left: list[dict[str, Any]] = []
    for operation in deployment.get("pending_operations") or []:
        if operation.get("type") != "creating":
            left.append(operation)
            continue
        resource = operation["resource"]
        known = {entry["urn"] for entry in resources}
        outcome = _outcome(resource, known, subscription)
        found.append(outcome)
        if outcome.arm_id:
            # With outputs equal to its inputs, a refresh finds no more differences than there are.
            resources.append({**resource, "id": outcome.arm_id, "outputs": copy.deepcopy(resource.get("inputs") or {})})
        else:
            left.append(operation)
    deployment["pending_operations"] = left
    return state, found


def _outcome(resource: Mapping[str, Any], known: set[str], subscription: str) -> Interrupted:
    urn, token = str(resource["urn"]), str(resource["type"])
    if urn in known:
        return Interrupted(urn, why="the state has it already: it was being replaced")
    if not catalogue.is_known(token):
        return Interrupted(urn, why=f"nothing is known of {token}")
    if not subscription:
        return Interrupted(urn, why="the state does not say in which subscription; give --subscription GUID")
    arm_id = catalogue.arm_id(token, resource.get("inputs") or {}, subscription)
    if UNKNOWN in arm_id:
        return Interrupted(urn, why="its id cannot be told from its inputs")
    return Interrupted(urn, arm_id)


def _subscription(resources: list[dict[str, Any]]) -> str:
    """Where the stack deploys to: what its provider was told, else where its resources are."""
    for entry in resources:
        if entry.get("type") == _PROVIDER and (entry.get("inputs") or {}).get("subscriptionId"):
            return str(entry["inputs"]["subscriptionId"])
    for entry in resources:
        parts = str(entry.get("id") or "").split("/")
        if len(parts) > 2 and parts[1].lower() == "subscriptions":
            return parts[2]
    return ""
