"""`amlops release` on the laptop: the trial before the default, the way back that stays, faults in release files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from amlops_support import SmallProject
from batch_support import DEPLOYMENT, BatchProject

from amlops.errors import JobFailed, UserError
from amlops.local import LocalWorkspace
from amlops.project import Project
from amlops.release import deploying, images, spec, training
from amlops.validate import validate

RELEASE = """\
pipeline: ../../pipelines/scoring/train.yml
model: digits
batch:
  - endpoint: ../endpoints/scorer/endpoint.yml
    deployment: ../endpoints/scorer/deployment.yml
    trial: ../../trial
"""
PIPELINE = """\
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
jobs:
  train:
    type: command
    code: ../../code/train
    command: python train.py
    environment: {image: python:3.11}
    compute: azureml:local
"""
TRAIN = """\
import os
from pathlib import Path

from amlops.workspace import connect

job = os.environ["AMLOPS_JOB_NAME"]
Path("model.txt").write_text(job)
connect("local").models.create("digits", Path("model.txt"), properties={"job_name": job})
"""
DRIVER = "def init():\n    pass\n\n\ndef run(mini_batch):\n    return list(mini_batch)\n"
BROKEN = DRIVER.replace("pass", "raise RuntimeError('no weights')")
FILE = ".cloud/release/scoring.yml"


@dataclasses.dataclass
class Place:
    """A project with a batch endpoint, a pipeline that registers a model, and their release."""

    batch: BatchProject
    ws: LocalWorkspace
    told: list[str] = dataclasses.field(default_factory=list)

    @property
    def release(self) -> spec.Release:
        return spec.read(self.batch.root / FILE, self.ws.project)

    def deploy(self, commit: str) -> dict:
        (record,) = deploying.deploy(self.ws, self.release, commit, self.told.append)
        return record

    def default(self) -> str:
        return self.ws.batch_endpoints.show("scorer")["defaults"]["deployment_name"]

    def deployments(self) -> set[str]:
        return {one["name"] for one in self.ws.batch_deployments.list("scorer")}


@pytest.fixture
def place(project: SmallProject) -> Place:
    batch = BatchProject.make(project)
    project.write(".cloud/endpoints/scorer/deployment.yml", DEPLOYMENT)
    project.write("pipelines/scoring/train.yml", PIPELINE)
    project.write("code/train/train.py", TRAIN)
    project.write("code/scoring/score/driver.py", DRIVER)
    project.write(FILE, RELEASE)
    batch.images({"a.png": "fine", "b.png": "fine"}, "trial")
    found = Project.find(project.root)
    return Place(batch, LocalWorkspace(found, found.environment("local")))


def commit(number: int) -> str:
    return f"{number:040x}"[::-1]


def test_a_commit_is_trained_once_and_deployed_with_what_it_made(place: Place) -> None:
    first = training.start(place.ws, place.release, commit(1), place.told.append)
    again = training.start(place.ws, place.release, commit(1), place.told.append)
    assert first["name"] == again["name"] == f"scoring-{commit(1)[:12]}-1"
    training.start(place.ws, place.release, commit(2), place.told.append)
    model = training.version_for(place.ws, place.release, commit(1))
    assert model.properties["job_name"] == first["name"]
    record = place.deploy(commit(1))
    assert (record["model"], place.default()) == (model.reference, f"r-{commit(1)[:12]}")


def test_the_one_before_stays_older_ones_go_and_a_repeated_release_deletes_nothing(place: Place) -> None:
    place.ws.models.update("digits", "1", tags={"stage": "champion"})
    names = [f"r-{commit(number)[:12]}" for number in (1, 2, 3)]
    for number in (1, 2, 3):
        record = place.deploy(commit(number))
        assert record["before"] == (names[number - 2] if number > 1 else None)
    assert (place.default(), place.deployments()) == (names[2], set(names[1:]))
    place.deploy(commit(3))
    assert place.deployments() == set(names[1:])


def test_a_failed_trial_leaves_the_default(place: Place) -> None:
    place.ws.models.update("digits", "1", tags={"stage": "champion"})
    place.deploy(commit(1))
    place.batch.files.write("code/scoring/score/driver.py", BROKEN)
    with pytest.raises(JobFailed):
        place.deploy(commit(2))
    assert place.default() == f"r-{commit(1)[:12]}"


def test_without_a_model_nothing_is_deployed(place: Place) -> None:
    with pytest.raises(UserError, match=r"'local' has no version of 'digits' that commit .* trained, and no champion"):
        place.deploy(commit(1))
    with pytest.raises(UserError, match="has no training job of scoring in 'local'; first: amlops release train"):
        training.wait(place.ws, place.release, commit(1), None, place.told.append)
    assert place.deployments() == set()


def test_without_a_registry_no_image_is_built(place: Place, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'local' has no container registry"):
        images.publish(place.ws, [place.release], commit(1), tmp_path / "images", place.told.append)
    assert place.told == [] and not (tmp_path / "images").exists()


@pytest.mark.parametrize(
    ("before", "after", "rule", "line"),
    [
        ("model: digits", "modle: digits", "unknown-key", "modle"),
        ("pipelines/scoring/train.yml", "pipelines/train.yml", "missing-file", "pipeline"),
        ("trial: ../../trial", "trial: ../../trail", "missing-file", "batch[0].trial"),
        ("endpoints/scorer/endpoint.yml", "endpoints/other.yml", "missing-file", "batch[0].endpoint"),
        ("batch:", "real_time:", "missing-key", "real_time[0]"),
    ],
)
def test_a_fault_in_a_release_file_is_one_line(place: Place, before: str, after: str, rule: str, line: str) -> None:
    file = place.batch.files.write(FILE, RELEASE.replace(before, after))
    found = [fault for fault in validate(place.batch.root, [file]) if fault.rule == rule]
    assert any(fault.message.startswith(line) for fault in found), found
    with pytest.raises(UserError) as caught:
        spec.read(file, place.ws.project)
    assert "\n" not in str(caught.value)


def test_a_deployment_of_another_endpoint_is_found(place: Place) -> None:
    place.batch.files.write(".cloud/endpoints/other/endpoint.yml", "name: other\nauth_mode: aad_token\n")
    place.batch.files.write(FILE, RELEASE.replace("scorer/endpoint.yml", "other/endpoint.yml"))
    with pytest.raises(UserError, match="is for the endpoint 'scorer', and beside it stands 'other'"):
        spec.read(place.batch.root / FILE, place.ws.project)


def test_a_project_without_a_release_is_told(make_project: Callable[[str], SmallProject], tmp_path: Path) -> None:
    found = Project.find(make_project("empty").root)
    with pytest.raises(UserError, match=r"no file in \.cloud/release/"):
        spec.find(found)
