"""MLflow's tracking database, made quickly.

MLflow makes its tables by running all its migrations, which takes seconds. That is done once per machine and MLflow
version, by MLflow itself, in the user's cache folder (AMLOPS_CACHE, else the system's place for caches); a new
project gets a copy.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_MAKE = """
import sys
from mlflow.tracking import MlflowClient
MlflowClient(tracking_uri=sys.argv[1]).search_experiments(max_results=1)
"""


class TrackingUnavailable(Exception):
    """The database cannot be made or used; one line."""


def mlflow_version() -> str | None:
    """Version of MLflow in this environment, without importing it; None when it is not installed."""
    for package in ("mlflow-skinny", "mlflow"):
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    return None


def prepare(database: Path, artifacts: Path) -> None:
    """Make sure that `database` exists and has the tables of the installed MLflow. Safe for several processes.

    A database of an older MLflow is migrated by `mlflow db upgrade`, after a copy of it was kept beside it.

    Raises:
        TrackingUnavailable: MLflow cannot make or migrate the tables.
    """
    template = _template(database.parent / "cache")
    if not database.exists():
        _copy(template, database, artifacts)
    elif _revision(database) != _revision(template):
        _upgrade(database)


def _template(fallback: Path) -> Path:
    """An empty database as this MLflow makes it, from the cache; `fallback` is the cache where there is no other."""
    folder = _cache_folder(fallback)
    template = folder / f"mlflow-{mlflow_version()}.db"
    if template.is_file():
        return template
    print("amlops: preparing MLflow's database (once on this machine)", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder, ignore_cleanup_errors=True) as temporary:
        made = Path(temporary) / "mlflow.db"
        _mlflow("-c", _MAKE, f"sqlite:///{made.as_posix()}", cwd=Path(temporary))
        made.replace(template)
    return template


def _cache_folder(fallback: Path) -> Path:
    """The user's cache, or `fallback` where that cannot be written."""
    try:
        folder = _user_cache()
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except (OSError, RuntimeError):  # no home folder, a file in the way
        pass
    fallback.mkdir(parents=True, exist_ok=True)
    return fallback


def _user_cache() -> Path:
    """Where this system keeps what can be made again. Raises RuntimeError when there is no home folder."""
    if given := os.environ.get("AMLOPS_CACHE"):
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or tempfile.gettempdir()) / "amlops" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "amlops"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "amlops"


def _copy(template: Path, database: Path, artifacts: Path) -> None:
    """Put a copy in place; when another process was faster, its database stays."""
    database.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".mlflow.", suffix=".tmp", dir=database.parent)
    os.close(handle)
    copy = Path(name)
    try:
        shutil.copyfile(template, copy)
        with closing(sqlite3.connect(copy)) as connection, connection:
            location = (artifacts / "0").as_uri()
            connection.execute("UPDATE experiments SET artifact_location = ? WHERE experiment_id = 0", (location,))
        if not database.exists():
            _link(copy, database)
    finally:
        copy.unlink(missing_ok=True)


def _link(source: Path, target: Path) -> None:
    """Give `source` the name `target` unless that exists. A file system without links gets a plain rename."""
    try:
        os.link(source, target)
    except FileExistsError:
        pass
    except OSError:
        source.replace(target)


def _revision(database: Path) -> str:
    """The version of the tables that stands in the database."""
    try:
        with closing(sqlite3.connect(database, timeout=60)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise TrackingUnavailable(f"{database} is not a database of MLflow ({error}); move it away") from None
    return row[0] if row else ""


def _upgrade(database: Path) -> None:
    backup = database.with_name(f"{database.name}.before-{mlflow_version()}")
    shutil.copyfile(database, backup)
    print(
        f"amlops: migrating {database} to MLflow {mlflow_version()} (a copy is kept in {backup.name})", file=sys.stderr
    )
    _mlflow("-m", "mlflow", "db", "upgrade", f"sqlite:///{database.as_posix()}", cwd=database.parent)


def _mlflow(*arguments: str, cwd: Path) -> None:
    """Run Python with MLflow. Raises TrackingUnavailable with the last line it wrote."""
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise TrackingUnavailable(f"MLflow cannot make its database: {last}")
