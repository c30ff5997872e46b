"""What the provider adds to a resource's inputs, and what it refuses before Azure is asked."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2

from amlplatform import sdktypes
from amlplatform.armtypes import catalogue
from amlplatform.armtypes.catalogue import ResourceType
from amlplatform.cloud import wire
from amlplatform.cloud.shapes import API_VERSION

RANDOM_NAME = "__createBeforeDelete"
"""Marks inputs whose name was made up; the real provider keeps it under this key."""
_OWN_INPUTS = frozenset({API_VERSION, RANDOM_NAME})
_Autonaming = provider_pb2.CheckRequest.AutonamingOptions


def without_own_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that are meant for Azure."""
    return {name: value for name, value in inputs.items() if name not in _OWN_INPUTS}


def missing_inputs(
    kind: ResourceType, request: provider_pb2.CheckRequest, old: Mapping[str, Any], location: str | None
) -> dict[str, Any]:
    """Name, location and API version, where the program gave none.

    `old` are the inputs of the resource as it is, `location` the one to take for a new resource.
    """
    inputs = wire.plain(request.news)
    added: dict[str, Any] = {}
    if kind.name_input and kind.name_input not in inputs:
        added |= _name(kind, old, request)
    if "location" not in inputs and _has_location(kind) and (old.get("location") or location):
        added["location"] = old.get("location") or location
    if API_VERSION not in inputs:
        added[API_VERSION] = kind.api_version
    return added


def _name(kind: ResourceType, old: Mapping[str, Any], request: provider_pb2.CheckRequest) -> dict[str, Any]:
    if kind.name_input in old:
        kept = {kind.name_input: old[kind.name_input]}
        return {**kept, RANDOM_NAME: True} if old.get(RANDOM_NAME) else kept
    seed = hashlib.sha256(request.randomSeed or request.urn.encode()).hexdigest()
    mode = request.autonaming.mode if request.HasField("autonaming") else _Autonaming.PROPOSE
    if mode == _Autonaming.DISABLE:
        return {}
    if kind.arm_type == "Microsoft.Authorization/roleAssignments" and mode != _Autonaming.ENFORCE:
        name = str(uuid.UUID(seed[:32]))
    else:
        name = request.autonaming.proposed_name or f"{request.urn.rsplit('::', 1)[-1]}{seed[:8]}"
    return {kind.name_input: name, RANDOM_NAME: True}


def _has_location(kind: ResourceType) -> bool:
    """Whether a program may say where. Microsoft's types list a location also where only Azure sets it."""
    return "location" in sdktypes.input_names(kind.token)


def faults(kind: ResourceType, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Property and reason of each fault: parts of the id that are missing, the name's pattern, the SDK's types."""
    for name in sorted(kind.address_inputs - kind.query_inputs - {"subscriptionId"}):
        if name not in inputs:
            yield name, f"missing required property '{name}'"
    if kind.name_input in inputs:
        for reason in catalogue.check_name(kind.token, str(inputs[kind.name_input])):
            yield kind.name_input, reason
    for reason in sdktypes.check_inputs(kind.token, without_own_inputs(inputs)):
        yield reason.split(":", 1)[0], reason
