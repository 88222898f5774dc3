"""What stands before every request: is it for us, from our own page, signed in? And what every answer carries.

Owns: the Host header (DNS rebinding), the Origin of what changes something and of the WebSocket, the session, how much a
socket may say, security headers. Leaves to `bot.channels.web_door` the password, to `bot.channels.web_routes` everything that is served.

    server = Guard(application, door=door, own_hosts_only=True)
"""

from __future__ import annotations

import asyncio
import time
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.channels.web_door import COOKIE, Door
from bot.channels.web_server import is_loopback
from bot.errors import StoreError

SOCKET = "/_nicegui_ws/"
PAGE_PATHS = ("/", "/admin", "/favicon.ico")
SERVED = ("/admin/", "/api/", "/assets/", "/blobs/", "/documents/", "/messages/", "/_nicegui/", SOCKET)
READ = ("/documents/", "/messages/")
"""Pages that a person opens by a link, perhaps after the session ended: they lead to the door."""
PUBLIC = ("/healthz", "/readyz", "/metrics", "/sign-in", "/favicon.ico")
"""Open without a session; who may see the metrics is asked where they are answered."""
PUBLIC_FOLDERS = ("/assets/",)
OWN_HEADER = "x-paring"
"""A header that no form and no image can send: a foreign page would have to ask first, and is not answered."""

MOST_SOCKETS = 64
"""Browsers' tabs that are connected at the same time."""
SAID_AT_ONCE, SAID_EACH_S = 100, 20.0
"""Messages that a socket may bring at once, and how many each second: the page's own brings one in several seconds."""
MOST_HEADERS = 100
"""h11 bounds what it has to wait for; what comes in one piece is up to 64 KB."""
LONGEST_RANGE = 100
"""Characters of a Range header: one range, or a few."""
_QUIET_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_SECURE = "max-age=31536000"
"""Source: RFC 6797: a browser that came by https once comes by nothing else for a year."""
_CLOSED = "default-src 'none'; frame-ancestors 'none'; sandbox"


class Guard:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, *, door: Door, own_hosts_only: bool) -> None:
        """Guard `app`; with `own_hosts_only` answer only requests for this machine by its own names."""
        self.app = app
        self._door = door
        self._own_hosts_only = own_hosts_only
        self._sockets = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refusal, or hand over to the application and dress its answer."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = await self._refuse(scope, headers)
        if scope["type"] == "websocket":
            if refusal is None and self._sockets < MOST_SOCKETS:
                await self._connected(scope, receive, send, _session(headers, self._door))
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        dressed = _dressed(send, secure=scope.get("scheme") == "https")
        await (self.app if refusal is None else refusal)(scope, receive, dressed)

    async def _connected(self, scope: Scope, receive: Receive, send: Send, cookie: str) -> None:
        """Serve a socket until it ends, its session does, or it says too much."""
        self._sockets += 1
        try:
            with self._door.staying(cookie) as ended:
                await self.app(scope, _bounded(receive, send, ended), send)
        finally:
            self._sockets -= 1

    async def _refuse(self, scope: Scope, headers: Headers) -> Response | None:
        """Return the answer to a request that is not let through, None for one that is."""
        path = scope["path"]
        if misplaced := self._misplaced(scope, headers):
            return misplaced
        if path in PUBLIC or path.startswith(PUBLIC_FOLDERS):
            return None
        try:
            if await self._door.admits(_session(headers, self._door)):
                return None
        except StoreError as error:
            return PlainTextResponse(str(error), 503)
        read = path in ("/", "/admin") or path.startswith(READ)
        if scope["type"] == "http" and read and scope["method"] == "GET":
            return RedirectResponse("/sign-in", 303)
        return PlainTextResponse("Please sign in.", 401)

    def _misplaced(self, scope: Scope, headers: Headers) -> Response | None:
        """Return the answer to a request that nobody should make, None for one that somebody may."""
        path = scope["path"]
        if len(headers) > MOST_HEADERS:
            return PlainTextResponse("These are too many headers.", 431)
        if len(headers.get("range", "")) > LONGEST_RANGE:
            return PlainTextResponse("These are too many ranges.", 416)
        if self._own_hosts_only and not is_loopback(_host_name(headers.get("host", ""))):
            return PlainTextResponse("This server answers only to its own name.", 421)
        if path not in PAGE_PATHS and path not in PUBLIC and path != "/sign-out" and not path.startswith(SERVED):
            return PlainTextResponse("There is no such page.", 404)
        if not _from_our_page(scope, headers):
            return PlainTextResponse("This was sent by another page.", 403)
        return None


