"""What people and machines are shown of a plan."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from platform_requests import ROOT, full
from typer.testing import CliRunner

from amlplatform import armtemplate, changes, comparison, report
from amlplatform.armtypes import catalogue
from amlplatform.cli import app, run
from amlplatform.costs.items import NO_METER, FixedCost
from amlplatform.plan import Plan, plan_environment
from amlplatform.recorder import SUBSCRIPTION_ID
from amlplatform.request import Request, RequestError

pytestmark = pytest.mark.slow

Plans = dict[str, dict[str, Plan]]


class Page(HTMLParser):
    """Tags, addresses and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action")]
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_data(self, data: str) -> None:
        self.text += data


def both(plans: Plans) -> list[Plan]:
    return list(plans["full"].values())


def test_the_page_stands_alone(plans: Plans) -> None:
    page = Page(report.html(both(plans)))
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert all(address.startswith("#") and address[1:] in page.ids for address in page.addresses)
    for plan in both(plans):
        for resource in plan.resources:
            if resource.concern != "access":
                assert resource.azure_name in page.text, resource.name
        for family in plan.quota:
            assert family.family in page.text
    for grant in {grant for plan in both(plans) for grant in plan.grants}:
        assert grant.why in page.text


def test_the_page_says_what_differs(plans: Plans) -> None:
    page = Page(report.html(both(plans))).text
    for words in ("Access over the internet", "Managed network for jobs", "Nothing can be purged before its time"):
        assert words in page
    assert "no person and no group of people has a role" in re.sub(r"\s+", " ", page)


def test_a_page_of_one_environment(plans: Plans) -> None:
    page = Page(report.html([plans["full"]["prod"]]))
    assert "differences" not in page.ids
    assert "mlw-digit-scoring-prod" in page.text


def test_what_a_request_says_is_escaped() -> None:
    data = full() | {"description": '<script>alert(1)</script> & "more"'}
    page = report.html([plan_environment(Request.model_validate(data), "dev")])
    assert "<script" not in page
    assert '<script>alert(1)</script> & "more"' in Page(page).text


def test_commands_in_a_text_are_code_and_what_a_request_says_in_them_is_escaped(
    monkeypatch: pytest.MonkeyPatch, plans: Plans
) -> None:
    cost = FixedCost("dev", "nodes", 1, NO_METER, "`az aks stop <b>` stops them, & one ` stays")
    monkeypatch.setattr(report, "fixed_costs", lambda _: [cost])
    page = report.html([plans["full"]["dev"]])
    assert "<code>az aks stop &lt;b&gt;</code> stops them, &amp; one ` stays" in page


def test_names_that_derive_from_the_environment_are_no_difference(plans: Plans) -> None:
    found = comparison.differences(both(plans))
    assert not any("name" in one.path.lower() and one.path != "sku.name" for one in found)
    assert not any("digit-scoring-dev" in value or "rg-" in value for one in found for value in one.values.values())
    # Every difference that the two profiles make today has words, so that people need not read paths.
    assert [one.path for one in found if one.topic == "Other" and one.path] == []


def test_a_resource_that_only_one_environment_has_is_a_difference(plans: Plans) -> None:
    found = [one for one in comparison.differences(both(plans)) if not one.path]
    of_dev, of_prod = (
        {name for one in found if one.values[environment] == "yes" for name in one.resources}
        for environment in ("dev", "prod")
    )
    assert of_dev == {"ci-k3x9a-dev-ub0e1c2d3", "alert-log-cap-reached"}
    assert "key-vault-lock" in of_prod


def test_json_holds_everything_and_is_the_same_every_time(write_request: Callable[..., Path]) -> None:
    path = write_request()
    first, second = (CliRunner().invoke(app, ["plan", str(path), "-o", "json"]) for _ in range(2))
    assert first.exit_code == 0, first.output
    assert first.stdout == second.stdout
    document = json.loads(first.stdout)
    assert list(document["environments"]) == ["dev", "prod"]
    for environment in document["environments"].values():
        assert environment["faults"] == []
        for resource in environment["resources"]:
            assert resource["body"] is not None
            assert catalogue.check_body(resource["token"], resource["body"]) == []


def test_the_arm_template_is_an_array_of_everything_inside_the_group(plans: Plans) -> None:
    plan = plans["full"]["prod"]
    template = json.loads(armtemplate.render(plan))
    assert template["$schema"].endswith("deploymentTemplate.json#")
    assert template["contentVersion"] == "1.0.0.0"
    resources = template["resources"]
    assert len(resources) == len(plan.resources) - 1
    for resource in resources:
        # `a/b/c` has one name for each segment after the provider.
        assert len(resource["name"].split("/")) == len(resource["type"].split("/")) - 1
    text = json.dumps(resources)
    assert SUBSCRIPTION_ID not in text
    assert "[subscription().tenantId]" in text


