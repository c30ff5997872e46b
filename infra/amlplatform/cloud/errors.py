"""The errors of Azure Resource Manager."""

from __future__ import annotations


class AzureError(Exception):
    """A request that Azure refuses. The codes and their messages are Azure's.

    `retry_after_s`: how long Azure asks the caller to wait, None when it does not.
    """

    def __init__(self, status: int, code: str, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after_s = status, code, message, retry_after_s

    def __str__(self) -> str:
        """As pulumi-azure-native writes the answers of Azure."""
        return f'Status={self.status} Code="{self.code}" Message="{self.message}"'
