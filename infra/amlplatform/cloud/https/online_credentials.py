"""Who may ask an online endpoint: its keys, new keys, and tokens of its own.

learn.microsoft.com/rest/api/azureml, "Online Endpoints: List Keys, Regenerate Keys, Get Token"; which of them an
endpoint has is said by its authMode (learn.microsoft.com, "Authenticate clients for online endpoints").
"""

from __future__ import annotations

import secrets
import time
from typing import Any

from amlplatform.cloud import arm_ids
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https import address, resources, tokens
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.messages import Request, Response, invalid_content
from amlplatform.cloud.state import CloudState, Document

KEYS = ("primaryKey", "secondaryKey")
# RegenerateEndpointKeysRequest: what may be in it.
_KEY_TYPES = {"Primary": "primaryKey", "Secondary": "secondaryKey"}
_FIELDS = ("keyType", "keyValue")
_NOTE = "endpoint-keys"


def keys(endpoint: Document, state: CloudState) -> dict[str, str]:
    """The keys as they are now."""
    made = {name: state.secret(endpoint["id"], name) for name in KEYS}
    return {**made, **_renewed(endpoint, state)}


def list_keys(endpoint: Document, azure: Azure) -> Any:
    """Both keys of an endpoint with keys. Raises AzureError for another."""
    _require(endpoint, "Key", "keys")
    return keys(endpoint, azure.state)


def regenerate_keys(request: Request, azure: Azure) -> Response:
    """Make one key anew, or set it to what the request says. Raises AzureError."""
    where = address.parse(request.path, request.method)
    name, value = _asked(request.document())

    def perform(endpoint: Document, state: CloudState) -> None:
        _require(endpoint, "Key", "keys")
        renewed = {**_renewed(endpoint, state), name: value or secrets.token_hex(32)}
        state.note(_NOTE, endpoint["id"], renewed)

    azure.manager(request.caller).act(where.owner, where.action, perform)
    return resources.accepted(request, azure, where.kind)


def token(request: Request, azure: Azure) -> Response:
    """A token that is good at this endpoint only. Raises AzureError for an endpoint without tokens of its own."""
    where = address.parse(request.path, request.method)
    lifetime = azure.behaviour.token_lifetime_s

    def perform(endpoint: Document, _state: CloudState) -> dict[str, Any]:
        _require(endpoint, "AMLToken", "tokens of its own")
        end = int(time.time() + lifetime)
        return {
            "accessToken": tokens.issue(request.caller, endpoint["id"], lifetime),
            "expiryTimeUtc": end,
            "refreshAfterTimeUtc": end - int(lifetime / 2),
            "tokenType": "Bearer",
        }

    return Response(200, azure.manager(request.caller).act(where.owner, where.action, perform))


def check(header: str, endpoint: Document, azure: Azure) -> None:
    """Raise AzureError (401) unless the header `Authorization` is good at an endpoint's scoring address."""
    mode = (endpoint.get("properties") or {}).get("authMode")
    if mode == "Key":
        if header.removeprefix("Bearer ") not in keys(endpoint, azure.state).values():
            raise AzureError(401, "Unauthorized", "Key authentication failed: the key is not one of the endpoint.")
        return
    audiences = (endpoint["id"],) if mode == "AMLToken" else azure.ml_audiences
    tokens.caller_of(header or None, audiences)


def _renewed(endpoint: Document, state: CloudState) -> dict[str, str]:
    return state.notes(_NOTE).get(arm_ids.key(endpoint["id"])) or {}


def _asked(body: dict[str, Any]) -> tuple[str, str | None]:
    """The key that a request names, and the value that it is to have. Raises AzureError (400)."""
    unknown = sorted(body.keys() - set(_FIELDS))
    if unknown:
        raise invalid_content(f"{unknown[0]}: is no property of RegenerateEndpointKeysRequest")
    kind, value = body.get("keyType"), body.get("keyValue")
    if kind not in _KEY_TYPES:
        raise invalid_content(f"keyType: {kind!r} must be one of {', '.join(_KEY_TYPES)}")
    if value is not None and not isinstance(value, str):
        raise invalid_content(f"keyValue: {value!r} must be text")
    return _KEY_TYPES[kind], value


def _require(endpoint: Document, mode: str, what: str) -> None:
    found = (endpoint.get("properties") or {}).get("authMode")
    if found != mode:
        message = f"The endpoint {endpoint['name']} has authMode {found}, not {mode}: it has no {what}."
        raise AzureError(400, "BadArgument", message)
