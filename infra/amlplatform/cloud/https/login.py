"""Who gets a token: a managed identity's endpoint, and Entra ID's for workload identity federation."""

from __future__ import annotations

import time
from typing import Any

from amlplatform.cloud import arm_ids
from amlplatform.cloud.https.azure import Azure
from amlplatform.cloud.https.messages import Request, Response
from amlplatform.cloud.https.tokens import Caller, claims_of, expired, issue
from amlplatform.cloud.state import TENANT_ID, Document

_IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
_CREDENTIAL = f"{_IDENTITY}/federatedIdentityCredentials"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


# --- Managed identity -------------------------------------------------------------------------------


def managed_identity(request: Request, azure: Azure) -> Response:
    """The endpoint that IDENTITY_ENDPOINT names (learn.microsoft.com, "Managed identities for App Service").

    Without the name of an identity the token is that of whoever the command runs as; with one (`client_id`,
    `object_id`, `principal_id`, `mi_res_id`) that of the user-assigned identity in the state.
    """
    if request.headers.get("x-identity-header") != azure.identity_header:
        return _unavailable(401, "The header X-IDENTITY-HEADER is missing or wrong.")
    resource = request.parameter("resource")
    if not resource:
        return _unavailable(400, "The query parameter 'resource' is missing.")
    caller = _asked_for(request, azure)
    if caller is None:
        return _unavailable(
            400, "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."
        )
    lifetime = azure.behaviour.token_lifetime_s
    token = {
        "access_token": issue(caller, resource, lifetime),
        "client_id": caller.client_id,
        "expires_on": str(int(time.time() + lifetime)),
        "resource": resource,
        "token_type": "Bearer",
    }
    return Response(200, token)


def _unavailable(status: int, message: str) -> Response:
    return Response(status, {"statusCode": status, "message": message})


def _asked_for(request: Request, azure: Azure) -> Caller | None:
    client_id = request.parameter("client_id")
    object_id = request.parameter("object_id") or request.parameter("principal_id")
    resource_id = request.parameter("mi_res_id")
    if not (client_id or object_id or resource_id):
        return azure.caller
    for document in azure.state.of_type(_IDENTITY):
        caller = _caller(document)
        found = (
            client_id in (None, caller.client_id)
            and object_id in (None, caller.object_id)
            and (resource_id is None or arm_ids.key(resource_id) == arm_ids.key(document["id"]))
        )
        if found:
            return caller
    return None


def _caller(identity: Document) -> Caller:
    properties = identity["properties"]
    return Caller(properties["principalId"], properties["clientId"])


# --- Workload identity federation -------------------------------------------------------------------


class _Refused(Exception):
    """Entra ID's own errors. `code` is the number behind AADSTS."""

    def __init__(self, code: int, error: str, message: str, status: int = 401) -> None:
        super().__init__(message)
        self.code, self.error, self.message, self.status = code, error, message, status


def oauth_token(request: Request, azure: Azure) -> Response:
    """`/{tenant}/oauth2/v2.0/token`: a token of CI or of Kubernetes is exchanged for one of a managed identity.

    The assertion's signature is not checked; its issuer, subject and audience must be those of a federated credential
    in the state, letter by letter, as Entra ID compares them.
    """
    try:
        caller, audience = _exchange(request, azure)
    except _Refused as refused:
        body = {
            "error": refused.error,
            "error_description": f"AADSTS{refused.code}: {refused.message}",
            "error_codes": [refused.code],
        }
        return Response(refused.status, body)
    lifetime = azure.behaviour.token_lifetime_s
    token = {"token_type": "Bearer", "expires_in": int(lifetime), "ext_expires_in": int(lifetime)}
    return Response(200, token | {"access_token": issue(caller, audience, lifetime)})


def _exchange(request: Request, azure: Azure) -> tuple[Caller, str]:
    form = request.form()
    tenant = request.values["tenant"]
    if tenant.lower() != TENANT_ID:
        raise _Refused(90002, "invalid_request", f"Tenant '{tenant}' not found.", 400)
    if form.get("grant_type") != "client_credentials" or form.get("client_assertion_type") != _ASSERTION:
        message = "The offline Azure exchanges assertions only: grant_type client_credentials with a client_assertion."
        raise _Refused(70003, "unsupported_grant_type", message, 400)
    identity = _identity_of(form.get("client_id", ""), azure)
    _check_assertion(form.get("client_assertion", ""), identity, azure)
    return _caller(identity), form.get("scope", "").removesuffix("/.default")


def _identity_of(client_id: str, azure: Azure) -> Document:
    for document in azure.state.of_type(_IDENTITY):
        if document["properties"]["clientId"] == client_id.lower():
            return document
    message = f"Application with identifier '{client_id}' was not found in the directory '{TENANT_ID}'."
    raise _Refused(700016, "unauthorized_client", message, 400)


def _check_assertion(assertion: str, identity: Document, azure: Azure) -> None:
    try:
        claims = claims_of(assertion)
        is_expired = expired(claims)
    except (ValueError, TypeError):
        raise _Refused(50027, "invalid_request", "JWT token is invalid or malformed.", 400) from None
    if is_expired:
        message = "Client assertion is not within its valid time range."
        raise _Refused(700024, "invalid_client", message)
    credentials = [
        document["properties"]
        for document in azure.state.of_type(_CREDENTIAL)
        if arm_ids.key(arm_ids.parent(document["id"])) == arm_ids.key(identity["id"])
    ]
    _match(claims, credentials)


def _match(claims: dict[str, Any], credentials: list[dict[str, Any]]) -> None:
    """Raise _Refused, with the code that says what is wrong, unless a credential fits the assertion."""
    issuer, subject = str(claims.get("iss")), str(claims.get("sub"))
    given = claims.get("aud")
    audiences = {str(audience) for audience in (given if isinstance(given, list) else [given])}
    hint = "Check your federated identity credential Subject, Audience and Issuer against the presented assertion."
    of_issuer = [credential for credential in credentials if credential["issuer"] == issuer]
    if not of_issuer:
        message = f"No matching federated identity record found for presented assertion issuer '{issuer}'. {hint}"
        raise _Refused(700211, "invalid_client", message)
    of_subject = [credential for credential in of_issuer if credential["subject"] == subject]
    if not of_subject:
        # Azure/login#515: only the casing differs.
        nearly = any(credential["subject"].lower() == subject.lower() for credential in of_issuer)
        case = " The subject matches with case-insensitive comparison, but not with case-sensitive comparison."
        message = f"No matching federated identity record found for presented assertion subject '{subject}'."
        raise _Refused(7002138 if nearly else 700213, "invalid_client", f"{message}{case if nearly else ''} {hint}")
    if not any(audiences & set(credential["audiences"]) for credential in of_subject):
        shown = ", ".join(sorted(audiences))
        message = f"No matching federated identity record found for presented assertion audience '{shown}'. {hint}"
        raise _Refused(700212, "invalid_client", message)
