"""Compute targets in Azure, and what is checked of them before a job is submitted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cloud_support import Cloud

from amlops.azure.preflight import needs

pytestmark = pytest.mark.slow

_HELLO = "type: command\ncommand: echo hello\nenvironment: {image: 'a/b:1'}\ncompute: azureml:cpu-cluster\n"


def test_a_pipeline_names_its_computes_in_three_places() -> None:
    job: dict[str, Any] = {
        "settings": {"default_compute": "azureml:cpu-cluster"},
        "jobs": {
            "prepare": {"component": "./a.yml"},
            "score": {"resources": {"instance_count": 3}},
            "train": {"compute": "azureml:gpu-cluster", "identity": {"type": "user_identity"}},
            "report": {"compute": "serverless"},
            "chosen": {"compute": "${{parent.inputs.compute}}"},
        },
    }
    found = {need.name: (need.nodes, need.own_identity) for need in needs(job)}
    assert found == {"cpu-cluster": (3, True), "gpu-cluster": (1, False)}


def test_a_cluster_is_made_shown_as_on_the_laptop_and_deleted(cloud: Cloud) -> None:
    words = ["--name", "mine", "--type", "amlcompute", "--size", "Standard_D4ds_v4", "--max-instances", "1"]
    here = cloud.amlops("compute", "create", *words).json
    there = cloud.amlops("compute", "create", *words, "--env", "dev").json
    assert here.keys() <= there.keys()
    same = ("name", "type", "size", "min_instances", "max_instances", "idle_time_before_scale_down", "tier")
    assert {key: here[key] for key in same} == {key: there[key] for key in same}
    assert cloud.amlops("compute", "delete", "--name", "mine", "-y", "--env", "dev").code == 0
    gone = cloud.amlops("compute", "show", "--name", "mine", "--env", "dev")
    assert gone.code == 1 and "there are: cpu-cluster" in gone.line


def test_who_may_not_is_told_which_role_it_takes_and_who_gives_it(cloud: Cloud) -> None:
    words = ["--name", "mine", "--type", "amlcompute", "--size", "Standard_D4ds_v4", "--env", "dev"]
    done = cloud.amlops("compute", "create", *words, as_="id-digit-scoring-dev-deploy")
    assert done.code == 1
    for part in ("computes/write", "AzureML Compute Operator", "platform team", ".cloud/request.yaml"):
        assert part in done.line


@pytest.fixture
def changed(cloud: Cloud) -> Iterator[dict[str, Any]]:
    """The cluster of dev, which the test changes in Azure's state; it is as before afterwards."""
    compute_id = f"{cloud.workspace_id()}/computes/cpu-cluster"
    before = cloud.azure.state.get(compute_id)
    assert before is not None
    (cloud.project / "hello.yml").write_text(_HELLO, encoding="utf-8")
    yield dict(before)
    cloud.azure.state.put(before)
    cloud.azure.state.set_setting("quota", {})


def _refused(cloud: Cloud) -> str:
    done = cloud.amlops("job", "create", "-f", "hello.yml", "--env", "dev")
    assert done.code == 1 and cloud.calls() == [], done.err
    return done.line


def test_a_cluster_that_cannot_run_the_job_is_told_with_all_its_faults(cloud: Cloud, changed: dict[str, Any]) -> None:
    cloud.azure.state.set_setting("quota", {"standardDDSv4Family": 2})
    errors = [{"error": {"code": "BadRequest", "message": "No room."}}]
    properties = {**changed["properties"], "provisioningState": "Failed", "provisioningErrors": errors}
    cloud.azure.state.put({**changed, "identity": {"type": "None"}, "properties": properties})
    told = _refused(cloud)
    assert "is Failed (No room)" in told
    assert "needs 4 cores more" in told and "2 of 2 left" in told
    assert "has no identity" in told
