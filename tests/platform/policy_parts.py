"""What the hand-made environment of the policies' tests is written with: resources, ids, and changes of both."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any

from amlplatform.armtypes.resource_types import RESOURCE_TYPES
from amlplatform.fixed_properties import HOLDS_DATA
from amlplatform.policies import arm
from amlplatform.policies.bounds import bounds_of
from amlplatform.policies.rule import Context, Options, Resource

LOCATION = "westeurope"
GROUP_ID = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-churn-prod"
TENANT = "00000000-0000-0000-0000-00000000000a"
SERVICE = "11111111-1111-4111-8111-111111111111"
PEOPLE = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
SUBNET = f"{GROUP_ID}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/endpoints"
TAGS = {
    "product": "churn",
    "environment": "prod",
    "owner": "owner@example.com",
    "costCentre": "CC-1000",
    "managedBy": "amlplatform",
}
REMOVED = object()
"""As a value of a change: the property is taken out."""

Body = dict[str, Any]


def _versions() -> dict[str, str]:
    return {kind.arm_type: kind.api_version for kind in RESOURCE_TYPES.values()}


VERSIONS = _versions()


def resource(
    name: str,
    arm_type: str,
    body: Body,
    *,
    scope: str = "",
    last: str = "",
    tags: bool = True,
    options: Options | None = None,
    depends_on: tuple[str, ...] = (),
) -> Resource:
    """One resource. `scope`: id of the parent or of what an extension hangs on; `last`: its own name in Azure."""
    segment = arm_type.rpartition("/")[2]
    own = last or name
    if scope and arm_type.count("/") > 1:
        full_id = f"{scope}/{segment}/{own}"
    else:
        full_id = f"{scope or GROUP_ID}/providers/{arm_type}/{own}"
    if tags:
        body = {"location": LOCATION, "tags": dict(TAGS), **body}
    return Resource(
        name,
        name,
        arm_type,
        VERSIONS[arm_type],
        full_id,
        body,
        options or Options(protect=arm_type in HOLDS_DATA),
        frozenset(depends_on),
    )


def identity_id(role: str) -> str:
    return f"{GROUP_ID}/providers/{arm.IDENTITY}/id-{role}"


def acts_as(role: str) -> Body:
    return {"type": "UserAssigned", "userAssignedIdentities": {identity_id(role): {}}}


def id_of(arm_type: str, name: str) -> str:
    return f"{GROUP_ID}/providers/{arm_type}/{name}"


def role_of(role_id: str) -> str:
    return f"/subscriptions/{GROUP_ID.split('/')[2]}/providers/Microsoft.Authorization/roleDefinitions/{role_id}"


READER = role_of("acdd72a7-3385-48ef-bd42-f606fba81ae7")
BLOB_READER = role_of("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1")
LOG_READER = role_of("73c42c96-874c-492b-b04d-ab87d138a893")


def changed(one: Resource, changes: Mapping[str, Any]) -> Resource:
    """A copy with other values. A path leads into the body; `options.protect` and the like to an option."""
    body = copy.deepcopy(dict(one.body))
    options, fields = one.options, {}
    for path, value in changes.items():
        if path.startswith("options."):
            options = dataclasses.replace(options, **{path.removeprefix("options."): value})
        elif path.startswith("resource."):
            fields[path.removeprefix("resource.")] = value
        else:
            _set(body, path, value)
    return dataclasses.replace(one, body=body, options=options, **fields)


def _set(body: Any, path: str, value: Any) -> None:
    keys: list[Any] = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in keys[:-1]:
        body = body.setdefault(key, {}) if isinstance(body, dict) else body[key]
    if value is REMOVED:
        body.pop(keys[-1], None)
    else:
        body[keys[-1]] = value


def context(environment: str = "prod", **more: Any) -> Context:
    """The context of an environment, as the rules see it."""
    return Context(environment=environment, bounds=bounds_of(environment), **more)


def in_dev(one: Resource) -> Resource:
    """The same resource, tagged as part of dev."""
    return changed(one, {"tags.environment": "dev"}) if "tags" in one.body else one
