"""Folders of public containers of Azure's blob storage, at https addresses.

An address of one file says nothing of the files beside it; a container does: its list is read page by page and every
file is fetched. Azure ML's own examples score such folders
(https://azuremlexampledata.blob.core.windows.net/data/mnist/sample).

Facts: Azure Storage REST reference, "List Blobs" (`restype=container&comp=list`, `prefix`, `marker`, NextMarker;
directories of a hierarchical account are listed with ResourceType directory). It answers without a sign-in where the
container's public access is "container".
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from xml.etree import ElementTree

from amlops.errors import UserError
from amlops.local.data import downloads
from amlops.local.data.downloads import Watcher
from amlops.references import without_secrets

_HOSTS = (".blob.core.windows.net", ".blob.core.usgovcloudapi.net", ".blob.core.chinacloudapi.cn")
_AT_ONCE = 8
# A page has at most 5,000 names.
_LARGEST_PAGE = 64 * 1024 * 1024


def has_folders(address: str) -> bool:
    """True for an address of blob storage; other servers cannot be asked what a folder holds."""
    host = (urlsplit(address).hostname or "").lower()
    return host.endswith(_HOSTS) or downloads.is_this_machine(host)


def download_folder(address: str, folder: Path, watcher: Watcher | None = None) -> Path:
    """Fetch every file below the folder at `address` into `folder`, with their paths below it.

    Returns `folder`.

    Raises:
        UserError: nothing is there, it cannot be listed, a name would leave the folder, or a file cannot be fetched.
    """
    shown = without_secrets(address)
    names = _names(address)
    if not names:
        raise UserError(f"'{shown}' has no file below it; check the address")
    places = {name: folder.joinpath(*_parts(relative, shown)) for name, relative in names.items()}
    if len(set(places.values())) != len(places):
        raise UserError(f"'{shown}' has two files whose names are the same on this machine; download it by hand")
    told = _Together(watcher, shown) if watcher else None
    stop = threading.Event()

    def fetch(name: str) -> None:
        if not stop.is_set():
            place = places[name]
            downloads.download(_file(address, name), place.parent, name=place.name, watcher=told)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            for _ in pool.map(fetch, places):
                pass
        except BaseException:
            stop.set()
            raise
    return folder


class _Together:
    """Tells a watcher of many files as if they were one of unknown size."""

    def __init__(self, watcher: Watcher, name: str) -> None:
        self._watcher = watcher
        self._guard = threading.Lock()
        watcher.start(name, None)

    def start(self, name: str, size: int | None) -> None:
        """A file begins: nothing to tell."""

    def advance(self, size: int) -> None:
        """So many more bytes are here."""
        with self._guard:
            self._watcher.advance(size)


def _names(address: str) -> dict[str, str]:
    """Name of each file in the container -> its path below the folder."""
    parts = urlsplit(address)
    container, _, prefix = unquote(parts.path).strip("/").partition("/")
    if not container:
        raise UserError(f"'{without_secrets(address)}' names no container; for example https://HOST/data/mnist")
    prefix = f"{prefix}/" if prefix else ""
    found: dict[str, str] = {}
    marker = ""
    while True:
        query = f"restype=container&comp=list&prefix={quote(prefix, safe='')}"
        query += f"&marker={quote(marker, safe='')}" if marker else ""
        query += f"&{parts.query}" if parts.query else ""
        page = _page(urlunsplit((parts.scheme, parts.netloc, f"/{quote(container)}", query, "")), address)
        found |= {name: name.removeprefix(prefix) for name in _files(page)}
        marker = page.findtext("NextMarker") or ""
        if not marker:
            return found


def _page(url: str, address: str) -> ElementTree.Element:
    shown = without_secrets(address)
    try:
        with downloads.opened(url) as response:
            text = response.read(_LARGEST_PAGE + 1)
    except UserError as error:
        raise UserError(
            f"'{shown}' cannot be listed ({error.message.partition('; ')[0]}); only public containers can: download "
            "the folder and give its path"
        ) from None
    try:
        if len(text) > _LARGEST_PAGE or b"<!" in text[:1000]:  # no list has a document type, and so no entities
            raise ElementTree.ParseError
        return ElementTree.fromstring(text)  # noqa: S314 (see above)
    except ElementTree.ParseError:
        raise UserError(f"'{shown}' is not a folder of blob storage; use type uri_file for a file") from None


def _files(page: ElementTree.Element) -> Iterator[str]:
    for blob in page.iter("Blob"):
        name = blob.findtext("Name") or ""
        if blob.findtext("Properties/ResourceType") != "directory" and name and not name.endswith("/"):
            yield name


def _parts(relative: str, shown: str) -> list[str]:
    """The parts of a file's path, each a safe name. Raises UserError for a path that leaves the folder."""
    parts = relative.split("/")
    if ".." in parts or "." in parts or "" in parts or "\\" in relative:
        raise UserError(f"'{shown}' has a file called '{relative}', which would leave the folder; download it by hand")
    return [downloads.safe_name(part) for part in parts]


def _file(address: str, name: str) -> str:
    """The address of a file in the container that `address` lies in."""
    parts = urlsplit(address)
    container = unquote(parts.path).strip("/").partition("/")[0]
    return urlunsplit((parts.scheme, parts.netloc, f"/{quote(container)}/{quote(name)}", parts.query, ""))
