"""Logs are read on from where the last look ended, and a step's lines are told apart."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amlops.azure.client import AzureContext
from amlops.azure.logs import Follower, History, log_files
from amlops.project import Environment, Project

pytestmark = pytest.mark.slow


@dataclass
class Storage:
    """Files behind signed addresses, which may be read from any byte on."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    sent: list[int] = field(default_factory=list)


@pytest.fixture
def storage() -> Iterator[Storage]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert "Authorization" not in self.headers
            data = found.files.get(self.path.partition("?")[0], b"")
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            part = data[start:]
            # Before the client has it: it may look at once.
            found.sent.append(len(part))
            self.send_response(206 if part else 416)
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            self.wfile.write(part)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on stderr."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Storage(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


class Runs(History):
    """A run history that a test writes."""

    def __init__(self, azure: AzureContext, url: str) -> None:
        super().__init__(azure)
        self.url = url
        self.steps: list[Any] = []

    def details(self, name: str) -> Any:
        paths = ("user_logs/std_log.txt", "system_logs/lifecycler/a.log") if name != "train" else ()
        return SimpleNamespace(log_files={path: f"{self.url}/{name}/{path}?sig=s" for path in paths})

    def children(self, name: str) -> list[Any]:  # noqa: ARG002
        return self.steps


@pytest.fixture
def runs(tmp_path: Path, storage: Storage) -> Runs:
    values = {"subscription_id": "00000000-0000-0000-0000-000000000001", "resource_group": "rg", "workspace": "mlw"}
    return Runs(AzureContext(Project(tmp_path), Environment("dev", tmp_path / "dev.yml", values)), storage.url)


def _run(status: str) -> Any:
    end = datetime.now(UTC) if status == "Completed" else None
    return SimpleNamespace(run_id="r-1", display_name="prepare", status=status, end_time_utc=end)


def test_only_new_lines_are_fetched_and_written(storage: Storage, runs: Runs) -> None:
    written: list[str] = []
    log = "/r-1/user_logs/std_log.txt"
    follower = Follower(runs, "train", written.append)
    runs.steps = [_run("Running")]
    storage.files[log] = b"one\ntw"
    follower.look(is_pipeline=True)
    assert written == ["prepare: Running", "prepare | one"]
    storage.files[log] += b"o\nlast without an end"
    runs.steps = [_run("Completed")]
    follower.look(is_pipeline=True)
    assert written[2:] == ["prepare: Completed", "prepare | two", "prepare | last without an end"]
    assert sum(storage.sent) == len(storage.files[log])
    follower.look(is_pipeline=True, last=True)
    assert len(written) == 5


def test_every_log_can_be_read_by_step(storage: Storage, runs: Runs) -> None:
    storage.files["/r-1/user_logs/std_log.txt"] = b"a\nb\n"
    runs.steps = [_run("Completed")]
    found = {log.path: log for log in log_files(runs, "train", is_pipeline=True)}
    assert {log.step for log in found.values()} == {"prepare"}
    assert list(found["prepare/user_logs/std_log.txt"].lines()) == ["a", "b"]
    assert "sig" not in repr(found)
