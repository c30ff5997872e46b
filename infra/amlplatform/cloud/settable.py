"""Which part of a resource a request may set, by Microsoft's types: what Azure computes is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amlplatform.armtypes import validator
from amlplatform.armtypes.catalogue import ResourceType

_READ_ONLY = 2
_ADDRESS = frozenset({"id", "name", "type", "apiVersion"})

Node = dict[str, Any]


def settable(kind: ResourceType, document: Mapping[str, Any]) -> dict[str, Any]:
    """`document` without its address, without what only Azure sets, and without what Microsoft's types do not know."""
    node = validator.resource_node(kind.arm_type, kind.api_version)
    fields = {name: spec for name, spec in node["properties"].items() if name not in _ADDRESS}
    return _object(document, fields, None)


def _value(value: Any, node: Node) -> Any:
    if isinstance(value, Mapping):
        return _mapping(value, node)
    if isinstance(value, list) and node["$type"] == "ArrayType":
        item = validator.type_node(node["itemType"])
        return [_value(inner, item) for inner in value]
    return value


def _mapping(value: Mapping[str, Any], node: Node) -> Any:
    match node["$type"]:
        case "ObjectType":
            return _object(value, node["properties"], node.get("additionalProperties"))
        case "DiscriminatedObjectType":
            choice = node["elements"].get(value.get(node["discriminator"]))
            variant: Node = {"properties": {}} if choice is None else validator.type_node(choice)
            if variant.get("$type") == "DiscriminatedObjectType":
                return _mapping(value, variant)
            fields = {**node["baseProperties"], **variant["properties"]}
            return _object(value, fields, variant.get("additionalProperties"))
        case _:
            return dict(value)


def _object(value: Mapping[str, Any], fields: Mapping[str, Any], rest: int | None) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, inner in value.items():
        spec = fields.get(name)
        if spec is not None and not spec["flags"] & _READ_ONLY:
            kept[name] = _value(inner, validator.type_node(spec["type"]))
        elif spec is None and rest is not None:
            kept[name] = _value(inner, validator.type_node(rest))
    return kept
