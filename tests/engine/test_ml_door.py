"""What a project makes in its workspace, over HTTPS: order, archive, names, and what Azure refuses."""

from __future__ import annotations

from typing import Any

import pytest
from https_support import CLUSTER, WORKSPACE, Door

from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https import online_credentials

Body = dict[str, Any]
ENVIRONMENT = {"properties": {"image": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"}}
ENDPOINT = {"location": "westeurope", "properties": {"authMode": "AADToken"}}
ONLINE = {"location": "westeurope", "properties": {"authMode": "Key"}}
JOB = {
    "properties": {
        "jobType": "Command",
        "command": "python main.py",
        "environmentId": f"{WORKSPACE}/environments/tools/versions/1",
        "computeId": CLUSTER,
    }
}


def model(path: str = "models/a") -> Body:
    return {"properties": {"modelType": "custom_model", "modelUri": f"azureml://datastores/x/paths/{path}"}}


def deployment(name: str = "kept") -> Body:
    asset = f"{WORKSPACE}/models/{name}/versions/1"
    properties = {"compute": CLUSTER, "model": {"referenceType": "Id", "assetId": asset}}
    return {"location": "westeurope", "properties": properties}


def put(door: Door, path: str, body: Body) -> int:
    return door.call("PUT", f"{WORKSPACE}/{path}", body).status_code


@pytest.fixture(scope="module")
def made(opened: Door) -> Door:
    """Three versions of an environment and of a model, an endpoint with a deployment, a job."""
    with opened.behaving():
        for version in ("1", "2", "10"):
            assert put(opened, f"environments/tools/versions/{version}", ENVIRONMENT) == 201
            assert put(opened, f"models/kept/versions/{version}", model()) == 201
        for path, body in (
            ("batchEndpoints/score-it", ENDPOINT),
            ("batchEndpoints/score-it/deployments/first", deployment()),
            ("onlineEndpoints/answer-it", ONLINE),
            ("jobs/once", JOB),
        ):
            assert put(opened, path, body) == 201, path
        default = {**ENDPOINT, "properties": {"authMode": "AADToken", "defaults": {"deploymentName": "first"}}}
        assert put(opened, "batchEndpoints/score-it", default) == 200
    return opened


def names(door: Door, path: str) -> list[str]:
    return [one["name"] for one in door.call("GET", f"{WORKSPACE}/{path}").json()["value"]]


@pytest.mark.parametrize("kind", ["environments/tools", "models/kept"])
def test_the_latest_version_is_the_one_made_last(made: Door, kind: str) -> None:
    assert names(made, f"{kind}/versions?$orderBy=createdtime%20desc&$top=1") == ["10"]
    container = made.call("GET", f"{WORKSPACE}/{kind}").json()["properties"]
    assert (container["latestVersion"], container["nextVersion"]) == ("10", "11")


def test_what_is_archived_is_listed_when_asked_for(made: Door) -> None:
    put(made, "models/old/versions/1", model())
    archived = {"properties": {**model()["properties"], "isArchived": True}}
    assert put(made, "models/old/versions/1", archived) == 200
    assert names(made, "models/old/versions") == []
    assert names(made, "models/old/versions?listViewType=All") == ["1"]
    assert names(made, "models/old/versions?listViewType=ArchivedOnly") == ["1"]


def other_command() -> Body:
    return {"properties": {**JOB["properties"], "command": "python other.py"}}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "models/kept/versions/1", model("models/b"), 409),
        ("PUT", "models/kept/versions/a%20b", model(), 400),
        ("PUT", "models/x/versions/1", {"properties": {"modelType": 7}}, 400),
        ("PUT", "jobs/once", other_command(), 409),
        ("PUT", "jobs/new", {"properties": {**JOB["properties"], "computeId": f"{CLUSTER}-not-there"}}, 400),
        ("PUT", "batchEndpoints/1abc", ENDPOINT, 400),
        ("PUT", "batchEndpoints/a_b", ENDPOINT, 400),
        ("PUT", "batchEndpoints/ab", ENDPOINT, 400),
        ("PUT", "batchEndpoints/abc-", ENDPOINT, 400),
        ("PUT", f"batchEndpoints/{'a' * 33}", ENDPOINT, 400),
        ("PUT", "onlineEndpoints/score-it", ONLINE, 409),
        ("PUT", "batchEndpoints/none/deployments/first", deployment(), 404),
        ("PUT", "batchEndpoints/score-it/deployments/second", deployment("missing"), 400),
        (
            "PUT",
            "batchEndpoints/score-it",
            {**ENDPOINT, "properties": {"authMode": "AADToken", "defaults": {"deploymentName": "second"}}},
            400,
        ),
        ("PUT", "onlineEndpoints/answer-it", {**ONLINE, "properties": {"authMode": "Key", "traffic": {"a": 101}}}, 400),
        ("DELETE", "batchEndpoints/score-it/deployments/first", None, 409),
        ("POST", "datastores/workspaceblobstore/listSecrets", None, 400),
        ("POST", "onlineEndpoints/answer-it/regenerateKeys", {"keyType": "Third"}, 400),
        ("POST", "onlineEndpoints/answer-it/regenerateKeys", {"keyType": "Primary", "more": 1}, 400),
        ("POST", "onlineEndpoints/answer-it/token", None, 400),
    ],
)
def test_what_azure_refuses(made: Door, method: str, path: str, body: Body | None, status: int) -> None:
    assert made.call(method, f"{WORKSPACE}/{path}", body).status_code == status


