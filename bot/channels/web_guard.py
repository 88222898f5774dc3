"""What stands before every request: is it for us, from our own page, signed in? And what every answer carries.

Owns: the Host header (DNS rebinding), the Origin of what changes something and of the WebSocket, the session, security
headers. Leaves to `bot.channels.web_door` the password, to `bot.channels.web_routes` everything that is served.

    server = Guard(application, door=door, own_hosts_only=True)
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.channels.web_door import COOKIE, Door

SOCKET = "/_nicegui_ws/"
PAGE_PATHS = ("/", "/admin", "/favicon.ico")
SERVED = ("/admin/", "/api/", "/assets/", "/blobs/", "/documents/", "/messages/", "/_nicegui/", SOCKET)
PUBLIC = ("/healthz", "/sign-in", "/favicon.ico")
PUBLIC_FOLDERS = ("/assets/",)
OWN_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
OWN_HEADER = "x-paring"
"""A header that no form and no image can send: a foreign page would have to ask first, and is not answered."""

_QUIET_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_CLOSED = "default-src 'none'; frame-ancestors 'none'; sandbox"


class Guard:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, *, door: Door, own_hosts_only: bool) -> None:
        """Guard `app`; with `own_hosts_only` answer only requests for this machine by its own names."""
        self.app = app
        self._door = door
        self._own_hosts_only = own_hosts_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refusal, or hand over to the application and dress its answer."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refuse(scope, headers)
        if scope["type"] == "websocket":
            if refusal is None:
                await self.app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        dressed = _dressed(send)
        await (self.app if refusal is None else refusal)(scope, receive, dressed)

    def _refuse(self, scope: Scope, headers: Headers) -> Response | None:
        """Return the answer to a request that is not let through, None for one that is."""
        path = scope["path"]
        if self._own_hosts_only and _host_name(headers.get("host", "")) not in OWN_HOSTS:
            return PlainTextResponse("This server answers only to its own name.", 421)
        if path not in PAGE_PATHS and path not in PUBLIC and path != "/sign-out" and not path.startswith(SERVED):
            return PlainTextResponse("There is no such page.", 404)
        if not _from_our_page(scope, headers):
            return PlainTextResponse("This was sent by another page.", 403)
        if path in PUBLIC or path.startswith(PUBLIC_FOLDERS) or self._door.admits(_session(headers)):
            return None
        if scope["type"] == "http" and path in ("/", "/admin") and scope["method"] == "GET":
            return RedirectResponse("/sign-in", 303)
        return PlainTextResponse("Please sign in.", 401)


def content_policy(host: str, nonce: str) -> str:
    """Return the policy of a page whose scripts carry `nonce`: nothing from elsewhere, no eval, no inline handler.

    Styles may be inline: NiceGUI's own page has style elements and sets style attributes. Source:
    https://www.w3.org/TR/CSP3/; the socket's scheme is named because older Safari does not count it as 'self'.
    """
    socket = " ".join(f"{scheme}://{quote(host, safe=':[]')}" for scheme in ("ws", "wss"))
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; "
        f"font-src 'self' data:; connect-src 'self' {socket}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def as_page(request: Request, page: str, *, status: int = 200) -> Response:
    """Return the answer that shows `page`, whose scripts are files of ours."""
    policy = content_policy(request.headers.get("host", ""), nonce="none")
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
        return asked or scope["path"] in (*PUBLIC, "/", "/admin")
    if origin is None:
        return not socket and OWN_HEADER in headers
    if not ours:
        return False
    form = scope["path"] in {"/sign-in", "/sign-out"}
    return socket or form or OWN_HEADER in headers or scope["path"].startswith(SOCKET)


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


def _session(headers: Headers) -> str:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return ""
    return jar[COOKIE].value if COOKIE in jar else ""


def _dressed(send: Send) -> Send:
    async def dress(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Content-Security-Policy", _CLOSED)
            message["headers"] = headers.raw
        await send(message)

    return dress
