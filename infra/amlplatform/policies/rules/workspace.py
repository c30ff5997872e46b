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

_PARTS = ("storageAccount", "keyVault", "containerRegistry", "applicationInsights")


def _accounts(stack: Stack, _context: Context) -> Iterator[tuple[Resource, str]]:
    """A data store names an account of the stack, or one of another group (a central lake)."""
    accounts = {in_group(one.arm_id) for one in stack.of(arm.STORAGE)}
    if not all(is_known_id(one.arm_id) for one in stack.of(arm.STORAGE)):
        return
    groups = {in_group(one.arm_id).partition("/providers/")[0] for one in stack.of(arm.GROUP)}
    for store in stack.of(arm.DATASTORE):
        name, group = at(store.body, "properties.accountName"), at(store.body, "properties.resourceGroup")
        if not (is_known(name) and is_known(group)):
            continue
        address = f"resourcegroups/{group}".lower()
        if address in groups and f"{address}/providers/microsoft.storage/storageaccounts/{name}" not in accounts:
            yield store, f"properties.accountName is {shown(name)}, which the environment no longer has"


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
