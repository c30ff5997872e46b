"""The table of what Azure fixes at creation: complete, true to Microsoft's types, and at work in every stack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from combinations import Combination, allowed_options
from platform_requests import full
from test_bootstrap import bootstrap
from test_shared import shared as shared_file

from amlplatform.armtypes import catalogue, validator
from amlplatform.armtypes.resource_types import PLATFORM_TYPES
from amlplatform.bootstrap.model import Bootstrap
from amlplatform.bootstrap.stack import build_bootstrap
from amlplatform.components.guard import FACTS
from amlplatform.environment import build_environment
from amlplatform.fixed_properties import CREATIONS, GUARD, HOLDS_DATA, changes, facts, guarded, replaces
from amlplatform.fixed_properties.model import Fixed
from amlplatform.recorder import Registration, record
from amlplatform.request import Request
from amlplatform.shared import build_shared
from amlplatform.shared_file import Shared

pytestmark = pytest.mark.slow

Stacks = dict[str, list[Registration]]
WAITS = {
    *(f"properties.{part}" for part in ("storageAccount", "keyVault", "applicationInsights", "containerRegistry")),
    "properties.tenantId",
    "properties.administrators.sid",
    "properties.managedResourceGroupId",
}
"""Values that the program takes from other resources or from Azure."""


@pytest.fixture(scope="module")
def stacks() -> Stacks:
    """Every kind of stack as it is registered. Environments have every option that their network allows."""
    products = Request.model_validate(full())
    platform = Bootstrap.model_validate(bootstrap("prod"))
    common = Shared.model_validate(shared_file())
    found = {
        "bootstrap": record(lambda: build_bootstrap(platform, {"digit-scoring": products}), platform.stack),
        "shared": record(lambda: build_shared(common), common.stack),
    }
    for environment, network in (("prod", "own-vnet"), ("prod", "managed-vnet"), ("dev", "public-dev")):
        options = tuple(allowed_options(network))
        request = Request.model_validate(Combination(environment, network, options, ()).request())
        found[f"{environment} {network}"] = record(
            lambda request=request, environment=environment: build_environment(request, environment),
            f"digit-scoring-{environment}",
        )
    return found


def _resources(registrations: list[Registration]) -> Iterator[tuple[Registration, str]]:
    """What Azure is asked for, with its ARM type."""
    for one in registrations:
        if not one.is_component:
            yield one, catalogue.resource_type(one.token).arm_type


# --- The table ------------------------------------------------------------------------------------


def test_every_kind_of_resource_has_an_entry_and_nothing_else_has() -> None:
    assert set(CREATIONS) == {kind.arm_type for kind in PLATFORM_TYPES}


def test_what_holds_data_says_what_would_be_lost() -> None:
    assert {arm_type for arm_type in CREATIONS if guarded(arm_type)} >= HOLDS_DATA
    assert {
        "Microsoft.Storage/storageAccounts",
        "Microsoft.KeyVault/vaults",
        "Microsoft.MachineLearningServices/workspaces",
        "Microsoft.Sql/servers/databases",
        "Microsoft.EventHub/namespaces",
    } <= HOLDS_DATA


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        pytest.param(kind, fixed.path, id=f"{kind.arm_type.rpartition('/')[2]}-{fixed.path}")
        for kind in PLATFORM_TYPES
        for fixed in CREATIONS[kind.arm_type].properties
    ],
)
def test_each_property_is_in_microsofts_type_of_the_version_that_is_sent(kind: Any, path: str) -> None:
    assert _has(validator.resource_node(kind.arm_type, kind.api_version), re.split(r"\.", path))


def _has(node: dict[str, Any], path: list[str]) -> bool:
    """Whether a body of this type may have the path."""
    if not path:
        return True
    if node["$type"] == "UnionType":
        return any(_has(validator.type_node(one), path) for one in node["elements"])
    name, rest = path[0].removesuffix("[*]"), path[1:]
    candidates = [node.get("properties") or {}, node.get("baseProperties") or {}]
    found = [fields[name]["type"] for fields in candidates if name in fields]
    inner = [validator.type_node(one) for one in found]
    if path[0].endswith("[*]"):
        inner = [validator.type_node(one["itemType"]) for one in inner if one["$type"] == "ArrayType"]
    # Kinds of compute and of linked services differ, and each has its own properties.
    others = [validator.type_node(one) for one in (node.get("elements") or {}).values()]
    return any(_has(one, rest) for one in inner) or any(_has(one, path) for one in others)


@pytest.mark.parametrize(
    ("fixed", "before", "after", "refused"),
    [
        (Fixed("kind", ""), "StorageV2", "BlobStorage", True),
        # Azure returns ids in another casing, and knows a region by two names.
        (Fixed("id", ""), "/a/Microsoft.KeyVault/kv", "/a/microsoft.keyvault/kv", False),
        (Fixed("location", ""), "West Europe", "westeurope", False),
        (Fixed("days", ""), 7.0, 7, False),
        # To leave something out, or to say it for the first time, is no change.
        (Fixed("days", ""), 7, None, False),
        (Fixed("days", ""), None, 7, False),
        (Fixed("mode", "", forwards=("off", "some", "all")), "some", "all", False),
        (Fixed("mode", "", forwards=("off", "some", "all")), "some", "off", True),
        (Fixed("mode", "", forwards=("off", "some", "all")), "some", "another", False),
        (Fixed("mode", "", forwards=("off", "some", "all"), absent="off"), "some", None, True),
        (Fixed("mode", "", forwards=("off", "some", "all"), absent="off"), None, "some", False),
        (Fixed("sku", "", part=lambda sku: "Z" in sku), "GRS", "LRS", False),
        (Fixed("sku", "", part=lambda sku: "Z" in sku), "ZRS", "LRS", True),
        (Fixed("pools[*].size", ""), ["small"], ["Small"], False),
        (Fixed("pools[*].size", ""), ["small"], ["large"], True),
        (Fixed("pools[*].size", ""), ["small"], ["small", "large"], False),
        (Fixed("pools[*].size", ""), ["small", "large"], ["small"], False),
    ],
)
def test_which_changes_azure_does_not_make(fixed: Fixed, before: Any, after: Any, refused: bool) -> None:
    old, new = ({fixed.path: value} if value is not None else {} for value in (before, after))
    assert bool(list(changes([fixed], old, new))) is refused


def test_facts_are_the_values_that_a_body_has() -> None:
    body = {"kind": "web", "properties": {"pools": [{"size": "small"}, {"size": "large"}], "other": 1}}
    fixed = [Fixed("kind", ""), Fixed("properties.pools[*].size", ""), Fixed("properties.missing.deep", "")]
    assert facts(fixed, body) == {"kind": "web", "properties.pools[*].size": ["small", "large"]}


# --- The stacks -----------------------------------------------------------------------------------


def test_what_holds_data_is_protected_where_the_profile_says_so(stacks: Stacks) -> None:
    for name, registrations in stacks.items():
        durable = {one.name for one, arm_type in _resources(registrations) if arm_type in HOLDS_DATA}
        protected = {
            one.name
            for one, arm_type in _resources(registrations)
            if one.protect and arm_type != "Microsoft.Authorization/locks"
        }
        assert protected == (set() if name.startswith("dev") else durable), name
    kinds = {arm_type for registrations in stacks.values() for _, arm_type in _resources(registrations)}
    assert kinds >= HOLDS_DATA, "a kind of resource that no stack makes is not tested"


def test_the_guard_is_asked_before_each_update_of_what_may_not_be_replaced(stacks: Stacks) -> None:
    for registrations in stacks.values():
        for one, arm_type in _resources(registrations):
            assert one.hooks == ((GUARD,) if guarded(arm_type) else ()), one.name


def test_the_root_states_the_fixed_values_as_they_are_sent(stacks: Stacks) -> None:
    for registrations in stacks.values():
        (root,) = [one for one in registrations if FACTS in one.inputs]
        assert root.hooks == (GUARD,)
        assert registrations.index(root) < min(registrations.index(one) for one, _ in _resources(registrations))
        expected = {one.name: arm_type for one, arm_type in _resources(registrations) if guarded(arm_type)}
        assert {name: values["type"] for name, values in root.inputs[FACTS].items()} == expected
        for one, arm_type in _resources(registrations):
            if guarded(arm_type):
                stated = root.inputs[FACTS][one.name]
                sent = facts(CREATIONS[arm_type].properties, catalogue.arm_body(one.token, one.inputs))
                told = {path: value for path, value in sent.items() if path not in WAITS}
                assert {path: stated.get(path) for path in told} == told, one.name
                assert stated["name"] == catalogue.resource_type(one.token).own_name(one.inputs)


def test_a_workspace_is_held_to_its_parts(stacks: Stacks) -> None:
    (root,) = [one for one in stacks["prod managed-vnet"] if FACTS in one.inputs]
    stated = root.inputs[FACTS]["workspace"]
    assert {stated[f"properties.{part}"] for part in ("storageAccount", "keyVault", "applicationInsights")} == {
        "storage",
        "key-vault",
        "application-insights",
    }
    assert stated["properties.managedNetwork.isolationMode"] == "AllowOnlyApprovedOutbound"


def test_what_may_be_replaced_is_announced_under_the_sdks_names(stacks: Stacks) -> None:
    found: set[str] = set()
    for registrations in stacks.values():
        for one, arm_type in _resources(registrations):
            body = catalogue.arm_body(one.token, one.inputs)
            for path in facts([fixed for fixed in replaces(arm_type) if not fixed.arm_id], body):
                (announced,) = [
                    name for name in one.replace_on_changes if _bare(name) == _bare(path) and _finds(one.inputs, name)
                ]
                found.add(announced)
    assert found >= {
        "properties.properties.vmSize",
        "agentPoolProfiles[*].vmSize",
        "privateLinkServiceConnections[*].groupIds",
        "timePeriod.startDate",
        "dnsPrefix",
    }


def _bare(path: str) -> str:
    return path.replace("properties.", "")


def _finds(inputs: Any, path: str) -> bool:
    return bool(facts([Fixed(path, "")], inputs))