def test_dependencies_of_the_template_lead_to_resources_of_it(plans: Plans) -> None:
    resources = armtemplate.template(plans["full"]["prod"])["resources"]
    there = {(one["type"], tuple(one["name"].split("/"))) for one in resources}
    references = [reference for one in resources for reference in one.get("dependsOn", [])]
    assert len(references) > 50
    for reference in references:
        match = re.fullmatch(r"\[(?:resourceId\(|extensionResourceId\(.+\), )'([\w./]+)', (.+)\)\]", reference)
        assert match is not None, reference
        assert (match[1], tuple(re.findall(r"'([^']+)'", match[2]))) in there, reference


def test_role_assignments_of_the_template_have_scope_and_principal(plans: Plans) -> None:
    template = armtemplate.template(plans["full"]["prod"])
    assignments = [one for one in template["resources"] if one["type"].endswith("roleAssignments")]
    assert len([one for one in assignments if "scope" not in one]) == len(
        [grant for grant in plans["full"]["prod"].grants if grant.scope == "resource_group"]
    )
    for one in assignments:
        assert one["properties"]["principalId"].startswith("[reference(format('")
        assert one["properties"]["principalId"].endswith(".principalId]")


def test_files_are_written_whole_or_not_at_all(
    write_request: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, template = tmp_path / "out" / "plan.html", tmp_path / "out" / "prod.json"
    page.parent.mkdir()
    arguments = ["plan", str(write_request()), "--environment", "prod", "--html", str(page), "--arm", str(template)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in page.parent.iterdir()) == ["plan.html", "prod.json"]
    # What cannot be known before: the folder goes away, or the disk is full, while the plan is made.
    monkeypatch.setattr(report, "html", lambda _plans: shutil.rmtree(page.parent) or page.parent.touch() or "")
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert [line for line in result.stderr.splitlines() if f"--html: '{page}' cannot be written" in line]
    assert page.parent.read_text(encoding="utf-8") == ""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--environment", "test"], "--environment: 'test' is not in the request; it has dev, prod"),
        (["--arm", "template.json"], "--arm: a template is for one environment; add for example --environment dev"),
    ],
)
def test_wrong_arguments_get_one_line(arguments: list[str], line: str, write_request: Callable[..., Path]) -> None:
    result = CliRunner().invoke(app, ["plan", str(write_request()), *arguments])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [line]


