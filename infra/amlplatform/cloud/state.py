"""What exists in the offline Azure: documents by ARM id, in one SQLite file that several processes share."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from amlplatform.cloud import arm_ids

# Ids that nobody can mistake for real ones.
SUBSCRIPTION_ID = "00000000-0000-0000-0000-000000000001"
TENANT_ID = "00000000-0000-0000-0000-000000000002"
CLIENT_ID = "00000000-0000-0000-0000-000000000003"
OBJECT_ID = "00000000-0000-0000-0000-000000000004"

Document = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (id TEXT PRIMARY KEY, type TEXT NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS documents_by_type ON documents (type);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_BUSY_TIMEOUT_S = 30


class CloudState:
    """The documents of one offline Azure. Safe to use from several threads and processes.

    Each write is one transaction: a process that is killed leaves the document as it was before or as it is after.
    """

    def __init__(self, path: Path) -> None:
        """Open the state in the file `path`; it is made, with its folder, when it is not there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        # WAL: readers do not wait for writers. synchronous=OFF loses nothing when a process dies, only when the
        # machine does.
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """What is read and written inside happens at once; nothing is written when an exception leaves it. Nestable."""
        with self._lock:
            self._depth += 1
            try:
                if self._depth > 1:
                    yield
                    return
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def get(self, arm_id: str) -> Document | None:
        with self._lock:
            query = "SELECT document FROM documents WHERE id = ?"
            row = self._connection.execute(query, (arm_ids.key(arm_id),)).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, document: Document) -> None:
        """Store a document under its "id"; "type" must be there too."""
        row = (arm_ids.key(document["id"]), document["type"].lower(), json.dumps(document, sort_keys=True))
        with self.transaction():
            self._connection.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", row)

    def delete(self, arm_id: str, *, below: bool = True) -> int:
        """Remove a document, with everything below it unless `below` is false. Returns how many were removed."""
        key = arm_ids.key(arm_id)
        with self.transaction():
            if not below:
                return self._connection.execute("DELETE FROM documents WHERE id = ?", (key,)).rowcount
            # From "key/" up to "key0": "0" is the character after "/".
            query = "DELETE FROM documents WHERE id = ? OR (id > ? AND id < ?)"
            return self._connection.execute(query, (key, f"{key}/", f"{key}0")).rowcount

    def of_type(self, arm_type: str) -> list[Document]:
        with self._lock:
            query = "SELECT document FROM documents WHERE type = ? ORDER BY id"
            rows = self._connection.execute(query, (arm_type.lower(),)).fetchall()
        return [json.loads(row[0]) for row in rows]

    def all(self) -> list[Document]:
        with self._lock:
            rows = self._connection.execute("SELECT document FROM documents ORDER BY id").fetchall()
        return [json.loads(row[0]) for row in rows]

    def secret(self, arm_id: str, purpose: str) -> str:
        """64 hexadecimal digits that belong to a resource, for example a storage account's key; the same each time."""
        text = f"{arm_ids.key(arm_id)}\n{purpose}".encode()
        return hmac.new(self._seed().encode(), text, hashlib.sha256).hexdigest()

    def _seed(self) -> str:
        with self.transaction():
            insert = "INSERT OR IGNORE INTO settings VALUES ('seed', ?)"
            self._connection.execute(insert, (secrets.token_hex(32),))
            return self._connection.execute("SELECT value FROM settings WHERE name = 'seed'").fetchone()[0]
