"""The chat page on NiceGUI: the page's document, the browsers that are connected, and what is pushed to them.

Owns everything of NiceGUI. The markup comes whole from `bot.channels.web_render` and stands in the document before any
script runs, so that the conversation is seen at once; NiceGUI's part is the page's life and its socket. Leaves to
`bot.channels.web` what is shown.

NiceGUI's outbox and its `run_method` are not used: both have the browser evaluate text as code, which the page's content
policy forbids. What is pushed goes out as an event of its own, and what a browser misses it fetches when it is back.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI
from nicegui import Client, core, ui
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from bot import lazy
from bot.channels.web_guard import content_policy
from bot.channels.web_render import ASSETS, Renderer

EVENT = "paring"
RECONNECT_S = 60.0
"""How long the server keeps a browser's page after its connection broke; after that the page loads itself anew."""
MOST_PAGES = 200
"""Pages that are held for browsers; of those that no browser has connected to, the older ones are let go before one is refused."""
LOADING_S = 5.0
"""How long a browser that loads may take to connect, where there are too many."""

_BODY = "<!-- paring -->"
_HEAD = "<!-- paring head -->"

_FOREIGN_STYLES = lazy.compile(r"@import url\([^)]*\) layer\(\w+\);")
"""Quasar's and NiceGUI's style sheets, 250 kB that would hold up the first paint: the page shows no element of theirs."""

Build = Callable[[Request], Awaitable[str]]
"""Returns the body of the page for a request."""


class Screens:
    """The browsers that show the page."""

    def __init__(self, renderer: Renderer) -> None:
        """Use the head of `renderer`."""
        self._renderer = renderer
        self._open: set[str] = set()

    def __len__(self) -> int:
        """Return how many are connected."""
        return len(self._open)

    def mount(self, app: FastAPI, build: Build) -> None:
        """Serve the page at `/` of `app`; `build` returns its body."""
        _forget_earlier_run()
        ui.run_with(
            app, title="Paring", favicon=ASSETS / "mark.svg", dark=None, tailwind=False, prod_js=True, show_welcome_message=False,
            binding_refresh_interval=None, reconnect_timeout=RECONNECT_S, message_history_length=0,
            viewport="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content",
        )  # fmt: skip

        async def page(request: Request, client: Client) -> Response:
            return await self._document(request, client, build)

        ui.page("/")(page)

    async def push(self, event: Mapping[str, object]) -> None:
        """Hand `event` to every browser that is connected."""
        for client in list(self._open):
            await core.sio.emit(EVENT, dict(event), room=client)

    async def _document(self, request: Request, client: Client, build: Build) -> Response:
        """Return NiceGUI's document with our body in it; scripts get the nonce before anything of a person is put in."""
        if len(Client.instances) > MOST_PAGES:
            Client.prune_instances(client_age_threshold=LOADING_S)
        if len(Client.instances) > MOST_PAGES:
            client.delete()
            return PlainTextResponse("Too many pages are open. Close some, and load this one again.", 503)
        client.on_connect(lambda: self._open.add(client.id))
        client.on_disconnect(lambda: self._open.discard(client.id))
        client.on_delete(lambda: self._open.discard(client.id))
        body = await build(request)
        ui.add_head_html(_HEAD)
        ui.add_body_html(_BODY)
        nonce = secrets.token_urlsafe(16)
        document = bytes(client.build_response(request).body).decode()
        document = _FOREIGN_STYLES.sub("", document)
        document = document.replace("<script", f'<script nonce="{nonce}"').replace(_HEAD, self._renderer.head(nonce))
        policy = content_policy(request.headers.get("host", ""), nonce)
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        return HTMLResponse(document.replace(_BODY, body), headers=headers)


def _forget_earlier_run() -> None:
    """Let NiceGUI be started again in one process: its application lives as long, and takes no middleware once it was built."""
    if not core.app.is_stopped:
        msg = "one page a process: NiceGUI has one application, and it is running"
        raise RuntimeError(msg)
    core.app.middleware_stack = None
    core.app.user_middleware.clear()
    Client.instances.clear()  # a browser of the run before loads the page anew, and so is known to this one
