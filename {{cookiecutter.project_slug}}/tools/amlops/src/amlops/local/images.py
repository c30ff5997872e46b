"""The laptop has no container registry: steps run in the project's own environment."""

from __future__ import annotations

from pathlib import Path

from amlops.errors import UserError
from amlops.images.layout import Layout

_NONE = "--env: 'local' has no container registry, jobs here run in the project's own environment; e.g. --env dev"


class LocalImages:
    """See `amlops.workspace.Images`."""

    @property
    def registry(self) -> str:
        """None here."""
        return ""

    def push(self, layout: Layout, repository: str) -> str:  # noqa: ARG002
        """Not here. Raises UserError."""
        raise UserError(_NONE)

    def pull(self, reference: str, folder: Path) -> Layout:  # noqa: ARG002
        """Not here. Raises UserError."""
        raise UserError(_NONE)
