"""Locks: what Azure refuses to delete. Source: learn.microsoft.com, "Lock your resources to protect your
infrastructure": a lock holds for its resource and all below it, also for extensions such as role assignments, and what
contains something locked is not deleted either, not even in part.
"""

from __future__ import annotations

from amlplatform.cloud import arm_ids
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.state import CloudState

LOCK = "Microsoft.Authorization/locks"


def refuse_deletion(arm_id: str, state: CloudState) -> None:
    """Raise AzureError (409 ScopeLocked) when a lock forbids to delete this. Locks themselves can be deleted."""
    if arm_ids.arm_type(arm_id).lower() == LOCK.lower():
        return
    scopes = [arm_ids.parent(lock["id"]) for lock in state.of_type(LOCK)]
    locked = [scope for scope in scopes if _is_within(arm_id, scope) or _is_within(scope, arm_id)]
    if locked:
        raise AzureError(
            409,
            "ScopeLocked",
            f"The scope '{arm_id}' cannot perform delete operation because following scope(s) are locked: "
            f"'{', '.join(locked)}'. Please remove the lock and try again.",
        )


def _is_within(arm_id: str, scope: str) -> bool:
    key, outer = arm_ids.key(arm_id), arm_ids.key(scope)
    return key == outer or key.startswith(f"{outer}/")
