"""Which files of a project are checked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

# Where a project has Azure ML files; in code, only the conda files.
_FOLDERS = (".cloud", "pipelines", "code")
_YAML = (".yml", ".yaml")
_CONDA = ("environment", "conda")
_SKIPPED = frozenset({"__pycache__", "node_modules", "build", "dist"})


def yaml_files(folder: Path) -> list[Path]:
    """The YAML files to check in a project, or in any other folder, sorted."""
    starts = [folder / name for name in _FOLDERS if (folder / name).is_dir()]
    if not (folder / ".cloud").is_dir():
        starts = [folder]
    found = [file for start in starts for file in _walk(start, _YAML) if _wanted(file, folder)]
    return sorted(found)


def python_files(root: Path) -> list[Path]:
    """The Python files of a project's code, sorted."""
    return sorted(_walk(root / "code", (".py",)))


def _wanted(file: Path, folder: Path) -> bool:
    in_code = "code" in file.relative_to(folder).parts[:1]
    return not in_code or file.stem.startswith(_CONDA)


def _walk(start: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    for current, folders, files in os.walk(start):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _SKIPPED]
        yield from (Path(current, name) for name in files if name.endswith(suffixes))
