"""The way out of commands of `amlplatform offline`: only to the offline Azure, and told where else it was sought."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from engine_support import LiveProject, amlplatform, explained

from amlplatform.cloud import blob_storage

pytestmark = pytest.mark.slow


@pytest.fixture
def live(new_live_project: Callable[[], LiveProject]) -> LiveProject:
    return new_live_project()


FETCH = """
import urllib.error, urllib.request, requests
from azure.core import PipelineClient
from azure.core.rest import HttpRequest

def opened(address):
    try:
        return urllib.request.urlopen(address).read()
    except urllib.error.HTTPError as error:
        return error.read()

def sent(address):
    return PipelineClient(address, retry_total=0).send_request(HttpRequest("GET", address)).text()

for name, fetch in {"urllib": opened, "requests": lambda address: requests.get(address).text, "core": sent}.items():
    for scheme in ("http", "https"):
        try:
            print(fetch(f"{scheme}://{scheme}-{name}.example.invalid/"))
        except Exception as error:
            print(error)
try:
    print(requests.post("http://http-urllib.example.invalid/", data=b"x" * 3_000_000).text)
except Exception as error:
    print(error)
"""

HTTP_S = ("http", "https")


@pytest.mark.parametrize("mine", [{}, {"NO_PROXY": "example.invalid", "no_proxy": "*", "ALL_PROXY": "socks5://x:1"}])
def test_other_hosts_are_refused_and_told_at_the_end(live: LiveProject, mine: dict[str, str]) -> None:
    result = amlplatform("offline", "--project", live.folder, "--", sys.executable, "-c", FETCH, env=mine)
    hosts = [f"{scheme}-{name}.example.invalid" for name in ("urllib", "requests", "core") for scheme in HTTP_S]
    for line, host in zip(filter(None, result.stdout.splitlines()), [*hosts, hosts[0]], strict=True):
        assert f"{host}: is no host of the offline Azure" in line, explained(result)
    said = f"note: asked for and refused, since nothing leaves this machine: {', '.join(hosts)}"
    assert result.stderr.splitlines()[-1] == said, explained(result)


PROBE = """
import os, requests, time
for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
    del os.environ[name]
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
start = time.monotonic()
print(requests.get("http://169.254.169.254/metadata/instance").status_code)
for credential in (ManagedIdentityCredential(), DefaultAzureCredential(exclude_developer_credentials=True)):
    try:
        credential.get_token("https://management.azure.com/.default")
    except ClientAuthenticationError as error:
        print(type(credential).__name__)
print(time.monotonic() - start)
"""


def test_a_look_for_the_identity_of_a_virtual_machine_fails_at_once_and_quietly(live: LiveProject) -> None:
    result = live.offline(sys.executable, "-c", PROBE)
    *failed, took = result.stdout.split()
    assert failed == ["403", "ManagedIdentityCredential", "DefaultAzureCredential"], explained(result)
    assert float(took) < 5
    assert "refused" not in result.stderr, explained(result)


def test_without_azurite_a_command_runs_and_is_told_how_to_get_it(
    live: LiveProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_node = tmp_path / "path"
    without_node.mkdir()
    openssl = shutil.which("openssl")
    assert openssl is not None
    (without_node / "openssl").symlink_to(openssl)
    monkeypatch.setenv("PATH", str(without_node))
    fetch = "import requests; requests.get('https://stchurndev.blob.core.windows.net/data')"
    result = live.offline(sys.executable, "-c", fetch)
    assert result.stderr.splitlines()[0] == f"note: {blob_storage.MISSING}", explained(result)
    assert f"stchurndev.blob.core.windows.net: {blob_storage.MISSING}" in result.stderr
    assert result.stderr.endswith("nothing leaves this machine: stchurndev.blob.core.windows.net\n")
