"""Which credential is taken where, and that each gets new tokens by itself: a job outlives any token."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from amlops.azure import credentials
from amlops.errors import UserError

pytestmark = pytest.mark.slow

_CLEARED = ("DEFAULT_IDENTITY_CLIENT_ID", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
_PIPELINES = {
    "SYSTEM_ACCESSTOKEN": "secret-token",
    "AZURESUBSCRIPTION_CLIENT_ID": "11111111-0000-4000-8000-000000000001",
    "AZURESUBSCRIPTION_TENANT_ID": "22222222-0000-4000-8000-000000000001",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "33333333-0000-4000-8000-000000000001",
}


@dataclass
class Issuer:
    """A CI system that hands out assertions: what was asked of it, and what it answered."""

    url: str
    asked: list[tuple[str, str]] = field(default_factory=list)
    status: int = 200


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append((self.path, self.headers["Authorization"]))
            body = json.dumps({"value": f"assertion-{len(found.asked)}"}).encode()
            self.send_response(found.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on stderr."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Issuer(f"http://127.0.0.1:{server.server_port}/token?job=7")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*_CLEARED, *_PIPELINES, "SYSTEM_OIDCREQUESTURI", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"):
        monkeypatch.delenv(name, raising=False)


def _set(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def _github(issuer: Issuer) -> dict[str, str]:
    return {
        "ACTIONS_ID_TOKEN_REQUEST_URL": issuer.url,
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "secret-token",
        "AZURE_CLIENT_ID": _PIPELINES["AZURESUBSCRIPTION_CLIENT_ID"],
        "AZURE_TENANT_ID": _PIPELINES["AZURESUBSCRIPTION_TENANT_ID"],
    }


def test_where_the_process_runs_decides(monkeypatch: pytest.MonkeyPatch, issuer: Issuer) -> None:
    def taken(**variables: str) -> tuple[str, str]:
        with monkeypatch.context() as patch:
            _set(patch, variables)
            found = credentials.find()
        assert credentials.taken() is found and "secret" not in repr(found)
        return type(found.credential).__name__, found.source.partition(" (")[0]

    assert taken(DEFAULT_IDENTITY_CLIENT_ID="1") == ("ManagedIdentityCredential", "managed identity of the compute")
    assert taken(**_github(issuer)) == ("ClientAssertionCredential", "GitHub Actions")
    pipelines = {"SYSTEM_OIDCREQUESTURI": "https://dev.azure.com/o/p/_apis/oidc", **_PIPELINES}
    assert taken(**pipelines) == ("AzurePipelinesCredential", "Azure Pipelines")
    assert taken()[0] == "ChainedTokenCredential"


def test_a_step_without_its_token_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, {"SYSTEM_OIDCREQUESTURI": "https://dev.azure.com/o/p/_apis/oidc", **_PIPELINES})
    monkeypatch.delenv("SYSTEM_ACCESSTOKEN")
    with pytest.raises(UserError, match=r"^SYSTEM_ACCESSTOKEN: .*\$\(System.AccessToken\)"):
        credentials.find()


def test_github_is_asked_for_a_new_assertion_each_time(issuer: Issuer) -> None:
    fetch = credentials._github_assertion(issuer.url, "secret-token")
    assert (fetch(), fetch()) == ("assertion-1", "assertion-2")
    assert issuer.asked[0] == ("/token?job=7&audience=api%3A%2F%2FAzureADTokenExchange", "Bearer secret-token")


def test_a_job_without_the_permission_is_told_so(issuer: Issuer) -> None:
    from azure.core.exceptions import ClientAuthenticationError

    issuer.status = 403
    with pytest.raises(ClientAuthenticationError, match=r"HTTP 403.*id-token: write") as raised:
        credentials._github_assertion(issuer.url, "secret-token")()
    assert "secret" not in str(raised.value)
