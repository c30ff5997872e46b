"""Blob containers: those of the state are made in blob storage when a client first looks at what lies in them.

The state knows containers as resources, blob storage as places for files; this brings the second after the first.
"""

from __future__ import annotations

import http.client
import ssl
import threading
import urllib.parse
from collections.abc import Mapping
from pathlib import Path

from amlplatform.cloud.callers import PERSON
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https import tokens
from amlplatform.cloud.https.egress import BLOB_SUFFIX

_AUDIENCE = "https://storage.azure.com"
_CREATED, _THERE = 201, 409


class Containers:
    """Makes containers in blob storage, each once.

    `proxy`: port of the way out; `trusted`: file with the certificates to trust.
    """

    def __init__(self, proxy: int, trusted: Path) -> None:
        self._proxy = proxy
        self._context = ssl.create_default_context(cafile=str(trusted))
        self._made: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def put(self, account: str, container: str, name: str, content: bytes) -> None:
        """Write a blob. Raises OSError when blob storage does not take it, AzureError without one."""
        self.ensure(account, container)
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Length": str(len(content))}
        status = self._send(account, f"/{container}/{urllib.parse.quote(name)}", headers, content)
        if status != _CREATED:
            raise OSError(f"blob storage answers {status} to the writing of {account}/{container}/{name}")

    def ensure(self, account: str, container: str) -> None:
        """Make a container unless it is there. Raises OSError when blob storage refuses, AzureError without one."""
        with self._lock:
            if (account, container) in self._made:
                return
            status = self._send(account, f"/{container}?restype=container", {"Content-Length": "0"})
            if status not in (_CREATED, _THERE):
                raise OSError(f"blob storage answers {status} to the making of {account}/{container}")
            self._made.add((account, container))

    def _send(self, account: str, path: str, headers: Mapping[str, str], content: bytes = b"") -> int:
        """PUT as the offline Azure itself. Returns the status. Raises AzureError (424) without blob storage."""
        connection = http.client.HTTPSConnection("127.0.0.1", self._proxy, context=self._context, timeout=30)
        connection.set_tunnel(f"{account}{BLOB_SUFFIX}", 443)
        try:
            token = tokens.issue(PERSON, _AUDIENCE, 60)
            own = {"Authorization": f"Bearer {token}", "x-ms-version": "2021-10-04"}
            connection.request("PUT", path, content, {**headers, **own})
            return connection.getresponse().status
        except OSError as error:
            # Not 503: clients would try it again.
            raise AzureError(424, "BlobStorageNotThere", f"blob storage of the offline Azure: {error}") from None
        finally:
            connection.close()
