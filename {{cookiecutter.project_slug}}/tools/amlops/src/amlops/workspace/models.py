"""`amlops model`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from amlops.entities import Model


class Models(Protocol):
    """`amlops model`."""

    def create(
        self,
        name: str,
        path: Path | str,
        *,
        type: str = "custom_model",
        version: str | None = None,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        description: str = "",
    ) -> Model:
        """Register a file or folder under the next version, or under `version`.

        Args:
            path: text for an address: `azureml://jobs/NAME/outputs/OUTPUT`, `azureml://datastores/NAME/paths/PATH`.

        Raises:
            UserError: a value is wrong, or there is nothing at the path.
        """
        ...

    def list(self, name: str | None = None, tags: Mapping[str, str] | None = None) -> list[Model]:
        """Models, newest first; all versions of `name`, or of all names; only those that have all of `tags`."""
        ...

    def show(self, name: str, version: str | None = None) -> Model:
        """One model; "latest" or None is the version made last. Raises UserError."""
        ...

    def update(
        self, name: str, version: str, *, tags: Mapping[str, str | None] | None = None, description: str | None = None
    ) -> Model:
        """Change the tags and the description of a version; its files never change. A tag of None is removed.

        Raises:
            UserError: there is no such version, or a value is wrong.
        """
        ...

    def download(self, name: str, version: str, download_path: Path) -> Path:
        """Copy the file or folder of a version into the folder `download_path`; returns the copy.

        Raises:
            UserError: there is no such version, or the copy would replace something.
        """
        ...
