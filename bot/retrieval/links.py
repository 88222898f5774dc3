"""Fetches what a link points to: public addresses only, within limits of bytes, seconds, redirects and growth.

Owns: which link is fetched at all, and that the address that was checked is the one that is spoken to. Leaves reading what
comes to `bot.retrieval.parsers`, in a child.

    path, title = await Fetcher(settings.links).fetch("https://example.org/page")   # the caller removes the file

Source: RFC 6890 (special-purpose addresses), RFC 6052 (addresses within addresses), RFC 9309 (robots.txt).
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import ssl
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from bot.errors import RefusedLinkError, TooLargeError, UnreadableError
from bot.locale import phrases

if TYPE_CHECKING:
    import httpcore

    from bot.config import LinkSettings

_ = phrases(__file__)

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Returns the addresses of (host, port)."""

MEBIBYTE: Final = 1024 * 1024
MOST_REDIRECTS: Final = 5
MOST_GROWTH: Final = 50
"""How many times its size a compressed page may unpack to."""
ROBOTS_BYTES: Final = 512 * 1024
"""RFC 9309 2.5: a crawler reads at least 500 KiB of it."""
ROBOTS_LIFE_S: Final = 600.0
MOST_ROBOTS: Final = 256
PORTS: Final = {"http": 80, "https": 443}
SPECIAL: Final = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("192.88.99.0/24"))
"""Protocol assignments and 6to4 relays: no site is there, and `is_global` lets some of them through. Source: RFC 6890, RFC 7526."""
NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
KINDS: Final = (
    "text/",
    "application/pdf",
    "application/json",
    "application/xml",
    "application/xhtml+xml",
    "application/vnd.openxmlformats",
    "image/",
)
AGENT: Final = "Paring"
_KEPT: Final = "/%:@!$&'()*+,;=~-._?"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class _Robots:
    rules: RobotFileParser
    until: float


class Fetcher:
    """Keeps `bot.skill.Links`."""

    def __init__(self, settings: LinkSettings, *, resolve: Resolve | None = None, folder: Path | None = None) -> None:
        """Fetch as `settings` allow; files are written into `folder` (the system's temporary one). `resolve` asks the system's DNS."""
        self._settings = settings
        self._resolve = resolve or _resolved
        self._folder = folder
        self._robots: dict[str, _Robots] = {}
        self._agent = f"{AGENT}/{version('paring')}"

    async def fetch(self, url: str) -> tuple[Path, str]:
        """Return (file, title) of what `url` points to; the caller removes the file.

        Raises:
            RefusedLinkError: links are off, or this one is not public, or its site does not want it fetched.
            TooLargeError: more than the settings' megabytes.
            UnreadableError: no answer in time, an error, or no kind of page that can be read.
        """
        if not self._settings.enabled:
            raise RefusedLinkError(_("Fetching links is switched off here. Please paste the text, or send the page as a file."))
        try:
            async with asyncio.timeout(self._settings.seconds):
                return await self._follow(url.strip())
        except TimeoutError:
            raise UnreadableError(
                _("{host} did not answer within {seconds} seconds. Please try again, or paste the text.",
                  host=_host(url), seconds=round(self._settings.seconds))
            ) from None  # fmt: skip

    async def _follow(self, url: str) -> tuple[Path, str]:
        for _redirect in range(MOST_REDIRECTS + 1):
            parts = self._checked(url)
            await self._ask_robots(parts)
            answer = await self._get(parts, most=self._settings.page_mb * MEBIBYTE)
            if answer.status in _REDIRECTS and answer.location:
                url = urljoin(url, answer.location)
                continue
            return self._kept(answer, parts)
        raise UnreadableError(
            _("{host} sends me from page to page without end. Please send me the last address.", host=_host(url))
        )

    def _checked(self, url: str) -> SplitResult:
        """Return the link's parts. Raises RefusedLinkError for another scheme, a port or a password in it."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise RefusedLinkError(_("This is no link that I can read. It begins with https:// and a name.")) from None
        if parts.scheme not in PORTS or not parts.hostname:
            raise RefusedLinkError(_("I only fetch links that begin with http:// or https://."))
        if parts.username is not None or parts.password is not None:
            raise RefusedLinkError(_("This link carries a password, so I do not fetch it. Please paste the text."))
        if port not in (None, PORTS[parts.scheme]) and not self._allowed(parts.hostname):
            raise RefusedLinkError(_("I do not fetch from port {port}. Please paste the text.", port=str(port)))
        return parts

    def _allowed(self, host: str) -> bool:
        return host.lower().rstrip(".") in {one.lower() for one in self._settings.allowed_hosts}

    async def _ask_robots(self, parts: SplitResult) -> None:
        site = f"{parts.scheme}://{parts.netloc}"
        known = self._robots.get(site)
        if known is None or known.until < time.monotonic():
            known = _Robots(await self._robots_of(site), time.monotonic() + ROBOTS_LIFE_S)
            if len(self._robots) >= MOST_ROBOTS:
                self._robots.clear()
            self._robots[site] = known
        if not known.rules.can_fetch(AGENT, parts.geturl()):
            raise RefusedLinkError(
                _("{host} does not want programs to read this page. Please paste the text.", host=parts.hostname or "")
            )

    async def _robots_of(self, site: str) -> RobotFileParser:
        rules = RobotFileParser()
        answer = await self._get(urlsplit(f"{site}/robots.txt"), most=ROBOTS_BYTES, cut=True)
        if answer.status == 200:  # noqa: PLR2004 - HTTP's OK
            rules.parse(answer.body.decode("utf-8", "replace").splitlines())
        else:
            rules.parse([])
        return rules

    async def _get(self, parts: SplitResult, *, most: int, cut: bool = False) -> _Answer:
        import httpcore  # noqa: PLC0415 - only a link pays for it

        host = parts.hostname or ""
        headers: dict[bytes | str, bytes | str] = {
            "Host": _site(parts),
            "User-Agent": self._agent,
            "Accept": "text/html,*/*;q=0.5",
            "Accept-Encoding": "gzip",
        }
        backend = _pinning(self._resolve, any_address=self._allowed(host))
        try:
            async with (
                httpcore.AsyncConnectionPool(ssl_context=ssl.create_default_context(), network_backend=backend) as pool,
                pool.stream("GET", _target(parts), headers=headers) as response,
            ):
                fields = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                body = b"" if response.status in _REDIRECTS else await _body(response.aiter_stream(), fields, most=most, cut=cut)
                return _Answer(response.status, fields.get("location", ""), fields.get("content-type", ""), body)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, ssl.SSLError, OSError) as error:
            raise UnreadableError(_("I cannot reach {host}. Please check the address, or paste the text.", host=host)) from error

    def _kept(self, answer: _Answer, parts: SplitResult) -> tuple[Path, str]:
        host = parts.hostname or ""
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's success
            raise UnreadableError(
                _("{host} answered with {status} and no page. Please check the address.", host=host, status=answer.status)
            )
        kind = answer.kind.partition(";")[0].strip().lower()
        if kind and not kind.startswith(KINDS):
            raise UnreadableError(
                _("{host} sent {kind}, which I cannot read. Pages, PDF and Office files are what I can.", host=host, kind=kind)
            )
        name = PurePosixPath(unquote(parts.path)).name
        handle, path = tempfile.mkstemp(dir=self._folder, suffix=PurePosixPath(name).suffix[:10] or ".html")
        with os.fdopen(handle, "wb") as file:
            file.write(answer.body)
        return Path(path), f"{host}{parts.path.rstrip('/')}"


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    location: str
    kind: str
    body: bytes


def is_public(address: str) -> bool:
    """Say whether `address` (an IP literal) is one that anybody on the internet may reach, also by what it carries within."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.is_site_local:
            return False
    elif any(ip in network for network in SPECIAL):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not ip.is_unspecified


