"""Federated credentials of one identity are written one after the other.

learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations; the words:
pulumi/pulumi-azure-native#4343. The provider does not try again, so the program has to write them in a row.
"""

from __future__ import annotations

from amlplatform.cloud import arm_ids
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.resource_manager import Call, Hindrance
from amlplatform.cloud.state import CloudState

TYPE = "microsoft.managedidentity/userassignedidentities/federatedidentitycredentials"
_BUSY = "credentials are written until"


def one_at_a_time(seconds: float) -> Hindrance:
    """A write takes so long, and meanwhile no other credential of that identity is taken."""

    def hindrance(call: Call, state: CloudState) -> None:
        if call.method not in ("PUT", "DELETE") or call.arm_type != TYPE:
            return
        identity, now = arm_ids.parent(call.arm_id), state.clock.now()
        if state.notes(_BUSY).get(arm_ids.key(identity), 0) > now:
            raise AzureError(
                409,
                "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
                "Too many Federated Identity Credentials are written concurrently for the managed identity "
                f"'{identity}'. Concurrent Federated Identity Credentials writes under the same managed identity are "
                "not supported.",
            )
        state.note(_BUSY, identity, now + seconds)

    return hindrance
