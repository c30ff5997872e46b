"""What Azure keeps after a deletion, and its name with it: key vaults, Azure ML workspaces, AI services.

Sources: learn.microsoft.com/azure/key-vault/general/soft-delete-overview,
learn.microsoft.com/azure/machine-learning/concept-soft-delete,
learn.microsoft.com/azure/ai-services/recover-purge-resources. The words: alan-turing-institute/data-safe-haven#2523
(vault), Azure/ResourceModules#3596 (workspace), Azure/azure-cli#18146 (AI services), microsoft/AzureTRE#1446 (purge).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from amlplatform.cloud import arm_ids, preconditions
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.resource_manager import Call
from amlplatform.cloud.state import CloudState, Document

KIND = "soft-deleted"
"""Kind of the state's notes: the documents of a deleted resource, and until when Azure keeps them."""
_DAY_S = 86_400
_FORCE = "forceToPurge"


@dataclass(frozen=True)
class _Rule:
    """`days`: how long Azure keeps it; `global_name`: its name is taken everywhere, not only in its group; `recovers`:
    whether a PUT asks for what was deleted."""

    days: Callable[[Document], float]
    code: tuple[int, str, str]
    global_name: bool
    recovers: Callable[[dict[str, Any]], bool]


_RULES: dict[str, _Rule] = {
    "microsoft.keyvault/vaults": _Rule(
        lambda vault: float((vault.get("properties") or {}).get("softDeleteRetentionInDays") or 90),
        (
            409,
            "ConflictError",
            "A vault with the same name already exists in deleted state. You need to either recover or purge existing "
            "key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft "
            "delete.",
        ),
        global_name=True,
        recovers=lambda properties: str(properties.get("createMode")).lower() == "recover",
    ),
    "microsoft.machinelearningservices/workspaces": _Rule(
        lambda _workspace: 14,
        (400, "BadRequest", "Soft-deleted workspace exists. Please purge or recover it. https://aka.ms/wsoftdelete"),
        global_name=False,
        recovers=lambda _properties: False,
    ),
    "microsoft.cognitiveservices/accounts": _Rule(
        lambda _account: 2,
        (
            409,
            "FlagMustBeSetForRestore",
            "An existing resource with ID '{id}' has been soft-deleted. To restore the resource, you must specify "
            "'restore' to be 'true' in the property. If you don't want to restore existing resource, please purge it "
            "first.",
        ),
        global_name=False,
        recovers=lambda properties: properties.get("restore") is True,
    ),
}


def keep_names(call: Call, state: CloudState) -> None:
    """A hindrance: what is deleted is kept for a while, and its name refused meanwhile."""
    if call.method == "DELETE" and not _is_purge(call):
        for document in state.within(call.arm_id):
            if document["type"].lower() in _RULES:
                _keep(document, state)
    if call.method == "PUT" and call.arm_type in _RULES and state.get(call.arm_id) is None:
        _refuse_or_recover(call, state)


def _is_purge(call: Call) -> bool:
    return str(call.query.get(_FORCE)).lower() == "true"


def _keep(document: Document, state: CloudState) -> None:
    rule = _RULES[document["type"].lower()]
    until = state.clock.now() + rule.days(document) * _DAY_S
    state.note(KIND, document["id"], {"documents": state.within(document["id"]), "until": until})


def _refuse_or_recover(call: Call, state: CloudState) -> None:
    rule = _RULES[call.arm_type]
    for name, kept in _kept(call.arm_type, state):
        same = name == arm_ids.key(call.arm_id) or (rule.global_name and arm_ids.name(name) == _name(call.arm_id))
        if not same:
            continue
        if name == arm_ids.key(call.arm_id) and rule.recovers(dict(call.body.get("properties") or {})):
            for document in kept["documents"]:
                state.put(document)
            state.forget(KIND, name)
            return
        status, code, message = rule.code
        raise AzureError(status, code, message.format(id=kept["documents"][0]["id"]))


def _name(arm_id: str) -> str:
    return arm_ids.name(arm_id).lower()


def _kept(arm_type: str, state: CloudState) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is soft-deleted of a type, by id in lower case. What Azure would have given up by now is forgotten."""
    for name, kept in state.notes(KIND).items():
        if kept["until"] <= state.clock.now():
            state.forget(KIND, name)
        elif arm_ids.arm_type(name) == arm_type:
            yield name, kept


def deleted(state: CloudState) -> list[Document]:
    """The resources that are soft-deleted."""
    return [kept["documents"][0] for arm_type in _RULES for _name, kept in _kept(arm_type, state)]


def purge(arm_id: str, state: CloudState) -> None:
    """Delete for good what was deleted. Raises AzureError: 404 when it is not soft-deleted, 405 when protected."""
    kept = dict(_kept(arm_ids.arm_type(arm_id).lower(), state)).get(arm_ids.key(arm_id))
    if kept is None:
        raise preconditions.not_found(arm_id)
    if (kept["documents"][0].get("properties") or {}).get("enablePurgeProtection"):
        raise AzureError(405, "MethodNotAllowed", "Operation 'DeletedVaultPurge' is not allowed.")
    state.forget(KIND, arm_id)
