"""A resource as pulumi-azure-native shows it: ARM's `properties` are laid flat beside the rest, names begin in lower
case.

The way back, from inputs to an ARM body, is in `amlplatform.armtypes.catalogue`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from amlplatform.armtypes import catalogue, flattening, validator
from amlplatform.armtypes.catalogue import UNKNOWN, ResourceType
from amlplatform.cloud.settable import settable
from amlplatform.cloud.state import Document

# `id` is not a property but the resource's identity; the API version is added by name below.
_ADDRESS = frozenset({"id", "apiVersion"})
_ALWAYS = ("name", "type")
API_VERSION = "azureApiVersion"


def property_name(kind: ResourceType, arm_name: str) -> str:
    """`Application_Type` is `applicationType`, `networkAcls` of a storage account is `networkRuleSet`."""
    renamed = {arm.lower(): ours for ours, arm in kind.renames.items()}.get(arm_name.lower())
    if renamed:
        return renamed
    first, *rest = arm_name.split("_")
    return first[:1].lower() + first[1:] + "".join(part[:1].upper() + part[1:] for part in rest)


def outputs(kind: ResourceType, document: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of a resource that exists."""
    top = {_top_name(kind, key): value for key, value in document.items() if key not in _ADDRESS}
    if kind.boxes and isinstance(top.get("properties"), Mapping):
        node = validator.resource_node(kind.arm_type, kind.api_version)["properties"]["properties"]
        top["properties"] = flattening.laid_flat(top["properties"], validator.type_node(node["type"]), kind.boxes)
    inner = {} if kind.nested else top.pop("properties", {})
    named = {property_name(kind, key): value for key, value in inner.items()}
    # What stands at the top wins: components of Application Insights have a `Name` among their properties, too.
    return {**catalogue.renamed(kind, {**named, **top}, to_arm=False), API_VERSION: kind.api_version}


def _top_name(kind: ResourceType, arm_name: str) -> str:
    """Of every resource's name and type the SDK changes nothing; a property of the same name may be renamed."""
    return arm_name if arm_name in _ALWAYS else property_name(kind, arm_name)


def preview(kind: ResourceType, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of a resource that is yet to be made: what the inputs say; everything else is unknown."""
    known = {name: inputs.get(name, UNKNOWN) for name in _output_names(kind)}
    if isinstance(known.get("identity"), Mapping):
        known["identity"] = _identity(known["identity"])
    return {**known, API_VERSION: kind.api_version}


def _identity(identity: Mapping[str, Any]) -> dict[str, Any]:
    computed = {"principalId": UNKNOWN, "tenantId": UNKNOWN}
    assigned = identity.get("userAssignedIdentities")
    if assigned:
        computed["userAssignedIdentities"] = UNKNOWN
    return {**identity, **computed}


def _output_names(kind: ResourceType) -> set[str]:
    envelope, properties = validator.property_names(kind.arm_type, kind.api_version)
    top = {_top_name(kind, name) for name in (*_ALWAYS, *envelope.values())}
    if kind.nested:
        return top
    return top - {"properties"} | {property_name(kind, name) for name in properties.values()}


def inputs_from_document(kind: ResourceType, arm_id: str, document: Document) -> dict[str, Any]:
    """The inputs that would make this resource, for `pulumi import`: its address, and whatever a request may set."""
    pattern = re.sub(r"\\\{(\w+)\\\}", _named_group, re.escape(kind.id_template))
    match = re.fullmatch(pattern, arm_id, re.IGNORECASE)
    address = {name: value for name, value in match.groupdict().items() if name != "subscriptionId"} if match else {}
    return {**_as_inputs(kind, document), **address}


def inputs_from_outputs(kind: ResourceType, shown: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a resource's outputs that inputs can set. Two of these are compared to find what changed in Azure."""
    if kind.nested:
        # The resource's own type must not become that of its properties, which say of what kind they are, too.
        shown = {name: value for name, value in shown.items() if name not in (*_ALWAYS, API_VERSION)}
    return _as_inputs(kind, catalogue.arm_body(kind.token, shown))


def _as_inputs(kind: ResourceType, document: Mapping[str, Any]) -> dict[str, Any]:
    inputs = outputs(kind, settable(kind, document))
    del inputs[API_VERSION]
    if not inputs.get("properties", True):
        del inputs["properties"]
    identity = inputs.get("identity")
    if isinstance(identity, Mapping) and isinstance(identity.get("userAssignedIdentities"), Mapping):
        # A map in ARM, a list of ids in the SDK's inputs.
        inputs["identity"] = {**identity, "userAssignedIdentities": list(identity["userAssignedIdentities"])}
    return inputs


def _named_group(match: re.Match[str]) -> str:
    # A scope is an id of its own, with slashes.
    return f"(?P<{match[1]}>{'.+' if match[1] == 'scope' else '[^/]+'})"
