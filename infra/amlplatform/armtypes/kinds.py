"""What is known of one kind of resource: Pulumi's token, ARM's type, the API version, how an id is formed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

GROUP = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class NestedRename:
    """A property inside an input that the SDK calls otherwise than ARM. `path`: the inputs that lead to its object;
    lists are gone through item by item."""

    path: tuple[str, ...]
    sdk: str
    arm: str


@dataclass(frozen=True)
class ResourceType:
    """One kind of resource.

    `id_template` has the inputs that form the id in braces, `name_input` is the one that holds the resource's own name
    ("" where the id ends in a fixed name).
    `renames` are the inputs whose ARM name the SDK changed beyond case and underscores, `query_inputs` those that are
    sent as query parameters. `nested`: the SDK shows ARM's `properties` as one output and does not lay them flat.
    `boxes`: what the SDK lays flat also below the first level (see flattening.py).
    """

    token: str
    arm_type: str
    api_version: str
    id_template: str
    name_input: str
    renames: Mapping[str, str] = field(default_factory=dict)
    query_inputs: frozenset[str] = frozenset()
    nested: bool = False
    nested_renames: tuple[NestedRename, ...] = ()
    boxes: tuple[str, ...] = ()

    @property
    def address_inputs(self) -> frozenset[str]:
        """The inputs that are part of the request's address, and therefore not of the body."""
        return frozenset(_PLACEHOLDER.findall(self.id_template)) | self.query_inputs

    def own_name(self, inputs: Mapping[str, object]) -> str:
        """The resource's own name: that of the input, or the one that its id always ends with; "" when not given."""
        if not self.name_input:
            return self.id_template.rpartition("/")[2]
        return str(inputs.get(self.name_input, ""))


def in_group(
    token: str,
    arm_type: str,
    version: str,
    name_input: str,
    renames: Mapping[str, str] | None = None,
    *,
    nested: bool = False,
    nested_renames: tuple[NestedRename, ...] = (),
    boxes: tuple[str, ...] = (),
) -> ResourceType:
    template = f"{GROUP}/providers/{arm_type}/{{{name_input}}}"
    return ResourceType(
        f"azure-native:{token}",
        arm_type,
        version,
        template,
        name_input,
        renames or {},
        nested=nested,
        nested_renames=nested_renames,
        boxes=boxes,
    )


def below(
    parent: ResourceType,
    token: str,
    segments: str,
    name_input: str,
    *,
    arm_type: str | None = None,
    version: str | None = None,
    renames: Mapping[str, str] | None = None,
    query_inputs: frozenset[str] = frozenset(),
    nested: bool = False,
    boxes: tuple[str, ...] = (),
) -> ResourceType:
    """A child of `parent`, of the same API version; `segments` stand between the parent's id and the child's name."""
    return ResourceType(
        f"azure-native:{token}",
        arm_type or f"{parent.arm_type}/{segments}",
        version or parent.api_version,
        f"{parent.id_template}/{segments}/{{{name_input}}}",
        name_input,
        renames or {},
        query_inputs,
        nested,
        boxes=boxes,
    )


def on_scope(
    token: str,
    arm_type: str,
    version: str,
    name_input: str,
    *,
    scope: str = "scope",
    renames: Mapping[str, str] | None = None,
) -> ResourceType:
    """An extension of another resource, whose id is the input `scope`."""
    template = f"{{{scope}}}/providers/{arm_type}/{{{name_input}}}"
    return ResourceType(f"azure-native:{token}", arm_type, version, template, name_input, renames or {})
