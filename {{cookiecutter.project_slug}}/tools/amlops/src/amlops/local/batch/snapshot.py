"""Copies of what a deployment needs, kept by content: what is deployed stays as it was, however the project's files
change.

Azure ML does the same: it uploads the code folder, and an unregistered model, when the deployment is created.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from amlops.errors import UserError
from amlops.files import new_folder, sha256

# Folders that are no code. Azure ML reads .amlignore and .gitignore; these are what such files name everywhere.
IGNORED = frozenset(
    {".amlops", ".git", ".venv", ".tools", "__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache", "node_modules"}
)
LARGEST_CODE = 300 * 1024 * 1024


def snapshot_code(folder: Path, store: Path) -> Path:
    """Copy a code folder below `store` and return the copy; a folder with the same content is copied once.

    Raises:
        UserError: the folder is too large to be code.
    """
    files = sorted(_files(folder))
    size = sum((folder / file).stat().st_size for file in files)
    if size > LARGEST_CODE:
        raise UserError(
            f"code_configuration.code: '{shown_size(size)}' in {folder} is more than {shown_size(LARGEST_CODE)}; "
            "keep data out of the code folder"
        )
    return _copy(folder, files, store, Path())


def snapshot_model(path: Path, store: Path) -> Path:
    """Copy an unregistered model below `store` and return the folder that contains it, under its own name.

    Raises:
        UserError: there is no file in it.
    """
    folder = path if path.is_dir() else path.parent
    files = sorted(_files(path)) if path.is_dir() else [Path(path.name)]
    if not files:
        raise UserError(f"model: '{path}' has no file in it; give the file or folder of the model")
    return _copy(folder, files, store, Path(path.name) if path.is_dir() else Path())


def snapshot_file(file: Path, store: Path) -> Path:
    """Copy one file below `store` and return the folder that contains it."""
    return _copy(file.parent, [Path(file.name)], store, Path())


def check_snapshot(copy: Path) -> None:
    """Compare a copy with the hash that it is called by: models are loaded by code that trusts their files.

    Raises:
        UserError: it was changed since it was made.
    """
    files = sorted(file.relative_to(copy) for file in copy.rglob("*") if file.is_file())
    if _digest(copy, files, Path()) != copy.name:
        raise UserError(f"model: the copy in {copy} has changed; delete that folder and create the deployment again")


def shown_size(size: int) -> str:
    """Bytes as megabytes."""
    return f"{size / 1024 / 1024:.0f} MB"


def _copy(folder: Path, files: list[Path], store: Path, below: Path) -> Path:
    target = store / _digest(folder, files, below)
    if target.is_dir():
        return target
    try:
        with new_folder(target) as temporary:
            for file in files:
                copy = temporary / below / file
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(folder / file, copy)
    except FileExistsError:  # another process made the same copy meanwhile
        pass
    return target


def _digest(folder: Path, files: list[Path], below: Path) -> str:
    """What a copy is called: the start of a hash over the names and contents of its files."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{(below / file).as_posix()}\0{sha256(folder / file)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def _files(folder: Path) -> Iterator[Path]:
    """Paths below `folder` of the files in it. Links to folders are followed when they stay inside."""
    for current, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in IGNORED)
        for name in files:
            if not name.endswith((".pyc", ".pyo")):
                yield (Path(current) / name).relative_to(folder)
