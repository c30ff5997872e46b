"""Paths in files, and environments written into files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from amlops import bindings, references
from amlops.validate.fault import Fault, fault_at
from amlops.yamlfile import YamlFile


def is_local(value: Any) -> bool:
    """True for a path on this machine: no address, reference or expression."""
    return (
        isinstance(value, str)
        and bool(value)
        and not bindings.has_expression(value)
        and not references.is_reference(value)
        and not references.is_address(value)
    )


def local_path(document: YamlFile, value: str) -> Path:
    """The absolute path that a value of a file means."""
    return document.resolve(value.removeprefix("file:"))


def missing_path(document: YamlFile, what: str, *keys: str | int, folder: bool | None = None) -> Iterator[Fault]:
    """A fault when the local path at a key does not exist, or is a file where a folder is needed (or the other
    way round).
    """
    value = document.get(*keys)
    if not is_local(value):
        return
    path = local_path(document, value)
    if not path.exists():
        yield fault_at(
            document, "missing-file", f"'{value}' does not exist", f"give {what}, relative to this file", *keys
        )
    elif folder is True and not path.is_dir():
        yield fault_at(document, "missing-file", f"'{value}' is a file", f"give {what}, a folder", *keys)
    elif folder is False and not path.is_file():
        yield fault_at(document, "missing-file", f"'{value}' is a folder", f"give {what}, a file", *keys)


def environment_faults(document: YamlFile, *keys: str | int) -> Iterator[Fault]:
    """Faults of an environment: written at `keys`, or the whole file when there are none."""
    value = document.get(*keys)
    if not isinstance(value, dict):
        return
    if value.get("image") and value.get("build"):
        yield fault_at(document, "no-environment", "has both image and build", "keep one of them", *keys)
    if not value.get("image") and not value.get("build"):
        yield fault_at(document, "no-environment", "has neither image nor build", "add 'image:', a Docker image", *keys)
    yield from missing_path(document, "the conda file", *keys, "conda_file", folder=False)
    yield from missing_path(document, "the Docker build folder", *keys, "build", "path", folder=True)


def asset_faults(document: YamlFile) -> Iterator[Fault]:
    """Faults of a model or data file: its path."""
    kind = document.get("type")
    folder = {"uri_file": False, "uri_folder": True, "mltable": True, "mlflow_model": True}.get(str(kind))
    yield from missing_path(document, "the file or folder", "path", folder=folder)
