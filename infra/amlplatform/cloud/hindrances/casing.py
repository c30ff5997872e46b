"""Ids that Azure writes otherwise than they were sent. It compares them without case; a program must, too.

Seen: `Microsoft.Keyvault` and `Microsoft.insights` in a workspace (locals.tf of
Azure/terraform-azurerm-avm-res-machinelearningservices-workspace), `resourcegroups` in ids of identities and of
diagnostic settings, `microsoft.insights` in those of Application Insights.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

from amlplatform.cloud.state import Document

_GROUPS = re.compile("/resourceGroups/", re.IGNORECASE)


def _lower_groups(arm_id: str) -> str:
    return _GROUPS.sub("/resourcegroups/", arm_id)


def changed(document: Document) -> Document:
    """The document as Azure answers it."""
    change = _CHANGES.get(document["type"].lower())
    result = copy.deepcopy(document)
    _change_identities(result)
    if change is not None:
        change(result)
    return result


def _change_identities(document: Document) -> None:
    identity = document.get("identity")
    assigned = identity.get("userAssignedIdentities") if isinstance(identity, dict) else None
    if assigned:
        document["identity"] = {
            **document["identity"],
            "userAssignedIdentities": {_lower_groups(arm_id): ids for arm_id, ids in assigned.items()},
        }


def _workspace(document: Document) -> None:
    properties: dict[str, Any] = document.get("properties") or {}
    for name, ours, azures in (
        ("keyVault", "Microsoft.KeyVault", "Microsoft.Keyvault"),
        ("applicationInsights", "Microsoft.Insights", "Microsoft.insights"),
    ):
        if name in properties:
            properties[name] = re.sub(re.escape(ours), azures, properties[name], flags=re.IGNORECASE)


def _component(document: Document) -> None:
    document["id"] = re.sub("/Microsoft.Insights/", "/microsoft.insights/", document["id"], flags=re.IGNORECASE)


def _identity(document: Document) -> None:
    document["id"] = _lower_groups(document["id"])


def _diagnostic_setting(document: Document) -> None:
    document["id"] = document["id"].lower()


_CHANGES: dict[str, Callable[[Document], None]] = {
    "microsoft.machinelearningservices/workspaces": _workspace,
    "microsoft.insights/components": _component,
    "microsoft.managedidentity/userassignedidentities": _identity,
    "microsoft.insights/diagnosticsettings": _diagnostic_setting,
}
