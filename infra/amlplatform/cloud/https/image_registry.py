"""Container registries, `https://<name>.azurecr.io`: images by OCI's protocol, with ACR's tokens and Azure's roles.

Facts: github.com/opencontainers/distribution-spec (paths, statuses, error codes); github.com/Azure/acr, "AAD-OAuth"
(a token of Entra ID is exchanged for a refresh token, that for an access token); learn.microsoft.com, "ACR roles and
permissions" (pull/read, push/write). A caller without the right gets 401, as the access token has no such scope then.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from pathlib import Path
from typing import Any

from amlplatform.cloud import authorization
from amlplatform.cloud.callers import Caller
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https import tokens
from amlplatform.cloud.https.azure import Azure, Seen
from amlplatform.cloud.https.messages import Request, Response
from amlplatform.cloud.required import Right

SUFFIX = ".azurecr.io"
_AUDIENCE = "https://containerregistry.azure.net"
_REGISTRY = "Microsoft.ContainerRegistry/registries"
_NAME = r"(?P<name>[a-z0-9]+(?:[._/-][a-z0-9]+)*)"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_BLOB = re.compile(rf"/v2/{_NAME}/blobs/(?P<digest>sha256:[0-9a-f]{{64}})")
_START = re.compile(rf"/v2/{_NAME}/blobs/uploads")
_UPLOAD = re.compile(rf"/v2/{_NAME}/blobs/uploads/(?P<upload>[0-9a-f-]{{36}})")
_MANIFEST = re.compile(rf"/v2/{_NAME}/manifests/(?P<reference>[A-Za-z0-9_.:-]+)")
_PULLS = ("GET", "HEAD")


def answer(request: Request, azure: Azure) -> Response:
    """The answer of the registry whose host the request names. Raises AzureError where there is no such host."""
    host = request.headers.get("host", "").partition(":")[0]
    registry = next((one for one in azure.state.of_type(_REGISTRY) if one["name"] == host.removesuffix(SUFFIX)), None)
    if registry is None:
        raise AzureError(404, "NotFound", f"There is no container registry at '{host}'.")
    if request.path == "/oauth2/exchange":
        return _exchanged(request, azure, host)
    if request.path == "/oauth2/token":
        return _access_token(request, azure, host)
    caller = _caller(request.headers.get("authorization"), host)
    if caller is None or not _may(caller, request.method, registry["id"], azure):
        return _unauthorized(request, host)
    azure.seen.append(Seen(request.method, f"/{host}{request.path}", None, caller.object_id))
    return _Store(azure.images / host).answer(request)


def _exchanged(request: Request, azure: Azure, host: str) -> Response:
    token = request.form().get("access_token", "")
    caller = tokens.caller_of(f"Bearer {token}", (_AUDIENCE, *azure.audiences))
    return Response(200, {"refresh_token": tokens.issue(caller, host, azure.behaviour.token_lifetime_s)})


def _access_token(request: Request, azure: Azure, host: str) -> Response:
    caller = tokens.caller_of(f"Bearer {request.form().get('refresh_token', '')}", (host,))
    return Response(200, {"access_token": tokens.issue(caller, host, azure.behaviour.token_lifetime_s)})


def _caller(header: str | None, host: str) -> Caller | None:
    try:
        return tokens.caller_of(header, (host,))
    except AzureError:
        return None


def _may(caller: Caller, method: str, scope: str, azure: Azure) -> bool:
    if caller.may_everything:
        return True
    action = f"{_REGISTRY}/{'pull/read' if method in _PULLS else 'push/write'}"
    return authorization.is_allowed(caller.object_id, Right(action, scope), azure.state)


def _unauthorized(request: Request, host: str) -> Response:
    found = re.match(r"/v2/(.+)/(?:blobs|manifests)(?:/|$)", request.path)
    scope = f"repository:{found[1] if found else '*'}:{'pull' if request.method in _PULLS else 'pull,push'}"
    challenge = f'Bearer realm="https://{host}/oauth2/token",service="{host}",scope="{scope}"'
    return _fault(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": challenge})


def _fault(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return Response(status, {"errors": [{"code": code, "message": message}]}, headers or {})


class _Store:
    """The blobs, manifests, tags and unfinished uploads of one registry, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("blobs", "manifests", "uploads"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def answer(self, request: Request) -> Response:
        if match := _START.fullmatch(request.path):
            return self._start(match["name"]) if request.method == "POST" else _unknown(request)
        if match := _UPLOAD.fullmatch(request.path):
            return self._upload(request, match["name"], match["upload"])
        if (match := _BLOB.fullmatch(request.path)) and request.method in _PULLS:
            return self._blob(request, match["digest"])
        if match := _MANIFEST.fullmatch(request.path):
            return self._manifest(request, match["name"], match["reference"])
        return Response(200, {}) if request.path == "/v2" else _unknown(request)

    def _start(self, name: str) -> Response:
        upload = str(uuid.uuid4())
        (self._folder / "uploads" / upload).touch()
        return Response(202, None, {"Location": f"/v2/{name}/blobs/uploads/{upload}", "Range": "0-0"})

    def _upload(self, request: Request, name: str, upload: str) -> Response:
        file = self._folder / "uploads" / upload
        if not file.is_file():
            return _fault(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        if request.method == "PATCH":
            with file.open("ab") as stream:
                stream.write(request.content)
            place = f"/v2/{name}/blobs/uploads/{upload}"
            return Response(202, None, {"Location": place, "Range": f"0-{file.stat().st_size - 1}"})
        digest = request.parameter("digest") or ""
        if request.method != "PUT" or _digest(file.read_bytes()) != digest:
            return _fault(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        file.replace(self._folder / "blobs" / _hexadecimal(digest))
        return Response(201, None, {"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest})

    def _blob(self, request: Request, digest: str) -> Response:
        file = self._folder / "blobs" / _hexadecimal(digest)
        if not file.is_file():
            return _fault(404, "BLOB_UNKNOWN", "blob unknown to registry")
        content, headers = file.read_bytes(), {"Docker-Content-Digest": digest}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range") or "")
        if wanted is None:
            return Response(200, content, headers)
        start, end = int(wanted[1]), min(int(wanted[2]), len(content) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        return Response(206, content[start : end + 1], headers)

    def _manifest(self, request: Request, name: str, reference: str) -> Response:
        if request.method == "PUT":
            return self._put_manifest(request, name, reference)
        found = self._manifests(name).get(reference)
        if found is None or request.method not in _PULLS:
            return _fault(404, "MANIFEST_UNKNOWN", f"manifest {reference} is not found")
        content = (self._folder / "blobs" / _hexadecimal(found["digest"])).read_bytes()
        return Response(200, content, {"Docker-Content-Digest": found["digest"], "Content-Type": found["type"]})

    def _put_manifest(self, request: Request, name: str, reference: str) -> Response:
        digest, document = _digest(request.content), request.json()
        if not isinstance(document, dict) or not (_DIGEST.fullmatch(reference) or _TAG.fullmatch(reference)):
            return _fault(400, "MANIFEST_INVALID", "manifest invalid")
        if _DIGEST.fullmatch(reference) and reference != digest:
            return _fault(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        for blob in (document.get("config"), *(document.get("layers") or ())):
            place = self._folder / "blobs" / _hexadecimal(str((blob or {}).get("digest")))
            if not place.is_file():
                return _fault(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")
        (self._folder / "blobs" / _hexadecimal(digest)).write_bytes(request.content)
        kept = {"digest": digest, "type": request.headers.get("content-type", "")}
        known = {**self._manifests(name), digest: kept, reference: kept}
        self._index(name).write_text(json.dumps(known), encoding="utf-8")
        return Response(201, None, {"Docker-Content-Digest": digest, "Location": f"/v2/{name}/manifests/{digest}"})

    def _index(self, name: str) -> Path:
        return self._folder / "manifests" / f"{name.replace('/', '__')}.json"

    def _manifests(self, name: str) -> dict[str, Any]:
        index = self._index(name)
        return json.loads(index.read_text(encoding="utf-8")) if index.is_file() else {}


def _unknown(request: Request) -> Response:
    return _fault(405, "UNSUPPORTED", f"{request.method} {request.path} is not supported")


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _hexadecimal(digest: str) -> str:
    """The name of a blob's file; one that cannot exist for what is no digest."""
    return digest.removeprefix("sha256:") if _DIGEST.fullmatch(digest) else "none"
