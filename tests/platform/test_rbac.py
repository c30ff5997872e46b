"""Microsoft's roles: the pack is Microsoft's, wildcards and exceptions are evaluated as Azure does, conditions hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amlplatform import delegation
from amlplatform.rbac import build, conditions, permissions
from amlplatform.rbac.permissions import Assignment, Permission, definition
from amlplatform.roles import ROLES

SHARED = Path(__file__).resolve().parents[3] / "shared" / "roles" / "built-in-roles.json"
GROUP = "/subscriptions/s/resourceGroups/rg"
WRITE = "Microsoft.Authorization/roleAssignments/write"
ATTRIBUTE = "@Request[Microsoft.Authorization/roleAssignments:"
READER, OWNER = ROLES["Reader"].role_id, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
SERVICE, TEAM = "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "3f2504e0-4f89-41d3-9a0c-0305e82c3302"


def role(name: str) -> permissions.RoleDefinition:
    return next(role for role in permissions.built_in().values() if role.name == name)


def test_every_role_that_is_given_is_in_the_pack() -> None:
    missing = [name for name, known in ROLES.items() if known.role_id not in permissions.built_in()]
    assert not missing, f"run python -m amlplatform.rbac.build: {missing}"
    assert {role.name for role in permissions.built_in().values()} >= {"Owner", "User Access Administrator"}


def test_the_pack_is_what_microsoft_says() -> None:
    if not SHARED.is_file():
        pytest.skip(f"{SHARED} is not here")
    packed = json.loads(build.PACK.read_text(encoding="utf-8"))
    assert packed["roles"] == build.build(SHARED)
    assert build.PACK.read_text(encoding="utf-8") == build.text(packed["roles"], packed["asOf"])


def test_a_source_without_a_role_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "roles.json"
    source.write_text("[]", encoding="utf-8")
    with pytest.raises(build.PackError, match="has no role AcrPull, AcrPush"):
        build.build(source)


@pytest.mark.parametrize(
    ("name", "action", "allowed"),
    [
        ("Contributor", "Microsoft.Storage/storageAccounts/write", True),
        ("Contributor", "microsoft.storage/STORAGEACCOUNTS/listkeys/action", True),
        ("Contributor", WRITE, False),
        ("Contributor", "Microsoft.Authorization/locks/write", False),
        ("Locks Contributor", "Microsoft.Authorization/locks/write", True),
        ("Reader", "Microsoft.KeyVault/vaults/read", True),
        ("Reader", "Microsoft.KeyVault/vaults/write", False),
        ("AzureML Data Scientist", "Microsoft.MachineLearningServices/workspaces/jobs/write", True),
        ("AzureML Data Scientist", "Microsoft.MachineLearningServices/workspaces/computes/write", False),
        ("Managed Identity Operator", "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", True),
        ("Managed Identity Operator", "Microsoft.ManagedIdentity/userAssignedIdentities/write", False),
        ("Owner", WRITE, True),
    ],
)
def test_what_roles_allow(name: str, action: str, allowed: bool) -> None:
    assert role(name).allows(action) is allowed


def test_actions_on_data_are_others() -> None:
    blob = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
    assert role("Storage Blob Data Reader").allows(blob, data=True)
    assert not role("Storage Blob Data Reader").allows(blob)
    assert not role("Owner").allows(blob, data=True)


def test_roles_add_up_and_hold_downwards() -> None:
    """What one role leaves out, another may give; an exception takes nothing away from another role."""
    narrow = definition("1", "n", [{"actions": ["*"], "notActions": ["Microsoft.Network/*/delete"]}])
    other = definition("2", "o", [{"actions": ["Microsoft.Network/virtualNetworks/delete"]}])
    given = [Assignment(GROUP, narrow, SERVICE), Assignment(f"{GROUP}/providers/X/y/net", other, SERVICE)]
    net, action = f"{GROUP}/providers/X/y/net/subnets/a", "Microsoft.Network/virtualNetworks/delete"
    assert [entry.role.name for entry in permissions.allowing(given, action, net)] == ["o"]
    assert permissions.allowing(given, action, f"{GROUP}/providers/X/y/net2") == []
    assert permissions.allowing(given, "Microsoft.Storage/x/read", f"{GROUP.upper()}/providers/Z/z/z") == given[:1]
    # rg is not above rg-2.
    assert permissions.allowing(given, "Microsoft.Storage/x/read", f"{GROUP}-2") == []
    assert not Permission(actions=("Microsoft.Storage/*/read",)).allows("Microsoft.StorageSync/a/read")


# --- Conditions -------------------------------------------------------------------------------------


def given(source: str, role_id: str, principal: str, kind: str) -> conditions.Facts:
    action = WRITE if source == "Request" else WRITE.replace("write", "delete")
    values = {"RoleDefinitionId": role_id, "PrincipalId": principal, "PrincipalType": kind}
    return conditions.role_assignment_facts(action, source, values)


@pytest.mark.parametrize("source", ["Request", "Resource"])
def test_our_delegation_means_what_it_says(source: str) -> None:
    condition = delegation.condition([READER], [TEAM])
    assert conditions.holds(condition, given(source, READER.upper(), SERVICE, "ServicePrincipal"))
    assert conditions.holds(condition, given(source, READER.replace("-", ""), TEAM, "Group"))
    assert not conditions.holds(condition, given(source, OWNER, SERVICE, "ServicePrincipal"))
    assert not conditions.holds(condition, given(source, READER, SERVICE, "User"))
    # Nothing is known of the assignment: nothing is fulfilled.
    assert not conditions.holds(condition, conditions.Facts(given(source, READER, TEAM, "Group").action))
    # What is not about roles is not restricted.
    assert conditions.holds(condition, conditions.Facts("Microsoft.Storage/storageAccounts/write"))


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (f"NOT (ActionMatches{{'{WRITE}'}})", False),
        (
            f"{ATTRIBUTE}PrincipalType] StringEquals 'Group' || ActionMatches{{'{WRITE}'}}",
            True,
        ),
        (
            f"{ATTRIBUTE}RoleDefinitionId] ForAnyOfAllValues:GuidNotEquals {{{OWNER}, {READER}}}",
            False,
        ),
        (
            f"{ATTRIBUTE}RoleDefinitionId] ForAnyOfAllValues:GuidNotEquals {{{OWNER}}}",
            True,
        ),
    ],
)
def test_the_language(condition: str, holds: bool) -> None:
    assert conditions.holds(condition, given("Request", READER, SERVICE, "ServicePrincipal")) is holds


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "@Resource[HasObotoken] BoolEquals true",
        "ActionMatches{'a'",
        "ActionMatches{'a'} ActionMatches{'b'}",
        "@Environment[UtcNow] DateTimeLessThan '2030-01-01'",
    ],
)
def test_what_cannot_be_evaluated_is_not_fulfilled(condition: str) -> None:
    with pytest.raises(conditions.ConditionError, match="condition: cannot be evaluated"):
        conditions.holds(condition, conditions.Facts(WRITE))
