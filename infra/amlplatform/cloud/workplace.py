"""Where offline runs happen: the folder `.offline/` of a live project, with a copy of the project and its stack files.

The Pulumi CLI writes into stack files (a salt for encryption, `pulumi config set`), so it never gets the real ones to
see.
"""

from __future__ import annotations

import contextlib
import filecmp
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from amlplatform.cloud.state import SUBSCRIPTION_ID
from amlplatform.live.project import Project, ProjectError, read_mapping

PACKAGE = Path(__file__).resolve().parents[1]
_DEFAULT_LOCATION = "westeurope"
# What encrypts the real stack's secrets. Offline a passphrase of our own does, and the CLI puts its salt here.
_ENCRYPTION = ("secretsprovider", "encryptedkey", "encryptionsalt")


class WorkplaceError(Exception):
    """The offline Azure cannot be used here. The message is one line for the person."""


@dataclass(frozen=True)
class Workplace:
    """The folder `.offline/` of a live project. Everything in it can be deleted, by `reset` for example."""

    project: Project

    @property
    def folder(self) -> Path:
        return self.project.folder / ".offline"

    @property
    def cloud_file(self) -> Path:
        """State of the offline Azure."""
        return self.folder / "azure.sqlite"

    @property
    def held(self) -> tuple[Path, Path]:
        """What was uploaded to the offline Azure and pushed to its registries; see `https.server.serving`."""
        return self.folder / "blobs", self.folder / "images"

    @property
    def backend(self) -> Path:
        """State of the stacks, as Pulumi keeps it."""
        return self.folder / "state"

    @property
    def home(self) -> Path:
        """Pulumi's own settings: the person's are not touched."""
        return self.folder / "home"

    @property
    def copy(self) -> Path:
        """The copy of the project that commands run in."""
        return self.folder / "project"

    @property
    def log(self) -> Path:
        """What the provider has to say when it fails."""
        return self.folder / "provider.log"

    def has_stack(self, stack: str) -> bool:
        return (self.backend / ".pulumi" / "stacks" / self.project.name / f"{stack}.json").exists()

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Several commands may be at work at a time; `reset` is refused meanwhile. The lock goes with the process."""
        with contextlib.closing(self._lock()) as lock:
            lock.execute("BEGIN")
            lock.execute("SELECT name FROM sqlite_master").fetchall()
            yield

    def reset(self) -> None:
        """Empty the offline Azure and forget all stacks. Raises WorkplaceError when a command is at work."""
        with contextlib.closing(self._lock()) as lock:
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                raise WorkplaceError(
                    f"--reset: another `amlplatform offline` is at work in {self.folder}; wait for it, or stop it"
                ) from None
            state = self.folder.glob("azure.sqlite*")
            for path in (self.backend, self.home, self.copy, *self.held, *state, self.log):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def _lock(self) -> sqlite3.Connection:
        self._make()
        return sqlite3.connect(self.folder / "lock.sqlite", timeout=0, isolation_level=None)

    def _make(self) -> None:
        if self.folder.is_symlink():
            raise WorkplaceError(f"{self.folder}: is a link; delete it, the folder is made anew")
        for folder in (self.backend, self.home, self.copy):
            folder.mkdir(parents=True, exist_ok=True)

    def update_copy(self, stack: str | None) -> list[str]:
        """Bring the copy of the project up to date, with one stack's file or all. Returns notes for the person."""
        self._make()
        _mirror(self.project, self.copy)
        _write_if_other(self.copy / self.project.file.name, self._project_file())
        stacks = [stack] if stack else self.project.stacks()
        return [note for name in stacks for note in self._update_stack_file(name)]

    def _project_file(self) -> str:
        """Pulumi.yaml without the virtual environment that it may name; our own is used offline."""
        runtime = self.project.settings.get("runtime")
        if not isinstance(runtime, dict) or not runtime.get("options"):
            return self.project.file.read_text(encoding="utf-8")
        without = {key: value for key, value in runtime.items() if key != "options"}
        return yaml.safe_dump({**self.project.settings, "runtime": without}, sort_keys=False)

    def _update_stack_file(self, stack: str) -> list[str]:
        relative = self.project.stack_file(stack)
        real = read_mapping(self.project.folder / relative)
        if not isinstance(real.get("config") or {}, dict):
            raise WorkplaceError(f"{relative.as_posix()}: config: must be a mapping (key: value)")
        target = self.copy / relative
        before = read_mapping(target) if target.exists() else {}
        content, notes = offline_stack(real, before, self._region(real))
        if content != before:
            target.parent.mkdir(parents=True, exist_ok=True)
            _write_if_other(target, yaml.safe_dump(content, sort_keys=False))
        return [f"{relative.as_posix()}: {note}" for note in notes]

    def _region(self, stack: dict[str, Any]) -> str:
        request = (stack.get("config") or {}).get(self.project.request_key)
        path = self.project.folder / str(request)
        if isinstance(request, str) and path.is_file():
            with contextlib.suppress(ProjectError):
                return str(read_mapping(path).get("region") or _DEFAULT_LOCATION)
        return _DEFAULT_LOCATION


