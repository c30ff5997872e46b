"""Who calls the HTTPS door: tokens, managed identities, federated credentials; and who cannot listen in."""

from __future__ import annotations

import base64
import json
import os
import ssl
import stat
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import certifi
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ManagedIdentityCredential, WorkloadIdentityCredential
from engine_support import LiveProject, explained
from https_support import ACCOUNT, GROUP, IDENTITY, ISSUER, NEWEST, SUBJECT, Door

import requests
from amlplatform.cloud.callers import PERSON
from amlplatform.cloud.https import certificate
from amlplatform.cloud.https.tokens import claims_of, issue
from amlplatform.cloud.state import OBJECT_ID, SUBSCRIPTION_ID, TENANT_ID

# --- Who calls --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "AuthenticationFailed"),
        ("Basic eDp5", "AuthenticationFailedInvalidHeader"),
        ("Bearer no-token", "InvalidAuthenticationToken"),
        ("Bearer {expired}", "ExpiredAuthenticationToken"),
        ("Bearer {storage}", "InvalidAuthenticationTokenAudience"),
    ],
)
def test_a_good_token_is_needed(door: Door, header: str | None, code: str) -> None:
    expired, storage = door.token(lifetime_s=-1), door.token(audience="https://storage.azure.com")
    headers = {"Authorization": header.format(expired=expired, storage=storage)} if header else {}
    answer = requests.get(
        f"{door.azure.url}{GROUP}?api-version={NEWEST}",
        headers=headers,
        verify=door.environment["REQUESTS_CA_BUNDLE"],
        timeout=20,
    )
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == code
    assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


def test_a_managed_identity_is_who_its_token_says(door: Door) -> None:
    identity = door.azure.state.get(IDENTITY)
    assert identity is not None
    scope = "https://management.azure.com/.default"
    mine = claims_of(ManagedIdentityCredential().get_token(scope).token)
    assert (mine["oid"], mine["tid"], mine["aud"]) == (OBJECT_ID, TENANT_ID, "https://management.azure.com")
    client_id = identity["properties"]["clientId"]
    theirs = claims_of(ManagedIdentityCredential(client_id=client_id).get_token(scope).token)
    assert (theirs["oid"], theirs["appid"]) == (identity["properties"]["principalId"], client_id)
    with pytest.raises(ClientAuthenticationError, match="No User Assigned"):
        ManagedIdentityCredential(client_id=TENANT_ID).get_token(scope)


@pytest.fixture
def workload(door: Door, tmp_path: Path) -> Callable[..., WorkloadIdentityCredential]:
    """The credential of a CI job whose token says `sub` and the like."""
    identity = door.azure.state.get(IDENTITY)
    assert identity is not None

    def make(**claims: Any) -> WorkloadIdentityCredential:
        token = issue(PERSON, "api://AzureADTokenExchange", 60).split(".")
        said = {**claims_of(".".join(token)), "iss": ISSUER, "sub": SUBJECT, **claims}
        file = tmp_path / "token"
        file.write_text(f"{token[0]}.{_base64(said)}.", encoding="utf-8")
        return WorkloadIdentityCredential(
            client_id=identity["properties"]["clientId"], tenant_id=TENANT_ID, token_file_path=str(file)
        )

    return make


def _base64(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_ci_logs_in_by_federated_credential(door: Door, workload: Callable[..., WorkloadIdentityCredential]) -> None:
    identity = door.azure.state.get(IDENTITY)
    assert identity is not None
    token = workload().get_token("https://management.azure.com/.default").token
    assert claims_of(token)["oid"] == identity["properties"]["principalId"]


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"sub": "repo:org@1/other@3:environment:dev"}, "AADSTS700213"),
        ({"sub": SUBJECT.replace("dev", "Dev")}, "AADSTS7002138"),
        ({"iss": f"{ISSUER}/"}, "AADSTS700211"),
        ({"aud": "api://Other"}, "AADSTS700212"),
        ({"exp": 1}, "AADSTS700024"),
    ],
)
def test_who_else_presents_a_token_is_refused(
    workload: Callable[..., WorkloadIdentityCredential], claims: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientAuthenticationError, match=f"{code}:"):
        workload(**claims).get_token("https://management.azure.com/.default")


