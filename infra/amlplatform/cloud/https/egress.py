"""The way out of a command that talks to the offline Azure: an HTTP proxy on this machine that leads nowhere else.

Clients of storage and of endpoints form addresses from names (`account.blob.core.windows.net`); a proxy lets them keep
these, without a change of the machine's name resolution. It connects (CONNECT) to hosts of Azure only: what goes
through is TLS, made with a certificate of the offline Azure. Every other host, and plain HTTP to any, is refused with
one line of text, and remembered: `refused` is the proof that nothing has left the machine.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from amlplatform.cloud import blob_storage
from amlplatform.cloud.blob_storage import BlobStorageError

_LOOPBACK = "127.0.0.1"
_LONGEST_HEAD = 16 * 1024
_PIECE = 64 * 1024
_CONNECT_S = 30
_DRAIN_S = 2
_HOST = re.compile(r"[\w.:-]+", re.ASCII)
# discard: nothing answers there.
_NOWHERE = 9

BLOB_SUFFIX = ".blob.core.windows.net"
DOOR_SUFFIXES = (".inference.ml.azure.com", ".api.azureml.ms", ".azurecr.io")

# Where a virtual machine of Azure would have its managed identity. Credentials look there to find out what they run
# on; "unreachable" is the word by which they know that there is none (azure-identity, credentials of IMDS).
_METADATA = "169.254.169.254"
_NO_METADATA = f"{_METADATA}: unreachable; the managed identity of the offline Azure is at IDENTITY_ENDPOINT"


def variables(port: int = _NOWHERE) -> dict[str, str]:
    """What brings the requests of a command to the proxy at `port`; without one: nowhere.

    Only this machine is asked directly, whatever the person's own NO_PROXY says.
    """
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), f"http://{_LOOPBACK}:{port}")
    found = {**proxies, "NO_PROXY": f"{_LOOPBACK},localhost,::1"}
    return {**found, **{name.lower(): value for name, value in found.items()}}


class _Refused(Exception):
    """A host to which nothing leads. The message is one line."""


@dataclass
class Egress:
    """Where hosts of Azure lead to.

    `door`: a port of this machine. `blobs`: gives the port for a storage account, and raises BlobStorageError; None:
    there is no blob storage. `refused`: the hosts that were asked for and refused, in order.
    """

    door: int
    blobs: Callable[[str], int] | None = None
    refused: list[str] = field(default_factory=list)

    def port(self, host: str, *, tunnel: bool) -> int:
        """The port of this machine that stands for a host. Raises _Refused."""
        if host == _METADATA:
            raise _Refused(_NO_METADATA)
        try:
            return self._port(host, tunnel=tunnel)
        except _Refused:
            self.refused.append(host)
            raise

    def _port(self, host: str, *, tunnel: bool) -> int:
        if not host.endswith((BLOB_SUFFIX, *DOOR_SUFFIXES)):
            raise _Refused(f"{host}: is no host of the offline Azure, and nothing else is reached from here")
        if not tunnel:
            raise _Refused(f"{host}: is reached by HTTPS only; for example https://{host}/")
        if host.endswith(DOOR_SUFFIXES):
            return self.door
        if self.blobs is None:
            raise _Refused(f"{host}: {blob_storage.MISSING}")
        try:
            return self.blobs(host.removesuffix(BLOB_SUFFIX))
        except BlobStorageError as error:
            raise _Refused(f"{host}: {error}") from None


@contextlib.contextmanager
def serving(egress: Egress) -> Iterator[int]:
    """Answer on a free port of this machine, which is yielded."""
    with socket.create_server((_LOOPBACK, 0)) as server:
        closed = threading.Event()
        thread = threading.Thread(target=_accept, args=(server, egress, closed), daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            closed.set()
            # Closing alone leaves accept() waiting on some systems.
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)


def _accept(server: socket.socket, egress: Egress, closed: threading.Event) -> None:
    while not closed.is_set():
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, egress), daemon=True).start()


def _serve(client: socket.socket, egress: Egress) -> None:
    with client, contextlib.suppress(OSError):
        client.settimeout(_CONNECT_S)
        asked = _asked(client)
        if asked is None:
            _end(client, 400, "this is a proxy: CONNECT HOST:PORT leads to the offline Azure")
            return
        host, tunnel = asked
        try:
            port = egress.port(host, tunnel=tunnel)
        except _Refused as refused:
            _end(client, 403, str(refused))
            return
        with socket.create_connection((_LOOPBACK, port), timeout=_CONNECT_S) as target:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            client.settimeout(None)
            target.settimeout(None)
            back = threading.Thread(target=_pump, args=(target, client), daemon=True)
            back.start()
            _pump(client, target)
            back.join()


def _asked(client: socket.socket) -> tuple[str, bool] | None:
    """The host that a client asks for, and whether it wants a tunnel to it (CONNECT); None: it asks for no host."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(4096)
        if not piece or len(head) > _LONGEST_HEAD:
            return None
        head += piece
    method, _, rest = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")
    tunnel = method == "CONNECT"
    target = rest.split(" ")[0]
    try:
        host = (urllib.parse.urlsplit(f"//{target}" if tunnel else target).hostname or "").rstrip(".")
    except ValueError:
        return None
    return (host, tunnel) if _HOST.fullmatch(host) else None


def _end(client: socket.socket, status: int, message: str) -> None:
    """Answer with one line, as the reason, too: that is all that clients show of the answer to a CONNECT."""
    text = message.encode("ascii", "replace")
    lines = [
        b"HTTP/1.1 %d %b" % (status, text),
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Length: %d" % (len(text) + 1),
        b"Connection: close",
    ]
    client.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + text + b"\n")
    # A socket that is closed with something unread takes the answer back: what the client still sends is read first.
    client.shutdown(socket.SHUT_WR)
    client.settimeout(_DRAIN_S)
    end = time.monotonic() + _DRAIN_S
    while client.recv(_PIECE) and time.monotonic() < end:
        pass


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Copy bytes until one side ends; the other is told."""
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
