"""Requests and responses, as handlers see them: without sockets."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from amlplatform.cloud.errors import AzureError
from amlplatform.cloud.https.tokens import Caller

ANONYMOUS = Caller("", "")


@dataclass(frozen=True)
class Request:
    """One request. `path` is decoded and has no slash at its end; the names of `headers` are in lower case.

    `values` are the parts of the path that the route names, `caller` is who the token belongs to.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    values: Mapping[str, str] = field(default_factory=dict)
    caller: Caller = ANONYMOUS

    def parameter(self, name: str) -> str | None:
        """A parameter of the query, whatever the casing of its name."""
        return next((value for key, value in self.query.items() if key.lower() == name.lower()), None)

    def document(self) -> dict[str, Any]:
        """The body as an object. Raises AzureError (400)."""
        try:
            body = json.loads(self.content or b"null")
        except ValueError as error:
            raise invalid_content(str(error)) from None
        if not isinstance(body, dict):
            raise invalid_content("an object is expected")
        return body

    def json(self) -> Any:
        """The body, whatever it is; None where it is no JSON."""
        try:
            return json.loads(self.content) if self.content else None
        except ValueError:
            return None

    def form(self) -> dict[str, str]:
        """The body as the fields of a form."""
        return dict(urllib.parse.parse_qsl(self.content.decode("utf-8", "replace")))


def invalid_content(reason: str) -> AzureError:
    message = f"The request content was invalid and could not be deserialized: '{reason}'."
    return AzureError(400, "InvalidRequestContent", message)


@dataclass(frozen=True)
class Response:
    """`body` is sent as JSON, bytes as they are; None: no body."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def refusal(error: AzureError, headers: Mapping[str, str] | None = None) -> Response:
    """The error as Resource Manager writes it."""
    return Response(error.status, {"error": {"code": error.code, "message": error.message}}, headers or {})
