"""One request to one checked address, with a limit on everything that a server may send, and a sentence for each way to fail.

Owns: the bytes. No cookie, no credentials, no Referer and no proxy of the environment is ever part of a request; nothing is followed.
Leaves to `bot.retrieval.links` which addresses are spoken to and what an answer means; the clock is its, too.

    answer = await Wire().get(link, ["93.184.215.14"], most=MEBIBYTE)

Source: RFC 9110, RFC 9112, RFC 1952 (a gzip file is one member or several).
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final

from bot import lazy
from bot.errors import TooLargeError, UnreadableError
from bot.locale import phrases
from bot.retrieval.link_address import Link

_ = phrases(__file__)

MEBIBYTE: Final = 1024 * 1024
AGENT: Final = "Paring"
"""The name by which a robots.txt addresses us."""
LEAST_PIECE: Final = 256
"""Bytes of a piece on the average, once a thousand came."""
MOST_GROWTH: Final = 50
"""How many times its size a compressed page may unpack to."""
CONNECT_S: Final = 4.0
MOST_TRIED: Final = 3
"""Addresses of each family that are tried."""
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_GZIP: Final = b"\x1f\x8b"
_KIND: Final = lazy.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: `location` where it is a redirect, `kind` the media type, "" where none is told."""

    status: int
    location: str
    kind: str
    body: bytes


@dataclass(slots=True)
class Wire:
    """Makes requests; keeps the certificates that it trusts."""

    agent: str = field(default_factory=lambda: f"{AGENT}/{version('paring')}")
    _trust: ssl.SSLContext | None = None

    async def get(self, link: Link, addresses: Sequence[str], *, most: int, cut: bool = False) -> Answer:
        """Return what `link` gives, asked of the first of `addresses` that takes the connection; its body has at most `most` bytes.

        Raises:
            TooLargeError: more than `most` (where `cut` is set, the first bytes are returned).
            UnreadableError: no connection, no certificate, no HTTP, a damaged body.
        """
        import httpcore  # noqa: PLC0415 - only a link pays for it

        from bot.retrieval.link_backend import HEAD_BYTES, Allowance, Pinned  # noqa: PLC0415 - as above

        if self._trust is None:
            self._trust = await asyncio.to_thread(ssl.create_default_context)
        headers: dict[bytes | str, bytes | str] = {
            "Host": link.site, "User-Agent": self.agent, "Accept": "text/html,*/*;q=0.5", "Accept-Encoding": "gzip",
            "Connection": "close",
        }  # fmt: skip
        url = httpcore.URL(scheme=link.scheme.encode(), host=link.host.encode(), port=link.port, target=link.target.encode())
        allowance = Allowance()
        try:
            async with (
                httpcore.AsyncConnectionPool(ssl_context=self._trust, network_backend=Pinned(addresses, allowance)) as pool,
                pool.stream("GET", url, headers=headers, extensions={"timeout": {"connect": CONNECT_S}}) as response,
            ):
                allowance.left = 2 * most + HEAD_BYTES
                fields = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                kind = fields.get("content-type", "").partition(";")[0].strip().lower()
                body = b"" if response.status in REDIRECTS else await _body(response.aiter_stream(), fields, most=most, cut=cut)
                return Answer(response.status, fields.get("location", ""), kind if _KIND.fullmatch(kind) else "", body)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, ssl.SSLError, OSError) as error:
            raise _unreachable(link.host, error) from error


def _unreachable(host: str, error: Exception) -> UnreadableError:
    import httpcore  # noqa: PLC0415 - already loaded

    if isinstance(error, httpcore.ProtocolError):
        return UnreadableError(
            _("{host} does not answer as a web site does. Please check the address, or paste the text.", host=host)
        )
    return UnreadableError(_("I cannot reach {host}. Please check the address, or paste the text.", host=host))


def few(addresses: Sequence[str]) -> list[str]:
    """Return those of `addresses` that are tried: a few of each family, in their order."""
    unlike = list(dict.fromkeys(addresses))
    chosen = {one for six in (True, False) for one in [one for one in unlike if (":" in one) is six][:MOST_TRIED]}
    return [one for one in unlike if one in chosen]


async def _body(pieces: AsyncIterator[bytes], fields: dict[str, str], *, most: int, cut: bool) -> bytes:
    """Return the bytes, unpacked, at most `most` of them (`cut`: the first ones). Raises TooLargeError, UnreadableError."""
    coding = fields.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip", "x-gzip", ""):
        raise UnreadableError(_("The page is packed in a way that I did not ask for. Please paste the text."))
    promised = fields.get("content-length", "")
    if promised.isdecimal() and int(promised[:20]) > most and not cut:
        raise _too_large(most)
    unpack = Gunzip() if coding.endswith("gzip") else None
    taken, body, count = 0, bytearray(), 0
    async for piece in pieces:
        taken, count = taken + len(piece), count + 1
        if count > 1000 + taken // LEAST_PIECE:
            raise UnreadableError(_("The site sends its page crumb by crumb, so I stopped listening. Please paste the text."))
        body += unpack.feed(piece, most + 1 - len(body)) if unpack else piece
        grown = unpack is not None and len(body) > max(MEBIBYTE, MOST_GROWTH * taken)
        if len(body) > most or grown:
            if cut:
                return bytes(body[:most])
            raise _too_large(most)
    if unpack is not None and taken and not unpack.whole:
        raise _damaged()
    return bytes(body)


class Gunzip:
    """Unpacks gzip as it comes: several members are one text, and what stands behind them is no part of it."""

    def __init__(self) -> None:
        """Begin before the first member."""
        self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._over = False
        self._between = b""

    @property
    def whole(self) -> bool:
        """Whether the last member has ended."""
        return self._member.eof

    def feed(self, piece: bytes, most: int) -> bytes:
        """Return what `piece` unpacks to, at most `most` bytes of it. Raises UnreadableError where it is no gzip."""
        out = bytearray()
        while piece and not self._over and len(out) < most:
            if self._member.eof:
                piece, self._between = self._between + piece, b""
                if _GZIP.startswith(piece):
                    self._between = piece
                    break
                if not piece.startswith(_GZIP):
                    self._over = True
                    break
                self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)
            try:
                out += self._member.decompress(piece, max(1, most - len(out)))
            except zlib.error:
                raise _damaged() from None
            piece = self._member.unused_data
        return bytes(out)


def _damaged() -> UnreadableError:
    return UnreadableError(_("The page came damaged. Please try again, or paste the text."))


def _too_large(most: int) -> TooLargeError:
    return TooLargeError(
        _("The page is over {limit} MB. Nothing was kept; please paste the part you mean.", limit=round(most / MEBIBYTE))
    )
