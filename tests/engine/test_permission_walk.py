"""Every call is made by an identity that may make it, by Microsoft's role definitions and by what bootstrap gave.

A person runs the bootstrap stack; prod is then brought up by its `infra` identity and looked at by its `plan` identity.
The offline Azure records each call with the rights that it needed and refuses what the caller's roles do not allow.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from engine_support import ROOT, LiveProject, Result, amlplatform, counts, explained

from amlplatform.cloud import authorization, calls
from amlplatform.rbac import conditions, permissions

sys.path.insert(0, str(ROOT / "tests" / "platform"))

from platform_requests import full
from test_bootstrap import bootstrap

pytestmark = pytest.mark.engine

PRODUCT = "digit-scoring"
OWNER, ACCESS_ADMINISTRATOR = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
ROLE_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
"""Storage Blob Data Reader: jobs read the lake with it."""
STACK, BOOTSTRAP = f"{PRODUCT}-prod", "bootstrap-prod"


@dataclass(frozen=True)
class Walk:
    """A live project in which the bootstrap stack and prod are up."""

    project: LiveProject
    clients: dict[str, str]
    """Client ids of the identities that the bootstrap stack made, by role."""
    up: Result
    first_call: int
    """The number of the first call of prod's `up`."""

    def as_identity(self, role: str, *words: str) -> Result:
        command = ("offline", "--project", self.project.folder, "--", "pulumi", *words, "--color=never")
        return amlplatform(*command, env={"AMLPLATFORM_OFFLINE_IDENTITY": self.clients[role]})


