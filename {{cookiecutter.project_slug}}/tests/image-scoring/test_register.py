"""register: what a version is tagged with, and where it goes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from image_scoring.model_folder import read_card
from image_scoring.steps import StepError

Step = Callable[[str], ModuleType]
METRICS = {"accuracy": 0.97654, "macro_f1": 0.97, "images": 287}


@pytest.fixture
def metrics(tmp_path: Path) -> Path:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "metrics.json").write_text(json.dumps(METRICS), encoding="utf-8")
    return tmp_path / "metrics"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, for models of its own."""
    file = tmp_path / "project" / ".cloud" / "environments" / "local.yml"
    file.parent.mkdir(parents=True)
    file.write_text("environment: local\nlimits: {nodes: 1, cores: 1}\n", encoding="utf-8")
    monkeypatch.setenv("AMLOPS_ROOT", str(tmp_path / "project"))
    return tmp_path / "project"


def test_register_on_the_laptop(model: Path, metrics: Path, project: Path, tmp_path: Path, step: Step) -> None:
    from amlops import contenthash
    from amlops.workspace import connect

    for version in ("1", "2"):
        arguments = [f"--model={model}", f"--metrics={metrics}", "--model-name=digits"]
        step("register.main").main([*arguments, f"--registration={tmp_path / version}"])
        registration = json.loads((tmp_path / version / "registration.json").read_text(encoding="utf-8"))
        assert (registration["name"], registration["version"]) == ("digits", version)
    registered = connect("local", project).models.show("digits", "latest")
    assert registered.version == "2"
    assert registered.tags["accuracy"] == "0.9765"
    assert registered.tags["workload"] == "image-scoring"
    assert registered.tags["data_fingerprint"] == read_card(model).training["fingerprint"]
    properties = dict(registered.properties)
    assert properties.pop(contenthash.PROPERTY) == contenthash.of_files(registered.files)
    properties.pop("git_commit", None)  # of the project's repository, where it has one
    assert properties == {"accuracy": "0.97654", "macro_f1": "0.97", "test_images": "287"}
    assert (Path(registered.path) / "model.onnx").read_bytes() == (model / "model.onnx").read_bytes()


def test_the_commit_is_a_tag_where_there_is_one(model: Path, tmp_path: Path, step: Step) -> None:
    register = step("register.main")
    assert register.git_commit(tmp_path) is None
    assert "git_commit" not in register.model_tags(read_card(model), METRICS, None)
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    code = tmp_path / "code"
    code.mkdir()
    (code / "main.py").write_text("1\n", encoding="utf-8")
    for words in (("init", "--quiet"), ("add", "code"), (*identity, "commit", "--quiet", "--message=first")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    commit = register.git_commit(code)
    assert len(commit) == 40
    assert register.model_tags(read_card(model), METRICS, commit)["git_commit"] == commit
    (code / "main.py").write_text("2\n", encoding="utf-8")
    assert register.git_commit(code) == f"{commit}-dirty"


def test_a_repository_around_that_does_not_hold_the_code_says_nothing_of_it(tmp_path: Path, step: Step) -> None:
    register = step("register.main")
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    (tmp_path / ".gitignore").write_text("build/\n", encoding="utf-8")
    for words in (("init", "--quiet"), ("add", "."), (*identity, "commit", "--quiet", "--message=first")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    code = tmp_path / "build" / "project" / "code"
    code.mkdir(parents=True)
    (code / "main.py").write_text("1\n", encoding="utf-8")
    assert register.git_commit(code) is None


def test_no_metrics_no_model(model: Path, project: Path, tmp_path: Path, step: Step) -> None:
    arguments = [f"--model={model}", f"--metrics={tmp_path}", "--model-name=digits"]
    with pytest.raises(StepError, match=r"has no metrics\.json"):
        step("register.main").main([*arguments, f"--registration={tmp_path / 'registration'}"])
    assert not (project / ".amlops").exists()