def test_one_operation_at_a_time_and_time_passes_for_who_looks(made: Door) -> None:
    path = f"{WORKSPACE}/batchEndpoints/slow-one"
    with made.behaving(polls=2):
        assert made.call("PUT", path, ENDPOINT).status_code == 201
        assert made.refusal("PUT", path, ENDPOINT) == (409, "Conflict")
        seen = [made.call("GET", path).json()["properties"]["provisioningState"] for _ in range(4)]
    assert seen[0] == "Creating" and seen[-1] == "Succeeded"


def test_one_key_is_made_anew_and_the_other_stays(made: Door) -> None:
    path = f"{WORKSPACE}/onlineEndpoints/answer-it"
    keys = made.call("POST", f"{path}/listKeys").json()
    assert set(keys) == {"primaryKey", "secondaryKey"} and len(set(keys.values())) == 2
    accepted = made.call("POST", f"{path}/regenerateKeys", {"keyType": "Primary"})
    assert accepted.status_code == 202 and accepted.headers["Azure-AsyncOperation"] and accepted.content == b""
    after = made.call("POST", f"{path}/listKeys").json()
    assert after["secondaryKey"] == keys["secondaryKey"] and after["primaryKey"] not in keys.values()
    made.call("POST", f"{path}/regenerateKeys", {"keyType": "Secondary", "keyValue": "mine"})
    assert made.call("POST", f"{path}/listKeys").json() == {**after, "secondaryKey": "mine"}


def test_a_token_is_good_at_its_own_endpoint_only(made: Door) -> None:
    path = f"{WORKSPACE}/onlineEndpoints"
    for name in ("with-tokens", "other-tokens"):
        put(made, f"onlineEndpoints/{name}", {**ONLINE, "properties": {"authMode": "AMLToken"}})
    found = made.call("POST", f"{path}/with-tokens/token").json()
    assert {key: type(value) for key, value in found.items()} == {
        "accessToken": str, "expiryTimeUtc": int, "refreshAfterTimeUtc": int, "tokenType": str
    }  # fmt: skip
    endpoints = [made.azure.state.get(f"{path}/{name}") for name in ("with-tokens", "other-tokens")]
    own, other = [endpoint for endpoint in endpoints if endpoint is not None]
    online_credentials.check(f"Bearer {found['accessToken']}", own, made.azure)
    with pytest.raises(AzureError, match="wrong audience"):
        online_credentials.check(f"Bearer {found['accessToken']}", other, made.azure)
    assert made.refusal("POST", f"{path}/with-tokens/listKeys") == (400, "BadArgument")


def test_schedules_are_listed_by_whether_they_are_enabled(made: Door) -> None:
    trigger = {"triggerType": "Recurrence", "frequency": "week", "interval": 1}  # words in any letters
    pattern = {"hours": [3], "minutes": [30], "weekDays": ["monday"]}
    job = {"jobType": "Pipeline", "sourceJobId": f"{WORKSPACE}/jobs/once"}
    action = {"actionType": "CreateJob", "jobDefinition": job}
    for name, enabled in (("on", True), ("off", False)):
        properties = {"trigger": {**trigger, "schedule": pattern}, "action": action, "isEnabled": enabled}
        assert put(made, f"schedules/{name}", {"properties": properties}) == 201
    assert names(made, "schedules") == ["on"]
    assert names(made, "schedules?listViewType=DisabledOnly") == ["off"]
    assert sorted(names(made, "schedules?listViewType=All")) == ["off", "on"]
    wrong = {"properties": {"trigger": {**trigger, "frequency": "yearly"}, "action": action}}
    assert put(made, "schedules/wrong", wrong) == 400
