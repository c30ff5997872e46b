"""A commit from CI of dev to CI of prod: each stage as the identity of its environment, a folder between them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cloud_support import SCIENTISTS, Cloud, Result

from amlplatform.cloud.https.course import Course

pytestmark = pytest.mark.slow

_WORKLOAD = "image-scoring"
_MODEL = "image-classifier"
_DEV, _PROD = "id-digit-scoring-dev-deploy", "id-digit-scoring-prod-deploy"
_CARD = """
name: image-classifier
path: {path}
tags: {{workload: image-scoring}}
properties: {{job_name: {job}, accuracy: '{accuracy}', macro_f1: '0.95', test_images: '200'}}
"""


@pytest.fixture
def docker(cloud: Cloud, tmp_path: Path) -> Iterator[Path]:
    """A stand-in for Docker on the PATH of the cloud's commands; the file has a line for each build."""
    builds, program = tmp_path / "builds", tmp_path / "docker"
    stand_in = Path(__file__).with_name("docker_stand_in.py")
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    builds.touch()
    usual = cloud.variables
    cloud.variables = usual | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "DOCKER_BUILDS": str(builds)}
    yield builds
    cloud.variables = usual


def done(result: Result) -> Any:
    assert result.code == 0, result.err
    return result.json if result.out.strip() else None


def commit(cloud: Cloud, text: str) -> str:
    """A commit of the project."""
    (cloud.project / "notes.txt").write_text(text, encoding="utf-8")
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    for words in (("init", "-q"), ("add", "notes.txt"), (*who, "commit", "-q", "-m", text)):
        subprocess.run(["git", *words], cwd=cloud.project, check=True)
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=cloud.project, check=True, capture_output=True, text=True)
    return found.stdout.strip()


def trained(cloud: Cloud, accuracy: str = "0.97") -> tuple[str, str]:
    """Train what is checked out, as CI of dev; name of the job and version that it registered."""
    (job,) = done(cloud.amlops("release", "train", "--env", "dev", as_=_DEV))
    (ended,) = done(cloud.amlops("release", "wait", "--env", "dev", as_=_DEV))
    assert (ended["name"], ended["status"]) == (job["name"], "Completed")
    # The offline Azure runs no code: what the register step does.
    folder = cloud.project / f"made-{job['name']}"
    folder.mkdir()
    (folder / "model.txt").write_text(job["name"], encoding="utf-8")
    card = cloud.project / "card.yml"
    card.write_text(_CARD.format(path=folder.as_posix(), job=job["name"], accuracy=accuracy), encoding="utf-8")
    made = done(cloud.amlops("model", "create", "-f", "card.yml", "--env", "dev", as_=_DEV))
    return job["name"], made["version"]


def handed_on(cloud: Cloud, folder: str) -> Any:
    """The stages of dev and of prod for what is checked out; what prod deployed."""
    done(cloud.amlops("release", "images", "--env", "dev", as_=_DEV))
    done(cloud.amlops("release", "deploy", "--env", "dev", as_=_DEV))
    done(cloud.amlops("release", "export", "-p", folder, "--env", "dev", as_=_DEV))
    done(cloud.amlops("release", "promote", "--from", folder, "--reason", "ticket 42", "--env", "prod", as_=_PROD))
    (deployed,) = done(cloud.amlops("release", "deploy", "--env", "prod", as_=_PROD))
    return deployed


def default_of(cloud: Cloud, environment: str) -> str:
    shown = done(cloud.amlops("batch-endpoint", "show", "-n", _WORKLOAD, "--env", environment))
    return shown["defaults"]["deployment_name"]


def test_the_way_to_prod_and_back(cloud: Cloud, docker: Path) -> None:
    first = commit(cloud, "first")
    job, version = trained(cloud)
    assert job == f"{_WORKLOAD}-{first[:12]}-1"
    with cloud.fresh():
        deployed = handed_on(cloud, "build/first")
        calls = cloud.calls(["GET", "PUT", "POST", "PATCH", "DELETE"])
    # Neither identity touches what is the other's: no right in dev is needed for prod.
    ids = {_identity(cloud, name): environment for name, environment in ((_DEV, "dev"), (_PROD, "prod"))}
    other = {"dev": cloud.environment("prod"), "prod": cloud.environment("dev")}
    assert {call.caller for call in calls if call.caller in ids} == set(ids)
    for call in calls:
        if call.caller in ids:
            assert other[ids[call.caller]]["resource_group"] not in call.path, call.path
    assert deployed["deployment_name"] == f"r-{first[:12]}" == default_of(cloud, "prod") == default_of(cloud, "dev")
    assert deployed["model"] == f"azureml:{_MODEL}:{version}"
    there = done(cloud.amlops("model", "show", "-n", _MODEL, "-v", version, "--env", "prod"))
    kept = {key: there["properties"][f"promotion.{key}"] for key in ("commit", "job", "from", "reason")}
    assert kept == {"commit": first, "job": job, "from": "dev", "reason": "ticket 42"}
    assert there["tags"]["stage"] == "champion"

    # Built once, and the same image in both registries, by digest.
    name = "image-scoring-score"
    images = {
        where: done(cloud.amlops("environment", "show", "-n", name, "--label", "latest", "--env", where))["image"]
        for where in ("dev", "prod")
    }
    for where, image in images.items():
        assert image.startswith(f"{cloud.environment(where)['registry']}.azurecr.io/digit-scoring/{name}@sha256:")
    assert len({image.partition("@")[2] for image in images.values()}) == 1
    assert "--provenance=false" in docker.read_text(encoding="utf-8")
    (served,) = (call for call in cloud.calls(["PUT"], "/deployments/") if "prod" in call.path)
    assert served.body["properties"]["environmentId"].partition("/environments/")[2].startswith(f"{name}/versions/")

    # A stage that CI repeats does nothing twice.
    (again,) = done(cloud.amlops("release", "train", "--env", "dev", as_=_DEV))
    assert again["name"] == job
    repeated = done(cloud.amlops("release", "promote", "--from", "build/first", "--env", "prod", as_=_PROD))
    assert [one["copied"] for one in repeated] == [False]

    second = commit(cloud, "second")
    trained(cloud)
    handed_on(cloud, "build/second")
    assert len(docker.read_text(encoding="utf-8").splitlines()) == 1
    assert default_of(cloud, "prod") == f"r-{second[:12]}"
    back = done(cloud.amlops("model", "rollback", "-n", _MODEL, "--env", "prod", as_=_PROD))
    assert back["to_version"] == version
    assert default_of(cloud, "prod") == f"r-{first[:12]}"


