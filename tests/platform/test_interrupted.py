"""After a killed `pulumi up`: the state gets what was being made, by the ids that its inputs tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from amlplatform.cli import app
from amlplatform.interrupted import StateError, completed

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-churn-dev"
URN = "urn:pulumi:churn-dev::amlplatform::amlplatform:environment:Environment"


def entry(token: str, name: str, **inputs: Any) -> dict[str, Any]:
    return {"urn": f"{URN}${token}::{name}", "custom": True, "type": token, "inputs": inputs}


ACCOUNT = entry("azure-native:storage:StorageAccount", "lake", resourceGroupName="rg-churn-dev", accountName="dlchurn")
PROVIDER = {"urn": "urn:p", "type": "pulumi:providers:azure-native", "inputs": {"subscriptionId": SUBSCRIPTION}}
MADE = {**entry("azure-native:resources:ResourceGroup", "group", resourceGroupName="rg-churn-dev"), "id": GROUP}


def exported(*pending: dict[str, Any], resources: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    operations = [{"resource": resource, "type": "creating"} for resource in pending]
    return {
        "version": 3,
        "deployment": {"resources": resources or [PROVIDER], "pending_operations": operations},
        **more,
    }


def test_what_was_being_made_is_put_among_the_resources() -> None:
    before = exported(ACCOUNT)
    state, (found,) = completed(before)
    assert (found.name, found.arm_id) == ("lake", f"{GROUP}/providers/Microsoft.Storage/storageAccounts/dlchurn")
    added = state["deployment"]["resources"][-1]
    assert added == {**ACCOUNT, "id": found.arm_id, "outputs": ACCOUNT["inputs"]}
    assert state["deployment"]["pending_operations"] == []
    assert before == exported(ACCOUNT), "the exported state is left as it is"


def test_the_subscription_is_that_of_the_provider_or_of_what_is_there() -> None:
    _state, (found,) = completed(exported(ACCOUNT, resources=[MADE]))
    assert found.arm_id.startswith(GROUP)
    _state, (unknown,) = completed(exported(ACCOUNT, resources=[{"urn": "urn:stack", "type": "pulumi:pulumi:Stack"}]))
    assert "give --subscription GUID" in unknown.why
    _state, (given,) = completed(exported(ACCOUNT, resources=[{"urn": "urn:stack", "type": "x"}]), SUBSCRIPTION)
    assert given.arm_id == f"{GROUP}/providers/Microsoft.Storage/storageAccounts/dlchurn"


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        (MADE, "the state has it already: it was being replaced"),
        (entry("random:index:RandomId", "id"), "nothing is known of random:index:RandomId"),
        (
            entry("azure-native:storage:StorageAccount", "a", accountName="a1b2"),
            "its id cannot be told from its inputs",
        ),
    ],
)
def test_what_cannot_be_told_stays_pending(resource: dict[str, Any], why: str) -> None:
    state, (found,) = completed(exported(resource, resources=[PROVIDER, MADE]))
    assert found.why == why
    assert state["deployment"] == exported(resource, resources=[PROVIDER, MADE])["deployment"]


def test_interrupted_updates_and_deletions_are_for_refresh() -> None:
    state = exported()
    state["deployment"]["pending_operations"] = [{"resource": MADE, "type": "deleting"}]
    assert completed(state) == (state, [])


def test_no_state_is_refused() -> None:
    with pytest.raises(StateError, match="this is no state; write one with pulumi stack export"):
        completed({"deployment": None})


def test_the_command_writes_the_file_and_says_what_it_did(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text(json.dumps(exported(ACCOUNT, MADE, resources=[PROVIDER, MADE])), encoding="utf-8")
    result = CliRunner().invoke(app, ["interrupted", str(file)])
    assert result.exit_code == 0, result.output
    assert f"lake: {GROUP}/providers/Microsoft.Storage/storageAccounts/dlchurn" in result.stdout
    assert "group: still pending" in result.stdout
    assert "warning: group: the state has it already" in result.stderr
    again = CliRunner().invoke(app, ["interrupted", str(file)])
    assert "lake" not in again.stdout
    assert json.loads(file.read_text(encoding="utf-8"))["deployment"]["resources"][-1]["id"].endswith("/dlchurn")


@pytest.mark.parametrize("content", ["", "[]", "{}", "not json"])
def test_a_wrong_file_is_one_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "state.json"
    file.write_text(content, encoding="utf-8")
    result = CliRunner().invoke(app, ["interrupted", str(file)])
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("FILE: ")
    assert file.read_text(encoding="utf-8") == content
    assert CliRunner().invoke(app, ["interrupted", str(tmp_path / "absent")]).exit_code == 1
