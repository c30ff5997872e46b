"""What exists in the offline Azure: documents by ARM id, in one SQLite file that several processes share."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import math
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from amlplatform.cloud import arm_ids
from amlplatform.cloud.clock import Clock

# Ids that nobody can mistake for real ones.
SUBSCRIPTION_ID = "00000000-0000-0000-0000-000000000001"
TENANT_ID = "00000000-0000-0000-0000-000000000002"
CLIENT_ID = "00000000-0000-0000-0000-000000000003"
OBJECT_ID = "00000000-0000-0000-0000-000000000004"

Document = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (id TEXT PRIMARY KEY, type TEXT NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS documents_by_type ON documents (type);
CREATE TABLE IF NOT EXISTS births (id TEXT PRIMARY KEY, time REAL NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS notes (kind TEXT, id TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS calls (
    number INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, method TEXT NOT NULL, id TEXT NOT NULL,
    type TEXT NOT NULL, api_version TEXT NOT NULL, caller TEXT NOT NULL, rights TEXT NOT NULL, status INTEGER, code TEXT
);
"""
_BUSY_TIMEOUT_S = 30


class CloudState:
    """The documents of one offline Azure. Safe to use from several threads and processes.

    Each write is one transaction: a process that is killed leaves the document as it was before or as it is after.
    """

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        """Open the state in the file `path`; it is made, with its folder, when it is not there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.clock = clock or Clock()
        self._lock = threading.RLock()
        self._depth = 0
        self._later: list[Callable[[], None]] = []
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
        later: list[Callable[[], None]] = []
        try:
            with self._lock:
                if self._depth == 0:
                    self._later = later
                self._depth += 1
                try:
                    yield from self._inside()
                finally:
                    self._depth -= 1
        finally:
            for action in later:
                action()

    def _inside(self) -> Iterator[None]:
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

    @property
    def in_transaction(self) -> bool:
        """Whether this thread is inside of one."""
        with self._lock:
            return self._depth > 0

    def afterwards(self, action: Callable[[], None]) -> None:
        """Do something that must not be part of the transaction: now, or when the one around ends, well or not."""
        with self._lock:
            if self._depth > 0:
                self._later.append(action)
                return
        action()

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
            self._connection.execute("INSERT OR IGNORE INTO births VALUES (?, ?)", (row[0], self.clock.now()))

    def age(self, arm_id: str) -> float:
        """How long a document has been there, in seconds; infinity when that is not known."""
        with self._lock:
            query = "SELECT time FROM births WHERE id = ?"
            row = self._connection.execute(query, (arm_ids.key(arm_id),)).fetchone()
        return self.clock.now() - row[0] if row else math.inf

    def delete(self, arm_id: str, *, below: bool = True) -> int:
        """Remove a document, with everything below it unless `below` is false. Returns how many were removed."""
        key = arm_ids.key(arm_id)
        # From "key/" up to "key0": "0" is the character after "/".
        condition, values = (
            ("id = ? OR (id > ? AND id < ?)", (key, f"{key}/", f"{key}0")) if below else ("id = ?", (key,))
        )
        with self.transaction():
            self._connection.execute(f"DELETE FROM births WHERE {condition}", values)  # noqa: S608
            return self._connection.execute(f"DELETE FROM documents WHERE {condition}", values).rowcount  # noqa: S608

    def of_type(self, arm_type: str) -> list[Document]:
        with self._lock:
            query = "SELECT document FROM documents WHERE type = ? ORDER BY id"
            rows = self._connection.execute(query, (arm_type.lower(),)).fetchall()
        return [json.loads(row[0]) for row in rows]

    def all(self) -> list[Document]:
        with self._lock:
            rows = self._connection.execute("SELECT document FROM documents ORDER BY id").fetchall()
        return [json.loads(row[0]) for row in rows]

    def within(self, arm_id: str) -> list[Document]:
        """The document of this id and all below it."""
        key = arm_ids.key(arm_id)
        with self._lock:
            query = "SELECT document FROM documents WHERE id = ? OR (id > ? AND id < ?) ORDER BY id"
            rows = self._connection.execute(query, (key, f"{key}/", f"{key}0")).fetchall()
        return [json.loads(row[0]) for row in rows]

    # --- What is kept beside the documents ------------------------------------------------------------

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement, for records that have a module of their own (`calls.py`)."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def note(self, kind: str, name: str, value: Any) -> None:
        """Remember something about `name`: a resource's id, as a rule. It outlives the resource."""
        self.rows("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", (kind, arm_ids.key(name), json.dumps(value)))

    def notes(self, kind: str) -> dict[str, Any]:
        """All notes of a kind, by name in lower case."""
        return {
            name: json.loads(value) for name, value in self.rows("SELECT id, value FROM notes WHERE kind = ?", (kind,))
        }

    def forget(self, kind: str, name: str) -> None:
        self.rows("DELETE FROM notes WHERE kind = ? AND id = ?", (kind, arm_ids.key(name)))

    def setting(self, name: str) -> Any:
        """A setting of the offline Azure, None when it was never made."""
        rows = self.rows("SELECT value FROM settings WHERE name = ?", (name,))
        return json.loads(rows[0][0]) if rows else None

    def set_setting(self, name: str, value: Any) -> None:
        self.rows("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))

    def secret(self, arm_id: str, purpose: str) -> str:
        """64 hexadecimal digits that belong to a resource, for example a storage account's key; the same each time."""
        text = f"{arm_ids.key(arm_id)}\n{purpose}".encode()
        return hmac.new(self._seed().encode(), text, hashlib.sha256).hexdigest()

    def _seed(self) -> str:
        with self.transaction():
            insert = "INSERT OR IGNORE INTO settings VALUES ('seed', ?)"
            self._connection.execute(insert, (secrets.token_hex(32),))
            return self._connection.execute("SELECT value FROM settings WHERE name = 'seed'").fetchone()[0]
