"""Several files at once: all are written, or none is changed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_all(files: Mapping[Path, bytes]) -> list[Path]:
    """Write the files whose content differs, making folders as needed. Returns their paths.

    Each is written under a temporary name first, then all are renamed. Raises OSError; then every file is as it was
    before.
    """
    changed = {path: content for path, content in files.items() if not path.is_file() or path.read_bytes() != content}
    before = {path: path.read_bytes() if path.is_file() else None for path in changed}
    ready: dict[Path, Path] = {}
    done: list[Path] = []
    try:
        for path, content in changed.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            ready[path] = _temporary(path, content)
        for path, temporary in ready.items():
            temporary.replace(path)
            done.append(path)
    except OSError:
        for path in done:
            _put_back(path, before[path])
        raise
    finally:
        for temporary in ready.values():
            temporary.unlink(missing_ok=True)
    return list(changed)


def _temporary(path: Path, content: bytes) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    temporary = Path(name)
    # mkstemp makes private files; these are for everybody who may read the folder.
    temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
    return temporary


def _put_back(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(content)
