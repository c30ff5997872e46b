"""What Azure refuses, as the user is told it: one line, what it is about, who can change it, no secret."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError, ServiceRequestError, map_error

from amlops.azure import credentials
from amlops.azure.client import AzureContext
from amlops.azure.errors import azure_errors, is_passing
from amlops.errors import UserError
from amlops.project import Environment, Project

pytestmark = pytest.mark.slow

Answer = Callable[[int, Any, dict[str, str]], str]


@pytest.fixture
def azure(tmp_path: Path) -> AzureContext:
    values = {"workspace": "mlw-churn-dev", "resource_group": "rg-churn-dev", "location": "westeurope"}
    return AzureContext(Project(tmp_path), Environment("dev", tmp_path / "dev.yml", values))


@pytest.fixture
def answered(azure: AzureContext, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answer]:
    """What the user is told when a server answers so."""
    found = credentials.Found(object(), "GitHub Actions (client 1234)", "compare the federated credential")  # type: ignore[arg-type]
    monkeypatch.setattr(credentials, "_taken", [found])
    answer: dict[str, Any] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answer["body"] if isinstance(answer["body"], str) else json.dumps(answer["body"])
            self.send_response(answer["status"])
            for name, value in {"Content-Length": str(len(body)), **answer["headers"]}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on stderr."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = PipelineClient[Any, Any](f"http://127.0.0.1:{server.server_port}", policies=[])

    def told(status: int, body: Any, headers: dict[str, str]) -> str:
        from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError
        from azure.core.rest import HttpRequest

        answer.update(status=status, body=body, headers=headers)
        with pytest.raises(UserError) as raised, azure_errors(azure, "model 'digits'"):
            response = client.send_request(HttpRequest("GET", client._base_url))
            map_error(status, response, {401: ClientAuthenticationError, 404: ResourceNotFoundError})
            raise HttpResponseError(response=response)
        assert "\n" not in str(raised.value)
        return str(raised.value)

    yield told
    server.shutdown()
    server.server_close()


def _arm(code: str, message: str = "Because.") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


_DENIED = (
    "The client 'c-1' with object id 'o-1' does not have authorization to perform action "
    "'Microsoft.MachineLearningServices/workspaces/computes/write' over scope '/subscriptions/s/x/computes/gpu' or the "
    "scope is invalid."
)
_NESTED = {
    "error": {
        "code": "UserError",
        "message": "Failed.",
        "innerError": {"code": "JobNodeCountExceedsCoreQuota"},
        "details": [],
    }
}
CASES: list[tuple[str, int, Any, tuple[str, ...]]] = [
    ("quota", 400, _arm("QuotaExceeded", "Operation exceeds quota."), ("quota", "westeurope", "platform team")),
    ("quota, nested", 400, _NESTED, ("quota", "platform team")),
    ("quota of endpoints", 400, _arm("OutOfQuota", "Not enough cluster CPU quota."), ("quota", "fewer nodes")),
    (
        "permission",
        403,
        _arm("AuthorizationFailed", _DENIED),
        ("'c-1'", "computes/write", "on 'gpu'", "AzureML Compute Operator", "platform team", ".cloud/request.yaml"),
    ),
    (
        "soft-deleted",
        409,
        _arm("Conflict", "Soft-deleted workspace exists. Please purge or recover it."),
        ("purges", "platform team"),
    ),
    (
        "endpoint's name",
        400,
        _arm(
            "UserError",
            "The specified endpoint name 'digits' is not available. Endpoint names must be unique within the region.",
        ),
        ("taken in the region", "endpoints in", "dev.yml"),
    ),
    ("busy", 409, _arm("Conflict", "Another operation is in progress."), ("has not ended yet", "again")),
    ("version", 409, _arm("UserError", "A version already exists."), ("never overwritten",)),
    ("throttled", 429, _arm("SubscriptionRequestsThrottled"), ("no more calls", "after 17 seconds")),
    (
        "sign-in",
        401,
        _arm("ExpiredAuthenticationToken", "The access token expiry UTC time '1' is earlier than '2'."),
        ("sign-in", "GitHub Actions (client 1234)", "federated credential"),
    ),
    ("workspace", 404, _arm("WorkspaceNotFound"), ("mlw-churn-dev", "hand-over", "dev.yml")),
    ("group", 404, _arm("ResourceGroupNotFound"), ("mlw-churn-dev", "platform team")),
    ("nothing there", 404, _arm("ResourceNotFound"), ("there is no model 'digits'", "mlw-churn-dev")),
    ("storage's firewall", 403, _arm("AuthorizationFailure"), ("network", "ci.runner", "platform team")),
    (
        "private workspace",
        403,
        _arm("Forbidden", "Public network access is disabled for this workspace; use the private endpoint."),
        ("network", "platform team"),
    ),
    ("no data role", 403, _arm("AuthorizationPermissionMismatch"), ("Storage Blob Data Contributor",)),
    ("policy", 403, _arm("RequestDisallowedByPolicy"), ("platform team",)),
    ("Azure's own fault", 503, _arm("ServiceUnavailable"), ("fault of its own", "try again")),
    ("no JSON", 502, "<html>Bad gateway</html>", ("fault of its own",)),
]


@pytest.mark.parametrize(("status", "body", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_refusal_says_who_can_change_it(answered: Answer, status: int, body: Any, words: tuple[str, ...]) -> None:
    told = answered(status, body, {"Retry-After": "17"})
    assert all(word in told for word in words), told


def test_no_key_or_signature_of_an_address_is_shown(answered: Answer) -> None:
    told = answered(400, _arm("BadRequest", "https://st.blob.core.windows.net/c?sv=1&sig=abc%2Fdef= is not there"), {})
    assert "sv=1" in told and "abc" not in told


def test_azure_out_of_reach_is_one_line_and_passes(azure: AzureContext) -> None:
    client = PipelineClient[Any, Any]("http://127.0.0.1:9", policies=[])
    told = r"^model 'digits': Azure was not reached \(127.0.0.1: .*refused\)"
    with pytest.raises(UserError, match=told) as raised, azure_errors(azure, "model 'digits'"):
        client.send_request(client.get("http://127.0.0.1:9"))
    assert isinstance(raised.value.__cause__, ServiceRequestError) and is_passing(raised.value.__cause__)


def test_a_fault_in_a_file_names_the_file_and_the_key(azure: AzureContext, tmp_path: Path) -> None:
    from azure.ai.ml import load_job

    file = tmp_path / "train.yml"
    file.write_text("type: command\ncommand: echo 1\nenvironment: azureml:e:1\ncompute: 3\nresourcez: {}\n", "utf-8")
    with pytest.raises(UserError) as raised, azure_errors(azure, "job 'train'", file=file):
        load_job(file)
    assert str(raised.value).count("\n") == 0
    assert "train.yml: " in str(raised.value) and "resourcez" in str(raised.value)


def test_a_fault_of_ours_is_not_taken_for_azures(azure: AzureContext) -> None:
    with pytest.raises(ZeroDivisionError), azure_errors(azure):
        raise ZeroDivisionError
