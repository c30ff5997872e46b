"""The shared stack, and the commands on files that are no request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from platform_requests import ROOT, full
from test_bootstrap import bootstrap
from typer.testing import CliRunner

from amlplatform.cli import app
from amlplatform.plan import planned
from amlplatform.shared import build_shared
from amlplatform.shared_file import Shared, load_shared


def shared(**changes: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "kind": "shared",
        "name_suffix": "s4r7d",
        "owner": {"email": "platform@example.com"},
        "cost_centre": "CC-2000",
        "region": "westeurope",
        **changes,
    }


@pytest.fixture
def live(tmp_path: Path) -> Path:
    files = {"requests/digit-scoring": full(), "bootstrap/dev": bootstrap("dev"), "shared/registry": shared()}
    for name, data in files.items():
        path = tmp_path / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return tmp_path


def amlplatform(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_registry_is_closed_and_kept() -> None:
    asked = Shared.model_validate(shared())
    resources = {one.name: one for one in planned(lambda: build_shared(asked), asked.stack)}
    registry = resources["registry"]
    assert registry.faults == ()
    assert registry.protect
    properties = registry.body["properties"]
    assert properties["publicNetworkAccess"] == "Disabled"
    (region,) = properties["regionDetails"]
    (account,) = region["storageAccountDetails"]
    assert account["systemCreatedStorageAccount"] == {
        "allowBlobPublicAccess": False,
        "storageAccountHnsEnabled": False,
        "storageAccountType": "Standard_GZRS",
    }
    assert region["acrDetails"] == [{"systemCreatedAcrAccount": {"acrAccountSku": "Premium"}}]


@pytest.mark.parametrize(
    ("file", "stack", "resource"),
    [("bootstrap/dev", "bootstrap-dev", "rg-platform-dev"), ("shared/registry", "shared", "mlr-shared-s4r7d")],
)
def test_check_and_plan_take_these_files_too(live: Path, file: str, stack: str, resource: str) -> None:
    path = live / f"{file}.yaml"
    checked = amlplatform("check", path, "-o", "json")
    assert json.loads(checked.stdout) == {"valid": True, "stack": stack}
    plan = amlplatform("plan", path)
    assert plan.exit_code == 0, plan.output
    assert resource in plan.stdout
    document = json.loads(amlplatform("plan", path, "-o", "json").stdout)
    assert all(one["faults"] == [] for one in document["resources"])


@pytest.mark.parametrize("command", ["check", "plan"])
def test_a_fault_of_such_a_file_is_one_line(live: Path, command: str) -> None:
    path = live / "shared" / "registry.yaml"
    path.write_text(yaml.safe_dump(shared(public_network_access="Open")), encoding="utf-8")
    result = amlplatform(command, path)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "registry.yaml:6: public_network_access: 'Open' must be 'Enabled' or 'Disabled'; for example 'Disabled'"
    ]


@pytest.mark.parametrize(
    "words", [["prices"], ["teardown", "--environment", "dev"], ["onboard", "--project", str(ROOT / "infra")]]
)
@pytest.mark.parametrize(("file", "kind"), [("bootstrap/dev", "bootstrap"), ("shared/registry", "shared")])
def test_other_commands_say_what_it_is_and_who_takes_it(
    live: Path, monkeypatch: pytest.MonkeyPatch, file: str, kind: str, words: list[str]
) -> None:
    monkeypatch.chdir(live)
    result = amlplatform(*words, f"{file}.yaml")
    assert result.exit_code == 1
    takers = "`amlplatform check` and `amlplatform plan` take it, `pulumi up` of its stack builds it"
    assert result.stderr.splitlines() == [f"{file}.yaml: is a file of kind {kind}, not a request; {takers}"]


def test_an_unknown_kind_is_told_the_known_ones(live: Path) -> None:
    path = live / "shared" / "registry.yaml"
    path.write_text(yaml.safe_dump(shared(kind="nonsense")), encoding="utf-8")
    (line,) = amlplatform("check", path).stderr.splitlines()
    rule = "must be one of bootstrap, shared; a request has no such line; for example 'bootstrap'"
    assert line.endswith(f": kind: 'nonsense' {rule}")


def test_options_for_requests_are_refused(live: Path) -> None:
    result = amlplatform("plan", live / "bootstrap" / "dev.yaml", "--environment", "dev")
    assert result.exit_code == 1
    assert "is a file of kind bootstrap; of the options it takes only --output" in result.stderr


def test_a_shared_file_is_read(live: Path) -> None:
    assert load_shared(live / "shared" / "registry.yaml").names.ml_registry == "mlr-shared-s4r7d"
