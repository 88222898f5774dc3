"""A server that lies: every answer ends, in a page or in a sentence."""

from __future__ import annotations

import gzip
import itertools
import zlib
from pathlib import Path

import pytest
from fakes.site import NAME, Said, lying_site, page

from bot.config import LinkSettings
from bot.errors import ParingError, RefusedLinkError, TooLargeError, UnreadableError
from bot.retrieval.link_wire import Gunzip, few
from bot.retrieval.links import Fetcher

TEXT = b"<p>We move in March.</p>"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


async def loopback(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def fetcher(folder: Path, **more: object) -> Fetcher:
    return Fetcher(LinkSettings(allowed_hosts=(NAME,), **more), resolve=loopback, folder=folder)  # type: ignore[arg-type]


async def fetched(folder: Path, said: Said, **more: object) -> bytes:
    async with lying_site({"/page": said}) as site:
        path, _title = await fetcher(folder, **more).fetch(f"{site.url}/page")
    return path.read_bytes()


def endless(first: bytes, more: bytes) -> Said:
    return lambda: itertools.chain([first], itertools.repeat(more * (1 + 4096 // len(more))))


def packed(body: bytes, *fields: str) -> bytes:
    return page(body, "Content-Encoding: gzip", *fields)


@pytest.mark.parametrize(
    "said",
    [
        endless(b"HTTP/1.1 200 OK\r\n", b"X-More: yes\r\n"),
        endless(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 4096),
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
        endless(b"", b"\r\n"),
        b"<p>HTTP/0.9</p>",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 10\r\n\r\n123456789",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx",
        HEAD + b"Content-Length: 1000\r\n\r\nshort",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nx\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\nx",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\nx",
        endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;x=", b"y" * 4096),
        endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: y\r\n"),
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
        page(TEXT, "Content-Range: bytes 0-23/1000", status="206 Partial Content"),
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 700 What\r\nContent-Length: 0\r\n\r\n",
        page(TEXT, "Content-Encoding: br"),
        page(TEXT, "Content-Encoding: gzip, gzip"),
        page(zlib.compress(TEXT), "Content-Encoding: deflate"),
        packed(TEXT),
        packed(gzip.compress(TEXT)[:-4]),
        packed(gzip.compress(TEXT)[:-8] + bytes(8)),
        b"",
    ],
)  # fmt: skip
async def test_a_lie_ends_in_a_sentence(tmp_path: Path, said: Said) -> None:
    with pytest.raises(UnreadableError) as told:
        await fetched(tmp_path, said, page_mb=1, seconds=3.0 if said else 0.2)
    assert told.value.sentence("ko") != told.value.sentence("en")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "said",
    [
        endless(HEAD + b"\r\n", b"x" * 65536),
        page(TEXT, "Content-Length: 99999999999999999999").replace(b"Content-Length: 24\r\n", b""),
        packed(gzip.compress(bytes(40 << 20))),
        packed(gzip.compress(gzip.compress(bytes(1 << 20)) + bytes(4 << 20))),
        packed(b"".join(gzip.compress(bytes(1 << 19)) for _member in range(8))),
    ],
)
async def test_too_much_ends_in_a_sentence(tmp_path: Path, said: Said) -> None:
    with pytest.raises(TooLargeError):
        await fetched(tmp_path, said, page_mb=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (page(TEXT), TEXT),
        (page(TEXT, "Refresh: 0; url=http://127.0.0.1/"), TEXT),
        (page(TEXT + b"more").replace(b"Content-Length: 28", b"Content-Length: 24"), TEXT),
        (HEAD + b"\r\n" + TEXT, TEXT),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" + page(TEXT), TEXT),
        (packed(gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:])), TEXT),
        (packed(gzip.compress(TEXT) + bytes(512)), TEXT),
        (packed(gzip.compress(TEXT) + b"\x1f"), TEXT),
        (page(TEXT, "Set-Cookie: a=b"), TEXT),
    ],
)
async def test_what_is_odd_and_whole_is_taken(tmp_path: Path, said: bytes, body: bytes) -> None:
    assert await fetched(tmp_path, said) == body