def offline_stack(real: dict[str, Any], before: dict[str, Any], region: str) -> tuple[dict[str, Any], list[str]]:
    """The stack file for offline runs, and notes on what it cannot have.

    `before` is the file of an earlier offline run: its salt is kept, and the value that was given offline to a
    setting that is encrypted in the real file. Everything else comes from `real`; subscription and location are
    filled in where it has none.
    """
    notes: list[str] = []
    config: dict[str, Any] = {}
    earlier = before.get("config") or {}
    for key, value in (real.get("config") or {}).items():
        if not _is_encrypted(value):
            config[key] = value
        elif key in earlier:
            config[key] = earlier[key]
        else:
            notes.append(
                f"{key} is encrypted with the real key and left out; "
                f"give it a value with amlplatform offline -- pulumi config set --secret {key} VALUE -s STACK"
            )
    config.setdefault("azure-native:subscriptionId", SUBSCRIPTION_ID)
    config.setdefault("azure-native:location", region)
    content = {key: value for key, value in real.items() if key not in _ENCRYPTION}
    content["config"] = config
    if "encryptionsalt" in before:
        content["encryptionsalt"] = before["encryptionsalt"]
    return content, notes


def _is_encrypted(value: Any) -> bool:
    """Whether Pulumi has encrypted the value, or a part of it: it then writes `secure: …`."""
    if isinstance(value, dict):
        return "secure" in value or any(map(_is_encrypted, value.values()))
    return isinstance(value, list) and any(map(_is_encrypted, value))


def _mirror(project: Project, target: Path) -> None:
    """Copy what a program may need, leaving alone what is the same, and delete what is no longer in the project.

    Not among it: Pulumi.yaml and stack files, of which the copy has its own, and what begins with a dot.
    """
    wanted: set[Path] = set()
    for folder, subfolders, files in os.walk(project.folder):
        here = Path(folder)
        subfolders[:] = [name for name in subfolders if _belongs(here / name)]
        for name in files:
            relative = (here / name).relative_to(project.folder)
            if not name.startswith(".") and not project.is_settings(relative):
                wanted.add(relative)
                _copy(here / name, target / relative)
    for file in target.rglob("*"):
        relative = file.relative_to(target)
        made_by_python = "__pycache__" in relative.parts
        if file.is_file() and relative not in wanted and not project.is_settings(relative) and not made_by_python:
            file.unlink(missing_ok=True)


def _belongs(folder: Path) -> bool:
    name = folder.name
    skipped = name.startswith(".") or name == "__pycache__" or name.endswith(".egg-info")
    return not (skipped or folder.resolve() == PACKAGE or (folder / "pyvenv.cfg").exists())


def _copy(source: Path, target: Path) -> None:
    if target.is_file() and filecmp.cmp(source, target, shallow=True):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with _temporary(target) as temporary:
        shutil.copy2(source, temporary)


def _write_if_other(target: Path, text: str) -> None:
    if target.is_file() and target.read_text(encoding="utf-8") == text:
        return
    with _temporary(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """A file beside `target` that takes its place when the block ends well."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".writing-")
    os.close(handle)
    try:
        yield Path(name)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
