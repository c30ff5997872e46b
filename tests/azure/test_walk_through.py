"""The batch walk-through of the template with `--env dev`: what the commands send to Azure, in order, and no secret."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cloud_support import Cloud, Result

from amlplatform.cloud.https.azure import Seen

pytestmark = pytest.mark.slow

DEV = ("--env", "dev")
FOLDER = ".cloud/endpoints/image-scoring"
NAME = "image-scoring"
# Signatures, keys and tokens as they look anywhere in a request.
SECRET = re.compile(r"sig=|AccountKey|SharedAccessSignature|eyJ[A-Za-z0-9_-]{20,}\.eyJ|Bearer ", re.IGNORECASE)


def done(result: Result) -> Result:
    assert result.code == 0, result.err
    return result


@pytest.fixture(scope="module")
def story(shared_cloud: Cloud) -> dict[str, Any]:
    """The whole story once; the tests look at what was said and what was sent."""
    cloud = shared_cloud
    told: dict[str, Any] = {}
    refused_before = len(cloud.azure.egress.refused)
    with cloud.fresh():
        physical = told["physical"] = cloud.environment()["endpoints"][NAME]
        images = cloud.project / "scans"
        images.mkdir()
        (images / "a.png").write_bytes(b"not looked at")
        model = cloud.project / "a-model"
        model.mkdir()
        (model / "model.txt").write_text("seven", encoding="utf-8")
        sets = ("--set", "model=azureml:walk-model:1")
        words = ("batch-deployment", "create", "-f", f"{FOLDER}/deployment.yml", *sets)
        done(cloud.amlops("model", "create", "-n", "walk-model", "-p", "a-model", *DEV))
        told["endpoint"] = done(cloud.amlops("batch-endpoint", "create", "-f", f"{FOLDER}/endpoint.yml", *DEV)).json
        told["first"] = done(cloud.amlops(*words, "--set-default", *DEV)).json
        told["job"] = done(cloud.amlops("batch-endpoint", "invoke", "-n", NAME, "--input", "scans", *DEV)).json
        told["waited"] = done(cloud.amlops("job", "wait", "-n", told["job"]["name"], *DEV)).json
        done(cloud.amlops(*words, "--name", "second", *DEV))
        told["still"] = done(cloud.amlops("batch-endpoint", "show", "-n", NAME, *DEV)).json
        overrides = ("--mini-batch-size", "3", "--instance-count", "2", "--job-name", "by-name", "--output-path")
        overrides += ("azureml://datastores/batch_output/paths/scores", "--set", "retry_settings.max_retries=2")
        overrides += ("--set", "retry_settings.timeout=90", "--set", "error_threshold=4")
        overrides += ("--set", "output_file_name=second.csv", "--deployment-name", "second")
        source = "azureml://datastores/workspaceblobstore/paths/scans/"
        told["by name"] = done(
            cloud.amlops("batch-endpoint", "invoke", "-n", NAME, "--input", source, *overrides, *DEV)
        ).json
        switch = ("batch-endpoint", "update", "-n", NAME, "--set", "defaults.deployment_name=second")
        told["switched"] = done(cloud.amlops(*switch, *DEV)).json
        told["kept"] = cloud.amlops("batch-deployment", "delete", "-n", "second", "-e", NAME, "--yes", *DEV)
        done(cloud.amlops("batch-endpoint", "create", "-f", f"{FOLDER}/endpoint.yml", *DEV))
        told["made again"] = done(cloud.amlops("batch-endpoint", "show", "-n", physical, *DEV)).json
        before = len(cloud.calls(["GET"], "/jobs"))
        with cloud.behaving(page_size=1):
            told["jobs"] = done(cloud.amlops("batch-endpoint", "list-jobs", "-n", NAME, *DEV)).json
        told["second's jobs"] = done(
            cloud.amlops("batch-deployment", "list-jobs", "-n", "second", "-e", NAME, *DEV)
        ).json
        told["asked for jobs"] = [call.path for call in cloud.calls(["GET"], "/jobs")[before:]]
        done(cloud.amlops("batch-deployment", "delete", "-n", "default", "-e", NAME, "--yes", *DEV))
        done(cloud.amlops("batch-endpoint", "delete", "-n", NAME, "--yes", *DEV))
        told["after"] = done(cloud.amlops("job", "show", "-n", "by-name", *DEV)).json
        told["calls"] = cloud.calls()
        told["refused"] = cloud.azure.egress.refused[refused_before:]
    return told


def bodies(story: dict[str, Any], ending: str) -> list[Any]:
    return [call.body for call in story["calls"] if call.path.lower().endswith(ending.lower())]


def what(call: Seen) -> str:
    """A request without the names that differ from run to run."""
    parts = call.path.rstrip("/").split("/")
    kinds = [part for part in parts if part in {"batchEndpoints", "deployments", "models", "environments", "codes"}]
    return f"{call.method} {'/'.join(kinds) or parts[-1]}"


def test_the_requests_in_order(story: dict[str, Any]) -> None:
    order = [what(call) for call in story["calls"]]
    expected = [
        "PUT models",  # the model is uploaded and registered
        "PUT batchEndpoints",
        "POST codes",  # where the code is to be uploaded
        "PUT codes",
        "PUT environments",
        "PUT batchEndpoints/deployments",
        "PUT batchEndpoints",  # --set-default
        "POST jobs",
        "PUT batchEndpoints/deployments",  # the second, with the same code and environment
        "POST jobs",
        "PUT batchEndpoints",  # the switch
        "PUT batchEndpoints",  # made again: nothing is lost
        "DELETE batchEndpoints/deployments",
        "DELETE batchEndpoints",
    ]
    following = iter(order)
    assert all(step in following for step in expected), order
    assert order.count("PUT models") == 1 and order.count("POST jobs") == 2


def test_physical_names_and_the_cluster_of_dev(story: dict[str, Any]) -> None:
    assert story["endpoint"]["name"] == story["physical"] != NAME
    (body, _) = bodies(story, f"/batchEndpoints/{story['physical']}/deployments/default")[:1] * 2
    properties = body["properties"]
    assert properties["compute"].endswith("/computes/cpu-cluster")
    assert properties["model"]["assetId"].endswith("/models/walk-model/versions/1")
    assert properties["codeConfiguration"]["scoringScript"] == "score/batch_driver.py"
    assert (properties["miniBatchSize"], properties["outputFileName"]) == (100, "predictions.csv")
    assert properties["retrySettings"] == {"maxRetries": 3, "timeout": "PT1M"}


def test_an_invocation_says_no_more_than_was_asked(story: dict[str, Any]) -> None:
    first, second = bodies(story, "/jobs")
    assert set(first["properties"]) == {"inputData"}
    (given,) = first["properties"]["inputData"].values()
    assert given["jobInputType"] == "UriFolder" and given["uri"].startswith("azureml://datastores/workspaceblobstore/")
    asked = second["properties"]
    assert asked["compute"]["instanceCount"] == 2
    assert asked["retrySettings"] == {"maxRetries": 2, "timeout": "PT1M30S"}
    assert (asked["miniBatchSize"], asked["errorThreshold"], asked["outputFileName"]) == (3, 4, "second.csv")
    assert asked["outputData"]["score"]["uri"] == "azureml://datastores/batch_output/paths/scores"
    assert asked["name"] == story["by name"]["name"] == "by-name"
    assert story["by name"]["deployment_name"] == "second"


def test_the_first_serves_until_the_switch_and_a_default_is_never_lost(story: dict[str, Any]) -> None:
    assert story["job"]["deployment_name"] == "default" and story["waited"]["status"] == "Completed"
    assert story["still"]["defaults"] == {"deployment_name": "default"}
    assert story["switched"]["defaults"] == story["made again"]["defaults"] == {"deployment_name": "second"}
    assert story["kept"].code == 1 and "'second' is the default deployment" in story["kept"].line


def test_jobs_are_listed_and_outlive_their_endpoint(story: dict[str, Any]) -> None:
    # Jobs outlive their endpoint, so others of the same name may stand behind these two.
    assert [job["name"] for job in story["jobs"][:2]] == ["by-name", story["job"]["name"]]
    assert story["second's jobs"] == story["jobs"][:1]
    assert story["jobs"][0].keys() == story["by name"].keys()
    assert story["after"]["name"] == "by-name"


def test_jobs_are_listed_without_a_request_for_each(story: dict[str, Any]) -> None:
    endpoint = f"/batchEndpoints/{story['physical']}"
    asked = [path[path.index("/batchEndpoints") :] for path in story["asked for jobs"]]
    *of_endpoint, of_deployment = asked
    # Pages, two at least; nothing is asked of a single job.
    assert len(of_endpoint) >= 2 and set(of_endpoint) == {f"{endpoint}/jobs"}
    assert of_deployment == f"{endpoint}/deployments/second/jobs"


def test_no_secret_is_sent_and_nothing_leaves_the_machine(story: dict[str, Any]) -> None:
    text = json.dumps([(call.path, call.body) for call in story["calls"]], default=str)
    assert not SECRET.search(text), SECRET.search(text)
    assert story["refused"] == []


def test_the_same_records_as_on_the_laptop(story: dict[str, Any], shared_cloud: Cloud) -> None:
    """Keys of `show` are the same here and there; an environment in the file has a name in Azure."""
    here = shared_cloud
    done(here.amlops("model", "create", "-n", "walk-model", "-p", "a-model"))
    endpoint = done(here.amlops("batch-endpoint", "create", "-f", f"{FOLDER}/endpoint.yml")).json
    words = ("batch-deployment", "create", "-f", f"{FOLDER}/deployment.yml", "--set", "model=azureml:walk-model:1")
    deployment = done(here.amlops(*words)).json
    assert endpoint.keys() == story["endpoint"].keys()
    assert deployment.keys() == story["first"].keys()
    assert deployment["settings"].keys() == story["first"]["settings"].keys()
    for key in ("compute", "model", "resources", "type"):
        assert type(deployment[key]) is type(story["first"][key]), key
    assert Path(deployment["file"]).name == "deployment.yml" and story["first"]["file"] is None
