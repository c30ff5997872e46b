"""The Azure ML workspace, its data stores and registries of models."""

from __future__ import annotations

from collections.abc import Iterator

from amlplatform.policies import arm
from amlplatform.policies.checks import each, equals, given, where
from amlplatform.policies.rule import (
    EVERYWHERE,
    NOT_IN_DEV,
    Context,
    Resource,
    ResourceRule,
    Rule,
    Stack,
    StackRule,
)
from amlplatform.policies.values import ABSENT, at, in_group, is_known, is_known_id, shown

_CONTAINERS = "blobservices/default/containers"
_CONTAINER_KEYS = ("filesystem", "containerName")
_PARTS = ("storageAccount", "keyVault", "containerRegistry", "applicationInsights")


def _accounts(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    """A data store names an account of the stack, or one of another group (a central lake)."""
    accounts = {in_group(one.arm_id) for one in stack.of(arm.STORAGE)}
    if not all(is_known_id(one.arm_id) for one in stack.of(arm.STORAGE)):
        return
    groups = {in_group(one.arm_id).partition("/providers/")[0] for one in stack.of(arm.GROUP)}
    containers = {in_group(one.arm_id) for one in stack.of(arm.CONTAINER)}
    for store in stack.of(arm.DATASTORE):
        name, group = at(store.body, "properties.accountName"), at(store.body, "properties.resourceGroup")
        if not (is_known(name) and is_known(group)):
            continue
        address = f"resourcegroups/{group}".lower()
        account = f"{address}/providers/microsoft.storage/storageaccounts/{name}"
        if address in groups and account not in accounts:
            yield store, f"properties.accountName is {shown(name)}, which the environment no longer has"
        container = next((at(store.body, f"properties.{key}") for key in _CONTAINER_KEYS if _has(store, key)), ABSENT)
        if account in accounts and is_known(container) and f"{account}/{_CONTAINERS}/{container}" not in containers:
            yield store, f"it is on container {shown(container)}, which the environment no longer has"


def _has(store: Resource, key: str) -> bool:
    return at(store.body, f"properties.{key}") is not ABSENT


def _missing_parts(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    """A workspace names resources of its own group, which are in the stack, or central ones of another group."""
    present = {in_group(one.arm_id) for one in stack.resources}
    groups = {in_group(one.arm_id) for one in stack.of(arm.GROUP) if is_known_id(one.arm_id)}
    for workspace in stack.of(arm.ML_WORKSPACE):
        for part in _PARTS:
            value = at(workspace.body, f"properties.{part}")
            if not is_known(value) or not is_known_id(str(value)):
                continue
            address = in_group(str(value))
            if address.partition("/providers/")[0] in groups and address not in present:
                yield workspace, f"properties.{part} names a resource that the environment no longer has"


def _registry_region(resource: Resource, _context: Context) -> Iterator[str]:
    regions = at(resource.body, "properties.regionDetails")
    if regions is ABSENT or regions == []:
        yield "properties.regionDetails is not set, must name where models are kept"


RULES: tuple[Rule, ...] = (
    ResourceRule(
        name="workspace-acts-by-identity",
        protects="The workspace reads its storage and its vault with an identity of its own: no keys are handed around",
        remedy="set identity UserAssigned, primaryUserAssignedIdentity and systemDatastoresAuthMode Identity",
        severity=EVERYWHERE,
        sources=(
            "PSRule AZR-000407",
            "azure-policy 5f0c7d88",
        ),
        types=(arm.ML_WORKSPACE,),
        check=each(
            equals("identity.type", "UserAssigned"),
            given("identity.userAssignedIdentities"),
            given("properties.primaryUserAssignedIdentity"),
            equals("properties.systemDatastoresAuthMode", "Identity"),
        ),
    ),
    ResourceRule(
        name="workspace-high-business-impact",
        protects="Microsoft collects less diagnostic data, and scratch disks are encrypted",
        remedy="set hbiWorkspace to true; it is fixed when the workspace is made",
        severity=NOT_IN_DEV,
        sources=("DMZ Deny-MachineLearning-HbiWorkspace",),
        types=(arm.ML_WORKSPACE,),
        check=equals("properties.hbiWorkspace", True),
    ),
    ResourceRule(
        name="workspace-has-its-parts",
        protects="Azure ML makes what is missing itself: a registry with an admin password, without tags",
        remedy="name storage account, key vault, container registry and Application Insights",
        severity=EVERYWHERE,
        sources=("AML concept-workspace",),
        types=(arm.ML_WORKSPACE,),
        check=where("kind", "Default", then=each(*(given(f"properties.{part}") for part in _PARTS))),
    ),
    StackRule(
        name="workspace-parts-are-there",
        protects="What the workspace is made of stays in the program: taking it out would delete it",
        remedy="keep the resource, or name a central one",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.ML_WORKSPACE,),
        check=_missing_parts,
    ),
    ResourceRule(
        name="workspace-current-api",
        protects="Jobs, models and endpoints go through Azure Resource Manager, where roles and logs are",
        remedy="set v1LegacyMode to false, and kind to Default",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.ML_WORKSPACE,),
        check=each(equals("properties.v1LegacyMode", False), equals("kind", "Default")),
    ),
    ResourceRule(
        name="datastore-without-credentials",
        protects="Data is read with the identity of who reads it; no key or secret lies in a data store",
        remedy="set credentialsType None, and the workspace's identity for the service itself",
        severity=EVERYWHERE,
        sources=("CAF best-practices/azure-machine-learning",),
        types=(arm.DATASTORE,),
        check=each(
            equals("properties.credentials.credentialsType", "None"),
            equals("properties.serviceDataAccessAuthIdentity", "WorkspaceUserAssignedIdentity"),
            equals("properties.protocol", "https"),
        ),
    ),
    StackRule(
        name="datastore-has-its-account",
        protects="The lake that data stores name is part of the environment: taking it out of the program would delete "
        "the data",
        remedy="keep the account, or name a central lake",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.DATASTORE, arm.STORAGE),
        check=_accounts,
    ),
    ResourceRule(
        name="model-registry-by-identity",
        protects="A registry of models has an identity and says where its models are kept",
        remedy="set identity and regionDetails",
        severity=EVERYWHERE,
        sources=("own",),
        types=(arm.ML_REGISTRY,),
        check=each(equals("identity.type", "SystemAssigned", "UserAssigned"), _registry_region),
    ),
)
