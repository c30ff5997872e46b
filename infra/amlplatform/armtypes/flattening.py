"""Parts of a body that the SDK lays flat and ARM keeps in a box of their own, below the first level.

ARM wants `{"name": "blob", "properties": {"groupIds": […]}}`, the SDK takes `{"name": "blob", "groupIds": […]}`. Which
boxes a kind of resource has is said in its entry (`ResourceType.boxes`); what belongs into them, Microsoft's types say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from amlplatform.armtypes.validator import Node, type_node


def boxed(value: Any, node: Node, boxes: Collection[str]) -> Any:
    """The value as ARM wants it: what `node` does not know moves into the box that does."""
    if isinstance(value, list):
        inner = _item(node)
        return [boxed(item, inner, boxes) for item in value] if inner else value
    fields = _fields(value, node)
    if fields is None:
        return value
    result: dict[str, Any] = {}
    for key, item in value.items():
        box = next((name for name in boxes if key not in fields and _knows(fields, name, key)), None)
        if box:
            result.setdefault(box, {})[key] = item
        else:
            result[key] = item
    return {
        key: boxed(item, type_node(fields[key]["type"]), boxes) if key in fields else item
        for key, item in result.items()
    }


def laid_flat(value: Any, node: Node, boxes: Collection[str]) -> Any:
    """The way back: what ARM keeps in a box stands beside it."""
    if isinstance(value, list):
        inner = _item(node)
        return [laid_flat(item, inner, boxes) for item in value] if inner else value
    fields = _fields(value, node)
    if fields is None:
        return value
    result: dict[str, Any] = {}
    for key, item in value.items():
        flat = laid_flat(item, type_node(fields[key]["type"]), boxes) if key in fields else item
        if key in boxes and isinstance(flat, Mapping):
            result |= flat
        else:
            result[key] = flat
    return result


def _knows(fields: Mapping[str, Any], box: str, key: str) -> bool:
    spec = fields.get(box)
    return spec is not None and key in (type_node(spec["type"]).get("properties") or {})


def _item(node: Node) -> Node | None:
    return type_node(node["itemType"]) if node["$type"] == "ArrayType" else None


def _fields(value: Any, node: Node) -> Mapping[str, Any] | None:
    """The properties that the type of an object has; None for what is no object with properties."""
    if not isinstance(value, Mapping):
        return None
    if node["$type"] == "ObjectType":
        return node.get("properties") or None
    if node["$type"] == "DiscriminatedObjectType":
        variant = node["elements"].get(value.get(node["discriminator"]))
        inner = type_node(variant) if variant is not None else {}
        return {**node["baseProperties"], **(inner.get("properties") or {})}
    return None
