"""Container registries of the offline Azure, with Microsoft's client: who may pull and push, and what is refused."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import pytest
from cloud_support import SCIENTISTS, Cloud

pytestmark = pytest.mark.slow

_DEV = "id-digit-scoring-dev-deploy"
# What a command would do; prints one word a line.
_SCRIPT = """
import io, json, sys
from azure.containerregistry import ContainerRegistryClient
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
client = ContainerRegistryClient(sys.argv[1], DefaultAzureCredential(), audience="https://containerregistry.azure.net")
content = b"x" * 5_000_000
def attempt(what):
    try:
        print(json.dumps(what()))
    except HttpResponseError as error:
        print(error.status_code)
attempt(lambda: client.upload_blob("team/image", io.BytesIO(content))[0])
digest = sys.argv[2]
manifest = {"schemaVersion": 2, "config": {"digest": digest, "size": len(content)}, "layers": []}
attempt(lambda: client.set_manifest("team/image", manifest, tag="v1"))
missing = {"schemaVersion": 2, "config": {"digest": "sha256:" + "0" * 64, "size": 1}, "layers": []}
attempt(lambda: client.set_manifest("team/image", missing))
attempt(lambda: client.get_manifest("team/image", "v1").manifest["config"]["digest"])
attempt(lambda: sum(len(piece) for piece in client.download_blob("team/image", digest)))
"""


def _said(cloud: Cloud, who: str, digest: str) -> list[object]:
    host = f"https://{cloud.environment('dev')['registry']}.azurecr.io"
    with cloud.called_by(who):
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT, host, digest],
            env={"PATH": "/usr/bin:/bin", **cloud.variables},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_who_may_push_pulls_too_and_people_do_neither(cloud: Cloud) -> None:
    digest = f"sha256:{hashlib.sha256(b'x' * 5_000_000).hexdigest()}"
    pushed, tagged, without_blob, shown, size = _said(cloud, _DEV, digest)
    assert (pushed, shown, size) == (digest, digest, 5_000_000)
    assert str(tagged).startswith("sha256:") and without_blob == 404
    assert _said(cloud, SCIENTISTS, digest) == [401] * 5
    # The nodes of the cluster read, and change nothing.
    assert _said(cloud, "id-digit-scoring-dev-cluster", digest) == [401, 401, 401, digest, 5_000_000]
