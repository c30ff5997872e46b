"""The manifest of the tool: a hash for each of its files, so that a local edit is known before an upgrade meets it.

`tools/amlops/manifest.json` is written where the tool is maintained. A project that got the tool from a package feed
has no manifest, and nothing to compare.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from amlops import __version__
from amlops.errors import UserError
from amlops.files import read_json, write_json

NAME = "manifest.json"
_IGNORED_PARTS = {"__pycache__", "build", "dist", ".ruff_cache", ".pytest_cache"}
_IGNORED_SUFFIXES = {".pyc", ".egg-info", ".tmp"}


@dataclass(frozen=True)
class Edit:
    """A file that differs from the manifest.

    `kind` is changed, added or missing; `path` is relative to the tool's folder.
    """

    path: str
    kind: str


def tool_folder() -> Path | None:
    """The folder that this copy of the tool was carried along in; None when it was installed from a package feed."""
    folder = Path(__file__).resolve().parents[2]
    return (
        folder
        if (folder / "pyproject.toml").is_file() and Path(__file__).resolve().parent.parent.name == "src"
        else None
    )


def hashes(folder: Path) -> dict[str, str]:
    """sha256 of every file of the tool, by its path relative to `folder`.

    Line ends do not count: git may have changed them.
    """
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not _ignored(file.relative_to(folder))
    }


def write(folder: Path) -> Path:
    """Write the manifest of the tool in `folder`; returns its path."""
    path = folder / NAME
    write_json(path, {"version": __version__, "files": hashes(folder)})
    return path


def local_edits(folder: Path | None = None) -> list[Edit]:
    """Files of the tool that were changed, added or removed since its manifest was written.

    Args:
        folder: the tool's folder; default the one that is running. Without a manifest there are no edits.

    Raises:
        UserError: the manifest cannot be read.
    """
    folder = folder or tool_folder()
    if folder is None or not (folder / NAME).is_file():
        return []
    try:
        known: dict[str, str] = read_json(folder / NAME)["files"]
    except (ValueError, KeyError, TypeError):
        raise UserError("is not a manifest; take tools/amlops from the template again", file=folder / NAME) from None
    found = hashes(folder)
    edits = [Edit(path, "missing") for path in known.keys() - found.keys()]
    edits += [Edit(path, "added") for path in found.keys() - known.keys()]
    edits += [Edit(path, "changed") for path in known.keys() & found.keys() if known[path] != found[path]]
    return sorted(edits, key=lambda edit: edit.path)


def _ignored(relative: Path) -> bool:
    if relative.as_posix() == NAME or relative.suffix in _IGNORED_SUFFIXES:
        return True
    return any(part in _IGNORED_PARTS or part.endswith(".egg-info") for part in relative.parts)
