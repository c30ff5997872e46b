"""The HTTPS server: TLS, HTTP/1.1 and JSON around `routes.answer`. It listens on 127.0.0.1 only."""

from __future__ import annotations

import contextlib
import json
import ssl
import sys
import threading
import traceback
import urllib.parse
import uuid
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from amlplatform.cloud.blob_storage import BlobStorage
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https import certificate, discovery, egress, image_registry, routes
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.containers import Containers
from amlplatform.cloud.https.messages import Request, Response, refusal
from amlplatform.cloud.state import TENANT_ID
from amlplatform.regions import REGIONS

_LOOPBACK = "127.0.0.1"
_IDLE_S = 60
# What Resource Manager takes (learn.microsoft.com, "Azure subscription and service limits").
_LARGEST_BODY = 4 * 1024 * 1024


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "OfflineAzure"
    sys_version = ""
    timeout = _IDLE_S
    # Answers leave in one piece: header and body apart would wait for each other (Nagle, delayed acknowledgement).
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        pass  # Requests are not logged: only our own faults are, see `_answer`.

    def _handle(self) -> None:
        request = self._request()
        if request is None:
            self._send(refusal(AzureError(413, "RequestContentTooLarge", _TOO_LARGE)))
            return
        assert isinstance(self.server, _Server)
        self._send(_answer(request, self.server.azure))

    do_GET = do_HEAD = do_PUT = do_PATCH = do_POST = do_DELETE = _handle

    def _request(self) -> Request | None:
        """The request; None when its body is too large to be read, after which the connection ends."""
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > _LARGEST_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return None
        address = urllib.parse.urlsplit(self.path)
        return Request(
            self.command,
            urllib.parse.unquote(address.path).rstrip("/") or "/",
            dict(urllib.parse.parse_qsl(address.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(int(length)),
        )

    def _send(self, response: Response) -> None:
        content, kind = _encoded(response.body)
        self.send_response(response.status)
        number = str(uuid.uuid4())
        headers = {"x-ms-request-id": number, "x-ms-correlation-request-id": number, **kind, **response.headers}
        if response.status != 204:  # which never has a body
            headers["Content-Length"] = str(len(content))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _encoded(body: Any) -> tuple[bytes, dict[str, str]]:
    """A body as it is sent, and the header that says what it is."""
    if body is None:
        return b"", {}
    if isinstance(body, bytes):
        return body, {"Content-Type": "application/octet-stream"}
    return json.dumps(body).encode(), {"Content-Type": "application/json; charset=utf-8"}


_TOO_LARGE = f"The request content is larger than {_LARGEST_BODY} bytes, or its length is not said."


def _answer(request: Request, azure: Azure) -> Response:
    try:
        return routes.answer(request, azure)
    except AzureError as error:
        return refusal(error, _headers(error))
    except Exception as error:  # the client needs an answer, whatever happened
        traceback.print_exc()
        fault = f"fault in the offline Azure: {error!r}; its log has the details"
        return refusal(AzureError(500, "InternalServerError", fault))


def _headers(error: AzureError) -> dict[str, str]:
    if error.status == 401:
        url = f"https://login.windows.net/{TENANT_ID}"
        challenge = f'Bearer authorization_uri="{url}", error="invalid_token", error_description="{error.message}"'
        return {"WWW-Authenticate": challenge}
    if error.status != 429:
        return {}
    # The provider's door tells fractions of a second; this one speaks HTTP, and the SDKs take 0 for none.
    return {"Retry-After": str(max(1, round(error.retry_after_s or 1)))}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, azure: Azure, context: ssl.SSLContext) -> None:
        super().__init__((_LOOPBACK, 0), _Handler)
        self.azure = azure
        self._context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        """The handshake happens in the connection's own thread, so that a client that stalls holds up nobody."""
        request.settimeout(_IDLE_S)
        with self._context.wrap_socket(request, server_side=True) as connection:
            super().finish_request(connection, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or does not trust the certificate, is not a fault of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def serving(
    azure: Azure, folder: Path, azurite: Sequence[str] | None = None, held: Path | None = None
) -> Iterator[dict[str, str]]:
    """Answer on a free port of this machine. Yields the environment of a command that is to come here.

    `folder` gets the certificates; it must be private to this user. `azurite`: the command that starts it; without one
    there is no blob storage. `held`: where blobs and images lie, else in `folder`. Raises CertificateError.
    """
    context, file = certificate.server_context(folder, _hosts())
    server = _Server(azure, context)
    azure.url = f"https://{_LOOPBACK}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    with contextlib.ExitStack() as running:
        running.callback(server.server_close)
        running.callback(server.shutdown)
        azure.egress.door = server.server_address[1]
        held = held or folder
        azure.images = held / "images"
        bundle = certificate.bundle(file)
        if azurite:
            names = [f"DNS:*{egress.BLOB_SUFFIX}"]
            blob_file, key = running.enter_context(certificate.made(folder, "blobs", names))
            storage = BlobStorage(azurite, azure.state, held / "blobs", blob_file, key)
            azure.egress.blobs = running.enter_context(contextlib.closing(storage)).port
            bundle = certificate.bundle(file, blob_file)
        proxy = running.enter_context(egress.serving(azure.egress))
        azure.containers = Containers(proxy, bundle) if azurite else None
        yield discovery.environment(azure, bundle, proxy)


def _hosts() -> list[str]:
    """The names of Azure that lead to this door; see `egress`."""
    regions = [region.name for region in REGIONS.values()]
    scoring = [f"*.{name}.inference.ml.azure.com" for name in regions]
    return [*scoring, *(f"{name}.api.azureml.ms" for name in regions), f"*{image_registry.SUFFIX}"]
