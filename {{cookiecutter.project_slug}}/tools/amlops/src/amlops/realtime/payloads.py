"""Requests from files: one JSON file, a file with a JSON text per line, or a folder of both."""

from __future__ import annotations

import json
from pathlib import Path

from amlops.errors import UserError, shown

_LINES = (".jsonl", ".ndjson")
_EXAMPLE = "for example request.json, requests.jsonl (one request per line) or a folder of them"


def read_payloads(path: Path, option: str = "--requests") -> list[bytes]:
    """The bodies that are sent in turn, as they stand in the files; those of a folder by name.

    Raises:
        UserError: nothing is there, or something is not JSON; told with `option`, or with file and line.
    """
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in (".json", *_LINES))
    elif path.is_file():
        files = [path]
    else:
        raise UserError(f"{option}: '{shown(path)}' is not there; {_EXAMPLE}")
    found = [body for file in files for body in _bodies(file)]
    if not found:
        raise UserError(f"{option}: '{shown(path)}' has no request; {_EXAMPLE}")
    return found


def _bodies(file: Path) -> list[bytes]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"is not UTF-8 text (byte {error.start})", file=file) from None
    if file.suffix.lower() not in _LINES:
        _check(text, file, None)
        return [text.encode()]
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    for number, line in lines:
        _check(line, file, number)
    return [line.encode() for _, line in lines]


def _check(text: str, file: Path, line: int | None) -> None:
    try:
        json.loads(text)
    except ValueError as error:
        at = line or getattr(error, "lineno", None)
        reason = getattr(error, "msg", "not JSON")
        raise UserError(f'is not JSON: {reason}; for example {{"images": []}}', file=file, line=at) from None
