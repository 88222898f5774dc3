"""The webhook: updates are posted to us, and acknowledged only when they are kept.

Owns the listener, the secret header and the size of a body. Leaves to its `take` what an update says, and to a proxy of the
installation TLS. Telegram posts an update again until it is answered with 2xx.

    async with listening(host, port, secret, take) as port: ...

Source: https://core.telegram.org/bots/api#setwebhook
"""

from __future__ import annotations

import hmac
import json
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import web

from bot.channels.telegram_lenient import padded
from bot.channels.telegram_polling import Take
from bot.errors import ChannelError, SettingsError, StoreError
from bot.locale import phrases

_ = phrases(__file__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
MAX_BODY_BYTES = 1024 * 1024
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_log = logging.getLogger(__name__)


def check_secret(secret: str) -> None:
    """Raise SettingsError where `secret` is none that Telegram takes."""
    if not _SECRET.fullmatch(secret):
        raise SettingsError(
            _(
                "A Telegram webhook needs a secret, so that nobody else can post to it. Set PARING_TELEGRAM__WEBHOOK_SECRET "
                "to 1 to 256 letters, digits, _ or -, or unset telegram.webhook_url to poll."
            )
        )


@asynccontextmanager
async def listening(host: str, port: int, secret: str, take: Take) -> AsyncIterator[int]:
    """Listen while the context lasts; give the port. Raises ChannelError where the port cannot be had."""
    application = web.Application(client_max_size=MAX_BODY_BYTES)
    application.router.add_post("/{path:.*}", _handler(secret, take))
    runner = web.AppRunner(application, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise ChannelError(
                _(
                    "The Telegram webhook cannot listen on {host}:{port} ({reason}). Set telegram.webhook_port to a free port.",
                    host=host,
                    port=port,
                    reason=error.strerror or type(error).__name__,
                )
            ) from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def _handler(secret: str, take: Take) -> web.Handler:  # type: ignore[name-defined]
    async def handle(request: web.Request) -> web.Response:
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), secret.encode()):
            return web.Response(status=401)
        try:
            update = json.loads(await request.read())
        except (ValueError, RecursionError):
            return web.Response(status=400)
        if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
            return web.Response(status=400)
        try:
            await take([cast("dict[str, object]", padded(update))])
        except StoreError as error:
            _log.warning("An update could not be kept (%s); Telegram posts it again.", error)
            return web.Response(status=503)
        return web.Response()

    return handle
