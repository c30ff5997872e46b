"""Jobs in Azure: what is sent, what is checked first, and waits that outlive tokens."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from cloud_support import Cloud

from amlplatform.cloud.https.course import Course

pytestmark = pytest.mark.slow

JOB = {
    "type": "command",
    "command": "echo ${{inputs.rate}}",
    "inputs": {"rate": 1},
    "environment": {"image": "mcr.microsoft.com/azureml/base:1"},
    "compute": "azureml:cpu-cluster",
    "tags": {"team": "digits"},
}


@pytest.fixture(scope="session")
def file(shared_cloud: Cloud) -> Path:
    path = shared_cloud.project / "pipelines" / "hello.yml"
    path.write_text(yaml.safe_dump(JOB), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def submitted(shared_cloud: Cloud, file: Path) -> str:
    done = shared_cloud.amlops(
        "job", "create", "-f", file, "-n", "hello-1", "--set", "inputs.rate=3", "--tag", "stage=test", "--env", "dev"
    )
    assert done.code == 0, done.err
    return "hello-1"


def test_create_returns_after_submission_with_changes_and_tags_made(cloud: Cloud, submitted: str) -> None:
    shown = cloud.amlops("job", "list", "--env", "dev").json
    record = next(entry for entry in shown if entry["name"] == submitted)
    assert record["type"] == "command" and record["inputs"] == {"rate": "3"}
    assert record["tags"] == {"team": "digits", "stage": "test"}


def test_the_record_has_the_keys_of_the_laptops(cloud: Cloud, submitted: str) -> None:
    code = cloud.project / "hello"
    code.mkdir(exist_ok=True)
    local = code / "local.yml"
    local.write_text(yaml.safe_dump({**JOB, "command": "python -V"}), encoding="utf-8")
    here = cloud.amlops("job", "create", "-f", local, "-n", "hello-here")
    there = next(entry for entry in cloud.amlops("job", "list", "--env", "dev").json if entry["name"] == submitted)
    assert here.code == 0, here.err
    known = {key: value for key, value in here.json.items() if key != "mlflow_run_id"}
    assert known.keys() <= there.keys()
    differing = {key for key, value in known.items() if there[key] is not None and type(value) is not type(there[key])}
    assert not differing


def test_a_name_is_used_once_and_nothing_is_sent(cloud: Cloud, submitted: str, file: Path) -> None:
    done = cloud.amlops("job", "create", "-f", file, "-n", submitted, "--env", "dev")
    assert done.code == 1 and f"job '{submitted}' exists" in done.line
    assert cloud.calls() == []


def test_a_compute_that_is_not_there_or_too_small_is_told_before_anything_is_sent(cloud: Cloud, file: Path) -> None:
    words = ["job", "create", "-f", file, "--env", "dev"]
    missing = cloud.amlops(*words, "--set", "compute=azureml:other")
    assert missing.code == 1 and "other" in missing.line and "cpu-cluster" in missing.line
    small = cloud.amlops(*words, "--set", "resources.instance_count=9")
    assert small.code == 1 and "9 nodes" in small.line and "at most 4" in small.line
    assert cloud.calls() == []


def test_a_wait_outlives_its_tokens_and_says_how_to_go_on(cloud: Cloud, submitted: str) -> None:
    with cloud.behaving(token_lifetime_s=2):
        done = cloud.amlops("job", "wait", "-n", submitted, "--timeout", "0.1", "--env", "dev")
    asked = cloud.calls(["GET"], f"/jobs/{submitted}")
    if done.code == 1:
        assert f"amlops job wait -n {submitted} --env dev" in done.err.splitlines()[-1]
        assert len(asked) > 3
    else:
        assert done.json["status"] == "Completed"


def test_a_job_that_is_not_there(cloud: Cloud) -> None:
    for verb in ("show", "wait", "stream", "cancel", "download"):
        done = cloud.amlops("job", verb, "-n", "nothing", "--env", "dev")
        assert done.code == 1 and "there is no job 'nothing' in workspace" in done.line


def test_a_pipeline_that_fails_is_streamed_step_by_step_and_exits_3(cloud: Cloud) -> None:
    file = next((cloud.project / "pipelines").rglob("train.yml"))
    logs = {"train:user_logs/std_log.txt": "epoch 1\nboom\n"}
    course = Course(looks=3, end="Failed", error="it broke", failed_step="train", logs=logs)
    with cloud.behaving() as behaviour:
        behaviour.next_job(course)
        made = cloud.amlops("job", "create", "-f", file, "-n", "train-1", "--env", "dev")
        assert made.code == 0, made.err
        streamed = cloud.amlops("job", "stream", "-n", "train-1", "--env", "dev")
        waited = cloud.amlops("job", "wait", "-n", "train-1", "--env", "dev")
    assert (streamed.code, waited.code) == (3, 3)
    lines = streamed.out.splitlines()
    assert [line for line in lines if line.startswith("train | ")] == ["train | epoch 1", "train | boom"]
    assert "job 'train-1' failed: step 'train' failed: it broke" in streamed.err
    assert waited.json["status"] == "Failed" and waited.json["steps"]["train"]["status"] == "Failed"
    steps = cloud.amlops("job", "list", "--parent-job-name", "train-1", "--env", "dev").json
    assert {step["display_name"]: step["status"] for step in steps}["train"] == "Failed"


def test_a_job_is_canceled(cloud: Cloud, file: Path) -> None:
    with cloud.behaving() as behaviour:
        behaviour.next_job(Course(looks=1000))
        cloud.amlops("job", "create", "-f", file, "-n", "long", "--env", "dev")
        done = cloud.amlops("job", "cancel", "-n", "long", "--env", "dev")
    assert done.code == 0 and done.json["status"] == "Canceled", done.err
