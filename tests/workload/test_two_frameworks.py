"""Two frameworks behind one endpoint: the walk-through of docs/image-scoring-frameworks.md, its very commands."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from workload_support import Project

pytestmark = pytest.mark.slow
PAGE = "docs/image-scoring-frameworks.md"
# What the page is about; each must be one of its commands.
EVERY_OVERRIDE = (
    "--mini-batch-size",
    "--instance-count",
    "--deployment-name",
    "--output-path",
    "retry_settings.max_retries=",
    "retry_settings.timeout=",
    "error_threshold=",
    "output_file_name=",
)


def commands(page: str) -> list[str]:
    """The lines with `amlops` in the page's blocks, in their order, but for those that need a FOLDER of the reader."""
    blocks = page.split("\n```\n")[1::2]
    return [line for block in blocks for line in block.splitlines() if re.match("amlops (?!.*FOLDER)", line)]


@dataclass
class Story:
    """A project in which the page's commands have been run.

    Attributes:
        said: what each command printed, as JSON where it is that.
        defaults: the endpoint's default deployment after each command that changed it.
    """

    project: Project
    said: dict[str, Any] = field(default_factory=dict)
    defaults: list[str] = field(default_factory=list)

    def run(self, command: str) -> None:
        done = self.project.python("-m", *shlex.split(command))
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        self.said[command] = json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout
        if command.startswith("amlops batch-endpoint update"):
            self.defaults.append(self.said[command]["defaults"]["deployment_name"])

    def job(self, name: str) -> dict[str, Any]:
        done = self.project.python("-m", "amlops", "job", "show", "--name", name)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def outputs(self, job: str, *path: str) -> Path:
        return self.project.root.joinpath(".amlops", "jobs", job, "outputs", *path)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The whole page, from training to the deleted endpoint, in a project made from the template."""
    found = Story(Project.rendered(tmp_path_factory.mktemp("two frameworks")))
    for command in commands((found.project.root / PAGE).read_text(encoding="utf-8")):
        found.run(command)
    return found


def rows(path: Path) -> dict[str, tuple[str, float]]:
    """Label and probability by file, of a predictions file as Azure ML writes it."""
    words = [line.rsplit(" ", 2) for line in path.read_text(encoding="utf-8").splitlines()]
    return {name: (label, float(probability)) for name, label, probability in words}


def evaluated(path: Path) -> dict[str, tuple[str, float]]:
    """The same of the file that evaluate wrote."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "file,true_label,label,probability"
    words = [line.split(",") for line in lines[1:]]
    return {Path(file).name: (label, float(probability)) for file, _, label, probability in words}


def test_the_page_has_every_override_and_every_step(story: Story) -> None:
    text = "\n".join(story.said)
    assert [word for word in EVERY_OVERRIDE if word not in text] == []
    assert story.defaults == ["keras", "pytorch", "keras"]
    assert story.said["amlops batch-deployment list --endpoint-name digits"][0]["endpoint_name"] == "digits"


@pytest.mark.parametrize("name", ["pytorch", "keras"])
def test_both_are_trained_on_the_same_images_and_good(story: Story, name: str) -> None:
    metrics = json.loads(story.outputs(f"digits-{name}", "metrics", "metrics.json").read_text(encoding="utf-8"))
    assert metrics["accuracy"] >= 0.97
    cards = [
        json.loads(story.outputs(f"digits-{one}", "model", "model.json").read_text(encoding="utf-8"))
        for one in ("pytorch", "keras")
    ]
    assert cards[0]["training"]["fingerprint"] == cards[1]["training"]["fingerprint"]
    for part in ("test_images", "score_images"):
        files = [
            {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.png")}
            for folder in (story.outputs(f"digits-{one}", part) for one in ("pytorch", "keras"))
        ]
        assert files[0] == files[1]


@pytest.mark.parametrize(
    ("job", "deployment"),
    [
        ("digits-first", "pytorch"),
        ("digits-by-name", "keras"),
        ("digits-switched", "keras"),
        ("digits-back", "pytorch"),
    ],
)
def test_every_image_has_the_label_and_probability_of_its_evaluation(story: Story, job: str, deployment: str) -> None:
    record = story.job(job)
    assert (record["status"], record["deployment_name"]) == ("Completed", deployment)
    found = rows(Path(record["output_file"]))
    expected = evaluated(story.outputs(f"digits-{deployment}", "metrics", "predictions.csv"))
    assert found.keys() == expected.keys()
    assert len(found) == 287
    for file, (label, probability) in expected.items():
        assert found[file][0] == label
        assert found[file][1] == pytest.approx(probability, abs=1e-6, rel=0)


def test_differences_are_reported_before_the_switch(story: Story) -> None:
    (result,) = [said for command, said in story.said.items() if " compare " in command]
    assert result["items"]["total"] == 520
    changed = result["differences"]["label"]
    assert 0 <= changed <= 26
    listed = Path(result["differences_file"]).read_text(encoding="utf-8").splitlines()
    assert len(listed) == changed + 1
    assert Path(result["report"]).is_file()


def test_overrides_hold_for_their_job_only(story: Story) -> None:
    settings = story.job("digits-overrides")["settings"]
    asked = {
        "mini_batch_size": 7,
        "instance_count": 2,
        "max_retries": 1,
        "timeout": 120,
        "error_threshold": 5,
        "output_file_name": "digits.csv",
    }
    assert {name: settings[name] for name in asked} == asked
    deployed = story.job("digits-elsewhere")["settings"]
    assert {name for name in asked if deployed[name] == asked[name]} == set()


def test_mini_batches_of_7_and_of_100_give_the_same(story: Story) -> None:
    sevens, hundreds = (rows(Path(story.job(f"digits-{job}")["output_file"])) for job in ("overrides", "elsewhere"))
    assert len(sevens) == 520
    assert {file: label for file, (label, _) in sevens.items()} == {
        file: label for file, (label, _) in hundreds.items()
    }
    assert max(abs(sevens[file][1] - hundreds[file][1]) for file in sevens) <= 1e-6


def test_predictions_go_to_another_place_under_another_name(story: Story) -> None:
    output = Path(story.job("digits-elsewhere")["output_file"])
    assert output.name == "monday.csv"
    assert output.is_relative_to(story.project.root / ".amlops" / "datastores" / "workspaceblobstore")
    assert not story.outputs("digits-elsewhere", "score", "monday.csv").exists()


def test_the_endpoint_is_gone_and_its_jobs_are_not(story: Story) -> None:
    shown = story.project.python("-m", "amlops", "batch-endpoint", "show", "--name", "digits")
    assert shown.returncode == 1
    assert shown.stderr.count("\n") == 1
    names = {job["name"] for job in story.said["amlops job list"]}
    assert {"digits-first", "digits-by-name", "digits-switched", "digits-overrides", "digits-elsewhere"} <= names
    assert story.said["amlops job show --name digits-by-name"]["status"] == "Completed"
    assert Path(story.said["amlops job show --name digits-by-name"]["output_file"]).is_file()
