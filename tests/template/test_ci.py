"""The CI of a project: both systems do the same, both are valid, neither holds a secret or deploys a pull request."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from ci_files import Pipeline, azure, commands_of, github, resolve
from template_support import CHOICES, Renders, either_ci

CI_FOLDER = {"github": ".github", "azure-devops": ".ado"}
YAMLLINT = """
extends: default
rules:
  line-length: {max: 150}
  document-start: disable
  truthy: {check-keys: false}
  comments: {min-spaces-from-content: 1}
"""


@pytest.fixture(scope="session")
def projects(renders: Renders) -> dict[str, Path]:
    return {ci: renders(workload="image-scoring", ci=ci, licence="MIT") for ci in CHOICES["ci"]}


@pytest.fixture(scope="session")
def pipelines(projects: dict[str, Path]) -> dict[str, dict[str, Pipeline]]:
    read = {"github": github, "azure-devops": azure}
    names = ("pull-request.yml", "deploy.yml", "watch.yml")
    return {ci: {name: read[ci](project, name) for name in names} for ci, project in projects.items()}


def program(name: str, *arguments: str | Path, cwd: Path) -> None:
    """Run a linter of the environment that runs the tests; fails with what it said."""
    command = [str(Path(sys.executable).with_name(name)), *map(str, arguments)]
    result = subprocess.run(command, cwd=cwd, capture_output=True, encoding="utf-8", check=False)
    assert result.returncode == 0, f"{name}\n{result.stdout}{result.stderr}"


def ci_files(project: Path) -> list[Path]:
    return sorted(path for folder in CI_FOLDER.values() for path in (project / folder).rglob("*.yml"))


def workflows(project: Path) -> list[Path]:
    return sorted((project / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("name", ["pull-request.yml", "deploy.yml", "watch.yml"])
def test_both_systems_do_the_same(pipelines: dict[str, dict[str, Pipeline]], name: str) -> None:
    """Same triggers, stages, order, environments with their approvals, commands, Python, time limits and machines."""
    assert pipelines["github"][name] == pipelines["azure-devops"][name]


@either_ci
def test_stages_are_those_agreed(pipelines: dict[str, dict[str, Pipeline]], ci: str) -> None:
    pull_request, deploy = pipelines[ci]["pull-request.yml"], pipelines[ci]["deploy.yml"]
    checks = ("python tools/tasks.py lint", "python tools/tasks.py test", "python tools/tasks.py validate")
    assert pull_request.pull_request == ("main",) and pull_request.push == ()
    assert [stage.commands for stage in pull_request.stages] == [checks]
    assert deploy.push == ("main",) and deploy.pull_request == ()
    assert [(stage.name, stage.needs, stage.environment) for stage in deploy.stages] == [
        ("check", (), None),
        ("dev", ("check",), "dev"),
        ("prod", ("dev",), "prod"),
    ]
    assert deploy.stages[0].commands == checks
    steps = {
        "dev": ("train", "images", "wait --timeout 120", "deploy", "abort", "export --download-path build/hand-over"),
        "prod": ("promote --from build/hand-over", "deploy", "abort"),
    }
    for stage in deploy.stages[1:]:
        amlops = "python tools/tasks.py amlops release"
        assert stage.commands == tuple(f"{amlops} {words} --env {stage.name}" for words in steps[stage.name])


@either_ci
def test_dev_is_watched_every_hour_and_prod_not_behind_an_approval(
    pipelines: dict[str, dict[str, Pipeline]], ci: str
) -> None:
    watch = pipelines[ci]["watch.yml"]
    assert (watch.push, watch.pull_request, watch.cron) == ((), (), ("17 * * * *",))
    assert [(stage.environment, stage.commands) for stage in watch.stages] == [
        ("dev", ("python tools/tasks.py watch --env dev",))
    ]


@either_ci
def test_a_pull_request_deploys_nothing(pipelines: dict[str, dict[str, Pipeline]], ci: str) -> None:
    pull_request = pipelines[ci]["pull-request.yml"]
    assert not [command for command in commands_of(pull_request) if re.search(r"deploy|az |\bup\b|destroy", command)]
    assert all(stage.environment is None for stage in pull_request.stages)


@either_ci
def test_no_secret_is_used(projects: dict[str, Path], ci: str) -> None:
    for path in ci_files(projects[ci]):
        text = path.read_text(encoding="utf-8").lower()
        assert not re.search(
            r"secrets\.|client.secret|password|creds:|pull_request_target|systemvssconnection", text
        ), path


def test_only_deploying_jobs_may_ask_for_a_token(projects: dict[str, Path]) -> None:
    for path in workflows(projects["github"]):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] in ({}, {"contents": "read"}), path
        for name, job in workflow["jobs"].items():
            permissions = job.get("permissions", {})
            assert ("id-token" in permissions) == (name in {"dev", "prod", "deploy"}), f"{path.name}: {name}"
            may_alert = {"issues"} if path.name == "watch.yml" else set()
            assert set(permissions) <= {"contents", "id-token"} | may_alert


def test_actions_are_pinned_by_commit_with_their_version(projects: dict[str, Path]) -> None:
    pins: dict[str, set[str]] = {}
    for path in ci_files(projects["github"]):
        for action, pin in re.findall(r"uses: ([\w-]+/[\w-]+)@(.*)", path.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", pin), f"{path.name}: {action}@{pin}"
            pins.setdefault(action, set()).add(pin)
    assert set(pins) == {
        "actions/checkout",
        "actions/setup-python",
        "actions/upload-artifact",
        "actions/download-artifact",
    }
    assert all(len(found) == 1 for found in pins.values()), pins


def test_one_version_of_python_everywhere(pipelines: dict[str, dict[str, Pipeline]], projects: dict[str, Path]) -> None:
    for ci, project in projects.items():
        settings = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
        minimum = settings["project"]["requires-python"].removeprefix(">=")
        stages = [stage for pipeline in pipelines[ci].values() for stage in pipeline.stages]
        assert {stage.python for stage in stages} == {minimum}
        assert settings["tool"]["ruff"]["target-version"] == "py" + minimum.replace(".", "")
        assert f'"--python-version", "{minimum}"' in (project / "tools" / "tasks.py").read_text(encoding="utf-8")


@either_ci
def test_machines_are_known_and_times_limited(pipelines: dict[str, dict[str, Pipeline]], ci: str) -> None:
    stages = [stage for pipeline in pipelines[ci].values() for stage in pipeline.stages]
    assert {stage.runner for stage in stages} == {"ubuntu-24.04"}
    assert all(0 < stage.minutes <= 360 for stage in stages)


def test_a_wrong_parameter_of_a_template_is_noticed(projects: dict[str, Path]) -> None:
    """The reader used above does what Azure Pipelines does with parameters."""
    template = projects["azure-devops"] / ".ado" / "templates" / "promote-and-deploy.yml"
    with pytest.raises(KeyError):
        resolve(template, {"environment": "dev", "needs": "check", "serviceConection": "x"})
    with pytest.raises(KeyError):
        resolve(template, {"environment": "dev"})


def test_azure_signs_in_by_a_service_connection_per_environment(projects: dict[str, Path]) -> None:
    text = (projects["azure-devops"] / ".ado" / "deploy.yml").read_text(encoding="utf-8")
    assert re.findall(r"serviceConnection: (\S+)", text) == ["digit-scoring-dev", "digit-scoring-prod"]


@either_ci
def test_yamllint(projects: dict[str, Path], ci: str) -> None:
    project = projects[ci]
    files = [path for path in project.rglob("*") if path.suffix in {".yml", ".yaml"} and ".git" not in path.parts]
    program("yamllint", "--strict", "-d", YAMLLINT, *files, cwd=project)


def test_actionlint(projects: dict[str, Path]) -> None:
    program("actionlint", *workflows(projects["github"]), cwd=projects["github"])


def test_zizmor(projects: dict[str, Path]) -> None:
    program("zizmor", "--offline", "--no-progress", ".github", cwd=projects["github"])


def test_github_schema(projects: dict[str, Path]) -> None:
    schema = ("--builtin-schema", "vendor.github-workflows")
    program("check-jsonschema", *schema, *workflows(projects["github"]), cwd=projects["github"])


def azure_schema(files: list[Path], folder: Path) -> None:
    """Check against the schema of Azure Pipelines, for which every scalar is a string, as it is for Azure Pipelines."""
    for path in files:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        (folder / f"{path.parent.name}-{path.stem}.json").write_text(json.dumps(content), encoding="utf-8")
    schema = ("--builtin-schema", "vendor.azure-pipelines", "--data-transform", "azure-pipelines")
    program("check-jsonschema", *schema, "--regex-variant", "python", *sorted(folder.glob("*.json")), cwd=folder)


def test_azure_schema(projects: dict[str, Path], tmp_path: Path) -> None:
    files = sorted((projects["azure-devops"] / ".ado").rglob("*.yml"))
    assert len(files) == 7
    azure_schema(files, tmp_path)


@pytest.mark.parametrize(
    "fault", [("timeoutInMinutes", "timeoutMinutes"), ("- script:", "- scrip:"), ("pool:", "pools:")]
)
def test_azure_schema_finds_a_fault(projects: dict[str, Path], tmp_path: Path, fault: tuple[str, str]) -> None:
    source = projects["azure-devops"] / ".ado" / "templates" / "check.yml"
    wrong = tmp_path / "check.yml"
    wrong.write_text(source.read_text(encoding="utf-8").replace(*fault), encoding="utf-8")
    with pytest.raises(AssertionError, match="Schema validation errors"):
        azure_schema([wrong], tmp_path)


def test_traffic_is_put_back_even_when_the_run_is_canceled(projects: dict[str, Path]) -> None:
    def of(project: Path, pattern: str, condition: str) -> list[str]:
        texts = [path.read_text(encoding="utf-8") for path in ci_files(project)]
        steps = [step for text in texts for step in re.split(r"\n\s+- ", text) if re.search(pattern, step)]
        return [step for step in steps if condition in step]

    assert len(of(projects["github"], "release abort", "if: always()")) == 2
    assert len(of(projects["azure-devops"], "release abort", "condition: always()")) == 2
