"""From a Pulumi resource to what Azure Resource Manager is sent: type, id, body, and the faults of that body.

pulumi-azure-native flattens: an ARM body `{"location": …, "properties": {"isHnsEnabled": …}}` is written as inputs
`{"location": …, "isHnsEnabled": …, "accountName": …}`. This module goes the way back, guided by Microsoft's types.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from amlplatform.armtypes import extra_rules, flattening, validator
from amlplatform.armtypes.resource_types import RESOURCE_TYPES, ResourceType

# What the Pulumi engine puts in the place of values that are known only after the deployment.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def normal_token(token: str) -> str:
    """The token without an API version: `azure-native:storage/v20240101:BlobContainer` loses its `/v20240101`.

    The provider's name may be left out: `storage:BlobContainer`.
    """
    parts = token.split(":")
    module, name = parts[-2], parts[-1]
    return f"azure-native:{module.split('/')[0]}:{name}"


def is_known(token: str) -> bool:
    return token.count(":") >= 1 and normal_token(token) in RESOURCE_TYPES


def resource_type(token: str) -> ResourceType:
    """The entry of the catalogue. Raises KeyError with one line when the platform makes no such resource."""
    found = RESOURCE_TYPES.get(normal_token(token))
    if found is None:
        raise KeyError(f"{token}: not in the catalogue of resource types (amlplatform/armtypes/resource_types.py)")
    return found


def arm_id(token: str, inputs: Mapping[str, Any], subscription_id: str) -> str:
    """The resource's ARM id. An input that is missing or not yet known leaves UNKNOWN in its place."""
    values = {"subscriptionId": subscription_id, **inputs}

    def value(match: re.Match[str]) -> str:
        return str(values.get(match[1], UNKNOWN))

    filled = _PLACEHOLDER.sub(value, resource_type(token).id_template)
    return "/" + filled.lstrip("/")


def arm_body(token: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The body of the PUT request for these flattened inputs.

    Whole floats become integers (Pulumi sends every number as a float) and a list of user-assigned identities becomes
    the map that ARM wants. An input that no ARM property answers to is put under `properties`, where `check_body`
    reports it as unknown.
    """
    kind = resource_type(token)
    envelope, properties = validator.property_names(kind.arm_type, kind.api_version)
    body: dict[str, Any] = {}
    for key, raw in renamed(kind, inputs, to_arm=True).items():
        if key in kind.address_inputs:
            continue
        value = _plain(raw)
        if key == "identity":
            value = _identity(value)
        wanted = _folded(kind.renames.get(key, key))
        if wanted in envelope:
            body[envelope[wanted]] = value
        else:
            body.setdefault("properties", {})[properties.get(wanted, key)] = value
    if kind.boxes and "properties" in body:
        node = validator.resource_node(kind.arm_type, kind.api_version)["properties"]["properties"]
        body["properties"] = flattening.boxed(body["properties"], validator.type_node(node["type"]), kind.boxes)
    return body


def flat_properties(token: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The `properties` of a body, as the SDK takes them: what ARM keeps in boxes is laid flat."""
    kind = resource_type(token)
    node = validator.resource_node(kind.arm_type, kind.api_version)["properties"]["properties"]
    return flattening.laid_flat(dict(properties), validator.type_node(node["type"]), kind.boxes)


def renamed(kind: ResourceType, inputs: Mapping[str, Any], *, to_arm: bool) -> dict[str, Any]:
    """The inputs with the names that ARM has inside of them, or with those of the SDK."""
    result = dict(inputs)
    for rename in kind.nested_renames:
        old, new = (rename.sdk, rename.arm) if to_arm else (rename.arm, rename.sdk)
        first, *rest = rename.path
        if first in result:
            result[first] = _renamed_at(result[first], rest, old, new)
    return result


def _renamed_at(value: Any, path: list[str], old: str, new: str) -> Any:
    if isinstance(value, list | tuple):
        return [_renamed_at(item, path, old, new) for item in value]
    if not isinstance(value, Mapping):
        return value
    if path:
        first, *rest = path
        return {key: _renamed_at(inner, rest, old, new) if key == first else inner for key, inner in value.items()}
    return {new if key == old else key: inner for key, inner in value.items()}


def check_body(token: str, body: Mapping[str, Any]) -> list[str]:
    """One line per fault of a PUT body: by Microsoft's types, and by our own rules where those are silent."""
    kind = resource_type(token)
    return [
        *validator.check_body(kind.arm_type, kind.api_version, body, unknown=UNKNOWN),
        *extra_rules.check(kind.arm_type, body, unknown=UNKNOWN),
    ]


def check_name(token: str, name: str) -> list[str]:
    """One line when Microsoft's types refuse the resource's name. `name` is its last segment."""
    kind = resource_type(token)
    return [] if name == UNKNOWN else validator.check_name(kind.arm_type, kind.api_version, name)


def _folded(key: str) -> str:
    """Without case and underscores: the SDK writes `applicationType` for ARM's `Application_Type`."""
    return key.replace("_", "").lower()


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _identity(value: Any) -> Any:
    if isinstance(value, dict) and isinstance(value.get("userAssignedIdentities"), list):
        return {**value, "userAssignedIdentities": {identity: {} for identity in value["userAssignedIdentities"]}}
    return value
