"""Taking an environment down: which steps, in which order, and what stays."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from platform_requests import full
from typer.testing import CliRunner

from amlplatform import teardown
from amlplatform.cli import app
from amlplatform.plan import Plan, plan_environment
from amlplatform.request import Request

Plans = dict[str, dict[str, Plan]]


def commands(plan: Plan) -> list[str]:
    return [" ".join(shlex.split(step.command)[:3]) for step in teardown.steps(plan) if step.command]


def test_dev_is_emptied_so_that_its_names_are_free(plans: Plans) -> None:
    plan = plans["full"]["dev"]
    assert commands(plan) == [
        "az monitor log-analytics",
        "az rest --method",
        "pulumi refresh --stack",
        "pulumi destroy --stack",
        "az keyvault purge",
        "pulumi stack rm",
    ]
    assert teardown.blocked_names(plan) == []
    (purge,) = [step.command for step in teardown.steps(plan) if "forceToPurge=true" in step.command]
    assert "/resourceGroups/rg-digit-scoring-dev/" in purge
    assert "$ARM_SUBSCRIPTION_ID" in purge
    assert "00000000-0000" not in purge, "no placeholder that nobody can use"
    assert "lock" not in teardown.record(plan), "there are none in dev"


def test_prod_is_written_down_kept_and_unprotected_first(plans: Plans) -> None:
    plan = plans["full"]["prod"]
    found = commands(plan)
    order = [
        "pulumi stack export",
        "azcopy copy",
        "pulumi state unprotect",
        "pulumi destroy --stack",
        "pulumi up --stack",
    ]
    places = [next(index for index, one in enumerate(found) if one.startswith(start)) for start in order]
    assert places == sorted(places)
    assert found.index("az lock delete") < found.index("pulumi destroy --stack")
    assert "az keyvault purge" not in found, "Azure refuses it"
    assert teardown.blocked_names(plan) == [
        "kv-digitscori-prod-k3x9a: 90 days after its deletion, because purge protection is on"
    ]


def test_ai_services_are_purged_too() -> None:
    data = full()
    data["environments"]["dev"]["options"] = {"ai_services": {}}
    plan = plan_environment(Request.model_validate(data), "dev")
    assert "az cognitiveservices account" in commands(plan)


@pytest.mark.slow
def test_the_command_changes_nothing_and_writes_a_record(write_request: Callable[..., Path], tmp_path: Path) -> None:
    request, page = write_request(), tmp_path / "teardown.md"
    words = ["teardown", str(request), "--environment", "prod"]
    result = CliRunner().invoke(app, [*words, "--record", str(page)])
    assert result.exit_code == 0, result.output
    assert "pulumi state unprotect --all --stack digit-scoring-prod --yes" in result.stdout
    assert "kv-digitscori-prod-k3x9a" in result.stderr
    text = page.read_text(encoding="utf-8")
    assert "| decided by | |" in text
    assert text.count("| | |") >= len(teardown.steps(plan_environment(Request.model_validate(full()), "prod")))
    again = CliRunner().invoke(app, [*words, "--record", str(page)])
    assert again.exit_code == 1
    assert "is there already" in again.stderr
    steps = json.loads(CliRunner().invoke(app, [*words, "-o", "json"]).stdout)
    assert steps["blocked_names"]


@pytest.mark.parametrize("environment", ["test", "nope"])
def test_an_environment_that_the_request_does_not_have_is_one_line(
    write_request: Callable[..., Path], environment: str
) -> None:
    result = CliRunner().invoke(app, ["teardown", str(write_request()), "--environment", environment])
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [f"--environment: {environment!r} is not in the request; it has dev, prod"]