def content_policy(host: str, nonce: str = "") -> str:
    """Return the policy of a page whose scripts within it carry `nonce`, "" where it has none: nothing from elsewhere, no eval, no handler.

    Styles may be inline: NiceGUI's own page has style elements and sets style attributes. Source:
    https://www.w3.org/TR/CSP3/; the socket's scheme is named because older Safari does not count it as 'self'.
    """
    named = f" 'nonce-{nonce}'" if nonce else ""
    socket = " ".join(f"{scheme}://{quote(host, safe=':[]')}" for scheme in ("ws", "wss"))
    return (
        f"default-src 'none'; script-src 'self'{named}; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; "
        f"font-src 'self' data:; connect-src 'self' {socket}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def as_page(request: Request, page: str, *, status: int = 200) -> Response:
    """Return the answer that shows `page`, whose scripts are files of ours."""
    policy = content_policy(request.headers.get("host", ""))
    return HTMLResponse(page, status, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})


def _from_our_page(scope: Scope, headers: Headers) -> bool:
    """Say whether a request that changes something, or a socket, comes from a page of ours.

    A browser names the page's origin in each of them. Without one it is no browser: such a caller shows our own header.
    """
    socket = scope["type"] == "websocket"
    origin = headers.get("origin")
    ours = origin is not None and _host_of(origin) == headers.get("host", "").lower()
    if not socket and scope["method"] in _QUIET_METHODS:
        asked = headers.get("sec-fetch-site", "none") in {"none", "same-origin"} and (ours or origin is None)
        return asked or scope["path"] in PUBLIC or (scope["path"] in ("/", "/admin") and _followed(headers))
    if origin is None:
        return not socket and OWN_HEADER in headers
    if not ours:
        return False
    form = scope["path"] in {"/sign-in", "/sign-out"}
    return socket or form or OWN_HEADER in headers or scope["path"].startswith(SOCKET)


def _followed(headers: Headers) -> bool:
    """Say whether a person came by a link of another page: a page that is embedded or fetched by one is built for nobody."""
    return headers.get("sec-fetch-dest", "document") == "document" and headers.get("origin") is None


def _bounded(receive: Receive, send: Send, ended: asyncio.Event) -> Receive:
    """Return what a socket brings: at most so much, and nothing once `ended` is set."""
    left, at = float(SAID_AT_ONCE), time.monotonic()

    async def receive_some() -> Message:
        nonlocal left, at
        coming, ending = asyncio.ensure_future(receive()), asyncio.ensure_future(ended.wait())
        try:
            await asyncio.wait((coming, ending), return_when=asyncio.FIRST_COMPLETED)
            now = time.monotonic()
            left, at = min(left + SAID_EACH_S * (now - at), SAID_AT_ONCE) - 1, now
            if not ended.is_set() and (left >= 0 or coming.result()["type"] != "websocket.receive"):
                return await coming
            await send({"type": "websocket.close", "code": 1008})
            return {"type": "websocket.disconnect", "code": 1008}
        finally:
            coming.cancel()
            ending.cancel()

    return receive_some


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def session_of(request: Request, door: Door) -> str:
    """Return the cookie of a request's session, "" where it has none."""
    return _session(request.headers, door)


def _session(headers: Headers, door: Door) -> str:
    """Return the cookie that is a session's of ours, else "".

    A browser sends along what other programs on this host have set, however it looks (ports share their cookies), and may send
    several of one name. Source: RFC 6265, sections 5.4 and 8.5
    """
    told = (part.strip().partition("=") for line in headers.getlist("cookie") for part in line.split(";"))
    return next((value.strip('"') for name, _equals, value in told if name == COOKIE and door.knows(value.strip('"'))), "")


def _dressed(send: Send, *, secure: bool) -> Send:
    async def dress(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Content-Security-Policy", _CLOSED)
            headers.setdefault("Cache-Control", "no-store")
            if secure:
                headers.setdefault("Strict-Transport-Security", _SECURE)
            message["headers"] = headers.raw
        await send(message)

    return dress
