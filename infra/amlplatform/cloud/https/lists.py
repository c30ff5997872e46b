"""Lists: resources of a type or of all types, in a subscription, a resource group, below a parent or on a scope."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable
from typing import Any

from amlplatform.armtypes.catalogue import RESOURCE_TYPES, ResourceType
from amlplatform.cloud import arm_ids, computed_project, preconditions
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https import address, default_datastores
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.messages import Request, Response
from amlplatform.cloud.resource_manager import Call
from amlplatform.cloud.state import Document

_CONDITION = re.compile(r"\s*([\w/]+)\s+(eq)\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)
# What the list of all resources shows of each.
_GENERIC = ("id", "name", "type", "location", "tags", "kind", "sku", "identity")


def collection(request: Request, azure: Azure) -> Response:
    """The resources of one type at the place that the path names."""
    where = address.parse(request.path, request.method)
    kind = where.kind
    # An asset without a version is an empty list, and not missing: azure-ai-ml asks so before it uploads.
    is_asset = kind.arm_type in computed_project.VERSIONS
    _require(arm_ids.parent(where.owner) if is_asset else where.owner, request, azure)
    default_datastores.ensure(request.path, azure.state)
    belongs = _hangs_on if kind.id_template.startswith("{") else _is_in
    at_scope = (request.parameter("$filter") or "").strip().lower() == "atscope()"
    documents = azure.state.of_type(kind.arm_type)
    found = [document for document in documents if belongs(document["id"], where.owner)]
    if at_scope:
        found = [document for document in found if not _is_in(arm_ids.parent(document["id"]), where.owner)]
        return page(request, azure, found)
    return page(request, azure, _ordered(request, _listed(request, kind, filtered(request, found))))


def _listed(request: Request, kind: ResourceType, documents: list[Document]) -> list[Document]:
    """Assets as `listViewType` wants them: active ones unless it says All or ArchivedOnly; schedules that are enabled
    unless it says All or DisabledOnly.
    """
    if kind.arm_type == computed_project.SCHEDULE:
        return _schedules((request.parameter("listViewType") or "EnabledOnly").lower(), documents)
    if kind.arm_type not in {*computed_project.VERSIONS, *computed_project.CONTAINERS}:
        return documents
    view = (request.parameter("listViewType") or "ActiveOnly").lower()
    if view == "all":
        return documents
    wanted = view == "archivedonly"
    return [one for one in documents if bool((one.get("properties") or {}).get("isArchived")) == wanted]


def _schedules(view: str, documents: list[Document]) -> list[Document]:
    wanted = {"all": (True, False), "disabledonly": (False,)}.get(view, (True,))
    return [one for one in documents if bool((one.get("properties") or {}).get("isEnabled")) in wanted]


def _ordered(request: Request, documents: list[Document]) -> list[Document]:
    """By the time of creation where `$orderBy` asks for it: how clients find the latest version."""
    order = (request.parameter("$orderBy") or request.parameter("orderBy") or "").lower()
    if "created" not in order:
        return documents
    # Of two that were made in one moment, the one that was put last is the later.
    return sorted(
        documents, key=lambda one: (one.get("systemData") or {}).get("createdAt", ""), reverse="desc" in order
    )


def resource_groups(request: Request, azure: Azure) -> Response:
    subscription = f"/subscriptions/{request.values['subscription']}"
    _require(subscription, request, azure)
    documents = azure.state.of_type(address.RESOURCE_GROUP.arm_type)
    return page(request, azure, filtered(request, (d for d in documents if _is_in(d["id"], subscription))))


def all_resources(request: Request, azure: Azure) -> Response:
    """Every resource that has a place of its own in a group: children and extensions are not listed, as in Azure."""
    owner = request.path.rpartition("/")[0]
    _require(owner, request, azure)
    documents = (document for document in azure.state.all() if document["type"] in _LISTED)
    within = (document for document in documents if _is_in(document["id"], owner))
    shown = ({name: document[name] for name in _GENERIC if name in document} for document in within)
    return page(request, azure, filtered(request, shown))


def _require(owner: str, request: Request, azure: Azure) -> None:
    """Raise AzureError: 403 when the caller may not see the list, 404 when it is of something that is not there."""
    azure.manager(request.caller).arrive(Call("GET", request.path))
    if arm_ids.resource_group(owner) and not preconditions.exists(owner, azure.state):
        raise preconditions.not_found(owner)


def _is_in(arm_id: str, owner: str) -> bool:
    return arm_ids.key(arm_id).startswith(f"{arm_ids.key(owner)}/")


def _hangs_on(arm_id: str, owner: str) -> bool:
    """Whether an extension is in the list of a scope.

    Azure lists roles, locks and policies at, above and below a scope (`atScope()`: not below), and budgets and
    diagnostic settings at their very scope.
    """
    scope, wanted = arm_ids.key(arm_ids.parent(arm_id)), arm_ids.key(owner)
    if scope == wanted:
        return True
    is_inherited = arm_ids.arm_type(arm_id).lower().startswith("microsoft.authorization/")
    return is_inherited and (_is_in(scope, wanted) or _is_in(wanted, scope))


def _has_a_list(kind: ResourceType) -> bool:
    """Whether the list of all resources shows this type: not children, and not what hangs on a scope (a role)."""
    in_group, slash, rest = kind.id_template.partition(f"/providers/{kind.arm_type}/")
    return bool(slash) and in_group == address.RESOURCE_GROUP.id_template and "/" not in rest


_LISTED = frozenset(kind.arm_type for kind in RESOURCE_TYPES.values() if _has_a_list(kind))


# --- $filter ----------------------------------------------------------------------------------------


def filtered(request: Request, documents: Iterable[Document]) -> list[Document]:
    """The documents that `$filter` lets through. Raises AzureError (400) for a filter that is not understood."""
    text = (request.parameter("$filter") or "").strip()
    if not text:
        return list(documents)
    conditions: list[tuple[str, str]] = []
    for part in re.split(r"\s+and\s+", text, flags=re.IGNORECASE):
        match = _CONDITION.fullmatch(part)
        if match is None:
            message = f"Invalid $filter '{text}' specified in the query string: conditions are written as name eq 'x'."
            raise AzureError(400, "InvalidFilterInQueryString", message)
        conditions.append((match[1], match[3].replace("''", "'")))
    return [document for document in documents if _fits(document, conditions)]


def _fits(document: Document, conditions: list[tuple[str, str]]) -> bool:
    wanted = {name.lower(): value for name, value in conditions}
    tag, tag_value = wanted.pop("tagname", None), wanted.pop("tagvalue", None)
    tags = document.get("tags") or {}
    if tag is not None and (tag not in tags or tag_value not in (None, tags[tag])):
        return False
    return all(str(_value(document, name)).lower() == value.lower() for name, value in wanted.items())


def _value(document: Document, name: str) -> Any:
    """A field that filters name: `resourceType` is the type; others are of the envelope or of the properties."""
    if name == "resourcetype":
        return document["type"]
    for place in (document, document.get("properties") or {}):
        for key, value in place.items():
            if key.lower() == name:
                return value
    return None


# --- Pages ------------------------------------------------------------------------------------------


def page(request: Request, azure: Azure, documents: list[Document], base: str = "") -> Response:
    """One page; `nextLink` leads to the next one, at `base` where that is another host than the door's."""
    size = _number(request, "$top") or azure.behaviour.page_size or len(documents)
    if azure.behaviour.page_size:
        size = min(size, azure.behaviour.page_size)
    start = _number(request, "$skipToken") or 0
    answer = azure.manager(request.caller).conduct.answer
    shown = [azure.operations.seen(answer(document)) for document in documents[start : start + size]]
    if start + size >= len(documents) or request.parameter("$top"):
        return Response(200, {"value": shown})
    query = urllib.parse.urlencode({**request.query, "$skipToken": start + size})
    return Response(200, {"value": shown, "nextLink": f"{base or azure.url}{urllib.parse.quote(request.path)}?{query}"})


def _number(request: Request, name: str) -> int | None:
    text = request.parameter(name)
    if text is None:
        return None
    if not text.isdigit():
        raise AzureError(400, "InvalidQueryParameter", f"The query parameter {name} must be a whole number: '{text}'.")
    return int(text)
