"""Records of the laptop, a JSON file each: how they are read, and names that stay in their folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from amlops.errors import UserError
from amlops.files import read_json


def read_record(file: Path, what: str = "it") -> dict[str, Any]:
    """A record. Raises UserError for one that is damaged; `what` says in it what is to be created again."""
    try:
        return read_json(file)
    except ValueError:
        raise UserError(f"the record is not valid JSON; delete it and create {what} again", file=file) from None


def plain(name: str) -> str:
    """A name that can only mean an entry of our own folder: what a person typed may be anything, `../..` too."""
    return name if name == Path(name).name and name not in {"", ".", ".."} else "-"
