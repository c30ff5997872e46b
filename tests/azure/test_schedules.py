"""Schedules in Azure: the job that is uploaded with them, one record here and there, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from cloud_support import Cloud, Result

from amlplatform.cloud.errors import AzureError

pytestmark = pytest.mark.slow

DEV = ("--env", "dev")
NAME = "image-scoring-train-nightly"
FILE = ".cloud/schedules/image-scoring/train-nightly.yml"
# So that the next run does not change while the tests run.
LATER = ("--set", "trigger.start_time=2099-01-01T00:00:00")
KIND = "Microsoft.MachineLearningServices/workspaces/schedules"


def done(result: Result) -> Any:
    assert result.code == 0, result.err
    return result.json


@pytest.fixture(scope="module")
def made(shared_cloud: Cloud) -> dict[str, Any]:
    """The example schedule of the template, in dev."""
    return done(shared_cloud.amlops("schedule", "create", "-f", FILE, *LATER, *DEV))


def properties(cloud: Cloud, name: str = NAME) -> dict[str, Any]:
    """The schedule as Azure keeps it."""
    document = cloud.azure.state.get(f"{cloud.workspace_id()}/schedules/{name}")
    assert document is not None
    return document["properties"]


def test_the_job_is_uploaded_with_the_names_of_the_environment(cloud: Cloud, made: dict[str, Any]) -> None:
    job = properties(cloud)["action"]["jobDefinition"]
    assert job["jobType"] == "Pipeline" and job["settings"]["default_compute"].endswith("/computes/cpu-cluster")
    assert job["inputs"]["images"]["uri"].startswith("azureml://")
    assert set(job["jobs"]) == {"prepare", "train", "evaluate", "register"}
    assert all("/components/" in step["componentId"] for step in job["jobs"].values())
    assert made["create_job"]["steps"] == sorted(job["jobs"])


def test_the_record_has_the_shape_of_the_laptops(cloud: Cloud, made: dict[str, Any]) -> None:
    here = done(cloud.amlops("schedule", "create", "-f", FILE, *LATER))
    assert list(made) == list(here)
    for key in ("name", "type", "display_name", "description", "tags", "is_enabled", "trigger", "next_run"):
        assert made[key] == here[key], key
    assert list(made["create_job"]) == list(here["create_job"])
    for key in ("type", "display_name", "compute", "steps"):
        assert made["create_job"][key] == here["create_job"][key], key
    assert done(cloud.amlops("schedule", "show", "-n", NAME, *DEV)) == made


def test_enable_and_disable_change_nothing_else(cloud: Cloud, made: dict[str, Any]) -> None:
    before = properties(cloud)
    disabled = done(cloud.amlops("schedule", "disable", "-n", NAME, *DEV))
    assert disabled == {**made, "is_enabled": False, "next_run": None}
    assert [call.method for call in cloud.calls(path=f"/schedules/{NAME}")] == ["PUT"]
    names = lambda *words: [one["name"] for one in done(cloud.amlops("schedule", "list", *words, *DEV))]  # noqa: E731
    assert NAME not in names() and NAME in names("--include-disabled") and NAME in names("--disabled-only")
    enabled = done(cloud.amlops("schedule", "enable", "-n", NAME, *DEV))
    assert enabled == made and NAME in names()
    assert properties(cloud) == before


def test_a_file_that_says_disabled_makes_a_disabled_schedule(cloud: Cloud) -> None:
    sets = ("--set", "is_enabled=false", "trigger.frequency=week", "trigger.schedule.week_days=[monday, friday]")
    record = done(cloud.amlops("schedule", "create", "-f", FILE, "-n", "resting", *sets, *DEV))
    assert record["is_enabled"] is False and record["trigger"]["frequency"] == "week"
    assert record["trigger"]["schedule"]["week_days"] == ["monday", "friday"]
    assert properties(cloud, "resting")["isEnabled"] is False


def test_preview_of_what_is_in_azure(cloud: Cloud, made: dict[str, Any]) -> None:
    found = done(cloud.amlops("schedule", "preview", "-n", NAME, "--from", "2099-03-28", "--count", "2", *DEV))
    assert [run["local"] for run in found["runs"]] == ["2099-03-28T03:30:00+01:00", "2099-03-29T03:30:00+02:00"]
    assert found["runs_per_month"] == 30.4


def test_changes_to_the_job_and_a_cron_expression(cloud: Cloud) -> None:
    file = cloud.project / ".cloud" / "schedules" / "quick.yml"
    file.write_text(
        "name: quick\ntrigger: {type: cron, expression: '15 2 * * 1-5', time_zone: UTC}\n"
        "create_job:\n  type: pipeline\n  job: ../../pipelines/image-scoring/train.yml\n  inputs: {epochs: 3}\n",
        encoding="utf-8",
    )
    record = done(cloud.amlops("schedule", "create", "-f", file, *DEV))
    assert record["trigger"]["expression"] == "15 2 * * 1-5" and record["create_job"]["inputs"]["epochs"] == "3"
    here = done(cloud.amlops("schedule", "create", "-f", file))
    assert (list(here["trigger"]), here["create_job"]["inputs"]["epochs"]) == (list(record["trigger"]), 3)


def test_a_job_that_ran_is_scheduled_again(cloud: Cloud) -> None:
    done(cloud.amlops("job", "create", "-f", "pipelines/image-scoring/train.yml", "-n", "ran-once", *DEV))
    words = ("schedule", "create", "-f", FILE, "-n", "again", "--set", "create_job=azureml:ran-once", *DEV)
    assert done(cloud.amlops(*words))["create_job"]["job"] == "ran-once"
    source = properties(cloud, "again")["action"]["jobDefinition"]["sourceJobId"]
    assert source == f"{cloud.workspace_id()}/jobs/ran-once"
    disabled = done(cloud.amlops("schedule", "disable", "-n", "again", *DEV))
    assert disabled["is_enabled"] is False and disabled["create_job"]["job"] == "ran-once"


def test_what_can_never_run_is_refused_before_anything_is_sent(cloud: Cloud) -> None:
    file = cloud.project / ".cloud" / "schedules" / "wrong.yml"
    text = (cloud.project / FILE).read_text(encoding="utf-8").replace("../../../pipe", "../../pipe")
    job = cloud.project / "pipelines" / "other-compute.yml"
    train = (cloud.project / "pipelines" / "image-scoring" / "train.yml").read_text(encoding="utf-8")
    job.write_text(train.replace("azureml:cpu-cluster", "serverless-not"), encoding="utf-8")
    file.write_text(text.replace("image-scoring/train.yml", "other-compute.yml"), encoding="utf-8")
    refused = cloud.amlops("schedule", "create", "-f", file, *DEV)
    assert refused.code == 1 and "there is no 'serverless-not' in workspace" in refused.line
    gone = cloud.amlops("schedule", "create", "-f", FILE, "--set", "create_job=azureml:nothing", *DEV)
    assert gone.code == 1 and "create_job: there is no job 'nothing' in workspace" in gone.line
    assert cloud.calls() == []


def test_a_schedule_that_could_not_be_made_comes_first_in_status(cloud: Cloud, made: dict[str, Any]) -> None:
    with cloud.behaving() as behaviour:
        behaviour.fail_next(KIND, AzureError(409, "Conflict", "The trigger service is not available."))
        failed = cloud.amlops("schedule", "create", "-f", FILE, "-n", "z-broken", *DEV)
    assert failed.code == 1 and "trigger service is not available" in failed.line
    view = cloud.amlops("status", "--check", *DEV)
    assert view.code == 3
    problem = next(one for one in view.json["problems"] if one["kind"] == "schedule")
    assert (problem["name"], problem["status"]) == ("z-broken", "Failed")
    rows = {row["name"]: row for row in view.json["schedules"]}
    assert next(iter(rows)) == "z-broken" and rows["z-broken"]["state"] == "Failed"
    assert rows[NAME] == {"name": NAME, "is_enabled": True, "next_run": made["next_run"], "state": "Succeeded"}
    assert cloud.amlops("schedule", "delete", "-n", "z-broken", "--yes", *DEV).code == 0


def test_delete_and_names_that_are_not_there(cloud: Cloud) -> None:
    done(cloud.amlops("schedule", "create", "-f", FILE, "-n", "short", *DEV))
    assert cloud.amlops("schedule", "delete", "-n", "short", "--yes", *DEV).code == 0
    for verb in ("show", "enable", "disable", "delete", "preview"):
        refused = cloud.amlops("schedule", verb, "-n", "short", *(["--yes"] if verb == "delete" else []), *DEV)
        assert refused.code == 1 and "there is no schedule 'short' in workspace" in refused.line
