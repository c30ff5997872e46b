"""What CI runs in Azure, against a stand-in for `az` that records each call and answers from a script."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in for az is a shell script")

# Answers by the words after `az`: the longest key that matches counts; a list is used up from its start.
STAND_IN = """
import json, os, sys
words = " ".join(sys.argv[1:])
folder = os.environ["AZ_STAND_IN"]
with open(folder + "/calls", "a", encoding="utf-8") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
with open(folder + "/answers", encoding="utf-8") as file:
    answers = json.load(file)
key = max((key for key in answers if words.startswith(key)), key=len, default=None)
answer = answers.get(key, "")
if isinstance(answer, list):
    answer, answers[key] = answer[0], answer[1:] or answer
    with open(folder + "/answers", "w", encoding="utf-8") as file:
        json.dump(answers, file)
if answer == "FAIL":
    sys.exit("ERROR: refused")
print(answer)
"""


class Az:
    """The stand-in for `az`: what it answers and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def answers(self, **by_command: Any) -> None:
        """Set answers, `_` in a key stands for a space and `__` for a hyphen."""
        table = {key.replace("__", "-").replace("_", " "): value for key, value in by_command.items()}
        (self.folder / "answers").write_text(json.dumps(table), encoding="utf-8")

    @property
    def calls(self) -> list[list[str]]:
        """Each call's words, without those that name the workspace."""
        calls = self.folder / "calls"
        lines = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
        return [json.loads(line) for line in lines]

    def verbs(self) -> list[str]:
        return [" ".join(call[1:3]) for call in self.calls if call[0] == "ml"]


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Az:
    folder = tmp_path / "az"
    folder.mkdir()
    (folder / "stand_in.py").write_text(STAND_IN, encoding="utf-8")
    program = folder / "az"
    # Not the interpreter in a #! line: its path may have a space.
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{folder}/stand_in.py" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AZ_STAND_IN", str(folder))
    stand_in = Az(folder)
    stand_in.answers(ml_job_list="[]", ml_job_show="Completed", ml_batch__endpoint_invoke="trial-1")
    return stand_in


@pytest.fixture
def deploy(project_copy: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tools/deploy.py of the copy; it does not sleep."""
    spec = importlib.util.spec_from_file_location("deploy_of_copy", project_copy / "tools" / "deploy.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.time, "sleep", lambda _seconds: None)
    return module


def run(deploy: ModuleType, *steps: str, environment: str = "dev", flags: Sequence[str] = ()) -> list[int]:
    return [deploy.main([step, "--env", environment, *flags]) for step in steps]


def test_a_commit_is_trained_and_released(az: Az, deploy: ModuleType, project_copy: Path) -> None:
    assert run(deploy, "submit", "wait", "release") == [0, 0, 0]
    verbs = az.verbs()
    assert verbs.index("compute show") < verbs.index("job create") < verbs.index("job show")
    # The trial comes before the default is switched.
    for earlier, later in zip(
        ("batch-endpoint create", "batch-deployment create", "batch-endpoint invoke"),
        ("batch-deployment create", "batch-endpoint invoke", "batch-endpoint update"),
        strict=True,
    ):
        assert verbs.index(earlier) < verbs.index(later)
    environment = yaml.safe_load((project_copy / ".cloud/environments/dev.yml").read_text(encoding="utf-8"))
    for call in az.calls:
        if call[0] == "ml":
            assert call[call.index("--workspace-name") + 1] == environment["workspace"]
        if "--file" in call:
            assert (project_copy / call[call.index("--file") + 1]).is_file(), call
        if call[1:3] == ["batch-deployment", "create"]:  # what lies beside it is deployed by hand
            assert call[call.index("--file") + 1].endswith("/deployment.yml")


def test_prod_uses_the_names_of_prod(az: Az, deploy: ModuleType, project_copy: Path) -> None:
    assert run(deploy, "release", environment="prod") == [0]
    prod = yaml.safe_load((project_copy / ".cloud/environments/prod.yml").read_text(encoding="utf-8"))
    created = [call for call in az.calls if call[1:3] == ["batch-endpoint", "create"]]
    assert created
    for call in created:
        rendered = yaml.safe_load((project_copy / call[call.index("--file") + 1]).read_text(encoding="utf-8"))
        assert rendered["name"] in prod["endpoints"].values()


def test_a_second_run_finds_the_job_of_the_commit(
    az: Az, deploy: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    job = {"name": f"image-scoring-{deploy.commit()}-1", "status": "Running"}
    az.answers(ml_job_list=json.dumps([job]), ml_job_show=["Running", "Running", "Completed"])
    assert run(deploy, "submit", "wait") == [0, 0]
    assert "job create" not in az.verbs()
    assert capsys.readouterr().out.count(f"{job['name']}: Running") == 1


def test_after_a_failure_the_next_run_starts_another_job(az: Az, deploy: ModuleType) -> None:
    az.answers(ml_job_list=json.dumps([{"name": f"image-scoring-{deploy.commit()}-1", "status": "Failed"}]))
    assert run(deploy, "submit") == [0]
    created = next(call for call in az.calls if call[1:3] == ["job", "create"])
    assert created[created.index("--name") + 1].endswith("-2")


def test_a_failed_job_ends_with_one_line_and_code_3(
    az: Az, deploy: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    az.answers(ml_job_list="[]", ml_job_show="Failed")
    assert run(deploy, "submit", "wait") == [0, 3]
    assert capsys.readouterr().err.startswith("deploy: image-scoring-")


def test_a_failed_trial_leaves_the_default_alone(az: Az, deploy: ModuleType) -> None:
    az.answers(ml_batch__endpoint_list="earlier", ml_batch__endpoint_invoke="trial-1", ml_job_show="Failed")
    assert run(deploy, "release") == [3]
    assert "batch-endpoint update" not in az.verbs()
    created = next(call for call in az.calls if call[1:3] == ["batch-endpoint", "create"])
    assert "defaults.deployment_name=earlier" in created


def test_the_earlier_deployment_stays_to_go_back_to_and_older_ones_go(az: Az, deploy: ModuleType) -> None:
    new = f"r-{deploy.commit()}"
    az.answers(
        ml_job_show="Completed",
        ml_batch__endpoint_invoke="trial-1",
        ml_batch__endpoint_list="r-before",
        ml_batch__deployment_list=json.dumps(["r-oldest", "r-before", new]),
    )
    assert run(deploy, "release") == [0]
    created = next(call for call in az.calls if call[1:3] == ["batch-deployment", "create"])
    assert created[created.index("--name") + 1] == new
    deleted = [call[call.index("--name") + 1] for call in az.calls if call[1:3] == ["batch-deployment", "delete"]]
    assert deleted == ["r-oldest"]


def test_a_missing_cluster_stops_before_a_job_is_started(
    az: Az, deploy: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    az.answers(ml_compute_show="FAIL")
    assert run(deploy, "submit") == [1]
    assert az.verbs() == ["compute show"]
    assert "az ml compute" in capsys.readouterr().err


def test_a_dry_run_starts_nothing(
    az: Az, deploy: ModuleType, project_copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(deploy, "submit", "wait", "release", flags=["--dry-run"]) == [0, 0, 0]
    assert az.calls == []
    assert not (project_copy / "build").exists()
    assert "+ az ml job create --file build/dev/pipelines/" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["submit", "--env", "local"], "--env: 'local' is not an environment in Azure; one of dev, prod"),
        (["wait", "--env", "dev"], "wait: no job was started for dev here"),
    ],
)
def test_a_wrong_call_gets_one_line(
    az: Az, deploy: ModuleType, capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    assert deploy.main(arguments) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert line in error
