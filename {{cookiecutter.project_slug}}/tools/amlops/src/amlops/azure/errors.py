"""What Azure and its SDKs raise, as one line that tells who can change it.

    with azure_errors(azure, "model 'digits'"):
        azure.ml.models.get("digits", version="3")

The words for what Azure refuses are in `amlops.azure.refusals`.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlops.azure import credentials, filefaults
from amlops.azure.refusals import Answer, explained, without_secrets
from amlops.errors import AmlopsError, UserError, shown

if TYPE_CHECKING:
    from amlops.azure.client import AzureContext

_SDKS = ("azure", "msrest", "marshmallow", "requests", "urllib3", "msal")
_LONGEST = 600
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# Lines that SDKs put around a message: frames, what to read, how to report.
_BLURB = re.compile(
    r"(?im)^\s*(code:.*|exception details:.*|target:.*|details:|x)\s*$|\(x\)\s*"
    r"|^.*(learn\.microsoft\.com|aka\.ms)\S*.*$"
)


@contextmanager
def azure_errors(azure: AzureContext, what: str = "", *, file: Path | None = None) -> Iterator[None]:
    """Turn every exception of the SDKs into a UserError of one line.

    What they print goes to stderr, and nowhere when that is no terminal.

    Args:
        what: the thing that is asked for, as it stands in a sentence: "model 'digits'".
        file: the file from which it is made; named where the file is at fault.

    Raises:
        UserError
    """
    try:
        screen = sys.stderr if sys.stderr.isatty() else io.StringIO()
        with redirect_stdout(screen), redirect_stderr(screen):
            yield
    except AmlopsError:
        raise
    except Exception as error:
        if not _is_of_sdk(error):
            raise
        raise user_error(error, azure, what, file=file) from error


def user_error(error: Exception, azure: AzureContext, what: str = "", *, file: Path | None = None) -> UserError:
    """The error of an SDK as the user is told it."""
    from azure.core import exceptions as core

    if isinstance(error, core.HttpResponseError) and not isinstance(error, core.ClientAuthenticationError):
        return UserError(explained(_answer(error, azure, what, making=file is not None)))
    if isinstance(error, core.ClientAuthenticationError):
        return UserError(_not_signed_in(error, azure, what))
    if is_lost_connection(error):
        return UserError(
            f"{what or 'Azure'}: Azure was not reached ({_reason(error)}); check the network and the proxy"
        )
    message = _plain(error)
    name = azure.environment.name
    return UserError(message if file or what in message else f"{what or f'--env {name}'}: {message}", file=file)


def is_lost_connection(error: BaseException) -> bool:
    """True when Azure was not reached, or the answer did not come: asking again may help."""
    from azure.core import exceptions as core

    kinds: tuple[type[BaseException], ...] = (core.ServiceRequestError, core.ServiceResponseError)
    return isinstance(error, kinds) or _module(error) in ("requests", "urllib3")


def is_passing(error: BaseException) -> bool:
    """True for a lost connection, a fault of Azure's own (5xx) and throttling: asking again may help."""
    from azure.core.exceptions import HttpResponseError

    status = error.status_code if isinstance(error, HttpResponseError) else None
    return is_lost_connection(error) or (status is not None and (status >= 500 or status in (408, 429)))


def _module(error: BaseException) -> str:
    return type(error).__module__.partition(".")[0]


def _is_of_sdk(error: Exception) -> bool:
    """True when an SDK made the exception, or it was raised inside of one: their own ValueError, say."""
    if _module(error) in _SDKS:
        return True
    traceback, last = error.__traceback__, ""
    while traceback is not None:
        last = str(traceback.tb_frame.f_globals.get("__name__", ""))
        traceback = traceback.tb_next
    return last.partition(".")[0] in _SDKS


def _answer(error: Any, azure: AzureContext, what: str, *, making: bool = False) -> Answer:
    status = int(error.status_code or 0)
    codes, message = _codes_and_message(error)
    headers = getattr(error.response, "headers", None) or {}
    found = credentials.taken()
    return Answer(
        status=status,
        codes=codes,
        message=message,
        what=what,
        workspace=azure.environment.workspace,
        location=str(azure.environment.values.get("location") or ""),
        file=shown(azure.environment.file),
        signed_in_by=found.source if found else credentials.NOBODY,
        renew=found.renew if found else "",
        retry_after=str(headers.get("Retry-After") or ""),
        making=making,
    )


def _codes_and_message(error: Any) -> tuple[tuple[str, ...], str]:
    """The codes in an error's body, and the message of the innermost error that has one."""
    body = _body(error)
    codes: list[str] = []
    message = ""
    queue = [body]
    while queue:
        entry = queue.pop(0)
        if not isinstance(entry, dict):
            continue
        if code := entry.get("code"):
            codes.append(str(code))
        message = message or str(entry.get("message") or "")
        details = entry.get("details") or []
        queue += [entry.get("innerError") or entry.get("innererror"), *(details if isinstance(details, list) else [])]
    # Storage tells its code in a header, and Python's client as an attribute.
    codes += [str(code) for code in (getattr(error, "error_code", None),) if code]
    return tuple(codes), without_secrets(message or _plain(error))[:_LONGEST]


def _body(error: Any) -> Any:
    """The mapping that describes the error: of Resource Manager, or of an operation that has failed."""
    try:
        data = json.loads(error.response.text())
    except Exception:  # no response, one that was streamed, XML of storage
        found = getattr(error, "error", None)
        return {"code": getattr(found, "code", None), "message": getattr(found, "message", None)}
    if not isinstance(data, dict):
        return {"message": str(data)}
    return data.get("error") or (data.get("properties") or {}).get("error") or data


def _not_signed_in(error: Exception, azure: AzureContext, what: str) -> str:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status == 403:
        return explained(_answer(error, azure, what))
    found = credentials.taken()
    source, renew = (found.source, found.renew) if found else (credentials.NOBODY, "sign in: az login")
    reason = _sign_in_reason(_plain(error))
    return f"sign-in: Azure does not accept {source} ({reason}); {renew}"


def _sign_in_reason(text: str) -> str:
    """The part that says why, of a text that lists every way of signing in."""
    match = re.search(r"AADSTS\d+:[^.]*", text) or re.search(r"The access token expiry[^.]*", text)
    if match:
        return match[0]
    if "az login" in text or "CredentialUnavailable" in text or "failed to retrieve a token" in text:
        return "nobody is signed in on this machine"
    return text[:200].rstrip(". ")


def _reason(error: BaseException) -> str:
    """Why there was no connection, in few words."""
    text = without_secrets(str(error))
    host = re.search(r"host='?([\w.-]+)", text)
    words = (
        ("Name or service not known", "the name is not known"),
        ("getaddrinfo failed", "the name is not known"),
        ("Temporary failure in name resolution", "the name is not known"),
        ("Connection refused", "the connection was refused"),
        ("CERTIFICATE_VERIFY_FAILED", "the certificate is not trusted"),
        ("Tunnel connection failed", "the proxy refused it"),
        ("timed out", "it did not answer in time"),
        ("Connection aborted", "the connection was cut"),
    )
    reason = next((plain for word, plain in words if word in text), type(error).__name__)
    return f"{host[1]}: {reason}" if host else reason


def _plain(error: BaseException) -> str:
    """What an SDK's exception says, as one line."""
    raw = str(getattr(error, "message", None) or error or type(error).__name__)
    text = filefaults.told(raw) or _BLURB.sub("", _COLOURS.sub("", raw))
    return without_secrets(text)[:_LONGEST].strip(" .") or type(error).__name__
