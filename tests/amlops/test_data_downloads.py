"""Files at https addresses: whole or not at all, under a safe name, and every trouble in one line."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_support import Web, running_web

from amlops.errors import UserError
from amlops.local.data.blobfolders import download_folder
from amlops.local.data.downloads import check, download, file_name


@pytest.fixture
def web() -> Iterator[Web]:
    with running_web() as server:
        yield server


def _fault(address: str, folder: Path, timeout: float = 30.0) -> str:
    """The one line that a download ends with; nothing of the file may be left."""
    with pytest.raises(UserError) as caught:
        download(address, folder, timeout=timeout)
    assert not folder.exists() or not list(folder.iterdir())
    assert "\n" not in caught.value.message
    return caught.value.message


def test_a_file_is_fetched_and_its_progress_is_told(web: Web, tmp_path: Path) -> None:
    body = bytes(range(256)) * 4000
    told: list[tuple[str, int | None] | int] = []

    class Watcher:
        def start(self, name: str, size: int | None) -> None:
            told.append((name, size))

        def advance(self, size: int) -> None:
            told.append(size)

    path = download(web.serve("/data/a%20b.bin", body), tmp_path / "in", watcher=Watcher())
    assert (path, path.read_bytes()) == (tmp_path / "in" / "a b.bin", body)
    assert told[0] == ("a b.bin", len(body))
    assert sum(size for size in told[1:] if isinstance(size, int)) == len(body)
    assert [entry.name for entry in path.parent.iterdir()] == ["a b.bin"]


def test_a_file_without_a_known_size_must_come_to_its_end(web: Web, tmp_path: Path) -> None:
    address = web.serve("/a.txt", b"5\r\nhello\r\n0\r\n\r\n", Transfer_Encoding="chunked")
    assert download(address, tmp_path).read_bytes() == b"hello"
    address = web.serve("/b.txt", b"5\r\nhel", Transfer_Encoding="chunked")
    assert "/b.txt' broke off (IncompleteRead); try again" in _fault(address, tmp_path / "in")


def test_spaces_and_other_letters_in_an_address_are_sent_as_they_must(web: Web, tmp_path: Path) -> None:
    web.serve("/Stra%C3%9Fe/ein%20bild.png", b"x")
    assert download(f"{web.address}/Straße/ein bild.png", tmp_path).name == "ein bild.png"


def test_redirects_are_followed_and_the_name_is_that_of_the_address(web: Web, tmp_path: Path) -> None:
    web.serve("/stored/8f3a", b"content")
    address = web.serve("/images/one.png", b"", 302, Location="/stored/8f3a")
    path = download(address, tmp_path)
    assert (path.name, path.read_bytes()) == ("one.png", b"content")


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("http://example.com/x", "leads to another address: 'http://example.com/x' is not encrypted; use https://"),
        ("ftp://example.com/x", "'ftp://example.com/x' is not an https address"),
        ("file:///etc/passwd", "leads to other addresses without end, or to none that is https"),
        ("/again.bin", "leads to other addresses without end"),
    ],
)
def test_a_redirect_to_elsewhere_is_refused(web: Web, tmp_path: Path, location: str, said: str) -> None:
    address = web.serve("/again.bin", b"", 302, Location=location)
    assert said in _fault(address, tmp_path / "in")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, "/a.csv' answers 404 Not Found; there is no such file; check the address"),
        (403, "answers 403 Forbidden; it needs a sign-in, or its key has ended; download the file"),
        (503, "answers 503 Service Unavailable; try again later"),
    ],
)
def test_an_error_of_the_server_is_one_line(web: Web, tmp_path: Path, status: int, said: str) -> None:
    assert said in _fault(web.serve("/a.csv", b"<html>no</html>", status), tmp_path / "in")


def test_a_body_that_breaks_off_leaves_nothing(web: Web, tmp_path: Path) -> None:
    address = web.serve("/a.bin", b"half", Content_Length="1000")
    assert "broke off: 4 of 1000 bytes arrived; try again" in _fault(address, tmp_path / "in")


def test_a_file_that_does_not_fit_the_disk_is_refused_before_it_is_fetched(web: Web, tmp_path: Path) -> None:
    address = web.serve("/huge.bin", b"x", Content_Length=str(10**18))
    assert "has 1000000 TB, and" in _fault(address, tmp_path / "in")


def test_a_server_that_does_not_answer_is_left_after_the_timeout(web: Web, tmp_path: Path) -> None:
    never = threading.Event()
    try:
        message = _fault(web.serve("/slow", never), tmp_path / "in", timeout=0.2)
    finally:
        never.set()
    assert message.endswith("'127.0.0.1' did not answer within 0.2 s; try again later")


def test_a_port_without_a_server_and_a_host_that_nobody_knows_are_one_line(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{held.getsockname()[1]}/a"
        assert "'127.0.0.1' refuses the connection; check the address" in _fault(address, tmp_path / "in")
    assert "the host 'no-such-host.invalid' is not found" in _fault("https://no-such-host.invalid/a", tmp_path / "in")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://example.com/a.csv", "'http://example.com/a.csv' is not encrypted; use https://"),
        ("http://localhost.example.com/a.csv", "is not encrypted"),
        ("https://me:secret@example.com/a.csv", "'https://example.com/a.csv' has a user or password in it"),
        ("https:///a.csv", "names no host"),
        ("https://[::1/a.csv", "is not an address"),
        ("ftp://example.com/a.csv", "is not an https address"),
    ],
)
def test_an_address_that_is_not_fetched_is_refused_at_once(address: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        check(address)
    assert said in caught.value.message
    assert "secret" not in caught.value.message


def test_a_key_in_an_address_is_sent_and_never_shown(web: Web, tmp_path: Path) -> None:
    assert download(web.serve("/a.csv?sig=s3cret&x=1", b"1"), tmp_path).name == "a.csv"
    message = _fault(f"{web.address}/b.csv?sig=s3cret", tmp_path / "in")
    assert "/b.csv' answers 404" in message
    assert "s3cret" not in message


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/..%2f..%2fx", "x"),
        ("/a/..%5C..%5Cx.png", "x.png"),
        ("/..", "download"),
        ("/%2e%2e", "download"),
        ("/", "download"),
        ("/a%00b%0a.png", "a_b_.png"),
        ("/con.png", "download-con.png"),
        ("/.ssh", "ssh"),
        ("/a%3Ab%3F.csv", "a_b_.csv"),
        ("/Stra%C3%9Fe.png", "Straße.png"),
        (f"/{'x' * 400}.png", f"{'x' * 146}.png"),
    ],
)
def test_the_name_of_a_file_never_leaves_its_folder(path: str, name: str) -> None:
    assert file_name(f"https://example.com{path}") == name


def test_a_hostile_name_lands_in_the_folder(web: Web, tmp_path: Path) -> None:
    path = download(web.serve("/..%2f..%2fescaped", b"x"), tmp_path / "deep" / "in")
    assert path == tmp_path / "deep" / "in" / "escaped"


def _page(names: list[str], marker: str = "") -> bytes:
    """A page of a container's list, as Azure's blob storage answers."""
    blobs = "".join(
        f"<Blob><Name>{name}</Name><Properties><Content-Length>1</Content-Length></Properties></Blob>" for name in names
    )
    folder = "<Blob><Name>mnist/sub</Name><Properties><ResourceType>directory</ResourceType></Properties></Blob>"
    return (
        '\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://x/" '
        f'ContainerName="data"><Blobs>{folder}{blobs}</Blobs><NextMarker>{marker}</NextMarker></EnumerationResults>'
    ).encode()


_LIST = "/data?restype=container&comp=list&prefix=mnist%2F"


def test_a_folder_of_a_public_container_is_fetched_page_by_page(web: Web, tmp_path: Path) -> None:
    """As in Azure ML's own examples: --input https://….blob.core.windows.net/data/mnist --input-type uri_folder."""
    web.serve(_LIST, _page(["mnist/1.png", "mnist/sub/2 ü.png"], "next/1"))
    web.serve(f"{_LIST}&marker=next%2F1", _page(["mnist/3.png"]))
    for name in ("1.png", "sub/2%20%C3%BC.png", "3.png"):
        web.serve(f"/data/mnist/{name}", name.encode())
    folder = download_folder(f"{web.address}/data/mnist/", tmp_path / "in")
    found = {file.relative_to(folder).as_posix(): file.read_text() for file in folder.rglob("*") if file.is_file()}
    assert found == {"1.png": "1.png", "sub/2 ü.png": "sub/2%20%C3%BC.png", "3.png": "3.png"}


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (_page([]), "/data/mnist' has no file below it"),
        (_page(["mnist/../../x.png"]), "has a file called '../../x.png', which would leave the folder"),
        (_page(["mnist//x.png"]), "would leave the folder"),
        (_page(["mnist/a:b", "mnist/a?b"]), "two files whose names are the same on this machine"),
        (_page(["mnist/none.png"]), "/data/mnist/none.png' answers 404 Not Found"),
        (b"<html><body>hello</body>", "is not a folder of blob storage"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><EnumerationResults/>', "is not a folder of blob storage"),
    ],
)
def test_a_folder_that_cannot_be_fetched_is_one_line(web: Web, tmp_path: Path, page: bytes, said: str) -> None:
    web.serve(_LIST, page)
    with pytest.raises(UserError) as caught:
        download_folder(f"{web.address}/data/mnist", tmp_path / "in")
    assert said in caught.value.message
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_a_container_that_is_not_public_is_told(web: Web, tmp_path: Path) -> None:
    web.serve(_LIST, b"", 409)
    with pytest.raises(UserError, match=r"cannot be listed \(.* answers 409 Conflict\); only public containers can"):
        download_folder(f"{web.address}/data/mnist", tmp_path / "in")
