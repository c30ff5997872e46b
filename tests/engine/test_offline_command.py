"""`amlplatform offline`: what commands see, how they end, what is left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from engine_support import LiveProject, amlplatform, explained

from amlplatform.cloud.engine import environment
from amlplatform.cloud.state import SUBSCRIPTION_ID
from amlplatform.cloud.workplace import Workplace, offline_stack
from amlplatform.commands.offline import stack_of
from amlplatform.live.project import find_project

pytestmark = pytest.mark.slow

SHOW = "import json, os, sys; print(json.dumps([os.getcwd(), dict(os.environ), os.listdir()])); sys.exit(7)"


@pytest.fixture
def live(new_live_project: Callable[[], LiveProject]) -> LiveProject:
    project = new_live_project()
    (project.folder / "stacks" / "Pulumi.churn-dev.yaml").write_text("config: {}\n", encoding="utf-8")
    return project


def test_a_command_sees_no_way_to_a_real_azure(live: LiveProject) -> None:
    real = {
        "ARM_CLIENT_SECRET": "x",
        "ARM_SUBSCRIPTION_ID": "x",
        "AZURE_CLIENT_ID": "x",
        "azure_tenant_id": "x",
        "PULUMI_ACCESS_TOKEN": "x",
        "PULUMI_CONFIG_PASSPHRASE_FILE": "x",
        "IDENTITY_ENDPOINT": "x",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x",
        "HTTP_PROXY": "x",
        "no_proxy": "x",
        "grpc_proxy": "x",
        "KEPT": "x",
    }
    result = amlplatform("offline", "--project", live.folder, "--", sys.executable, "-c", SHOW, env=real)
    assert result.returncode == 7, explained(result)
    folder, variables, files = json.loads(result.stdout)
    assert {name for name in real if variables.get(name) == "x"} == {"KEPT"}
    assert Path(folder) == live.offline_folder.resolve() / "project"
    assert {"Pulumi.yaml", "__main__.py", "stacks"} <= set(files)
    assert variables["PULUMI_DEBUG_PROVIDERS"].startswith("azure-native:")
    assert variables["PULUMI_BACKEND_URL"].startswith("file://")


def test_the_copy_follows_the_project(live: LiveProject) -> None:
    helper = live.folder / "helper.py"
    helper.write_text("VALUE = 1\n", encoding="utf-8")
    copy = live.offline_folder / "project"
    assert live.offline(sys.executable, "-c", "import helper; assert helper.VALUE == 1").returncode == 0
    helper.write_text("VALUE = 22\n", encoding="utf-8")
    assert live.offline(sys.executable, "-c", "import helper; assert helper.VALUE == 22").returncode == 0
    helper.unlink()
    assert live.offline(sys.executable, "-c", "").returncode == 0
    assert not (copy / "helper.py").exists()
    assert not (copy / ".offline").exists()


def test_stack_files_are_filled_in_in_the_copy_only(live: LiveProject) -> None:
    real = live.folder / "stacks" / "Pulumi.churn-dev.yaml"
    before = real.read_bytes()
    assert live.offline(sys.executable, "-c", "").returncode == 0
    copy = live.offline_folder / "project" / "stacks" / "Pulumi.churn-dev.yaml"
    config = yaml.safe_load(copy.read_text(encoding="utf-8"))["config"]
    assert config == {"azure-native:subscriptionId": SUBSCRIPTION_ID, "azure-native:location": "westeurope"}
    assert real.read_bytes() == before


def test_the_offline_stack_file() -> None:
    real = {
        "secretsprovider": "azurekeyvault://real",
        "encryptedkey": "real",
        "config": {
            "amlplatform:request": "requests/churn.yaml",
            "azure-native:location": "northeurope",
            "a:plain": [1],
            "a:given": {"secure": "v1:real"},
            "a:hidden": {"list": [{"secure": "v1:real"}]},
        },
    }
    before = {"encryptionsalt": "v1:offline", "config": {"a:given": {"secure": "v1:offline"}, "a:gone": 1}}
    content, notes = offline_stack(real, before, "westeurope")
    assert content == {
        "config": {
            "amlplatform:request": "requests/churn.yaml",
            "azure-native:location": "northeurope",
            "a:plain": [1],
            "a:given": {"secure": "v1:offline"},
            "azure-native:subscriptionId": SUBSCRIPTION_ID,
        },
        "encryptionsalt": "v1:offline",
    }
    assert len(notes) == 1
    assert "a:hidden is encrypted with the real key" in notes[0]


@pytest.mark.parametrize(
    ("command", "stack"),
    [
        ("pulumi up -s churn-dev", "churn-dev"),
        ("pulumi up --stack=churn-dev --yes", "churn-dev"),
        ("pulumi -schurn-dev preview", "churn-dev"),
        ("/usr/bin/pulumi destroy --stack organization/amlplatform/churn-dev", "churn-dev"),
        ("pulumi stack ls", None),
        ("pulumi stack rm -s churn-dev", None),
        ("pulumi up", None),
        ("pytest -s up", None),
    ],
)
def test_which_stack_a_command_works_on(command: str, stack: str | None) -> None:
    assert stack_of(command.split()) == stack


def test_a_language_host_is_put_on_path_where_the_cli_has_none(
    live: LiveProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    workplace = Workplace(find_project(live.folder))
    bare, official, starters = tmp_path / "bare", tmp_path / "official", tmp_path / "starters"
    for folder in (bare, official, starters):
        folder.mkdir()
    for name in (bare / "pulumi", official / "pulumi", official / "pulumi-language-python"):
        name.touch()
    environment(workplace, official / "pulumi", starters)
    assert list(starters.iterdir()) == []
    path = environment(workplace, bare / "pulumi", starters)["PATH"].split(os.pathsep)
    assert path[0] == str(starters)
    (starter,) = starters.iterdir()
    assert starter.stem == "pulumi-language-python"
    assert sys.executable in starter.read_text(encoding="utf-8")


ME = """
import base64, json, os, urllib.request
address = os.environ["IDENTITY_ENDPOINT"] + "?resource=https://management.azure.com"
header = {"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]}
token = json.load(urllib.request.urlopen(urllib.request.Request(address, headers=header)))["access_token"]
print(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["oid"])
"""


def test_a_command_runs_as_an_identity_or_not_at_all(live: LiveProject) -> None:
    identity = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg/providers/Microsoft.ManagedIdentity"
    identity += "/userAssignedIdentities/id-ci"
    ids = {"principalId": "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "clientId": "3f2504e0-4f89-41d3-9a0c-0305e82c3302"}
    with live.azure() as azure:
        azure.put({"id": identity, "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "properties": ids})
    command = ("--project", live.folder, "--", sys.executable, "-c", ME)
    ran = amlplatform("offline", "--as", ids["clientId"], *command)
    assert ran.stdout.strip() == ids["principalId"], explained(ran)
    by_environment = amlplatform("offline", *command, env={"AMLPLATFORM_OFFLINE_IDENTITY": identity})
    assert by_environment.stdout.strip() == ids["principalId"], explained(by_environment)
    refused = amlplatform("offline", "--as", "id-nobody", *command)
    assert refused.returncode == 1
    assert refused.stderr == (
        "--as: 'id-nobody' is no identity of the offline Azure: give its ARM id, client id or object id; there are: "
        "id-ci\n"
    )


def test_a_hostility_that_cannot_be_is_one_line(live: LiveProject) -> None:
    with live.azure() as azure:
        azure.set_setting("hostility", {"role_spread_s": "long"})
    refused = live.offline(sys.executable, "-c", "")
    assert refused.returncode == 1
    assert refused.stderr == "setting hostility: role_spread_s: 'long' must be a number that is not negative\n"


# --- How it ends ------------------------------------------------------------------------------------

WAIT = "import os, time; print(os.environ['PULUMI_DEBUG_PROVIDERS'], flush=True); time.sleep(60)"


def start(live: LiveProject, code: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "amlplatform",
        "offline",
        "--project",
        str(live.folder),
        "--",
        sys.executable,
        "-c",
        code,
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, encoding="utf-8")


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline().rsplit(":", 1)[-1])


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def closed_within(seconds: float, port: int) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not is_open(port):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_leaves_nothing_running(live: LiveProject, number: signal.Signals) -> None:
    process = start(live, WAIT)
    port = port_of(process)
    assert is_open(port)
    process.send_signal(number)
    assert process.wait(20) == 128 + number
    assert not is_open(port)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_the_provider_goes_when_it_is_left_alone(live: LiveProject) -> None:
    # The command must end by itself, nobody stops it when its starter is killed.
    process = start(live, WAIT.replace("60", "3"))
    port = port_of(process)
    process.kill()
    process.wait(20)
    assert closed_within(10, port)


def test_reset_empties_everything_and_is_refused_while_a_command_runs(live: LiveProject) -> None:
    assert live.offline(sys.executable, "-c", "").returncode == 0
    process = start(live, WAIT)
    port_of(process)
    refused = amlplatform("offline", "--reset", "--project", live.folder)
    assert refused.returncode == 1
    assert "is at work" in refused.stderr
    process.terminate()
    process.wait(20)
    reset = amlplatform("offline", "--reset", "--project", live.folder)
    assert reset.returncode == 0, explained(reset)
    left = [path.name for path in live.offline_folder.rglob("*") if path.is_file()]
    assert left == ["lock.sqlite"]


# --- With the engine --------------------------------------------------------------------------------

SMALL = """
import pulumi
from pulumi_azure_native import resources, storage

group = resources.ResourceGroup("rg", resource_group_name="rg-churn", location="westeurope")
account = storage.StorageAccount(
    "account", resource_group_name=group.name, account_name="stchurndev", location="westeurope", kind="StorageV2",
    sku={"name": "Standard_LRS"},
)
pulumi.export("blob", account.primary_endpoints.apply(lambda endpoints: endpoints.blob))
print("said by the program")
"""


@pytest.fixture
def small(pulumi_cli: Path, tmp_path: Path) -> LiveProject:
    """A project with a program of its own: two resources, no request."""
    project = LiveProject(tmp_path / "small project")
    (project.folder / "stacks").mkdir(parents=True)
    settings = "name: small\nruntime: {name: python, options: {virtualenv: .venv}}\nstackConfigDir: stacks\n"
    (project.folder / "Pulumi.yaml").write_text(settings, encoding="utf-8")
    (project.folder / "stacks" / "Pulumi.churn-dev.yaml").write_text("", encoding="utf-8")
    (project.folder / "__main__.py").write_text(SMALL, encoding="utf-8")
    return project


@pytest.mark.engine
def test_a_program_of_ones_own(small: LiveProject) -> None:
    result = small.pulumi("up", "churn-dev")
    assert result.returncode == 0, explained(result)
    assert "said by the program" in result.stdout
    assert "https://stchurndev.blob.core.windows.net/" in result.stdout
    assert "warning" not in result.stdout + result.stderr
    assert len(small.ids()) == 2


@pytest.mark.engine
def test_azures_refusals_and_the_programs_own_faults_reach_the_person(small: LiveProject) -> None:
    other = "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/rg-other"
    taken = {"id": f"{other}/providers/Microsoft.Storage/storageAccounts/stchurndev", "name": "stchurndev"}
    assert small.offline(sys.executable, "-c", "").returncode == 0
    with small.azure() as azure:
        azure.put({**taken, "type": "Microsoft.Storage/storageAccounts"})
    refused = small.pulumi("up", "churn-dev", "--skip-preview")
    assert refused.returncode != 0
    message = 'Code="StorageAccountAlreadyTaken" Message="The storage account named stchurndev is already taken."'
    assert message in refused.stdout, explained(refused)

    (small.folder / "__main__.py").write_text(
        "import pulumi\nraise pulumi.RunError('request: is wrong')\n", encoding="utf-8"
    )
    failed = small.pulumi("preview", "churn-dev")
    assert failed.returncode != 0
    assert failed.stdout.count("error: request: is wrong") <= 2, explained(failed)
    assert "Traceback" not in failed.stdout
    (small.folder / "__main__.py").write_text("def boom():\n    raise ValueError('boom')\nboom()\n", encoding="utf-8")
    failed = small.pulumi("preview", "churn-dev")
    assert failed.returncode != 0
    assert "ValueError: boom" in failed.stdout
    assert "language_host" not in failed.stdout, explained(failed)


@pytest.mark.engine
def test_secrets_given_offline_stay_offline(small: LiveProject) -> None:
    real = small.folder / "stacks" / "Pulumi.churn-dev.yaml"
    real.write_text("secretsprovider: azurekeyvault://real\nencryptedkey: real\nconfig:\n  small:x: {secure: v1:a:b}\n")
    before = real.read_bytes()
    given = small.offline("pulumi", "config", "set", "--secret", "small:x", "offline value", "--stack", "churn-dev")
    assert given.returncode == 0, explained(given)
    assert "note: stacks/Pulumi.churn-dev.yaml: small:x is encrypted with the real key" in given.stderr
    shown = small.offline("pulumi", "config", "get", "small:x", "--stack", "churn-dev")
    assert shown.stdout.strip() == "offline value", explained(shown)
    assert "note:" not in shown.stderr
    assert real.read_bytes() == before
