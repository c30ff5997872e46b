"""Copies of local files and folders in the default data store, kept by content.

Azure ML does the same: a local `path` of a data asset is uploaded to `workspaceblobstore`, below
`LocalUpload/<hash>/`, and the asset keeps that address. What changes in the folder later does not reach the asset.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from amlops.errors import UserError
from amlops.files import new_folder, sha256, walk_links

_BELOW = "LocalUpload"
_READ_ONLY = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


@dataclass(frozen=True)
class Content:
    """What a file or folder holds, told without reading it: a later change of it shows here.

    `newest` is the time of the last change of any file, in ns.
    """

    files: int
    bytes: int
    newest: int


def upload(path: Path, store: Path) -> tuple[str, Content]:
    """Copy a file or folder below `store`; the same content under the same name is copied once.

    Returns:
        the path of the copy below `store`, with forward slashes, and its content.

    Raises:
        UserError: there is no file in it, or it cannot be read.
    """
    files = list(_files(path))
    if not files:
        raise UserError(f"path: '{path}' has no file in it; give a file, or a folder with files")
    if store.absolute().is_relative_to(path):
        raise UserError(f"path: '{path}' holds the project's data store itself; give the data's own folder")
    try:
        digest = _digest(path, files)
        relative = f"{_BELOW}/{digest}/{path.name}"
        target = store / relative
        if target.exists() and _digest(target, list(_files(target))) != digest:
            shutil.rmtree(target.parent)  # somebody has changed the copy
        if not target.exists():
            _copy(path, files, target)
    except OSError as error:  # a file that may not be read, a link to nothing, a full disk
        raise UserError(f"path: '{path}' cannot be copied: {error.strerror}: {error.filename}") from None
    return relative, content(target)


def private_copy(path: Path, target: Path) -> Path:
    """A copy of a file or folder that may be written to, whatever the original's rights are.

    Returns the copy: `target`, or the file in it. One that is there already is taken as it is.
    """
    copy = target / path.name if path.is_file() else target
    if copy.exists():
        return copy
    for file in _files(path):
        place = copy / file.relative_to(path) if file != path else copy
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    copy.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        copy.mkdir(exist_ok=True)  # an empty folder, too
    return copy


def content(path: Path) -> Content:
    """The content of a file or folder as it is now."""
    stats = [file.stat() for file in _files(path)]
    return Content(
        len(stats), sum(each.st_size for each in stats), max((each.st_mtime_ns for each in stats), default=0)
    )


def _digest(path: Path, files: list[Path]) -> str:
    digest = hashlib.sha256(path.name.encode("utf-8", "surrogateescape"))
    for file in files:
        below = "" if file == path else file.relative_to(path).as_posix()
        digest.update(f"\0{below}\0{sha256(file)}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:32]


def _copy(path: Path, files: list[Path], target: Path) -> None:
    try:
        with new_folder(target.parent) as temporary:
            for file in files:
                copy = temporary / path.name / file.relative_to(path) if file != path else temporary / path.name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, copy)
                if os.name != "nt":  # there, a read-only file keeps its folder from being deleted
                    copy.chmod(_READ_ONLY)
    except FileExistsError:  # another process made the same copy meanwhile
        pass


def _files(path: Path) -> Iterator[Path]:
    """The files at or below `path`, sorted by folder."""
    if path.is_file():
        yield path
        return
    for folder, names in walk_links(path):
        yield from (Path(folder, name) for name in names)