def _pinning(resolve: Resolve, *, any_address: bool) -> httpcore.AsyncNetworkBackend:
    """Return a backend that resolves a name once, checks every address, and connects to one that was checked."""
    import httpcore  # noqa: PLC0415

    class Pinning(httpcore.AsyncNetworkBackend):
        def __init__(self) -> None:
            self._inner = httpcore.AnyIOBackend()

        async def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,  # noqa: ASYNC109 - a signature of httpcore's
            local_address: str | None = None,
            socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
        ) -> httpcore.AsyncNetworkStream:
            addresses = await resolve(host, port)
            if not any_address and not all(is_public(address) for address in addresses):
                raise RefusedLinkError(
                    _(
                        "{host} is not on the public internet, so I do not fetch from it. An admin may allow it (links.allowed_hosts).",
                        host=host,
                    )
                )
            if not addresses:
                raise UnreadableError(_("There is no site called {host}. Please check the address.", host=host))
            for address in addresses[:-1]:
                try:
                    return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
                except (httpcore.ConnectError, httpcore.ConnectTimeout):
                    continue  # a machine without IPv6 is given such addresses all the same
            return await self._inner.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(seconds)

    return Pinning()


async def _resolved(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return []
    return list(dict.fromkeys(str(address[0]) for *_rest, address in found))


async def _body(pieces: AsyncIterator[bytes], fields: dict[str, str], *, most: int, cut: bool) -> bytes:
    """Return the bytes, unpacked, at most `most` of them (`cut`: the first ones). Raises TooLargeError, UnreadableError."""
    coding = fields.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip", "x-gzip", ""):
        raise UnreadableError(_("The page is packed in a way that I did not ask for. Please paste the text."))
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if coding.endswith("gzip") else None
    taken, body = 0, bytearray()
    async for piece in pieces:
        taken += len(piece)
        body += _unpacked(unpack, piece, most + 1 - len(body)) if unpack else piece
        grown = unpack is not None and len(body) > max(MEBIBYTE, MOST_GROWTH * taken)
        if len(body) > most or grown:
            if cut:
                return bytes(body[:most])
            raise TooLargeError(
                _("The page is over {limit} MB. Nothing was kept; please paste the part you mean.", limit=round(most / MEBIBYTE))
            )
    return bytes(body)


def _unpacked(unpack: zlib._Decompress, piece: bytes, most: int) -> bytes:
    try:
        return unpack.decompress(piece, max(1, most))
    except zlib.error:
        raise UnreadableError(_("The page came damaged. Please try again, or paste the text.")) from None


def _target(parts: SplitResult) -> str:
    """Return the link in ASCII: its name in punycode, its path and query percent-encoded."""
    query = f"?{quote(parts.query, safe=_KEPT)}" if parts.query else ""
    return f"{parts.scheme}://{_site(parts)}{quote(parts.path or '/', safe=_KEPT)}{query}"


def _site(parts: SplitResult) -> str:
    name = parts.hostname or ""
    try:
        host = f"[{name}]" if ":" in name else name.encode("idna").decode()
    except UnicodeError:
        raise RefusedLinkError(_("This is no link that I can read. It begins with https:// and a name.")) from None
    return f"{host}:{parts.port}" if parts.port else host


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or url[:60]
    except ValueError:
        return url[:60]
