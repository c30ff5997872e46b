"""`amlplatform init`: make another live project, outside the repository of this program."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path

import typer

from amlplatform import __version__, console
from amlplatform.live.project import PROJECT_FILES

# The files of a new project, by their names in amlplatform/live/template. A leading "dot-" becomes ".".
_TEMPLATE = "amlplatform.live"
_EMPTY_FOLDERS = ("requests", "stacks")
_PINNED = ("pulumi", "pulumi-azure-native", "pulumi-policy")


class InitError(Exception):
    """The folder cannot be used. The message is one line for the person."""


def init(
    folder: Path = typer.Argument(..., metavar="DIR", help="The folder to make; it must be empty or not there yet."),
) -> None:
    """Make a live project: the place of requests and stack files, with this version of the program pinned."""
    target = folder.absolute()
    try:
        _check(target)
        with _beside(target) as new:
            _fill(new)
            if target.exists():
                target.rmdir()
            new.rename(target)
    except InitError as error:
        raise console.fail([str(error)]) from None
    except OSError as error:
        raise console.fail([f"DIR: '{folder}' cannot be made ({error.strerror}); nothing is left"]) from None
    print(f"made a live project in {folder}")
    print("next:")
    print(f"  amlplatform onboard REQUEST --project {folder}")
    print(f"  amlplatform offline --project {folder} -- pulumi up -s PRODUCT-dev")


def _check(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise InitError(f"DIR: '{target}' is not a folder; for example ../platform-live")
    if target.is_dir() and any(target.iterdir()):
        raise InitError(f"DIR: '{target}' is not empty; name a new folder, for example ../platform-live")
    for above in target.parents:
        if any((above / name).is_file() for name in PROJECT_FILES):
            raise InitError(f"DIR: '{target}' is inside the live project {above}; name a folder outside of it")


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A folder beside the target; what is left of it when something fails is removed."""
    missing = [parent for parent in target.parents if not parent.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        new.chmod(0o755)
        yield new
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        for parent in missing:
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise


def _copy(source: Traversable, folder: Path) -> None:
    """The files of the template and of its folders."""
    folder.mkdir(exist_ok=True)
    for entry in source.iterdir():
        if entry.is_file():
            text = entry.read_text(encoding="utf-8").replace("@VERSION@", __version__)
            (folder / entry.name.replace("dot-", ".", 1)).write_text(text, encoding="utf-8")
        elif entry.name != "__pycache__":
            _copy(entry, folder / entry.name)


def _fill(folder: Path) -> None:
    _copy(resources.files(_TEMPLATE).joinpath("template"), folder)
    for name in _EMPTY_FOLDERS:
        (folder / name).mkdir()
        # git keeps no empty folders.
        (folder / name / ".gitkeep").touch()
    pins = "".join(f"{name}=={metadata.version(name)}\n" for name in _PINNED)
    with (folder / "requirements.txt").open("a", encoding="utf-8") as file:
        file.write(pins)
