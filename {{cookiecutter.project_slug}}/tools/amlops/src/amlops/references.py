"""`azureml:` references: registered assets by name and version or label, and addresses of data.

parse("azureml:digits@latest")   # AssetReference(name="digits", version=None, label="latest")
parse("azureml:digits:3")        # AssetReference(name="digits", version="3", label=None)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# A scheme has two letters or more, so that a Windows drive (C:\) is not one.
_ADDRESS = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")
_PREFIX = "azureml:"


@dataclass(frozen=True)
class AssetReference:
    """A registered asset. At most one of `version` and `label` is set; neither means that only the name was given."""

    name: str
    version: str | None = None
    label: str | None = None

    def __str__(self) -> str:
        if self.label:
            return f"{_PREFIX}{self.name}@{self.label}"
        return f"{_PREFIX}{self.name}:{self.version}" if self.version else f"{_PREFIX}{self.name}"


def is_address(value: str) -> bool:
    """True for https://…, azureml://…, wasbs://… and the like: data that is not on this machine."""
    return _ADDRESS.match(value) is not None


def is_reference(value: object) -> bool:
    """True for `azureml:…` that names an asset."""
    return isinstance(value, str) and value.startswith(_PREFIX) and not is_address(value)


def parse(value: str) -> AssetReference:
    """Take an `azureml:` reference apart; the prefix may be missing.

    Raises:
        ValueError: not of the form name, name:version or name@label.
    """
    text = value.removeprefix(_PREFIX)
    name, at, label = text.partition("@")
    if at and name and label and ":" not in text:
        return AssetReference(name, label=label)
    name, colon, version = text.partition(":")
    if not at and name and bool(version) == bool(colon) and ":" not in version:
        return AssetReference(name, version=version or None)
    raise ValueError(
        f"'{value}' is not a reference to an asset; for example azureml:my-model:1 or azureml:my-model@latest"
    )
