"""The workspace in Azure, through azure-ai-ml and azure-identity. Nothing of them is imported before a verb needs it."""

from __future__ import annotations

from amlops.azcli import AzCliWorkspace


class AzureWorkspace(AzCliWorkspace):
    """See `amlops.workspace.Workspace`."""
