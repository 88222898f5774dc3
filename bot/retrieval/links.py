"""Fetches what a link points to: public addresses only, within limits of bytes, seconds, redirects and growth.

Owns: which link is fetched at all, and that the address that was checked is the one that is spoken to. Leaves how a link is read to
`link_address`, names to `link_names`, the request to `link_wire`, reading what comes to `bot.retrieval.parsers`, in a child.

    path, title = await Fetcher(settings.links).fetch("https://example.org/page")   # the caller removes the file

No refusal tells what is inside: a name that is not there and one that is private get one sentence, before anything is connected to.

Source: RFC 6890 (special-purpose addresses), RFC 9309 (robots.txt), OWASP, Server-Side Request Forgery Prevention.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from bot import lazy
from bot.errors import RefusedLinkError, UnreadableError
from bot.locale import Text, phrases
from bot.retrieval.link_address import PORTS, Link, host_of, is_public, may_be_inside, parse
from bot.retrieval.link_names import addresses_of
from bot.retrieval.link_pace import Pace
from bot.retrieval.link_wire import AGENT, MEBIBYTE, REDIRECTS, Answer, Wire, few
from bot.retrieval.robots import Robots

if TYPE_CHECKING:
    from bot.config import LinkSettings

__all__ = ["PORTS", "Fetcher", "is_public"]

_ = phrases(__file__)

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Returns the addresses of (host, port)."""

