"""`amlplatform init` and `amlplatform onboard`: what they write, and that a fault leaves everything as it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml
from engine_support import PRODUCT, REQUEST, ROOT, LiveProject, Result, amlplatform, explained

from amlplatform.live.write import write_all

GUID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
OTHER_GUID = "3f2504e0-4f89-41d3-9a0c-0305e82c3302"


@pytest.fixture
def live(new_live_project: Callable[[], LiveProject]) -> LiveProject:
    return new_live_project()


def contents(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, to compare it before and after."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def onboard(live: LiveProject, request: Path = REQUEST, *options: str) -> Result:
    return amlplatform("onboard", request, "--project", live.folder, *options)


def changed_request(folder: Path, changes: Mapping[str, str]) -> Path:
    text = REQUEST.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "proposal.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def without_subscription(result: Result) -> list[str]:
    return [line for line in result.stderr.splitlines() if "has no subscription" in line]


def stack_file(live: LiveProject, environment: str) -> Path:
    return live.folder / "stacks" / f"Pulumi.{PRODUCT}-{environment}.yaml"


# --- init -------------------------------------------------------------------------------------------


def test_a_new_live_project_has_the_program_of_infra(live: LiveProject) -> None:
    files = contents(live.folder)
    assert set(files) == {
        ".gitignore",
        "Pulumi.yaml",
        "README.md",
        "__main__.py",
        "policy-pack/PulumiPolicy.yaml",
        "policy-pack/__main__.py",
        "requests/.gitkeep",
        "requirements.txt",
        "stacks/.gitkeep",
    }
    for name in ("Pulumi.yaml", "__main__.py", "policy-pack/PulumiPolicy.yaml", "policy-pack/__main__.py"):
        assert files[name] == (ROOT / "infra" / name).read_bytes(), f"{name}: infra is a live project, too"
    version = amlplatform("--version").stdout.split()[-1]
    pins = files["requirements.txt"].decode()
    assert f"# amlplatform=={version}\n" in pins
    # The name is on no public index: nothing that pip runs may ask for it before a person says where it comes from.
    installed = [line.split("==")[0] for line in pins.splitlines() if line and not line.startswith("#")]
    assert installed == ["pulumi", "pulumi-azure-native", "pulumi-policy"]


def test_an_empty_folder_may_be_used(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    assert amlplatform("init", tmp_path / "there").returncode == 0
    assert amlplatform("init", tmp_path / "new" / "deep").returncode == 0


@pytest.mark.engine
def test_a_new_live_project_works_at_once(live: LiveProject, pulumi_cli: Path) -> None:
    assert onboard(live).returncode == 0
    result = live.pulumi("preview", f"{PRODUCT}-dev")
    assert result.returncode == 0, explained(result)


# --- onboard ----------------------------------------------------------------------------------------


def test_onboard_writes_request_and_stack_files(live: LiveProject) -> None:
    result = onboard(live, REQUEST, "--subscription", f"dev={GUID}")
    assert result.returncode == 0, explained(result)
    assert (live.folder / "requests" / f"{PRODUCT}.yaml").read_bytes() == REQUEST.read_bytes()
    shared = {"amlplatform:request": f"requests/{PRODUCT}.yaml", "azure-native:location": "westeurope"}
    dev, prod = (stack_file(live, name).read_text(encoding="utf-8") for name in ("dev", "prod"))
    assert yaml.safe_load(dev) == {"config": {**shared, "azure-native:subscriptionId": GUID}}
    assert yaml.safe_load(prod) == {"config": shared}
    advice = "Pulumi takes ARM_SUBSCRIPTION_ID or the login's; give --subscription prod=GUID"
    assert f"  # azure-native:subscriptionId is not set; {advice}\n" in prod
    assert without_subscription(result) == [f"warning: {PRODUCT}-prod has no subscription; {advice}"]
    assert "open a pull request with these files" in result.stdout
    for command in ("amlplatform plan", f"amlplatform offline -- pulumi up -s {PRODUCT}-dev"):
        assert command in result.stdout


def test_onboard_a_second_time_changes_nothing(live: LiveProject) -> None:
    onboard(live, REQUEST, "--subscription", f"dev={GUID}")
    before = {path: path.stat().st_mtime_ns for path in live.folder.rglob("*")}
    again = onboard(live, REQUEST, "--subscription", f"dev={GUID}")
    assert again.returncode == 0, explained(again)
    assert again.stdout.startswith(f"{PRODUCT}: nothing changed; requests/{PRODUCT}.yaml and the stack files are up to")
    assert "pull request" not in again.stdout
    assert len(without_subscription(again)) == 1
    assert {path: path.stat().st_mtime_ns for path in live.folder.rglob("*")} == before


def test_onboard_shows_what_changes_and_keeps_what_others_wrote(live: LiveProject, tmp_path: Path) -> None:
    onboard(live)
    prod = stack_file(live, "prod")
    added = prod.read_text(encoding="utf-8").replace("westeurope", "West Europe  # as the portal writes it")
    added += (
        "  azure-native:tenantId: " + OTHER_GUID + "\n  amlplatform:token:\n    secure: v1:abc\nencryptionsalt: v1:x\n"
    )
    prod.write_text(added, encoding="utf-8")
    result = onboard(live, changed_request(tmp_path, {"monthly_budget: 500": "monthly_budget: 600"}))
    assert result.returncode == 0, explained(result)
    assert "-    monthly_budget: 500" in result.stdout
    assert "+    monthly_budget: 600" in result.stdout
    assert prod.read_text(encoding="utf-8") == added
    # A subscription that is given later takes the place of the comment, and nothing else moves.
    later = onboard(live, tmp_path / "proposal.yaml", "--subscription", f"prod={GUID}")
    assert later.returncode == 0, explained(later)
    comment = next(line for line in added.splitlines() if "ARM_SUBSCRIPTION_ID" in line)
    expected = added.replace(comment.strip(), f"azure-native:subscriptionId: {GUID}")
    assert prod.read_text(encoding="utf-8") == expected
    assert [line.split()[1] for line in without_subscription(later)] == [f"{PRODUCT}-dev"]


def test_a_stack_file_without_subscription_gets_the_comment_once(live: LiveProject) -> None:
    flow = f"config: {{'amlplatform:request': requests/{PRODUCT}.yaml, 'azure-native:location': x}}\n"
    stack_file(live, "dev").write_text("config:\n    azure-native:tenantId: x\n", encoding="utf-8")
    stack_file(live, "prod").write_text(flow, encoding="utf-8")
    for _ in range(2):
        result = onboard(live)
        assert result.returncode == 0, explained(result)
        assert len(without_subscription(result)) == 2
        assert (
            stack_file(live, "dev").read_text(encoding="utf-8").count("\n    # azure-native:subscriptionId is not") == 1
        )
        assert stack_file(live, "prod").read_text(encoding="utf-8") == flow


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        "config:\n",
        "config:\n    azure-native:tenantId: x\n",
        "config: # with a remark\n  # and another\n\n  azure-native:tenantId: x\nsecretsprovider: passphrase\n",
        "secretsprovider: passphrase\nconfig:\n  'amlplatform:request': requests/old.yaml\n  z: {a: 1}\n",
        "secretsprovider: passphrase",
    ],
)
def test_stack_files_of_any_form_get_our_keys(live: LiveProject, text: str) -> None:
    path = stack_file(live, "dev")
    path.write_text(text, encoding="utf-8")
    before = yaml.safe_load(text) or {}
    result = onboard(live, REQUEST, "--subscription", f"dev={GUID}")
    assert result.returncode == 0, explained(result)
    ours = {
        "amlplatform:request": f"requests/{PRODUCT}.yaml",
        "azure-native:location": "westeurope",
        "azure-native:subscriptionId": GUID,
    }
    wanted = {**before, "config": {**(before.get("config") or {}), **ours}}
    after = path.read_text(encoding="utf-8")
    assert yaml.safe_load(after) == wanted
    assert set(text.splitlines()) - set(after.splitlines()) <= {"  'amlplatform:request': requests/old.yaml"}


# --- Bad input: one line, exit code 1, nothing changed --------------------------------------------------


def only_line(result: Result, code: int = 1) -> str:
    assert result.returncode == code, explained(result)
    assert "Traceback" not in result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, explained(result)
    return lines[0]


@pytest.mark.parametrize(
    ("changes", "options", "says"),
    [
        (
            {"data_scientists: 3f2504e0-4f89-41d3-9a0c-0305e82c3301": 'data_scientists: ""'},
            [],
            "groups.data_scientists: ''",
        ),
        ({"max_nodes: 1}\n    compute": "max_nodes: many}\n    compute"}, [], "gpu_cluster.max_nodes: 'many'"),
        ({"cost_centre:": "cost_center:"}, [], "cost_center"),
        ({}, ["--subscription", GUID], "must be ENVIRONMENT=GUID; for example 'dev="),
        ({}, ["--subscription", f"test={GUID}"], "'test' is not in the request; it has dev, prod"),
        ({}, ["--subscription", "dev=1234"], "--subscription dev: '1234' must be a GUID"),
        ({}, ["--subscription", "dev=00000000-0000-0000-0000-000000000000"], "must be a GUID"),
        ({}, [f"--subscription=dev={GUID}", f"--subscription=dev={OTHER_GUID}"], "'dev' is given twice"),
    ],
)
def test_a_request_or_subscription_that_cannot_be_used(
    live: LiveProject, tmp_path: Path, changes: dict[str, str], options: list[str], says: str
) -> None:
    before = contents(live.folder)
    result = onboard(live, changed_request(tmp_path, changes), *options)
    assert result.returncode == 1, explained(result)
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert contents(live.folder) == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name_suffix: o3x26": "name_suffix: aaaaa"}, "name_suffix: 'aaaaa' differs from the onboarded request"),
        ({"region: westeurope": "region: northeurope"}, "region: 'northeurope' differs from the onboarded request"),
    ],
)
def test_what_is_fixed_at_onboarding(live: LiveProject, tmp_path: Path, change: dict[str, str], says: str) -> None:
    assert onboard(live).returncode == 0
    before = contents(live.folder)
    assert says in only_line(onboard(live, changed_request(tmp_path, change)))
    assert contents(live.folder) == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"config:\n  azure-native:subscriptionId: {OTHER_GUID}\n", "azure-native:subscriptionId: is '3f2504e0"),
        ("config: {a: 1}\n", "is written in a form that is not changed here; add by hand: amlplatform:request:"),
        ("config: [a]\n", "config: must be a mapping"),
        ("config: {a\n", "is not YAML"),
    ],
)
def test_a_stack_file_that_cannot_be_kept(live: LiveProject, text: str, says: str) -> None:
    stack_file(live, "prod").write_text(text, encoding="utf-8")
    before = contents(live.folder)
    assert says in only_line(onboard(live, REQUEST, "--subscription", f"prod={GUID}"))
    assert contents(live.folder) == before


def test_no_request_and_no_project(live: LiveProject, tmp_path: Path) -> None:
    assert "no such file" in only_line(onboard(live, tmp_path / "none.yaml"))
    (tmp_path / "empty").mkdir()
    for command in (("onboard", REQUEST), ("offline",)):
        tail = ("--", "true") if command == ("offline",) else ()
        result = amlplatform(*command, "--project", tmp_path / "empty", *tail)
        assert "no Pulumi.yaml in" in only_line(result)
        result = amlplatform(*command, "--project", tmp_path / "none", *tail)
        assert "is not a folder" in only_line(result)
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_folder_that_cannot_become_a_live_project(live: LiveProject, tmp_path: Path) -> None:
    before = contents(live.folder)
    assert "is not empty; name a new folder" in only_line(amlplatform("init", live.folder))
    assert "is inside the live project" in only_line(amlplatform("init", live.folder / "inner"))
    assert contents(live.folder) == before
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert "is not a folder" in only_line(amlplatform("init", tmp_path / "file"))
    assert "cannot be made" in only_line(amlplatform("init", tmp_path / "file" / "below"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "live project"]


@pytest.mark.slow
def test_a_command_that_cannot_be_run_offline(live: LiveProject) -> None:
    assert "COMMAND: is missing; for example" in only_line(amlplatform("offline", "--project", live.folder), code=2)
    assert "'nonsense' is not on PATH; for example" in only_line(live.offline("nonsense"))
    stack_file(live, "dev").write_text("config: [a]\n", encoding="utf-8")
    assert "config: must be a mapping" in only_line(live.offline("true"))
    stack_file(live, "dev").unlink()
    (live.folder / "Pulumi.yaml").write_text("name: [", encoding="utf-8")
    assert "Pulumi.yaml: is not YAML" in only_line(live.offline("nonsense"))
    (live.folder / "Pulumi.yaml").write_text("runtime: python\n", encoding="utf-8")
    assert "Pulumi.yaml: name: is missing" in only_line(live.offline("nonsense"))
    (live.folder / "Pulumi.yaml").write_text("name: x\nstackConfigDir: ../stacks\n", encoding="utf-8")
    assert "stackConfigDir: '../stacks' must be inside the project" in only_line(live.offline("nonsense"))
    assert not (live.offline_folder / "project" / "stacks").exists()


@pytest.mark.engine
def test_a_stack_without_a_file_is_not_made(live: LiveProject, pulumi_cli: Path) -> None:
    onboard(live)
    line = only_line(live.pulumi("up", "digit-scorin-dev"))
    assert "'digit-scorin-dev' has no file stacks/Pulumi.digit-scorin-dev.yaml" in line
    assert f"there are: {PRODUCT}-dev, {PRODUCT}-prod" in line
    assert not list(live.folder.rglob("digit-scorin-dev*"))


def test_all_files_are_written_or_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old", encoding="utf-8")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "in the way").touch()
    with pytest.raises(OSError, match="c"):
        write_all({tmp_path / "a": b"new", tmp_path / "b": b"new", tmp_path / "c": b"new"})
    assert (tmp_path / "a").read_text(encoding="utf-8") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c"]


def test_the_home_of_the_package_is_a_live_project_that_is_up_to_date(tmp_path: Path) -> None:
    home = tmp_path / "infra"
    for name in ("Pulumi.yaml", "__main__.py", "requests", "stacks"):
        source, target = ROOT / "infra" / name, home / name
        target.parent.mkdir(exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    result = amlplatform("onboard", REQUEST, "--project", home)
    assert "nothing changed" in result.stdout + result.stderr
    assert contents(home / "stacks") == contents(ROOT / "infra" / "stacks")
