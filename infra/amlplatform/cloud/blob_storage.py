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
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from amlplatform.cloud.state import CloudState

_ACCOUNTS = "Microsoft.Storage/storageAccounts"
_SCRIPT = Path(".tools") / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
_READY = re.compile(r"successfully (?:listens|listening) (?:on|at) https://127\.0\.0\.1:(\d+)", re.IGNORECASE)
_START_S = 60


class BlobStorageError(Exception):
    """Azurite cannot be started. The message is one line for the person."""


def find(*folders: Path) -> list[str] | None:
    """The command that starts Azurite: of the first of `folders` that has one, else that on PATH; None without one."""
    node = shutil.which("node")
    for folder in folders:
        if node and (folder / _SCRIPT).is_file():
            return [node, str(folder / _SCRIPT)]
    program = shutil.which("azurite-blob")
    return [program] if program else None


@contextlib.contextmanager
def serving(command: list[str], state: CloudState, folder: Path, certificate: Path, key: Path) -> Iterator[int]:
    """Start Azurite; yields its port. Blobs lie in `folder`, where an earlier run's are found again.

    `certificate` and `key` are files; the key's can go once this has yielded. Raises BlobStorageError.
    """
    words = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--location", str(folder), "--disableTelemetry"]
    # Clients ask for newer versions of the API than it knows; what they ask for is in those that it knows.
    words += ["--skipApiVersionCheck", "--oauth", "basic", "--cert", str(certificate), "--key", str(key), "--silent"]
    process = subprocess.Popen(
        [*command, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "AZURITE_ACCOUNTS": accounts(state)},
    )
    try:
        yield _port(process)
    finally:
        process.terminate()
        process.wait()


def accounts(state: CloudState) -> str:
    """AZURITE_ACCOUNTS: names and keys. One without an account would have Azurite's own, which everybody knows."""
    found = [f"{document['name']}:{state.secret(document['id'], 'key1')}" for document in state.of_type(_ACCOUNTS)]
    return ";".join(found) or f"none:{state.secret('none', 'key1')}"


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
