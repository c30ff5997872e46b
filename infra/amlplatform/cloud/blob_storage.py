"""Blob storage of the offline Azure: Azurite, Microsoft's emulator, in a process of its own.

It speaks HTTPS with a certificate of ours and takes tokens of the offline Entra ID (it reads them and checks no
signature). It has the storage accounts of the state, each with the key that `listKeys` would give.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from amlplatform.cloud.state import CloudState

PACKAGE = Path(__file__).resolve().parents[1]
_ACCOUNTS = "Microsoft.Storage/storageAccounts"
_SCRIPT = Path(".tools") / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
_READY = re.compile(r"successfully (?:listens|listening) (?:on|at) https://127\.0\.0\.1:(\d+)", re.IGNORECASE)
_START_S = 60
_STOP_S = 5
_OWN_S = 2

MISSING = "no Azurite, so no blob storage: python3 tools/azurite/build.py of the template installs it (Node.js)"
"""What a person is told where `find` finds none."""


class BlobStorageError(Exception):
    """Azurite cannot be started. The message is one line for the person."""


def find(*folders: Path) -> list[str] | None:
    """The command that starts Azurite: of the first of `folders` that has one, of a folder above this package (which
    may run from a checkout of the template), or that on PATH; None without one.
    """
    node = shutil.which("node")
    for folder in (*folders, *PACKAGE.parents):
        if node and (folder / _SCRIPT).is_file():
            return [node, str(folder / _SCRIPT)]
    program = shutil.which("azurite-blob")
    return [program] if program else None


class BlobStorage:
    """Azurite, started when an account is first asked for, and again for one that the state has got since.

    Blobs lie in `folder`, where an earlier run's are found again; one Azurite at a time has it. `certificate` and `key`
    are files that must stay as long as this is open.
    """

    def __init__(self, command: Sequence[str], state: CloudState, folder: Path, certificate: Path, key: Path) -> None:
        words = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--location", str(folder), "--disableTelemetry"]
        # Clients ask for newer versions of the API than it knows; what they ask for is in those that it knows.
        words += ["--skipApiVersionCheck", "--oauth", "basic", "--cert", str(certificate), "--key", str(key)]
        self._command = [*command, *words, "--silent"]
        self._state = state
        self._folder = folder
        self._lock = threading.Lock()
        self._closed = False
        self._owned: sqlite3.Connection | None = None
        self._process: subprocess.Popen[str] | None = None
        self._known: dict[str, str] = {}
        self._number = 0

    def port(self, account: str) -> int:
        """The port at which a storage account answers. Raises BlobStorageError."""
        with self._lock:
            there = accounts(self._state)
            if account not in there:
                raise BlobStorageError("is no storage account of the offline Azure")
            lives = self._process is not None and self._process.poll() is None
            if not lives or self._known.get(account) != there[account]:
                self._stop()
                self._start(there)
            return self._number

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._stop()
            if self._owned is not None:
                self._owned.close()

    def _start(self, there: Mapping[str, str]) -> None:
        """Raises BlobStorageError."""
        if self._closed:
            raise BlobStorageError("azurite: the offline Azure is about to end")
        self._own()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "AZURITE_ACCOUNTS": ";".join(f"{name}:{key}" for name, key in there.items())},
        )
        self._number = _port(self._process)
        self._known = dict(there)

    def _stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process, self._known = None, {}

    def _own(self) -> None:
        """Take the folder, until `close` or the end of this process. Raises BlobStorageError when another has it."""
        if self._owned is not None:
            return
        self._folder.mkdir(mode=0o700, exist_ok=True)
        owned = sqlite3.connect(
            self._folder / "lock.sqlite", timeout=_OWN_S, isolation_level=None, check_same_thread=False
        )
        try:
            owned.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            owned.close()
            raise BlobStorageError("another `amlplatform offline` uses blob storage; wait for its end") from None
        self._owned = owned


def accounts(state: CloudState) -> dict[str, str]:
    """The storage accounts of the state, each with its first key."""
    return {document["name"]: state.secret(document["id"], "key1") for document in state.of_type(_ACCOUNTS)}


def _port(process: subprocess.Popen[str]) -> int:
    """The port that Azurite says it listens on. Raises BlobStorageError."""
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
    said: list[str] = []
    with contextlib.suppress(queue.Empty):
        while line := lines.get(timeout=_START_S):
            said.append(line.strip())
            if match := _READY.search(line):
                return int(match[1])
    last = next((line for line in reversed(said) if line), "it said nothing")
    raise BlobStorageError(f"azurite: it does not start: {last}")


def _read(stream: Iterator[str], lines: queue.Queue[str]) -> None:
    """Read to the end: a pipe that nobody reads would stop the process."""
    for line in stream:
        lines.put(line)
    lines.put("")