@pytest.mark.parametrize("option", ["--html", "--arm"])
@pytest.mark.parametrize(
    ("target", "rule"),
    [
        ("", "is empty; it must name a file"),
        (".", "is a folder; it must name a file"),
        ("none/deep/x", f"is in the folder '{Path('none/deep')}', which does not exist"),
        ("file/x", "is in the folder 'file', which does not exist"),
        ("file/../request.yaml", "is in the folder"),
        ("request.yaml", "is the file of REQUEST, too"),
        ("x" * 300, "cannot be written"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_planning(  # noqa: PLR0917 (fixtures)
    option: str,
    target: str,
    rule: str,
    write_request: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("amlplatform.plan.plan_environment", lambda *_: pytest.fail("it was planned"))
    text = write_request().read_text(encoding="utf-8")
    Path("request.yaml").write_text(text, encoding="utf-8")
    Path("file").touch()
    before = sorted(tmp_path.rglob("*"))
    result = CliRunner().invoke(app, ["plan", "request.yaml", "--environment", "dev", option, target])
    assert (result.exit_code, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert result.stderr.startswith(f"{option}: '{target}' {rule}")
    assert f"; for example {option} " in result.stderr
    assert sorted(tmp_path.rglob("*")) == before
    assert Path("request.yaml").read_text(encoding="utf-8") == text


def test_page_and_template_are_two_files(write_request: Callable[..., Path], tmp_path: Path) -> None:
    path = str(tmp_path / "x")
    options = ["--environment", "dev", "--html", path, "--arm", path]
    result = CliRunner().invoke(app, ["plan", str(write_request()), *options])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"--arm: '{path}' is the file of --html, too")


def test_a_bad_request_is_not_planned(write_request: Callable[..., Path]) -> None:
    def change(data: dict[str, Any]) -> None:
        data["product"] = "X"

    result = CliRunner().invoke(app, ["plan", str(write_request(change)), "--html", "never.html"])
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert not Path("never.html").exists()


def test_a_body_that_azure_would_refuse_fails_the_plan(
    write_request: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Azure wants no "-number" at the end of a compute's name.
    monkeypatch.setattr("amlplatform.names.CPU_CLUSTER", "cpu-1")
    page = tmp_path / "plan.html"
    arguments = ["plan", str(write_request()), "--environment", "dev", "--html", str(page)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "dev: cpu-1 (Microsoft.MachineLearningServices/workspaces/computes): name: 'cpu-1' does not" in result.stderr
    assert "faults in request bodies: 1" in result.stdout
    assert "Azure would refuse this: 1 fault in the request bodies" in page.read_text(encoding="utf-8")


def test_check_does_not_load_pulumi(write_request: Callable[..., Path]) -> None:
    program = (
        "import sys; from amlplatform.cli import main; sys.argv = ['amlplatform', 'check', sys.argv[1]]\n"
        "try: main()\n"
        "except SystemExit as done: assert not done.code, done.code\n"
        "assert not [name for name in sys.modules if name.startswith('pulumi')]"
    )
    command = [sys.executable, "-c", program, str(write_request())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "the request is valid" in done.stdout


def test_check_shows_names_lengths_quota_and_warnings(write_request: Callable[..., Path]) -> None:
    result = CliRunner().invoke(app, ["check", str(write_request()), "-o", "json"])
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    vault = document["names"]["prod"]["key_vault"]
    assert vault == {"name": "kv-digitscori-prod-k3x9a", "length": 24, "limit": 24}
    assert {entry["family"] for entry in document["quota"]} == {"standardDDSv4Family", "standard NCASv3_T4 Family"}
    table = CliRunner().invoke(app, ["check", str(write_request())])
    assert "kv-digitscori-prod-k3x9a" in table.stdout
    assert "24/24" in table.stdout


def test_the_version_and_the_help() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("amlplatform 0.")
    for command in ("check", "plan"):
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["check"], "amlplatform check: Missing argument 'REQUEST' (see `amlplatform check --help`)"),
        (["plan", "x", "--nope"], "amlplatform plan: No such option: --nope (see `amlplatform plan --help`)"),
        (["plan", "x", "-o", "yaml"], "-o: 'yaml' is not one of json, table; for example -o json"),
        (["check", "x", "--output=a is not one of b"], "-o: 'a is not one of b' is not one of json, table; for"),
        (["plan", "x", "--html"], "amlplatform: Option '--html' requires an argument (see"),
        (["onboard", "a", "b"], "amlplatform onboard: Got unexpected extra argument(s) (b) (see"),
        (["offline", "--nope"], "amlplatform offline: No such option: --nope (see"),
        (["nope"], "amlplatform: No such command 'nope'; one of check, plan,"),
        (["--nope"], "amlplatform: No such option: --nope (see `amlplatform --help`)"),
    ],
)
def test_a_wrong_command_line_gets_one_line(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1, err
    assert err.startswith(line)


def test_exit_codes_of_the_process(tmp_path: Path) -> None:
    for arguments, code in ((["--version"], 0), (["--help"], 0), (["check", str(tmp_path / "none")], 1), ([], 2)):
        command = [sys.executable, "-m", "amlplatform", *arguments]
        assert subprocess.run(command, capture_output=True, check=False).returncode == code, arguments


@pytest.fixture
def live_project(tmp_path: Path) -> Path:
    live = tmp_path / "live"
    (live / "requests").mkdir(parents=True)
    (live / "Pulumi.yaml").write_text("name: amlplatform\nruntime: python\n", encoding="utf-8")
    (live / "requests" / "digit-scoring.yaml").write_text(yaml.safe_dump(full()), encoding="utf-8")
    return live


def test_a_proposal_is_held_against_the_onboarded_request(live_project: Path) -> None:
    data = full()
    data["environments"]["dev"]["cpu_cluster"]["max_nodes"] = 8
    del data["environments"]["prod"]["gpu_cluster"]
    found = changes.since_onboarding(Request.model_validate(data), live_project)
    assert [(change.field, change.before, change.after) for change in found] == [
        ("environments.dev.cpu_cluster.max_nodes", "4", "8"),
        ("environments.prod.gpu_cluster", "{'vm_size': 'Standard_NC4as_T4_v3', 'max_nodes': 2}", "-"),
    ]
    assert changes.since_onboarding(Request.model_validate(full()), live_project) == []
    assert changes.since_onboarding(Request.model_validate(full()), live_project.parent) == []


@pytest.mark.parametrize(("field", "value"), [("name_suffix", "zzzzz"), ("region", "northeurope")])
def test_what_is_fixed_at_onboarding_cannot_be_proposed_anew(field: str, value: str, live_project: Path) -> None:
    with pytest.raises(RequestError) as error:
        changes.since_onboarding(Request.model_validate(full() | {field: value}), live_project)
    assert len(error.value.faults) == 1
    assert error.value.faults[0].startswith(f"{field}: '{value}' differs from the onboarded request and cannot change")


def test_the_package_is_complete_when_installed() -> None:
    """Data files beside the code: without them a wheel could neither check nor plan."""
    package = ROOT / "infra" / "amlplatform"
    for path in ("armtypes/types.json.gz", "armtypes/LICENSE", "vm_sizes.csv", "templates/plan.html.j2"):
        assert (package / path).is_file()
