"""The directory learns late of a new identity: a role for it is refused, unless the request says what it is.

learn.microsoft.com/azure/role-based-access-control/role-assignments-template, "New service principal": with
`principalType` the directory is not asked. The words: Azure/avdaccelerator#99.
"""

from __future__ import annotations

from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.resource_manager import Call, Hindrance
from amlplatform.cloud.state import TENANT_ID, CloudState

_ASSIGNMENT = "microsoft.authorization/roleassignments"
_IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"


def unknown_for(seconds: float) -> Hindrance:
    """A new identity is unknown for so long."""

    def hindrance(call: Call, state: CloudState) -> None:
        if call.method != "PUT" or call.arm_type != _ASSIGNMENT:
            return
        properties = call.body.get("properties") or {}
        principal = str(properties.get("principalId")).lower()
        if not properties.get("principalType") and _is_young(principal, seconds, state):
            raise AzureError(
                400,
                "PrincipalNotFound",
                f"Principal {principal.replace('-', '')} does not exist in the directory {TENANT_ID}. Check that you "
                "have the correct principal ID. If you are creating this principal and then immediately assigning a "
                "role, this error might be related to a replication delay. In this case, set the role assignment "
                "principalType property to a value, such as ServicePrincipal, User, or Group.  See "
                "https://aka.ms/docs-principaltype",
            )

    return hindrance


def _is_young(principal: str, seconds: float, state: CloudState) -> bool:
    return any(
        str(document["properties"].get("principalId")).lower() == principal and state.age(document["id"]) < seconds
        for document in state.of_type(_IDENTITY)
    )