MOST_REDIRECTS: Final = 5
ROBOTS_BYTES: Final = 512 * 1024
"""RFC 9309 2.5: a crawler reads at least 500 KiB of it."""
ROBOTS_LIFE_S: Final = 600.0
MOST_ROBOTS: Final = 256
TOO_MANY_REQUESTS: Final = 429
KINDS: Final = (
    "text/",
    "application/pdf",
    "application/json",
    "application/xml",
    "application/xhtml+xml",
    "application/vnd.openxmlformats",
    "image/",
)
PAGES: Final = frozenset({200, 203})
"""What comes with a whole page: 204 has none, 206 a part that was not asked for."""
_SUFFIX: Final = lazy.compile(r"\.[A-Za-z0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class _Known:
    robots: Robots
    until: float


class Fetcher:
    """Keeps `bot.skill.Links`."""

    def __init__(
        self, settings: LinkSettings, *, resolve: Resolve | None = None, folder: Path | None = None, pace: Pace | None = None
    ) -> None:
        """Fetch as `settings` allow; files are written into `folder` (the system's temporary one). `resolve` asks the system's DNS."""
        self._settings = settings
        self._resolve = resolve or addresses_of
        self._folder = folder
        self._pace = pace or Pace()
        self._wire = Wire()
        self._robots: dict[str, _Known] = {}
        self._allowed = dict(_allowed(one) for one in settings.allowed_hosts)

    async def fetch(self, url: str) -> tuple[Path, str]:
        """Return (file, title) of what `url` points to; the caller removes the file.

        Raises:
            RefusedLinkError: links are off, or this one is not public, or its site does not want it fetched, or too many are.
            TooLargeError: more than the settings' megabytes.
            UnreadableError: no answer in time, an error, or no kind of page that can be read.
        """
        if not self._settings.enabled:
            raise RefusedLinkError(_("Fetching links is switched off here. Please paste the text, or send the page as a file."))
        link = self._checked(parse(url))
        async with self._pace.place():
            try:
                async with asyncio.timeout(self._settings.seconds):
                    answer, link = await self._follow(link)
            except TimeoutError:
                raise UnreadableError(
                    _("{host} did not answer within {seconds} seconds. Please try again, or paste the text.",
                      host=link.host, seconds=round(self._settings.seconds))
                ) from None  # fmt: skip
            return await self._kept(answer, link)

    async def _follow(self, link: Link) -> tuple[Answer, Link]:
        begun = link
        for _redirect in range(MOST_REDIRECTS + 1):
            await self._ask_robots(link)
            answer = await self._get(link, most=self._settings.page_mb * MEBIBYTE)
            if answer.status not in REDIRECTS or not answer.location:
                return answer, link
            link = self._checked(link.follow(answer.location))
        raise UnreadableError(
            _("{host} sends me from page to page without end. Please send me the last address.", host=begun.host)
        )

    def _checked(self, link: Link) -> Link:
        """Return `link` where nothing speaks against it before its name is looked up. Raises RefusedLinkError."""
        if self._is_allowed(link):
            return link
        if not link.usual_port:
            raise RefusedLinkError(_("I do not fetch from port {port}. Please paste the text.", port=str(link.port)))
        if link.is_inside:
            raise RefusedLinkError(_not_there(link.host))
        return link

    def _is_allowed(self, link: Link) -> bool:
        return link.host in self._allowed and self._allowed[link.host] in (None, link.port)

    async def _ask_robots(self, link: Link) -> None:
        known = self._robots.get(link.origin)
        if known is None or known.until < time.monotonic():
            known = _Known(await self._robots_of(link), time.monotonic() + ROBOTS_LIFE_S)
            if len(self._robots) >= MOST_ROBOTS:
                self._robots.clear()
            self._robots[link.origin] = known
        if not known.robots.allows(AGENT, link.target):
            raise RefusedLinkError(_("{host} does not want programs to read this page. Please paste the text.", host=link.host))

    async def _robots_of(self, link: Link) -> Robots:
        """Return the site's rules: none where it has no file (RFC 9309 2.3.1.3). Raises UnreadableError where it cannot be had (2.3.1.4)."""
        at = link.beside("/robots.txt")
        for _redirect in range(MOST_REDIRECTS + 1):
            answer = await self._get(at, most=ROBOTS_BYTES, cut=True)
            if answer.status in REDIRECTS and answer.location:
                at = self._checked(at.follow(answer.location))
            elif answer.status in PAGES:
                return await asyncio.to_thread(Robots.parse, answer.body.decode("utf-8", "replace"))
            elif 200 <= answer.status < 500 and answer.status != TOO_MANY_REQUESTS:  # noqa: PLR2004 - HTTP's classes
                return Robots()
            else:
                raise UnreadableError(
                    _("{host} does not tell me just now whether programs may read it ({status}), so I do not. Please try later.",
                      host=link.host, status=answer.status)
                )  # fmt: skip
        return Robots()

    async def _get(self, link: Link, *, most: int, cut: bool = False) -> Answer:
        addresses = await self._addresses(link)
        async with self._pace.turn(addresses[0], link.host):
            return await self._wire.get(link, addresses, most=most, cut=cut)

    async def _addresses(self, link: Link) -> list[str]:
        """Return the addresses to which a connection may be made. Raises RefusedLinkError, UnreadableError."""
        addresses = [link.host] if link.is_literal else await self._resolve(link.host, link.port)
        if not addresses:
            raise UnreadableError(_not_there(link.host))
        if self._is_allowed(link):
            fit = link.is_literal or all(may_be_inside(address) for address in addresses)
        else:
            own = await asyncio.to_thread(_own_addresses)
            fit = all(is_public(address) and address not in own for address in addresses)
        if not fit:
            raise RefusedLinkError(_not_there(link.host))
        return few(addresses)

    async def _kept(self, answer: Answer, link: Link) -> tuple[Path, str]:
        """Return the file and the title of a page. Where nobody waits for it any more, the file is removed once it is written."""
        writing = asyncio.ensure_future(asyncio.to_thread(self._written, answer, link))
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            writing.add_done_callback(_thrown_away)
            raise

    def _written(self, answer: Answer, link: Link) -> tuple[Path, str]:
        if answer.status not in PAGES:
            raise UnreadableError(
                _("{host} answered with {status} and no page. Please check the address.", host=link.host, status=answer.status)
            )
        if answer.kind and not answer.kind.startswith(KINDS):
            raise UnreadableError(
                _("{host} sent {kind}, which I cannot read. Pages, PDF and Office files are what I can.",
                  host=link.host, kind=answer.kind)
            )  # fmt: skip
        suffix = PurePosixPath(PurePosixPath(unquote(link.path)).name).suffix
        handle, path = tempfile.mkstemp(dir=self._folder, suffix=suffix if _SUFFIX.fullmatch(suffix) else ".html")
        with os.fdopen(handle, "wb") as file:
            file.write(answer.body)
        return Path(path), f"{link.host}{link.path.rstrip('/')}"


def _allowed(entry: str) -> tuple[str, int | None]:
    """Return host and port (None: any) of an entry of `links.allowed_hosts`: wiki.intra, wiki.intra:8080, 10.0.0.5, [fd00::1]:80."""
    name, colon, port = entry.strip().rpartition(":")
    bracketed = entry.strip().removeprefix("[").removesuffix("]")
    if not colon or not port.isdecimal() or (":" in name and not name.startswith("[")):
        name, port = bracketed, ""
    try:
        return host_of(name.removeprefix("[").removesuffix("]")), int(port) if port else None
    except ValueError:
        return entry.lower(), None


def _thrown_away(writing: asyncio.Future[tuple[Path, str]]) -> None:
    if not writing.cancelled() and writing.exception() is None:
        writing.result()[0].unlink(missing_ok=True)


def _own_addresses() -> set[str]:
    """Return the outer addresses of this machine: also a public one of them leads past its firewall."""
    import psutil  # noqa: PLC0415 - only a link pays for it

    found = {one.address.partition("%")[0] for several in psutil.net_if_addrs().values() for one in several}
    return {address for address in found if not address.startswith("127.")}


def _not_there(host: str) -> Text:
    return _(
        "There is no site called {host}, or it is not on the public internet. Please check the address, or paste the text. "
        "An admin may allow a host of your own network (links.allowed_hosts).",
        host=host,
    )
