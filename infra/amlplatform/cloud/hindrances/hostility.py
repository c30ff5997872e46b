"""How hostile the offline Azure is: one switch for each hindrance, and how long things take.

Azure takes minutes where this takes seconds. The setting `hostility` in the state (a JSON object with the names below)
changes single switches.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from amlplatform.cloud.state import CloudState

SETTING = "hostility"
_DELAY_S = 2.0


class HostilityError(Exception):
    """The setting cannot be used. The message is one line."""


@dataclass(frozen=True)
class Hostility:
    """The default is friendly. Times are in seconds.

    `role_spread_s`: how long a role assignment takes to count. `principal_spread_s`: how long the directory does not
    know a new identity. `credential_write_s`: how long the write of a federated credential takes, during which no
    other of that identity is taken. `write_s`: how long every write takes. `throttle_every`: each so-maniest request
    is answered with 429, 0 for none. `soft_delete`: names of deleted vaults, workspaces and AI services stay taken.
    `service_identities`: a service refuses an identity that has not the roles it needs. `casing`: ids come back
    written otherwise.
    """

    role_spread_s: float = 0.0
    principal_spread_s: float = 0.0
    credential_write_s: float = 0.0
    write_s: float = 0.0
    throttle_every: int = 0
    soft_delete: bool = False
    service_identities: bool = False
    casing: bool = False


ALL = Hostility(
    role_spread_s=_DELAY_S,
    principal_spread_s=_DELAY_S,
    credential_write_s=0.5,
    write_s=0.05,
    throttle_every=20,
    soft_delete=True,
    service_identities=True,
    casing=True,
)
"""Everything at once."""


def chosen(state: CloudState, *, hostile: bool) -> Hostility:
    """The hostility of a run: all or none, and what the state's setting says otherwise. Raises HostilityError."""
    base = ALL if hostile else Hostility()
    setting = state.setting(SETTING)
    if setting is None:
        return base
    known = {field.name: type(field.default) for field in fields(Hostility)}
    if not isinstance(setting, dict):
        raise HostilityError(f'setting {SETTING}: must be an object, for example {{"role_spread_s": 5}}')
    for name, value in setting.items():
        if name not in known:
            raise HostilityError(f"setting {SETTING}: {name!r} is unknown; there are: {', '.join(known)}")
        number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        if isinstance(value, bool) is not (known[name] is bool) or not (number or known[name] is bool):
            wanted = "true or false" if known[name] is bool else "a number that is not negative"
            raise HostilityError(f"setting {SETTING}: {name}: {value!r} must be {wanted}")
    return replace(base, **setting)