async def test_what_stands_behind_a_packed_page_is_not_gathered(tmp_path: Path) -> None:
    """A decompressor that has ended keeps all that is given to it."""
    with pytest.raises(UnreadableError, match="without end"):
        await fetched(tmp_path, endless(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(TEXT), bytes(65536)), page_mb=1)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_members_may_be_cut_anywhere(size: int) -> None:
    data, unpack = gzip.compress(b"one") + gzip.compress(b"two") + gzip.compress(b""), Gunzip()
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert b"".join(unpack.feed(piece, 100) for piece in pieces) == b"onetwo"
    assert unpack.whole


async def test_nothing_of_ours_but_a_name_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with lying_site(
        {"/page": page(b"", "Set-Cookie: a=b", "Location: /next", status="302 Found"), "/next": page(TEXT)}
    ) as site:
        await fetcher(tmp_path).fetch(f"{site.url}/page")
    fields = {line.partition(":")[0].lower() for head in site.asked for line in head.splitlines()[1:] if line}
    assert fields == {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert len(site.asked) == 3


@pytest.mark.parametrize(
    ("robots", "fits"),
    [
        (page(b"", status="500 Oops"), UnreadableError),
        (page(b"", status="503 Busy"), UnreadableError),
        (page(b"", status="429 Slowly"), UnreadableError),
        (b"nonsense\r\n\r\n", UnreadableError),
        (b"", UnreadableError),
        (page(b"", "Location: http://10.0.0.1/robots.txt", status="302 Found"), RefusedLinkError),
        (page(b"", "Location: http://localhost/robots.txt", status="301 Moved"), RefusedLinkError),
        (page(b"User-agent: Paring\nDisallow: /", kind="text/plain"), RefusedLinkError),
        (packed(gzip.compress(b"User-agent: *\nDisallow: /")), RefusedLinkError),
        (page(b"User-agent: *\nDisallow: /\n" + b"#" * (600 << 10)), RefusedLinkError),
    ],
)
async def test_a_site_that_does_not_say_that_it_may_be_read_is_not(
    tmp_path: Path, robots: bytes, fits: type[ParingError]
) -> None:
    async with lying_site({"/robots.txt": robots, "/page": page(TEXT)}) as site:
        with pytest.raises(fits):
            await fetcher(tmp_path, seconds=3.0 if robots else 0.2).fetch(f"{site.url}/page")
    assert not any(head.startswith("GET /page") for head in site.asked)


@pytest.mark.parametrize(
    "robots",
    [page(b"", status="404 None"), page(b"", status="403 No"), page(b"", "Location: /robots.txt", status="302 Found"),
     page(b"<html>a page for everything</html>"), page(b"User-agent: *\nAllow: /\n")],
)  # fmt: skip
async def test_a_site_without_rules_is_read(tmp_path: Path, robots: bytes) -> None:
    async with lying_site({"/robots.txt": robots, "/page": page(TEXT)}) as site:
        path, _title = await fetcher(tmp_path).fetch(f"{site.url}/page")
    assert path.read_bytes() == TEXT


async def test_what_a_server_calls_its_page_is_told_only_where_it_is_a_kind(tmp_path: Path) -> None:
    """A media type is a stranger's text, and would be a link in our answer."""
    for kind, told in (("video/mp4", "video/mp4"), ("[click](https://evil.example)", "")):
        said = page(TEXT, kind=kind)
        if told:
            with pytest.raises(UnreadableError, match=told):
                await fetched(tmp_path, said)
        else:
            assert await fetched(tmp_path, said) == TEXT


@pytest.mark.parametrize(
    "path", ["/a.%00", "/a.%0a%0d", "/a.%2e%2e%2f%2e%2e%2fetc", "/a.%ED%A0%80", "/a." + "x" * 300, "/%2e%2e/%2e%2e"]
)
async def test_an_address_names_no_file_of_ours(tmp_path: Path, path: str) -> None:
    async with lying_site({path: page(TEXT)}) as site:
        file, _title = await fetcher(tmp_path).fetch(f"{site.url}{path}")
    assert file.parent == tmp_path
    assert file.suffix == ".html"


async def test_a_site_without_a_certificate_is_told(tmp_path: Path) -> None:
    async with lying_site({}) as site:
        with pytest.raises(UnreadableError, match="no secure connection"):
            await fetcher(tmp_path).fetch(f"https://{NAME}:{site.port}/")


def test_of_a_thousand_addresses_a_few_are_tried() -> None:
    many = [f"93.184.215.{number % 250}" for number in range(1000)] + ["2606:2800:220:1::1"]
    assert few(many) == ["93.184.215.0", "93.184.215.1", "93.184.215.2", "2606:2800:220:1::1"]
