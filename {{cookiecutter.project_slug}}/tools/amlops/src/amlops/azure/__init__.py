"""The workspace in Azure, through azure-ai-ml and azure-identity.

Neither is imported before a verb needs it.
"""

from __future__ import annotations

from amlops.azcli import AzCliWorkspace


class AzureWorkspace(AzCliWorkspace):
    """See `amlops.workspace.Workspace`."""
