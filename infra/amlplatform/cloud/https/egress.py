"""The way out of a command that talks to the offline Azure: an HTTP proxy on this machine that leads nowhere else.

Clients of storage and of endpoints form addresses from names (`account.blob.core.windows.net`); a proxy lets them keep
these, without a change of the machine's name resolution. It speaks CONNECT only: what goes through is TLS, made with a
certificate of the offline Azure. A host that is none of Azure's here is refused, and remembered: `refused` is the proof
that nothing has left the machine.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

_LOOPBACK = "127.0.0.1"
_LONGEST_HEAD = 16 * 1024
_PIECE = 64 * 1024
_CONNECT_S = 30

BLOB_SUFFIX = ".blob.core.windows.net"
DOOR_SUFFIXES = (".inference.ml.azure.com", ".api.azureml.ms")


@dataclass
class Egress:
    """Where CONNECT leads: `door` and `blobs` are ports of this machine, None: nothing is there."""

    door: int
    blobs: int | None = None
    refused: list[str] = field(default_factory=list)

    def port(self, host: str) -> int | None:
        """The port of this machine that stands for a host of Azure."""
        name = host.lower()
        if name.endswith(BLOB_SUFFIX):
            return self.blobs
        return self.door if name.endswith(DOOR_SUFFIXES) else None


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
        host = _asked(client)
        if host is None:
            client.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nAllow: CONNECT\r\nContent-Length: 0\r\n\r\n")
            return
        port = egress.port(host)
        if port is None:
            egress.refused.append(host)
            client.sendall(b"HTTP/1.1 403 The offline Azure leads nowhere else\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection((_LOOPBACK, port), timeout=_CONNECT_S) as target:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            client.settimeout(None)
            target.settimeout(None)
            back = threading.Thread(target=_pump, args=(target, client), daemon=True)
            back.start()
            _pump(client, target)
            back.join()


def _asked(client: socket.socket) -> str | None:
    """The host that a client wants to be connected with; None when it asks for something else."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(4096)
        if not piece or len(head) > _LONGEST_HEAD:
            return None
        head += piece
    method, _, rest = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")
    return rest.split(" ")[0].rsplit(":", 1)[0] if method == "CONNECT" else None


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Copy bytes until one side ends; the other is told."""
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
