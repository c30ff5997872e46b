"""The documented ways lead to rest from everything that a hostile Azure, or a killed engine, leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from engine_support import PRODUCT, REQUEST, LiveProject, Result, amlplatform, counts, explained, find_cli

from amlplatform.cloud import calls
from amlplatform.cloud.hindrances import hostility, soft_delete
from amlplatform.passing_errors import found_in, pass_with_time

pytestmark = [pytest.mark.engine, pytest.mark.slow]

MOST_UPS = 4
"""How often `up` may be needed once roles spread in seconds."""
STACKS = {environment: f"{PRODUCT}-{environment}" for environment in ("dev", "prod")}


def new_project(folder: Path) -> LiveProject:
    project = LiveProject(folder)
    for arguments in (("init", project.folder), ("onboard", REQUEST, "--project", project.folder)):
        result = amlplatform(*arguments)
        assert result.returncode == 0, explained(result)
    return project


def hostile(project: LiveProject, verb: str, stack: str, *options: str) -> Result:
    """A Pulumi command against an Azure that is as slow to agree as it can be."""
    yes = ["--yes"] if verb in ("up", "destroy", "refresh") else []
    command = ["pulumi", verb, "--stack", stack, *yes, "--color=never", *options]
    return amlplatform("offline", "--hostile", "--project", project.folder, "--", *command)


def hostile_up(project: LiveProject, stack: str) -> list[Result]:
    """`up` until it succeeds, as the documentation says. Returns every run."""
    results: list[Result] = []
    while len(results) < MOST_UPS:
        results.append(hostile(project, "up", stack, "--skip-preview"))
        if results[-1].returncode == 0:
            return results
    raise AssertionError(explained(results[-1]))


@dataclass(frozen=True)
class AtRest:
    """Both environments, brought up in a hostile Azure: the first run of each, and those until there was rest."""

    project: LiveProject
    first: dict[str, Result]
    others: dict[str, list[Result]]


@pytest.fixture(scope="module")
def at_rest(pulumi_cli: Path, tmp_path_factory: pytest.TempPathFactory) -> AtRest:
    project = new_project(tmp_path_factory.mktemp("hostile") / "live")
    first: dict[str, Result] = {}
    others: dict[str, list[Result]] = {}
    for environment, stack in STACKS.items():
        with project.azure() as azure:
            azure.set_setting(hostility.SETTING, {"role_spread_s": 3600})
        first[environment] = hostile(project, "up", stack, "--skip-preview")
        # Time passes.
        with project.azure() as azure:
            azure.set_setting(hostility.SETTING, {})
        others[environment] = hostile_up(project, stack)
    return AtRest(project, first, others)


@pytest.mark.parametrize("environment", STACKS)
def test_up_comes_too_early_and_again_leads_to_rest(at_rest: AtRest, environment: str) -> None:
    first = at_rest.first[environment]
    assert first.returncode != 0, "Azure agreed at once: nothing was tried"
    assert 'Status=403 Code="AuthorizationFailed"' in first.stdout, explained(first)
    assert pass_with_time(found_in(first.stdout)), "amlplatform explain says: run it again"
    assert counts(at_rest.others[environment][-1])["unchanged"] > 30, "what was made by the first run is kept"


def test_the_provider_waits_out_what_it_can_and_the_program_avoids_the_rest(at_rest: AtRest) -> None:
    with at_rest.project.azure() as azure:
        codes = Counter(call.code for call in calls.recorded(azure))
    assert codes["SubscriptionRequestsThrottled"] > 10
    said = [*at_rest.first.values(), *(run for runs in at_rest.others.values() for run in runs)]
    assert not [run for run in said if "SubscriptionRequestsThrottled" in run.stdout]
    assert codes["PrincipalNotFound"] == 0, "each role says what its principal is"
    assert codes["ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"] == 0


@pytest.mark.parametrize("stack", STACKS.values())
def test_ids_in_another_casing_are_no_change(at_rest: AtRest, stack: str) -> None:
    assert "/resourcegroups/" in str(at_rest.project.checkpoint(stack)), "Azure wrote them as they were sent"
    for verb in ("preview", "refresh", "preview"):
        options = ["--skip-preview"] if verb == "refresh" else ["--diff"]
        result = hostile(at_rest.project, verb, stack, "--expect-no-changes", *options)
        assert result.returncode == 0, explained(result)


def test_what_is_deleted_comes_back_once_its_names_are_free(at_rest: AtRest, tmp_path: Path) -> None:
    project, stack = at_rest.project.copied_to(tmp_path / "live"), STACKS["dev"]
    destroyed = hostile(project, "destroy", stack, "--skip-preview")
    assert destroyed.returncode == 0, explained(destroyed)
    refused = hostile(project, "up", stack, "--skip-preview")
    assert refused.returncode != 0
    assert 'Code="ConflictError" Message="A vault with the same name already exists in deleted state.' in refused.stdout
    assert not pass_with_time(found_in(refused.stdout)), "nobody waits for what does not pass"
    with project.azure() as azure:
        names = {document["type"]: document["id"] for document in soft_delete.deleted(azure)}
        assert set(names) == {"Microsoft.KeyVault/vaults", "Microsoft.MachineLearningServices/workspaces"}
        for arm_id in names.values():
            soft_delete.purge(arm_id, azure)
    hostile_up(project, stack)


# --- A killed engine --------------------------------------------------------------------------------


def path() -> str:
    cli = find_cli()
    return os.pathsep.join([*([str(cli.parent)] if cli else []), os.environ["PATH"]])


def killed_up(project: LiveProject, stack: str, after: int) -> None:
    """`pulumi up`, killed with -9 when so many resources are there and others are under way."""
    pid = project.folder / "engine.pid"
    script = f'echo $$ > "{pid}"; exec pulumi up --stack {stack} --yes --skip-preview'
    command = [
        sys.executable,
        "-m",
        "amlplatform",
        "offline",
        "--project",
        str(project.folder),
        "--",
        "sh",
        "-c",
        script,
    ]
    process = subprocess.Popen(
        command, env={**os.environ, "PATH": path()}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        end = time.monotonic() + 120
        while time.monotonic() < end and process.poll() is None:
            with project.azure() as azure:
                made = [call for call in calls.recorded(azure) if call.method == "PUT"]
            if sum(call.status == 200 for call in made) >= after and any(call.status is None for call in made):
                os.kill(int(pid.read_text(encoding="ascii")), signal.SIGKILL)
                break
            time.sleep(0.1)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 128 + signal.SIGKILL, output


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_the_documented_way_repairs_what_a_killed_engine_leaves(pulumi_cli: Path, tmp_path: Path) -> None:
    project, stack = new_project(tmp_path / "live"), STACKS["dev"]
    assert project.pulumi("preview", stack).returncode == 0
    with project.azure() as azure:
        azure.set_setting(hostility.SETTING, {"write_s": 0.5})
    killed_up(project, stack, after=12)
    with project.azure() as azure:
        azure.set_setting(hostility.SETTING, {})
        there = {document["id"] for document in azure.all()}

    locked = project.pulumi("up", stack, "--skip-preview")
    assert locked.returncode != 0
    assert "the stack is currently locked by 1 lock(s)" in locked.stderr + locked.stdout
    cancelled = project.offline("pulumi", "cancel", "--stack", stack, "--yes")
    assert cancelled.returncode == 0, explained(cancelled)

    pending = project.checkpoint(stack)["deployment"]["pending_operations"]
    assert pending, "the engine was killed at rest: nothing was tried"
    file = project.folder / "state.json"
    steps = [
        project.offline("pulumi", "stack", "export", "--stack", stack, "--file", file),
        amlplatform("interrupted", file),
        project.offline("pulumi", "stack", "import", "--stack", stack, "--file", file),
        project.pulumi("refresh", stack, "--skip-preview"),
        project.pulumi("up", stack, "--skip-preview"),
        project.pulumi("preview", stack, "--expect-no-changes", "--diff"),
    ]
    for step in steps:
        assert step.returncode == 0, explained(step)
    assert "deleted" not in counts(steps[4]), "what was made is kept"
    with project.azure() as azure:
        assert there <= {document["id"] for document in azure.all()}
    assert project.checkpoint(stack)["deployment"].get("pending_operations", []) == []
