"""Ways in which Azure is slow to agree, each with a switch in `hostility.py` and a file of its own.

A hindrance is a function that is called before each request and may refuse it; `Conduct` is the rest: when roles
count, how documents look, how long a write takes. `manager` puts them together for a door.
"""

from __future__ import annotations

from amlplatform.cloud.callers import PERSON, Caller
from amlplatform.cloud.hindrances import (
    casing,
    credentials,
    principals,
    quotas,
    service_identities,
    soft_delete,
    throttling,
)
from amlplatform.cloud.hindrances.hostility import Hostility
from amlplatform.cloud.resource_manager import Call, Conduct, Hindrance, ResourceManager
from amlplatform.cloud.state import CloudState


def of(hostility: Hostility) -> list[Hindrance]:
    """The hindrances that are switched on. Quota is always looked at: its limits are in the state."""
    found: list[Hindrance] = []
    if hostility.throttle_every:
        found.append(throttling.every(hostility.throttle_every))
    if hostility.soft_delete:
        found.append(soft_delete.keep_names)
    found.append(quotas.refuse_beyond_limit)
    if hostility.principal_spread_s:
        found.append(principals.unknown_for(hostility.principal_spread_s))
    if hostility.credential_write_s:
        found.append(credentials.one_at_a_time(hostility.credential_write_s))
    if hostility.service_identities:
        found.append(service_identities.need_roles(hostility.role_spread_s))
    return found


def conduct(hostility: Hostility) -> Conduct:
    def write_s(call: Call) -> float:
        is_credential = call.arm_type == credentials.TYPE
        return max(hostility.write_s, hostility.credential_write_s if is_credential else 0)

    answer = casing.changed if hostility.casing else Conduct().answer
    return Conduct(role_spread_s=hostility.role_spread_s, answer=answer, write_s=write_s)


def manager(state: CloudState, hostility: Hostility, caller: Caller = PERSON) -> ResourceManager:
    """Resource Manager, as hostile as said."""
    return ResourceManager(state, of(hostility), caller, conduct(hostility))
