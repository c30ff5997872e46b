"""Names and shapes agree with the SDK, for every kind of resource in the catalogue."""

from __future__ import annotations

import importlib
import re

import pytest
from pulumi import _types as pulumi_types

from amlplatform.armtypes import catalogue, validator
from amlplatform.cloud import shapes


def sdk_class(token: str) -> type:
    _, module, name = token.split(":")
    return getattr(importlib.import_module(f"pulumi_azure_native.{module}"), name)


def sdk_outputs(token: str) -> set[str]:
    """The outputs that the SDK's class has, as they are called on the wire."""
    return {wire_name for _, wire_name, _ in pulumi_types._py_properties(sdk_class(token))}


@pytest.mark.parametrize("token", sorted(catalogue.RESOURCE_TYPES))
def test_outputs_are_those_of_the_sdk(token: str) -> None:
    kind = catalogue.resource_type(token)
    ours = set(shapes.preview(kind, {}))
    theirs = sdk_outputs(token)
    assert theirs - ours == set(), "an output that a program may ask for is missing in a preview"


@pytest.mark.parametrize("token", sorted(catalogue.RESOURCE_TYPES))
def test_properties_are_nested_where_the_sdk_nests_them(token: str) -> None:
    nested = "properties" in shapes.outputs(catalogue.resource_type(token), {"name": "x", "properties": {"a": 1}})
    assert nested == ("properties" in sdk_outputs(token))


@pytest.mark.parametrize("token", sorted(catalogue.RESOURCE_TYPES))
def test_every_arm_property_has_one_name(token: str) -> None:
    kind = catalogue.resource_type(token)
    envelope, properties = validator.property_names(kind.arm_type, kind.api_version)
    names = [shapes.property_name(kind, name) for name in {*envelope.values(), *properties.values()}]
    assert all(re.fullmatch(r"[a-z][A-Za-z0-9]*", name) for name in names)
