"""What holds for every resource: known types and versions, tags, one region, no secrets, nothing left to defaults."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from amlplatform.armtypes import validator
from amlplatform.armtypes.catalogue import UNKNOWN
from amlplatform.armtypes.resource_types import RESOURCE_TYPES
from amlplatform.policies import arm
from amlplatform.policies.rule import EVERYWHERE, Context, Resource, ResourceRule, Rule, Stack, StackRule
from amlplatform.policies.secret_patterns import secret_in
from amlplatform.policies.security_properties import SECURITY_PROPERTIES, missing
from amlplatform.policies.values import ABSENT, at, is_empty, is_known, shown, texts

PREVIEW_VERSIONS: dict[str, str] = {
    arm.REGISTRY: "2023-01-01-preview",
    arm.ACTION_GROUP: "2024-10-01-preview",
    arm.DIAGNOSTICS: "2021-05-01-preview",
    arm.ROLE_DEFINITION: "2022-05-01-preview",
    arm.QUERY_ALERT: "2025-01-01-preview",
    arm.DASHBOARD: "2022-12-01-preview",
    "Microsoft.Authorization/policyExemptions": "2022-07-01-preview",
}
"""Preview API versions that are taken all the same: pulumi-azure-native 3.29.0 has no other for the type."""

TAGS = ("product", "environment", "owner", "costCentre", "managedBy")
# Types without a region of their own.
_GLOBAL = "global"


def _known(resource: Resource, _context: Context) -> Iterator[str]:
    if not resource.arm_type:
        yield "is of a type that the rules do not know, so that nothing of it was checked"


def _preview(resource: Resource, _context: Context) -> Iterator[str]:
    version = resource.api_version
    if "preview" in version and PREVIEW_VERSIONS.get(resource.arm_type) != version:
        yield f"API version {version} is a preview: it may change or go without notice"


@functools.cache
def _tagged_types() -> frozenset[str]:
    """The types whose body has tags."""
    kinds = {kind.arm_type: kind.api_version for kind in RESOURCE_TYPES.values()}
    return frozenset(one for one, version in kinds.items() if "tags" in validator.property_names(one, version)[0])


def _tags(resource: Resource, context: Context) -> Iterator[str]:
    if resource.arm_type not in _tagged_types():
        return
    absent = [tag for tag in TAGS if at(resource.body, f"tags.{tag}") in (ABSENT, "")]
    if absent:
        yield f"tags lacks {', '.join(absent)}"
    environment = at(resource.body, "tags.environment")
    if environment not in (ABSENT, "", UNKNOWN, context.environment):
        yield f"tags.environment is {shown(environment)}, must be {context.environment!r}"


def _regions(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    homes = {at(group.body, "location") for group in stack.of(arm.GROUP)} - {ABSENT, UNKNOWN}
    for resource in stack.resources:
        location = at(resource.body, "location")
        if homes and location not in (ABSENT, UNKNOWN, _GLOBAL) and location not in homes:
            yield resource, f"location is {shown(location)}, the environment is in {' and '.join(map(str, homes))}"


def _secrets(resource: Resource, _context: Context) -> Iterator[str]:
    for path, text in texts(resource.body):
        kind = secret_in(path, text)
        if kind:
            # Never the text itself: the finding goes into logs.
            yield f"{path} looks like {kind}"


def _explicit(resource: Resource, _context: Context) -> Iterator[str]:
    for path in missing(resource.arm_type, resource.body):
        yield f"{path} is not set: what it is then depends on the API version and the SDK"


def _identity(resource: Resource, _context: Context) -> Iterator[str]:
    kind = at(resource.body, "identity.type")
    if not is_known(kind) or at(resource.body, "identity.userAssignedIdentities") == UNKNOWN:
        return
    named = not is_empty(resource.body, "identity.userAssignedIdentities")
    if named is not ("UserAssigned" in str(kind)):
        state = "names" if named else "names no"
        yield f"identity.type is {shown(kind)}, and identity {state} user-assigned identities"


RULES: tuple[Rule, ...] = (
    ResourceRule(
        name="resource-type-known",
        protects="Nothing is built that no rule looks at",
        remedy="add the type to the catalogue of resource types and rules for it",
        severity=EVERYWHERE,
        sources=("own",),
        check=_known,
    ),
    ResourceRule(
        name="no-preview-api",
        protects="Environments do not rest on interfaces that Microsoft may withdraw",
        remedy="use a stable version, or add the type to the list of those that have none",
        severity=EVERYWHERE,
        sources=("pulumi/compliance-policies disallowPreviewResource",),
        check=_preview,
    ),
    ResourceRule(
        name="security-properties-explicit",
        protects="No security property depends on a default of Azure or of the SDK, which differ by version",
        remedy="set the property in the program",
        severity=EVERYWHERE,
        sources=("Key Vault access-control-default",),
        types=tuple(dict.fromkeys(one.partition("#")[0] for one in SECURITY_PROPERTIES)),
        check=_explicit,
    ),
    ResourceRule(
        name="no-secret-in-text",
        protects="No key, token, password or connection string stands in a tag, a description or a setting",
        remedy="take it out, replace it where it was valid, and use an identity or the key vault",
        severity=EVERYWHERE,
        sources=("own",),
        check=_secrets,
    ),
    ResourceRule(
        name="tags-present",
        protects="Each resource says whose it is, who pays, and which environment it belongs to",
        remedy="set the tags of the environment on it",
        severity=EVERYWHERE,
        sources=(
            "PSRule Azure.Resource.UseTags",
            "CAF self-service",
        ),
        check=_tags,
    ),
    ResourceRule(
        name="identity-fits-its-type",
        protects="A resource has the identities that its roles are given to, and Azure makes none besides them",
        remedy="name the user-assigned identities, or take SystemAssigned",
        severity=EVERYWHERE,
        sources=("own",),
        check=_identity,
    ),
    StackRule(
        name="one-region",
        protects="Data stays in the region that the request names",
        remedy="set the location of the environment",
        severity=EVERYWHERE,
        sources=("AML how-to-managed-network",),
        check=_regions,
    ),
)
