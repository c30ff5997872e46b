"""The errors of Azure Resource Manager."""

from __future__ import annotations


class AzureError(Exception):
    """A request that Azure refuses. The codes and their messages are Azure's."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def __str__(self) -> str:
        """As pulumi-azure-native writes the answers of Azure."""
        return f'Status={self.status} Code="{self.code}" Message="{self.message}"'
