"""The versions of data assets, environments and components on the laptop, in one SQLite index.

A version is never changed. Creating one again with the same content is no error and may change its description and
tags, as with `az ml`, so that a script can be run twice.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlops import references
from amlops.errors import UserError
from amlops.local.jobrecords import utc_now
from amlops.local.state import LocalState, transaction
from amlops.local.versions import LATEST, check_version, next_version

# ARM: dataContainers, environmentContainers, componentContainers.
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS assets (
    number INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of creation: the highest of a name is its latest
    kind TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, description TEXT NOT NULL, tags TEXT NOT NULL,
    content TEXT NOT NULL, created_at TEXT NOT NULL,
    UNIQUE (kind, name, version)
);
"""


@dataclass(frozen=True)
class Asset:
    """A version. `content` is what its kind keeps: what may never change."""

    name: str
    version: str
    description: str
    tags: dict[str, str]
    content: dict[str, Any]
    created_at: str

    @property
    def reference(self) -> str:
        """`azureml:name:version`."""
        return f"azureml:{self.name}:{self.version}"

    def as_record(self) -> dict[str, Any]:
        """What `show` prints; `id` is how other files and commands name this version."""
        return {
            "id": self.reference,
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "tags": self.tags,
            **self.content,
            "created_at": self.created_at,
        }


class AssetStore:
    """The versions of one kind. Safe for several processes at once.

    Args:
        kind: the noun: data, environment or component.
        what: how a message calls one, for example "data asset".
    """

    def __init__(self, state: LocalState, kind: str, what: str) -> None:
        self._state = state
        self._kind = kind
        self._what = what

    def add(
        self,
        name: str,
        version: str | None,
        content: Mapping[str, Any],
        *,
        description: str = "",
        tags: Mapping[str, Any] | None = None,
        move: Callable[[str], None] | None = None,
    ) -> Asset:
        """Add a version, or the same version again with the same content.

        Args:
            move: called with the version inside the transaction, to put its files in their place.

        Raises:
            UserError: a name or version breaks a rule, or the version exists with other content.
        """
        self.check(name, version)
        texts = {str(key): str(value) for key, value in (tags or {}).items()}
        with self._database() as database, transaction(database):
            version = version or self._next_version(database, name)
            old = database.execute(
                "SELECT * FROM assets WHERE kind = ? AND name = ? AND version = ?", (self._kind, name, version)
            ).fetchone()
            if old is not None:
                asset = self._same_again(old, content, description, texts)
                database.execute(
                    "UPDATE assets SET description = ?, tags = ? WHERE number = ?",
                    (asset.description, json.dumps(asset.tags), old["number"]),
                )
                return asset
            asset = Asset(name, version, description, texts, dict(content), utc_now())
            database.execute(
                "INSERT INTO assets (kind, name, version, description, tags, content, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (self._kind, name, version, description, json.dumps(texts), json.dumps(content), asset.created_at),
            )
            if move is not None:
                move(version)
        return asset

    def list(self, name: str | None = None) -> list[Asset]:
        """Versions, newest first; of `name`, or of all names."""
        if not self._index.is_file():
            return []
        with self._database() as database:
            rows = database.execute(
                "SELECT * FROM assets WHERE kind = ? AND (? IS NULL OR name = ?) ORDER BY number DESC",
                (self._kind, name, name),
            ).fetchall()
        return [_asset(row) for row in rows]

    def show(self, name: str, version: str | None = None) -> Asset:
        """One version; None or "latest" is the one made last. Raises UserError."""
        versions = self.list(name)
        if not versions:
            names = sorted({asset.name for asset in self.list()})
            make = f"amlops {self._kind} create"
            known = f"there are: {', '.join(names)}" if names else f"there is none yet (`{make}`)"
            raise UserError(f"the {self._what} '{name}' is not registered; {known}")
        if version in (None, LATEST):
            return versions[0]
        for asset in versions:
            if asset.version == str(version):
                return asset
        known = ", ".join(asset.version for asset in versions)
        raise UserError(f"the {self._what} '{name}' has no version '{version}'; it has: {known}")

    def find(self, reference: str) -> Asset:
        """The version that `azureml:name:version` or `azureml:name@latest` means. Raises UserError."""
        try:
            parsed = references.parse(reference)
        except ValueError as error:
            raise UserError(str(error)) from None
        if parsed.version is None and parsed.label is None:
            raise UserError(f"'{reference}' has neither version nor label; for example {parsed}@latest or {parsed}:1")
        if parsed.label not in (None, LATEST):
            raise UserError(f"'{reference}': the label '{parsed.label}' is not known; use {LATEST} or a version")
        return self.show(parsed.name, parsed.version or LATEST)

    def check(self, name: str, version: str | None) -> None:
        """Raise UserError for a name or version that Azure ML does not take."""
        if not NAME_PATTERN.fullmatch(name):
            raise UserError(
                f"name: '{name}' must be letters, digits, '-', '_' and '.', starting with a letter or digit, at most "
                "255; for example digits"
            )
        check_version(version)

    @property
    def _index(self) -> Path:
        return self._state.assets / "assets.db"

    def _database(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._state.database(self._index, _SCHEMA)

    def _same_again(
        self, old: sqlite3.Row, content: Mapping[str, Any], description: str, tags: dict[str, str]
    ) -> Asset:
        asset = _asset(old)
        if asset.content != json.loads(json.dumps(content)):
            raise UserError(
                f"version: the {self._what} '{asset.name}' has a version '{asset.version}' with other content; a "
                "version is never changed, leave it out for the next one"
            )
        return Asset(
            asset.name,
            asset.version,
            description or asset.description,
            {**asset.tags, **tags},
            asset.content,
            asset.created_at,
        )

    def _next_version(self, database: sqlite3.Connection, name: str) -> str:
        rows = database.execute("SELECT version FROM assets WHERE kind = ? AND name = ?", (self._kind, name))
        return next_version(row["version"] for row in rows)


def _asset(row: sqlite3.Row) -> Asset:
    return Asset(
        row["name"],
        row["version"],
        row["description"],
        json.loads(row["tags"]),
        json.loads(row["content"]),
        row["created_at"],
    )
