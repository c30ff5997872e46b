"""Where the laptop keeps its state: `<project>/.amlops/`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from amlops.errors import UserError
from amlops.files import write_text
from amlops.project import Project

_LOCK_WAIT_SECONDS = 60.0


class LocalState:
    """Paths below `.amlops/` and the databases in it.

    Making the object writes nothing; `prepare()` makes the folder.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.root = project.state_folder

    @property
    def jobs(self) -> Path:
        """One folder per job: `jobs/<name>/{inputs,outputs,logs,job.json}`."""
        return self.root / "jobs"

    @property
    def models(self) -> Path:
        """The model store."""
        return self.root / "models"

    @property
    def endpoints(self) -> Path:
        """Batch endpoints and their deployments."""
        return self.root / "endpoints"

    @property
    def datastores(self) -> Path:
        """One folder per data store, and a record `<name>.json` for those that a person made."""
        return self.root / "datastores"

    @property
    def assets(self) -> Path:
        """The index of data assets, environments and components, and the files of the last two."""
        return self.root / "assets"

    @property
    def computes(self) -> Path:
        """Records of compute targets that a person made."""
        return self.root / "computes"

    @property
    def schedules(self) -> Path:
        """Records of schedules."""
        return self.root / "schedules"

    @property
    def mlflow_database(self) -> Path:
        """MLflow's tracking database."""
        return self.root / "mlflow.db"

    @property
    def mlflow_artifacts(self) -> Path:
        """Files that runs log with MLflow."""
        return self.root / "mlartifacts"

    def prepare(self) -> Path:
        """Make the folder, ignored by git whatever the project's own .gitignore says, and return it."""
        ignore = self.root / ".gitignore"
        if not ignore.exists():
            write_text(ignore, "*\n")
        return self.root

    @contextmanager
    def database(self, path: Path, schema: str) -> Iterator[sqlite3.Connection]:
        """Open a database for one piece of work: rows by name, `schema` (idempotent SQL) applied, closed at the end.

        Transactions are explicit: use `with transaction(connection):`. Those of other processes are waited for (60 s).

        Raises:
            UserError: the file is no database.
        """
        self.prepare()
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=_LOCK_WAIT_SECONDS, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            try:
                connection.executescript(schema)
            except sqlite3.DatabaseError as error:
                raise UserError(f"cannot be used ({error}); move it away to start anew", file=path) from None
            yield connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction that holds the write lock from its start, so that what it reads stays true until it writes."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
