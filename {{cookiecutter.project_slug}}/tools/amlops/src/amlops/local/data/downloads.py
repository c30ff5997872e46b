"""Files at https addresses, fetched once for a job.

A download ends with a whole file or with nothing: it is written beside its place and renamed when its size is what the
server said. Plain http is taken only from this machine. A redirect may lead to another https address, never back to
http. Keys in an address (`?sig=…`) are sent to the server and stand in no message.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import secrets
import shutil
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import quote, unquote, urlsplit

from amlops import __version__
from amlops.errors import UserError
from amlops.references import without_secrets

TIMEOUT_SECONDS = 30.0
_CHUNK = 256 * 1024
_LONGEST_NAME = 150
# What a URL may have as it is; everything else is percent-encoded on the way out.
_KEPT = "%/:=&?~#+!$,;'@()*[]"
# What Windows does not allow in a file's name, and what a terminal acts on.
_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]+')
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_EXAMPLE = "for example https://example.com/images/1.png"


class Watcher(Protocol):
    """Is told how a download goes on."""

    def start(self, name: str, size: int | None) -> None:
        """A file of `size` bytes begins; None when the server does not say."""
        ...

    def advance(self, size: int) -> None:
        """So many more bytes are here."""
        ...


class _Silent:
    def start(self, name: str, size: int | None) -> None: ...
    def advance(self, size: int) -> None: ...


def check(address: str) -> None:
    """Raise UserError for an address that nothing is fetched from."""
    shown = without_secrets(address)
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UserError(f"'{shown}' is not an address ({error}); {_EXAMPLE}") from None
    if not host:
        raise UserError(f"'{shown}' names no host; {_EXAMPLE}")
    if parts.username is not None or parts.password is not None:
        raise UserError(f"'{shown}' has a user or password in it; use an address that needs none")
    if parts.scheme.lower() == "http" and not is_this_machine(host):
        raise UserError(f"'{shown}' is not encrypted; use https://")
    if parts.scheme.lower() not in ("http", "https"):
        raise UserError(f"'{shown}' is not an https address; {_EXAMPLE}")


def file_name(address: str) -> str:
    """A safe name for the file at an address: the last part of its path; "download" when nothing is left of it."""
    return safe_name(re.split(r"[/\\]", unquote(urlsplit(address).path))[-1])


def safe_name(last: str) -> str:
    """A name without what leaves a folder or what a file system does not take; "download" when nothing is left."""
    name = _NOT_IN_NAMES.sub("_", last).strip(". ")
    if not name or _WINDOWS_DEVICES.fullmatch(name):
        return f"download{name and '-' + name}"
    stem, dot, suffix = name.rpartition(".")
    keep = _LONGEST_NAME - len(suffix) - 1
    return name if len(name) <= _LONGEST_NAME else (f"{stem[:keep]}{dot}{suffix}" if keep > 0 else name[:_LONGEST_NAME])


def download(
    address: str,
    folder: Path,
    *,
    name: str | None = None,
    timeout: float = TIMEOUT_SECONDS,
    watcher: Watcher | None = None,
) -> Path:
    """Fetch the file at `address` into `folder` and return its path.

    Args:
        name: the file's name; default: from the address.
        timeout: seconds without an answer or without a byte.

    Raises:
        UserError: it cannot be fetched, or is not all there; nothing is left behind.
    """
    name = name or file_name(address)
    target = folder / name
    with opened(address, timeout) as response:
        size = _length(response)
        _check_space(address, size, folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{secrets.token_hex(6)}.part")
        try:
            received = _write(response, temporary, name, size, watcher or _Silent())
            if size is not None and received != size:
                raise UserError(
                    f"'{without_secrets(address)}' broke off: {received} of {size} bytes arrived; try again"
                )
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    return target


@contextmanager
def opened(address: str, timeout: float = TIMEOUT_SECONDS) -> Iterator[http.client.HTTPResponse]:
    """The answer to a GET of an address; errors inside the block are told as the user's, too.

    Raises:
        UserError: the address is refused, there is no answer, or it is not a success.
    """
    check(address)
    request = urllib.request.Request(  # noqa: S310 (the scheme is checked)
        quote(address, safe=_KEPT),
        headers={"User-Agent": f"amlops/{__version__}", "Accept-Encoding": "identity"},
    )
    try:
        with _opener(address).open(request, timeout=timeout) as response:
            yield response
    except urllib.error.HTTPError as error:
        with error:
            raise UserError(_refused(address, error)) from None
    except (OSError, http.client.HTTPException) as error:
        raise UserError(_broken(address, error, timeout)) from None


def _write(response: IO[bytes], path: Path, name: str, size: int | None, watcher: Watcher) -> int:
    received = 0
    watcher.start(name, size)
    with path.open("xb") as stream:
        while chunk := response.read(_CHUNK):
            stream.write(chunk)
            received += len(chunk)
            watcher.advance(len(chunk))
    return received


def _opener(address: str) -> urllib.request.OpenerDirector:
    handlers: list[Any] = [_Redirects()]
    if is_this_machine(urlsplit(address).hostname or ""):
        handlers.append(urllib.request.ProxyHandler({}))  # a proxy does not reach this machine's own servers
    return urllib.request.build_opener(*handlers)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to addresses that may be fetched, and from https only to https."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        try:
            check(newurl)
        except UserError as error:
            raise UserError(f"'{without_secrets(req.full_url)}' leads to another address: {error.message}") from None
        if req.type == "https" and urlsplit(newurl).scheme.lower() != "https":
            raise UserError(
                f"'{without_secrets(req.full_url)}' leads from https to '{without_secrets(newurl)}', which is not "
                "encrypted; use the address of the file itself"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def is_this_machine(host: str) -> bool:
    """True for the names and addresses that mean the machine itself."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _length(response: http.client.HTTPResponse) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _check_space(address: str, size: int | None, folder: Path) -> None:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if size is not None and size > free:
        raise UserError(
            f"'{without_secrets(address)}' has {_shown_size(size)}, and {_shown_size(free)} are free on the disk of "
            f"{existing}; make room, or take a smaller file"
        )


