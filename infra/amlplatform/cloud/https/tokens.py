"""Tokens of the offline Entra ID: they say who calls, for whom they are, and they expire.

They have the form of Azure's (a JWT), and no signature: nothing here is worth protecting, and a test may write its own.
"""

from __future__ import annotations

import base64
import datetime
import json
import time
from collections.abc import Collection, Mapping
from typing import Any

from amlplatform.cloud.callers import Caller
from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.state import TENANT_ID

LIFETIME_S = 3600
_EXPIRED_AT = "%m/%d/%Y %I:%M:%S %p"


def issue(caller: Caller, audience: str, lifetime_s: float = LIFETIME_S) -> str:
    """A token for `caller`, good at `audience`; one that has expired when `lifetime_s` is below zero."""
    now = int(time.time())
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{TENANT_ID}/",
        "iat": now,
        "nbf": now,
        "exp": int(now + lifetime_s),
        "appid": caller.client_id,
        "oid": caller.object_id,
        "sub": caller.object_id,
        "tid": TENANT_ID,
        "idtyp": "app",
        "ver": "1.0",
    }
    return f"{_encoded({'typ': 'JWT', 'alg': 'none'})}.{_encoded(claims)}."


def _encoded(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT says, unchecked. Raises ValueError when it is none."""
    parts = token.split(".")
    if len(parts) != 3:  # header, claims, signature
        raise ValueError("a JWT has three parts")
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    claims = json.loads(base64.urlsafe_b64decode(padded))
    if not isinstance(claims, dict):
        raise ValueError("the claims of a JWT are an object")
    return claims


def expired(claims: Mapping[str, Any]) -> bool:
    return float(claims.get("exp", 0)) <= time.time()


def caller_of(authorization: str | None, audiences: Collection[str]) -> Caller:
    """Who the header `Authorization` speaks for. Raises AzureError (401) with Resource Manager's codes."""
    if not authorization:
        raise AzureError(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        message = "Authentication failed. The 'Authorization' header is provided in an invalid format."
        raise AzureError(401, "AuthenticationFailedInvalidHeader", message)
    try:
        claims = claims_of(token.strip())
        is_expired = expired(claims)
    except (ValueError, TypeError):
        raise AzureError(401, "InvalidAuthenticationToken", "The access token is invalid.") from None
    if is_expired:
        raise _expired(float(claims["exp"]))
    audience = str(claims.get("aud", "")).rstrip("/")
    if audience not in {known.rstrip("/") for known in audiences}:
        message = f"The access token has been obtained for wrong audience or resource '{claims.get('aud')}'."
        raise AzureError(401, "InvalidAuthenticationTokenAudience", message)
    if str(claims.get("tid", TENANT_ID)).lower() != TENANT_ID:
        message = f"The access token is from the wrong issuer '{claims.get('iss')}'."
        raise AzureError(401, "InvalidAuthenticationTokenTenant", message)
    return Caller(str(claims.get("oid", "")), str(claims.get("appid") or claims.get("azp") or ""))


def _expired(seconds: float) -> AzureError:
    end, now = (
        datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime(_EXPIRED_AT) for moment in (seconds, time.time())
    )
    message = f"The access token expiry UTC time '{end}' is earlier than current UTC time '{now}'."
    return AzureError(401, "ExpiredAuthenticationToken", message)
