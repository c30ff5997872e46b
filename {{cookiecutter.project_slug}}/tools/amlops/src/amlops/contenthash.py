"""One hash for what a model holds, the same on the laptop and in Azure, so that a copy can be checked.

of_files({"model/weights.npz": "9f86…", "model/config.json": "60303…"})   # of the hashes of its files
of_path(Path("outputs/model"))                                              # of a folder or a file
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from amlops.files import files_below, sha256

PROPERTY = "amlops.sha256"
"""The property of a registered model that holds the hash."""


def of_files(files: Mapping[str, str]) -> str:
    """The hash of a model whose files have these hashes.

    Args:
        files: sha256 by path, with forward slashes, below the folder that holds the registered file or folder.
    """
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path}\0{files[path]}\n".encode())
    return digest.hexdigest()


def of_path(path: Path) -> str:
    """The hash of a file or folder that is registered, or was downloaded. Raises OSError."""
    parent = path.parent
    return of_files({file.relative_to(parent).as_posix(): sha256(file) for file in files_below(path)})
