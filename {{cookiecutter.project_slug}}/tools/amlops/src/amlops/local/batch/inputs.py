"""The input that a person names when a batch endpoint is invoked."""

from __future__ import annotations

from pathlib import Path

from amlops import references
from amlops.errors import UserError
from amlops.local.data import LocalData, blobfolders
from amlops.local.data.resolver import EXAMPLES
from amlops.local.parallel.inputs import BatchInput

INPUT_TYPES = ("uri_folder", "uri_file")


def batch_input(value: str, input_type: str | None, base: Path, data: LocalData, folder: Path) -> BatchInput:
    """The input that the user named.

    Args:
        value: path of a file or folder, relative to `base`; `azureml:name:version` or `azureml:name@latest`;
            `azureml://datastores/…`; an https address.
        input_type: uri_folder or uri_file; None takes what is there.
        folder: where a file is put that has to be fetched; made when it is needed.

    Raises:
        UserError: there is nothing, it is of the other type, or it cannot be fetched.
    """
    if input_type is not None and input_type not in INPUT_TYPES:
        raise UserError(f"--input-type: '{input_type}' is not a type of input; one of {', '.join(INPUT_TYPES)}")
    try:
        # Of what is on this machine the type is compared below, in words that name the flag.
        remote = references.is_web_address(value)
        path = data.fetch(data.find(value, input_type if remote else None, base), folder)
    except UserError as error:
        hint = f"; give {EXAMPLES}" if "does not exist" in error.message else ""
        if input_type is None and " answers 404" in error.message and blobfolders.has_folders(value):
            hint = " (of a folder: --input-type uri_folder)"
        raise UserError(f"--input: {error.message}{hint}") from None
    kind = "uri_folder" if path.is_dir() else "uri_file"
    if input_type not in (None, kind):
        what = "a folder" if kind == "uri_folder" else "a file"
        raise UserError(f"--input: '{value}' is {what}, not {input_type}; use --input-type {kind}, or leave it out")
    return BatchInput(path, path if path.is_dir() else path.parent, kind)
