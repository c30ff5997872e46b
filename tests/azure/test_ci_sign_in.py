"""amlops in CI: signed in by what the CI system says of the job, again and again for as long as a job takes."""

from __future__ import annotations

import base64
import http.server
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cloud_support import Cloud

from amlplatform.cloud.https.course import Course
from amlplatform.cloud.state import TENANT_ID

pytestmark = pytest.mark.slow

_SUBJECT = "repo:org@1/churn@2:environment:dev"
_DEPLOY = "id-digit-scoring-dev-deploy"
_JOB = "type: command\ncommand: echo hello\nenvironment: {image: 'a/b:1'}\ncompute: azureml:cpu-cluster\n"


@dataclass
class Issuer:
    """A CI system: hands out assertions that live for some seconds, by GitHub's way and by Azure Pipelines'."""

    url: str
    asked: list[str] = field(default_factory=list)
    subject: str = _SUBJECT

    def assertion(self) -> str:
        claims = {
            "iss": "https://ci.example",
            "sub": self.subject,
            "aud": "api://AzureADTokenExchange",
            "exp": time.time() + 5,
        }
        parts = ({"alg": "none"}, claims)
        return (
            ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."
        )


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self, key: str) -> None:
            found.asked.append(self.path)
            body = json.dumps({key: found.assertion()}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self._answer("value")

        def do_POST(self) -> None:
            self._answer("oidcToken")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on stderr."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Issuer(f"http://127.0.0.1:{server.server_port}/token")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def client_id(cloud: Cloud) -> str:
    """The client id of dev's deploy identity, which trusts the issuer."""
    identity: Any = cloud.azure.state.get(cloud.identity(_DEPLOY))
    kind = "federatedIdentityCredentials"
    cloud.azure.state.put(
        {
            "id": f"{identity['id']}/{kind}/ci",
            "name": "ci",
            "type": f"Microsoft.ManagedIdentity/userAssignedIdentities/{kind}",
            "properties": {
                "issuer": "https://ci.example",
                "subject": _SUBJECT,
                "audiences": ["api://AzureADTokenExchange"],
            },
        }
    )
    return identity["properties"]["clientId"]


def _object_id(cloud: Cloud) -> str:
    identity: Any = cloud.azure.state.get(cloud.identity(_DEPLOY))
    return identity["properties"]["principalId"]


def _callers(cloud: Cloud) -> set[str]:
    return {seen.caller for seen in cloud.calls(["GET", "PUT"])}


def _github(issuer: Issuer, client_id: str) -> dict[str, str]:
    return {
        "ACTIONS_ID_TOKEN_REQUEST_URL": issuer.url,
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "secret-token",
        "AZURE_CLIENT_ID": client_id,
        "AZURE_TENANT_ID": TENANT_ID,
    }


def test_github_actions_waits_longer_than_its_token_lives(cloud: Cloud, issuer: Issuer, client_id: str) -> None:
    file: Path = cloud.project / "ci.yml"
    file.write_text(_JOB, encoding="utf-8")
    variables = _github(issuer, client_id)
    with cloud.behaving() as behaviour:
        behaviour.next_job(Course(looks=10_000))  # it does not end while somebody waits
        done = cloud.amlops("job", "create", "-f", file, "-n", "by-github", "--env", "dev", **variables)
    assert done.code == 0, done.err
    assert _callers(cloud) == {_object_id(cloud)}
    with cloud.behaving(token_lifetime_s=2):
        waited = cloud.amlops("job", "wait", "-n", "by-github", "--timeout", "0.1", "--env", "dev", **variables)
    assert "sign-in" not in waited.err and "secret-token" not in waited.out + waited.err
    assert len(issuer.asked) > 2


def test_azure_pipelines_signs_in_by_the_service_connection(cloud: Cloud, issuer: Issuer, client_id: str) -> None:
    variables = {
        "SYSTEM_OIDCREQUESTURI": issuer.url,
        "SYSTEM_ACCESSTOKEN": "secret-token",
        "AZURESUBSCRIPTION_CLIENT_ID": client_id,
        "AZURESUBSCRIPTION_TENANT_ID": TENANT_ID,
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "33333333-0000-4000-8000-000000000001",
    }
    done = cloud.amlops("compute", "list", "--env", "dev", **variables)
    assert done.code == 0, done.err
    assert "serviceConnectionId=33333333" in issuer.asked[0]
    assert _callers(cloud) == {_object_id(cloud)}


def test_compute_of_azure_ml_names_its_identity(cloud: Cloud, client_id: str) -> None:
    done = cloud.amlops("compute", "list", "--env", "dev", DEFAULT_IDENTITY_CLIENT_ID=client_id)
    assert done.code == 0, done.err
    assert _callers(cloud) == {_object_id(cloud)}


def test_a_branch_that_is_not_trusted_is_told_what_to_compare(cloud: Cloud, issuer: Issuer, client_id: str) -> None:
    issuer.subject = "repo:org@1/churn@2:ref:refs/heads/other"
    done = cloud.amlops("compute", "list", "--env", "dev", **_github(issuer, client_id))
    assert done.code == 1
    for part in ("sign-in", "GitHub Actions", "AADSTS700213", "federated credential"):
        assert part in done.line
