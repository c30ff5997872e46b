"""A check of JSON against Microsoft's resource types (the form of github.com/Azure/bicep-types-az).

Found: unknown and missing properties, properties that only Azure may set, wrong JSON types, patterns, lengths, ranges,
unions and discriminators. Stricter than Azure's types in one point: where a type lists values and then adds "or any
string", only the listed values pass. We send none that Microsoft has not listed, and `publicNetworkAccess: disabled`
must not pass for `Disabled`. Laxer in one: `_NUMBERS` may have decimals.
"""

from __future__ import annotations

import functools
import gzip
import json
import math
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

_REQUIRED, _READ_ONLY, _DEPLOY_TIME = 1, 2, 8
# In every resource's type, but not part of a PUT body: they stand in the address.
_ADDRESS = frozenset({"id", "name", "type", "apiVersion"})
# Bicep's types know no decimals: what Azure's API calls a "number" is an IntegerType there. These are the numbers among
# the properties of the resources in the catalogue (github.com/Azure/azure-rest-api-specs).
_NUMBERS = frozenset({"dailyQuotaGb", "SamplingPercentage", "amount", "minCapacity", "threshold"})
_PATTERN_PART = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)

Node = dict[str, Any]


@functools.cache
def _pack() -> dict[str, Any]:
    data = resources.files("amlplatform.armtypes").joinpath("types.json.gz").read_bytes()
    return json.loads(gzip.decompress(data))


def type_node(index: int) -> Node:
    return _pack()["nodes"][index]


def resource_node(arm_type: str, api_version: str) -> Node:
    return type_node(_pack()["resources"][f"{arm_type}@{api_version}"])


def _folded(key: str) -> str:
    return key.replace("_", "").lower()


@functools.cache
def property_names(arm_type: str, api_version: str) -> tuple[dict[str, str], dict[str, str]]:
    """ARM's spelling of the properties of the body and of its `properties`, by name without case and underscores."""
    top = resource_node(arm_type, api_version)["properties"]
    envelope = {_folded(name): name for name in top if name not in _ADDRESS}
    inner: dict[str, str] = {}
    if "properties" in top:
        node = type_node(top["properties"]["type"])
        inner = {_folded(name): name for name in _own_properties(node)}
    return envelope, inner


def _own_properties(node: Node) -> dict[str, Any]:
    return node.get("properties") or node.get("baseProperties") or {}


def check_body(arm_type: str, api_version: str, body: Mapping[str, Any], unknown: str) -> list[str]:
    """One line per fault. A value equal to `unknown` passes everywhere: it is known only after the deployment."""
    node = resource_node(arm_type, api_version)
    fields = {name: spec for name, spec in node["properties"].items() if name not in _ADDRESS}
    faults: list[str] = []
    _Check(unknown).object(body, fields, None, "", faults)
    return faults


def check_name(arm_type: str, api_version: str, name: str) -> list[str]:
    spec = resource_node(arm_type, api_version)["properties"]["name"]
    faults: list[str] = []
    _Check(unknown="").value(name, type_node(spec["type"]), "name", faults)
    # Not every type has a pattern for its names, and some patterns have no ends.
    if not faults and not name.isprintable():
        faults.append(f"name: {name!r} has characters that cannot be printed")
    return faults


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """The pattern as Azure reads it: `$` is the end of the text, and not also the place before a last line break."""
    return re.compile(_PATTERN_PART.sub(lambda part: r"\Z" if part[0] == "$" else part[0], pattern))