def test_a_caller_may_do_what_its_roles_allow(door: Door, workload: Callable[..., WorkloadIdentityCredential]) -> None:
    token = workload().get_token("https://management.azure.com/.default").token
    identity = door.azure.state.get(IDENTITY)
    assert identity is not None
    reads = [
        ("GET", GROUP, None),
        ("GET", f"{GROUP}/resources", None),
        ("GET", f"{GROUP}/providers/Microsoft.Authorization/roleAssignments", None),
        ("GET", ACCOUNT, None),
    ]
    changes = [
        ("POST", f"{ACCOUNT}/listKeys", None),
        ("PATCH", GROUP, {"tags": {}}),
        ("PUT", GROUP, {"location": "westeurope"}),
        ("DELETE", ACCOUNT, None),
    ]

    def refused(requests_made: list[tuple[str, str, Any]]) -> list[str]:
        answers = [door.call(method, path, body, token=token) for method, path, body in requests_made]
        return [answer.json()["error"]["code"] for answer in answers if answer.status_code == 403]

    assert refused(reads + changes) == ["AuthorizationFailed"] * 8
    # Found by its name, as scripts do it.
    roles = door.call("GET", f"{GROUP}/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName eq 'Reader'")
    assignment = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/{SUBSCRIPTION_ID}"
    properties = {
        "principalId": identity["properties"]["principalId"],
        "principalType": "ServicePrincipal",
        "roleDefinitionId": roles.json()["value"][0]["id"],
    }
    assert door.call("PUT", assignment, {"properties": properties}).status_code == 201
    assert refused(reads) == []
    assert refused(changes) == ["AuthorizationFailed"] * 4
    assert door.call("DELETE", assignment).status_code == 200
    assert door.azure.state.get(ACCOUNT) is not None


# --- The server -------------------------------------------------------------------------------------


def test_only_this_machine_and_this_certificate(door: Door) -> None:
    assert door.azure.url.startswith("https://127.0.0.1:")
    assert not (door.folder / "key.pem").exists(), "the key stays in memory"
    url = door.environment["ARM_CLOUD_METADATA_URL"]
    strict = ssl.create_default_context(cafile=door.environment["SSL_CERT_FILE"])
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    with urllib.request.urlopen(url, context=strict) as answer:
        assert json.load(answer)[0]["resourceManager"] == f"{door.azure.url}/"
    with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        requests.get(url, verify=certifi.where(), timeout=20)


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_nobody_else_can_read_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []
    load = ssl.SSLContext.load_cert_chain

    def spy(self: ssl.SSLContext, certfile: Any, keyfile: Any) -> None:
        modes.append(stat.S_IMODE(Path(keyfile).stat().st_mode))
        load(self, certfile, keyfile)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
    certificate.server_context(tmp_path)
    assert modes == [0o600]
    assert [path.name for path in tmp_path.iterdir()] == ["certificate.pem"]


def test_certificates_of_the_person_stay_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "company.pem"
    own.write_text("the company's", encoding="utf-8")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(own))
    _context, made = certificate.server_context(tmp_path)
    trusted = certificate.bundle(made).read_text(encoding="utf-8")
    assert made.read_text(encoding="ascii") in trusted
    assert "the company's" in trusted


ASK = """
import json, os, urllib.request
url, header = os.environ["IDENTITY_ENDPOINT"], {"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]}
def ask(url, headers):
    return json.load(urllib.request.urlopen(urllib.request.Request(url, headers=headers)))
token = ask(url + "?resource=https://management.azure.com", header)["access_token"]
arm = os.environ["AZURE_RESOURCE_MANAGER_URL"]
found = ask(arm + "/subscriptions?api-version=2022-12-01", {"Authorization": "Bearer " + token})
print(found["value"][0]["subscriptionId"], os.environ["SSL_CERT_FILE"])
"""


def test_commands_of_amlplatform_offline_find_the_door(new_live_project: Callable[[], LiveProject]) -> None:
    result = new_live_project().offline(sys.executable, "-c", ASK)
    assert result.returncode == 0, explained(result)
    subscription, bundle = result.stdout.split()
    assert subscription == SUBSCRIPTION_ID
    assert not Path(bundle).exists(), "the certificate goes with the command"


def test_without_openssl_commands_run_all_the_same(
    new_live_project: Callable[[], LiveProject], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    show = "import os; print('IDENTITY_ENDPOINT' in os.environ, 'http_proxy' in os.environ)"
    result = new_live_project().offline(sys.executable, "-c", show)
    assert result.returncode == 0, explained(result)
    assert result.stdout.strip() == "False True", "and without a way out"
    assert result.stderr.strip().startswith("note: SDKs of Azure find no offline Azure: openssl: not on PATH")
