"""Locks: what holds data cannot be deleted in Azure, by whatever way, until its lock is taken away.

A lock holds on one resource and everything below it in Azure Resource Manager, never on the resource group: there it
would keep Azure ML from removing nodes. It stops deletions alone, and only those that go through Resource Manager. For
a storage account that means: neither the account, nor a container, nor a role or a diagnostic setting on it can be
deleted; blobs, files and whole containers still can be by who has the data role, which is what Azure ML uses and what
soft delete is there for. Source: learn.microsoft.com, "Lock your resources to protect your infrastructure".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pulumi
from pulumi_azure_native import authorization

from amlplatform import names
from amlplatform.components.context import Part
from amlplatform.components.settings import Settings

_NOTES = "Holds data. To delete it, or a role or setting on it, follow 'Locks' in docs/monitoring.md of the platform."


class Locks(pulumi.ComponentResource):
    """A CanNotDelete lock on each part that holds data, where the profile says so."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        parts: Iterable[Part],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`after`: what hangs on the parts. Pulumi destroys in the opposite order, so the locks go first."""
        super().__init__("amlplatform:locks:Locks", name, None, opts)
        for part in parts:
            if settings.profile.locks and part.holds_data:
                authorization.ManagementLockByScope(
                    f"{part.name}-lock",
                    lock_name=names.LOCK,
                    scope=part.resource.id,
                    level=authorization.LockLevel.CAN_NOT_DELETE,
                    notes=_NOTES,
                    # Protected like the data: to take a lock away is a change of its own.
                    opts=settings.holds_data(self, pulumi.ResourceOptions(depends_on=list(after))),
                )
        self.register_outputs({})