@pytest.fixture(scope="module")
def walk(pulumi_cli: Path, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    folder = tmp_path_factory.mktemp("walk")
    request = folder / "request.yaml"
    request.write_text(yaml.safe_dump(full()), encoding="utf-8")
    project = LiveProject(folder / "live")
    for arguments in (("init", project.folder), ("onboard", request, "--project", project.folder)):
        result = amlplatform(*arguments)
        assert result.returncode == 0, explained(result)
    (project.folder / "bootstrap").mkdir()
    (project.folder / "bootstrap" / "prod.yaml").write_text(yaml.safe_dump(bootstrap("prod")), encoding="utf-8")
    stack_file = {"config": {"amlplatform:request": "bootstrap/prod.yaml", "azure-native:location": "westeurope"}}
    (project.folder / "stacks" / f"Pulumi.{BOOTSTRAP}.yaml").write_text(yaml.safe_dump(stack_file), encoding="utf-8")
    made = project.pulumi("up", BOOTSTRAP, "--skip-preview")
    assert made.returncode == 0, explained(made)
    resources = project.checkpoint(BOOTSTRAP)["deployment"]["resources"]
    outputs = next(one["outputs"] for one in resources if one["type"] == "pulumi:pulumi:Stack")
    clients = {role: outputs[f"{STACK}_{role}_client_id"] for role in ("infra", "plan")}
    with project.azure() as azure:
        first = calls.last(azure)
    started = Walk(project, clients, made, first)
    up = started.as_identity("infra", "up", "--stack", STACK, "--yes", "--skip-preview")
    assert up.returncode == 0, explained(up)
    return Walk(project, clients, up, first)


def test_the_bootstrap_stack_changes_nothing_the_second_time(walk: Walk) -> None:
    again = walk.project.pulumi("preview", BOOTSTRAP, "--expect-no-changes")
    assert again.returncode == 0, explained(again)


def test_the_environment_does_not_make_its_own_group(walk: Walk) -> None:
    resources = walk.project.checkpoint(STACK)["deployment"]["resources"]
    assert not [one for one in resources if one["type"].endswith(":ResourceGroup")]
    assert counts(walk.up)["created"] > 60


def test_nothing_was_denied_and_every_call_was_made_by_the_environments_identity(walk: Walk) -> None:
    with walk.project.azure() as azure:
        made = calls.recorded(azure, walk.first_call)
        denied = [(call.method, call.arm_id, call.code) for call in made if call.status == 403]
        callers = {call.caller for call in made if call.method != "GET"}
    assert len(made) > 60
    assert denied == []
    assert len(callers) == 1, "somebody else took part"


def test_each_right_is_found_in_a_role_of_the_caller(walk: Walk) -> None:
    """Held against Microsoft's role definitions here, and not only while the calls were made."""
    with walk.project.azure() as azure:
        made = [call for call in calls.recorded(azure, walk.first_call) if call.method != "GET"]
        assignments = authorization.assignments(made[0].caller, azure)
        needed = {right for call in made for right in call.rights}
        missing = [
            right
            for right in needed
            if "roleAssignments" not in right.action  # these depend on what is given, see below
            and not permissions.allowing(assignments, right.action, right.scope)
        ]
    assert len(needed) > 40
    assert missing == []


def test_rights_that_are_not_used_are_known(walk: Walk) -> None:
    """Roles that no call needed: none but those for the data plane, which Resource Manager never sees."""
    with walk.project.azure() as azure:
        made = [call for call in calls.recorded(azure, walk.first_call) if call.method != "GET"]
        assignments = authorization.assignments(made[0].caller, azure)
        used = {
            assignment.role.name
            for assignment in assignments
            for call in made
            for right in call.rights
            if assignment.covers(right.scope) and assignment.role.allows(right.action)
        }
        unused = {assignment.role.name for assignment in assignments} - used
    assert unused == {"Storage Blob Data Contributor", "Key Vault Crypto User"}


def test_the_identity_cannot_give_anybody_more_than_the_table_says(walk: Walk) -> None:
    with walk.project.azure() as azure:
        made = [call for call in calls.recorded(azure, walk.first_call) if call.method != "GET"]
        delegated = [one for one in authorization.assignments(made[0].caller, azure) if one.condition]
    assert delegated
    action = "Microsoft.Authorization/roleAssignments/write"
    somebody = "5d1f9c3e-0000-4000-8000-00000000000a"

    def may(role: str, kind: str) -> bool:
        attributes = {"RoleDefinitionId": role, "PrincipalType": kind, "PrincipalId": somebody}
        facts = conditions.role_assignment_facts(action, "Request", attributes)
        return all(conditions.holds(one.condition, facts) for one in delegated)

    assert may(READER, "ServicePrincipal")
    for role in (OWNER, ACCESS_ADMINISTRATOR, ROLE_ADMINISTRATOR):
        assert not may(role, "ServicePrincipal"), "who gets it could give itself anything"
    assert not may(READER, "User"), "no person in prod"
    assert not may(READER, "Group")


def test_the_plan_identity_looks_and_does_not_touch(walk: Walk, tmp_path: Path) -> None:
    copied = Walk(walk.project.copied_to(tmp_path / "live"), walk.clients, walk.up, walk.first_call)
    seen = copied.as_identity("plan", "preview", "--stack", STACK, "--expect-no-changes")
    assert seen.returncode == 0, explained(seen)
    with copied.project.azure() as azure:
        document = next(
            one for one in azure.all() if one["type"] == "Microsoft.KeyVault/vaults" and "kv-digit" in one["id"]
        )
        azure.put({**document, "tags": {"owner": "somebody.else@example.com"}})
    drift = copied.as_identity("plan", "refresh", "--stack", STACK, "--preview-only")
    assert drift.returncode == 0, explained(drift)
    refused = copied.as_identity("plan", "up", "--stack", STACK, "--yes", "--skip-preview", "--refresh")
    assert refused.returncode != 0
    assert "AuthorizationFailed" in refused.stdout + refused.stderr, explained(refused)
    with copied.project.azure() as azure:
        after = azure.get(document["id"])
    assert after is not None
    assert after["tags"] == {"owner": "somebody.else@example.com"}