class _Check:
    """One walk over a value and its type; faults are collected in the list that is handed down."""

    def __init__(self, unknown: str) -> None:
        self.unknown = unknown

    def value(self, value: Any, node: Node, path: str, faults: list[str]) -> None:
        if value == self.unknown:
            return
        kind = node["$type"]
        if kind in _SCALARS:
            _SCALARS[kind](value, node, path, faults)
        elif kind == "UnionType":
            self.union(value, node, path, faults)
        elif kind == "ArrayType":
            self.array(value, node, path, faults)
        elif kind == "ObjectType":
            self.mapping(value, node["properties"], node.get("additionalProperties"), path, faults)
        elif kind == "DiscriminatedObjectType":
            self.discriminated(value, node, path, faults)
        elif kind != "AnyType":
            raise ValueError(f"types.json.gz has a kind of type that the validator does not know: {kind}")

    def union(self, value: Any, node: Node, path: str, faults: list[str]) -> None:
        elements = [type_node(index) for index in node["elements"]]
        listed = [element["value"] for element in elements if element["$type"] == "StringLiteralType"]
        if listed and isinstance(value, str):
            if value not in listed:
                faults.append(f"{path}: {value!r} is none of {', '.join(listed)}")
            return
        attempts: list[list[str]] = []
        for element in elements:
            attempt: list[str] = []
            self.value(value, element, path, attempt)
            if not attempt:
                return
            attempts.append(attempt)
        faults.extend(min(attempts, key=len))

    def array(self, value: Any, node: Node, path: str, faults: list[str]) -> None:
        if not isinstance(value, list):
            faults.append(f"{path}: {value!r} must be a list")
            return
        if len(value) > node.get("maxLength", len(value)):
            faults.append(f"{path}: {len(value)} items, at most {node['maxLength']} are allowed")
        for index, item in enumerate(value):
            self.value(item, type_node(node["itemType"]), f"{path}[{index}]", faults)

    def discriminated(self, value: Any, node: Node, path: str, faults: list[str]) -> None:
        if not isinstance(value, Mapping):
            faults.append(f"{path}: {value!r} must be an object")
            return
        key = node["discriminator"]
        choice = value.get(key)
        if choice not in node["elements"]:
            faults.append(f"{path}.{key}: {choice!r} is none of {', '.join(node['elements'])}")
            return
        variant = type_node(node["elements"][choice])
        if variant["$type"] == "DiscriminatedObjectType":
            self.discriminated(value, variant, path, faults)
            return
        fields = {**node["baseProperties"], **variant["properties"]}
        self.object(value, fields, variant.get("additionalProperties"), path, faults)

    def mapping(self, value: Any, fields: dict[str, Any], rest: int | None, path: str, faults: list[str]) -> None:
        if isinstance(value, Mapping):
            self.object(value, fields, rest, path, faults)
        else:
            faults.append(f"{path}: {value!r} must be an object")

    def object(
        self, value: Mapping[str, Any], fields: dict[str, Any], rest: int | None, path: str, faults: list[str]
    ) -> None:
        prefix = f"{path}." if path else ""
        for name, inner in value.items():
            spec = fields.get(name)
            if spec is None:
                if rest is None:
                    faults.append(f"{prefix}{name}: unknown property")
                else:
                    self.value(inner, type_node(rest), prefix + name, faults)
            elif spec["flags"] & _READ_ONLY and not spec["flags"] & _DEPLOY_TIME:
                faults.append(f"{prefix}{name}: only Azure sets this property")
            else:
                self.value(inner, type_node(spec["type"]), prefix + name, faults)
        faults.extend(
            f"{prefix}{name}: required property is missing"
            for name, spec in fields.items()
            if spec["flags"] & _REQUIRED and name not in value
        )


def _check_string(value: Any, node: Node, path: str, faults: list[str]) -> None:
    if not isinstance(value, str):
        faults.append(f"{path}: {value!r} must be text")
        return
    low, high = node.get("minLength", 0), node.get("maxLength")
    if len(value) < low or (high is not None and len(value) > high):
        faults.append(f"{path}: {value!r} has {len(value)} characters, allowed are {low} to {high or 'any number'}")
    pattern = node.get("pattern")
    if pattern and not _compiled(pattern).search(value):
        faults.append(f"{path}: {value!r} does not match {pattern}")


def _check_integer(value: Any, node: Node, path: str, faults: list[str]) -> None:
    if path.rsplit(".", 1)[-1] in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            faults.append(f"{path}: {value!r} must be a number")
            return
    elif isinstance(value, bool) or not isinstance(value, int):
        faults.append(f"{path}: {value!r} must be a whole number")
        return
    low, high = node.get("minValue"), node.get("maxValue")
    if (low is not None and value < low) or (high is not None and value > high):
        faults.append(f"{path}: {value} is not between {low} and {high}")


def _check_boolean(value: Any, _node: Node, path: str, faults: list[str]) -> None:
    if not isinstance(value, bool):
        faults.append(f"{path}: {value!r} must be true or false")


def _check_literal(value: Any, node: Node, path: str, faults: list[str]) -> None:
    if value != node["value"]:
        faults.append(f"{path}: {value!r} must be {node['value']!r}")


_SCALARS = {
    "StringType": _check_string,
    "IntegerType": _check_integer,
    "BooleanType": _check_boolean,
    "StringLiteralType": _check_literal,
}
