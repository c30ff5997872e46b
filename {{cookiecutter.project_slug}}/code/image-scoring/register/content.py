"""The hash of a model's files. amlops, which is not installed in Azure ML jobs, makes the same (amlops.contenthash)."""

from __future__ import annotations

import hashlib
from pathlib import Path

HASH = "amlops.sha256"
"""The property of a registered model that holds it."""


def content_hash(folder: Path) -> str:
    """The hash of the names, which start with the folder's own, and the contents of the files in a folder."""
    digest = hashlib.sha256()
    folder = folder.absolute()
    files = {file.relative_to(folder.parent).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    for name in sorted(files):
        with files[name].open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()
