"""Keys of storage accounts, and the refusal to hand them out where they are switched off."""

from __future__ import annotations

from typing import Any

from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.state import CloudState, Document


def list_keys(account: Document, state: CloudState) -> dict[str, Any]:
    """The answer to `listKeys`. Raises AzureError (403) for an account without shared keys."""
    properties = account.get("properties") or {}
    if properties.get("allowSharedKeyAccess") is False:
        # Azure hands the keys out and refuses whoever uses them, with this code. There is no storage here that could
        # refuse, so the offline Azure is early: a program that asks for keys has not left them behind.
        message = "Key based authentication is not permitted on this storage account."
        raise AzureError(403, "KeyBasedAuthenticationNotPermitted", message)
    return {
        "keys": [
            {
                "keyName": name,
                "permissions": "FULL",
                "creationTime": properties.get("creationTime"),
                "value": state.secret(account["id"], name),
            }
            for name in ("key1", "key2")
        ]
    }
