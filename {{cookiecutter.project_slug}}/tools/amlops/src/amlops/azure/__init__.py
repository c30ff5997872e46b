"""The workspace in Azure, through azure-ai-ml and azure-identity.

Neither is imported before a verb needs it.
"""

from __future__ import annotations

from functools import cached_property

from amlops.azcli import AzCliWorkspace
from amlops.azure.client import AzureContext

__all__ = ["AzureContext", "AzureWorkspace"]


class AzureWorkspace(AzCliWorkspace):
    """See `amlops.workspace.Workspace`."""

    @cached_property
    def azure(self) -> AzureContext:
        """The connection; see `AzureContext`."""
        return AzureContext(self.project, self.environment)
