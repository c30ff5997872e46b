"""Which inputs of a resource changed, and which of the changes can only be made by replacing it.

As pulumi-azure-native decides it: the inputs that form the id, the location, and the few properties that its sources
list as "force new" (github.com/pulumi/pulumi-azure-native, provider/pkg/gen/replacement.go). Other properties that
Azure fixes at creation are an update to the provider, which Azure then refuses: see `preconditions.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from amlplatform.armtypes.catalogue import ResourceType
from amlplatform.cloud.preconditions import normal_location

Kind = Literal["ADD", "DELETE", "UPDATE"]

_FORCE_NEW: dict[str, frozenset[str]] = {
    "Microsoft.Authorization/roleAssignments": frozenset({"principalId"}),
    "Microsoft.Storage/storageAccounts": frozenset({"isHnsEnabled"}),
}
_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")
_ABSENT = object()


@dataclass(frozen=True)
class Change:
    """One property that changed. `path` is in Pulumi's notation, `top` the input that it belongs to."""

    path: str
    top: str
    kind: Kind
    replaces: bool


def changes(kind: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """The differences between two sets of inputs, in the order of their paths."""
    found: list[Change] = []
    fixed = (kind.address_inputs - kind.query_inputs) | {"location"} | _FORCE_NEW.get(kind.arm_type, frozenset())
    for top in sorted(old.keys() | new.keys()):
        before, after = old.get(top, _ABSENT), new.get(top, _ABSENT)
        if top == "location" and _same_location(before, after):
            continue
        for path, change in _walk(_key("", top), before, after):
            found.append(Change(path, top, change, top in fixed))
    return found


def _same_location(before: Any, after: Any) -> bool:
    texts = isinstance(before, str) and isinstance(after, str)
    return texts and normal_location(before) == normal_location(after)


def _walk(path: str, before: Any, after: Any) -> list[tuple[str, Kind]]:
    if before == after:
        return []
    if before is _ABSENT:
        return [(path, "ADD")]
    if after is _ABSENT:
        return [(path, "DELETE")]
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        pairs = [
            (_key(path, name), before.get(name, _ABSENT), after.get(name, _ABSENT))
            for name in sorted(before.keys() | after.keys())
        ]
    elif isinstance(before, list) and isinstance(after, list):
        pairs = [
            (f"{path}[{index}]", _item(before, index), _item(after, index))
            for index in range(max(len(before), len(after)))
        ]
    else:
        return [(path, "UPDATE")]
    return [change for pair in pairs for change in _walk(*pair)]


def _item(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else _ABSENT


def _key(path: str, name: str) -> str:
    if _PLAIN_KEY.fullmatch(name):
        return f"{path}.{name}" if path else name
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'{path}["{quoted}"]'


def apply_drift(inputs: Any, before: Any, after: Any) -> Any:
    """The inputs as they must have been for Azure to show `after` where it showed `before`.

    Only what changed is carried over, so that what Azure computes does not become an input. Used by refresh.
    """
    if before == after:
        return inputs
    if isinstance(inputs, Mapping) and isinstance(before, Mapping) and isinstance(after, Mapping):
        result = dict(inputs)
        for name in before.keys() | after.keys():
            if before.get(name, _ABSENT) == after.get(name, _ABSENT):
                continue
            if name not in after:
                result.pop(name, None)
            elif name in inputs and name in before:
                result[name] = apply_drift(inputs[name], before[name], after[name])
            else:
                result[name] = after[name]
        return result
    if isinstance(inputs, list) and isinstance(before, list) and isinstance(after, list):
        return [
            apply_drift(inputs[index], before[index], item) if index < min(len(inputs), len(before)) else item
            for index, item in enumerate(after)
        ]
    return after