def _identity(cloud: Cloud, name: str) -> str:
    found: Any = cloud.azure.state.get(cloud.identity(name))
    return found["properties"]["principalId"]


def test_only_the_identity_of_prod_promotes_and_only_what_passes(cloud: Cloud, docker: Path) -> None:
    commit(cloud, "worse")
    trained(cloud, accuracy="0.5")
    done(cloud.amlops("release", "images", "--env", "dev", as_=_DEV))
    done(cloud.amlops("release", "export", "-p", "build/worse", "--env", "dev", as_=_DEV))
    before = done(cloud.amlops("model", "list", "-n", _MODEL, "--env", "prod"))
    words = ("release", "promote", "--from", "build/worse", "--env", "prod")
    for somebody in (_DEV, SCIENTISTS):
        assert cloud.amlops("model", "list", "-n", _MODEL, "--env", "dev", as_=somebody).code == 0
        refused = cloud.amlops(*words, as_=somebody)
        assert refused.code == 1 and "prod" in refused.line, refused.err
    refused = cloud.amlops(*words, as_=_PROD)
    assert refused.code == 3 and "accuracy is 0.5, must be >= 0.8" in refused.err
    assert done(cloud.amlops("model", "list", "-n", _MODEL, "--env", "prod")) == before


def test_a_failed_training_ends_with_3_and_the_next_run_starts_another(cloud: Cloud) -> None:
    sha = commit(cloud, "fails")
    with cloud.behaving() as behaviour:
        behaviour.next_job(Course(end="Failed", error="no space left"))
        done(cloud.amlops("release", "train", "--env", "dev", as_=_DEV))
        failed = cloud.amlops("release", "wait", "--env", "dev", as_=_DEV)
    assert failed.code == 3 and "no space left" in failed.err
    (next_one,) = done(cloud.amlops("release", "train", "--env", "dev", as_=_DEV))
    assert next_one["name"] == f"{_WORKLOAD}-{sha[:12]}-2"


_ONLINE = "image-scoring-online"
_REAL_TIME = f"""
real_time:
  - endpoint: ../endpoints/{_ONLINE}/endpoint.yml
    deployment: ../endpoints/{_ONLINE}/deployment.yml
    requests: ../../tests/smoke/{_ONLINE}/requests
    rollout: {{max_p95_ms: 60000, steps: [50, 100], hold: 1, rate: 40}}
"""


def test_the_real_time_stage_shifts_the_traffic_or_puts_it_back(cloud: Cloud) -> None:
    file = cloud.project / ".cloud" / "release" / "image-scoring.yml"
    usual = file.read_text(encoding="utf-8")
    # The batch endpoint and the images have tests of their own.
    file.write_text(usual.partition("images: true")[0] + "images: false\n" + _REAL_TIME, encoding="utf-8")
    try:
        first, bad, second = (f"r-{digit * 12}" for digit in "abc")
        folder = cloud.project / "model-real-time"
        folder.mkdir()
        (folder / "model.txt").write_text("seven", encoding="utf-8")
        made = done(
            cloud.amlops("model", "create", "-n", _MODEL, "-p", folder, "--tag", "stage=champion", "--env", "dev")
        )
        (alone,) = done(_deployed(cloud, "a"))
        assert (alone["before"], _traffic(cloud)) == ({}, {first: 100})
        with cloud.behaving(failing_deployments=frozenset({bad})):
            failed = _deployed(cloud, "b")
        assert (failed.code, _traffic(cloud)) == (3, {first: 100}), failed.err
        (shifted,) = done(_deployed(cloud, "c"))
        assert (shifted["before"], _traffic(cloud)) == ({first: 100}, {second: 100})
        assert (shifted["deleted"], shifted["model"]) == ([bad], f"azureml:{_MODEL}:{made['version']}")
        assert cloud.amlops("release", "abort", "--env", "dev", as_=_DEV).code == 0
        done(cloud.amlops("online-endpoint", "delete", "-n", _ONLINE, "--yes", "--env", "dev"))
    finally:
        file.write_text(usual, encoding="utf-8")


def _deployed(cloud: Cloud, digit: str) -> Result:
    return cloud.amlops("release", "deploy", "--commit", digit * 40, "--env", "dev", as_=_DEV)


def _traffic(cloud: Cloud) -> dict[str, int]:
    shown = done(cloud.amlops("online-endpoint", "show", "-n", _ONLINE, "--env", "dev"))
    return {name: share for name, share in shown["traffic"].items() if share}
