"""Small file operations that leave either the old or the new content, never a half."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_CHUNK = 1024 * 1024
_REPLACE_ATTEMPTS = 20


def write_text(path: Path, text: str) -> None:
    """Write `text` (UTF-8) to `path` by way of a temporary file beside it. Readers see the old or the new content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(path)
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        _replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _beside(path: Path) -> Path:
    """A new name in the same folder. What is made there has the usual permissions, unlike with `tempfile`."""
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")


def _replace(source: Path, target: Path) -> None:
    """`os.replace`, tried again for a moment: on Windows it fails while another process has the target open."""
    for attempt in range(_REPLACE_ATTEMPTS):
        try:
            source.replace(target)
            return
        except PermissionError:
            if os.name != "nt" or attempt == _REPLACE_ATTEMPTS - 1:
                raise
            time.sleep(0.05)


def write_json(path: Path, data: Any) -> None:
    """Write `data` as indented JSON, atomically. Raises TypeError for values that JSON cannot hold."""
    write_text(path, json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """The JSON in `path`. Raises FileNotFoundError, or ValueError for text that is not JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


def sha256(path: Path) -> str:
    """Hex digest of one file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def files_below(path: Path) -> list[Path]:
    """Every file at or below `path`, sorted; `path` itself when it is a file. Links to folders are not followed."""
    if path.is_file():
        return [path]
    return sorted(entry for entry in path.rglob("*") if entry.is_file())


def walk_links(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Each folder at or below `root` with the names of its files, both sorted. Links are followed; one that leads back
    to a folder above is not entered again.
    """
    above: dict[str, frozenset[str]] = {str(root): frozenset({os.path.realpath(root)})}
    for folder, folders, names in os.walk(root, followlinks=True):
        real = above.pop(folder)
        folders.sort()
        for name in list(folders):
            child = os.path.join(folder, name)  # noqa: PTH118 (os.walk gives strings; 100,000 files)
            target = os.path.realpath(child)
            if target in real:
                folders.remove(name)
            else:
                above[child] = real | {target}
        yield folder, sorted(names)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target` that becomes `target` when the block ends well, and is gone when it does not.

    Raises FileExistsError at the end when `target` exists by then.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(target)
    temporary.mkdir()
    try:
        yield temporary
        if target.exists():
            raise FileExistsError(target)
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
