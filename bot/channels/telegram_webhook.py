"""The webhook: updates are posted to us, and acknowledged only when they are kept.

Owns the listener, the secret header, the size of a body and how long one may take. Leaves to its `take` what an update says, and to a
proxy of the installation TLS. Telegram posts an update again until it is answered with 2xx.

    async with listening(host, port, secret, take) as port: ...

Source: https://core.telegram.org/bots/api#setwebhook
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import web

from bot import lazy
from bot.channels.posting import CannotListenError, Patience, hosted
from bot.channels.telegram_lenient import padded
from bot.channels.telegram_polling import Take
from bot.errors import ChannelError, SettingsError, StoreError
from bot.locale import phrases

_ = phrases(__file__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
MAX_BODY_BYTES = 1024 * 1024
LARGEST_UPDATE = 2**53
BODY_S = 10.0
_SECRET = lazy.compile(r"[A-Za-z0-9_-]{1,256}")
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
async def listening(host: str, port: int, secret: str, take: Take, *, path: str = "/") -> AsyncIterator[int]:
    """Listen while the context lasts; give the port. Raises ChannelError where the port cannot be had.

    What is posted to `path` is taken, or to / behind a proxy that cuts the path off.
    """
    patience = Patience()
    handler = _handler(secret, take, {path or "/", "/"}, patience)
    try:
        async with hosted(handler, host, port, patience, most_bytes=MAX_BODY_BYTES) as taken:
            yield taken
    except CannotListenError as error:
        raise ChannelError(
            _(
                "The Telegram webhook cannot listen on {host}:{port} ({reason}). Set telegram.webhook_port to a free port.",
                host=host,
                port=port,
                reason=error.reason,
            )
        ) from error


def _handler(secret: str, take: Take, paths: Collection[str], patience: Patience) -> web.Handler:  # type: ignore[name-defined]
    async def handle(request: web.Request) -> web.Response:
        if not _knows(request, secret):
            return _refused(401)
        with patience.at_work(request.protocol):
            status = _unfit(request, paths)
            return _refused(status) if status else await taken(request)

    async def taken(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(BODY_S):
                update = json.loads(await request.read())
        except TimeoutError:
            return _refused(408)
        except (ValueError, RecursionError):
            return _refused(400)
        if not isinstance(update, dict) or not _is_number(update.get("update_id")):
            return _refused(400)
        try:
            await take([cast("dict[str, object]", padded(update))])
        except StoreError as error:
            _log.warning("An update could not be kept (%s); Telegram posts it again.", error)
            return web.Response(status=503)
        return web.Response()

    return handle


def _knows(request: web.Request, secret: str) -> bool:
    """Say whether exactly one secret was sent, and it is ours; in the time that any other of its length takes."""
    given = request.headers.getall(SECRET_HEADER, [])
    return len(given) == 1 and hmac.compare_digest(given[0].encode("utf-8", "surrogateescape"), secret.encode())


def _unfit(request: web.Request, paths: Collection[str]) -> int:
    """Return with which status a request is refused by its head alone, 0 for one that may be Telegram's."""
    if request.method != "POST":
        return 405
    if request.path not in paths:
        return 404
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        return 415
    return 413 if (request.content_length or 0) > MAX_BODY_BYTES else 0


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_UPDATE


def _refused(status: int) -> web.Response:
    """Return a refusal; what still comes of the request is not waited for."""
    answer = web.Response(status=status)
    answer.force_close()
    return answer
