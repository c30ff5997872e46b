"""A real web server on this machine, whose answers a test sets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Web:
    """The server. `answers` maps a path (with its query) to a status, headers and a body.

    A body shorter than its Content-Length breaks the connection off; a body that is an Event keeps the client waiting
    until it is set. `asked` has every path in order.
    """

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.answers: dict[str, tuple[int, dict[str, str], bytes | threading.Event]] = {}
        self.asked: list[str] = []

    def serve(self, path: str, body: bytes | threading.Event, status: int = 200, **headers: str) -> str:
        """Set an answer and return its address."""
        self.answers[path] = (status, {key.replace("_", "-"): value for key, value in headers.items()}, body)
        return self.address + path


class _Handler(BaseHTTPRequestHandler):
    web: Web

    def do_GET(self) -> None:
        self.web.asked.append(self.path)
        status, headers, body = self.web.answers.get(self.path, (404, {}, b"no such file"))
        if isinstance(body, threading.Event):
            body.wait(30)
            self.close_connection = True
            return
        self.send_response(status)
        given = {name.lower() for name in headers}
        for name, value in headers.items():
            self.send_header(name, value)
        if not given & {"content-length", "transfer-encoding"}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests look at `asked`."""


@contextmanager
def running_web() -> Iterator[Web]:
    """A server while the block runs."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.web = Web(server.server_address[1])
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield handler.web
        finally:
            server.shutdown()
            thread.join()
