"""The input that a person names when a batch endpoint is invoked."""

from __future__ import annotations

from pathlib import Path

from amlops import references
from amlops.errors import UserError
from amlops.local.parallel.inputs import BatchInput

INPUT_TYPES = ("uri_folder", "uri_file")


def batch_input(value: str, input_type: str | None, base: Path) -> BatchInput:
    """The input that the user named.

    Args:
        value: path of a file or folder; relative to `base`.
        input_type: uri_folder or uri_file; None takes what the path is.

    Raises:
        UserError: there is nothing, it is of the other type, or it is not on this machine.
    """
    if input_type is not None and input_type not in INPUT_TYPES:
        raise UserError(f"--input-type: '{input_type}' is not a type of input; one of {', '.join(INPUT_TYPES)}")
    if references.is_address(value) or references.is_reference(value):
        raise UserError(f"--input: '{value}' is not on this machine; give a local file or folder, for example ./images")
    path = (base / Path(value).expanduser()).resolve()
    if not path.exists():
        raise UserError(
            f"--input: '{value}' does not exist (looked at {path}); give a file or folder, for example ./images"
        )
    found = "uri_folder" if path.is_dir() else "uri_file"
    if input_type not in (None, found):
        kind = "a folder" if found == "uri_folder" else "a file"
        raise UserError(f"--input: '{value}' is {kind}, not {input_type}; use --input-type {found}, or leave it out")
    return BatchInput(path, path if path.is_dir() else path.parent, found)