def _shown_size(size: int) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000  # pyright: ignore[reportAssignmentType] (shown with no digits behind the point)
    return f"{size:.0f} TB"


def _refused(address: str, error: urllib.error.HTTPError) -> str:
    shown = without_secrets(address)
    if error.code in (301, 302, 303, 307, 308):
        return f"'{shown}' leads to other addresses without end, or to none that is https; use that of the file itself"
    hints = {
        401: "it needs a sign-in, which the laptop does not have; download the file and give its path",
        403: "it needs a sign-in, or its key has ended; download the file and give its path",
        404: "there is no such file; check the address",
        409: "public access is not allowed there; download the file and give its path",
    }
    hint = hints.get(error.code, "try again later" if error.code >= 500 else "check the address")
    reason = http.client.responses.get(error.code, "")
    return f"'{shown}' answers {error.code}{reason and ' ' + reason}; {hint}"


def _broken(address: str, error: BaseException, timeout: float) -> str:
    """One line for what went wrong below HTTP."""
    shown, host = without_secrets(address), urlsplit(address).hostname
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, socket.gaierror):
        return f"'{shown}': the host '{host}' is not found; check the name, and that this machine is online"
    if isinstance(cause, TimeoutError):
        return f"'{shown}': '{host}' did not answer within {timeout:g} s; try again later"
    if isinstance(cause, ssl.SSLError):
        return f"'{shown}': the certificate of '{host}' is not accepted ({cause.reason or cause}); check the address"
    if isinstance(cause, ConnectionRefusedError):
        return f"'{shown}': '{host}' refuses the connection; check the address"
    if isinstance(cause, http.client.HTTPException | ConnectionError):
        return f"'{shown}' broke off ({type(cause).__name__}); try again"
    reason = getattr(cause, "strerror", None) or str(cause)
    return f"'{shown}' cannot be fetched: {reason}"
