"""The container registry of an environment: images of jobs and deployments."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from amlops.images.layout import Layout


class Images(Protocol):
    """Images by digest. No noun of the command line: `amlops release` moves them."""

    @property
    def registry(self) -> str:
        """Host of the registry, for example crdigitsdev.azurecr.io; "" where there is none, as on the laptop."""
        ...

    def push(self, layout: Layout, repository: str) -> str:
        """Push an image unless it is there; its name by digest: `HOST/REPOSITORY@sha256:…`. Raises UserError."""
        ...

    def pull(self, reference: str, folder: Path) -> Layout:
        """Fetch an image by its name by digest into a new folder. Raises UserError."""
        ...
