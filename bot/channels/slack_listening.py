"""How Slack reaches the bot: bolt's app, and the signed requests that are posted to it (a socket of the bot's own: `slack_socket`).

Owns who may post: signatures, how old, how large, how slow. Leaves to `take` what a payload says: nothing is acknowledged before
`take` has returned.

    async with posted(host, port, path, app) as port: ...

Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier

from bot.channels.posting import CannotListenError, Patience, hosted
from bot.errors import ChannelError
from bot.locale import phrases
from bot.logs import Logger

_ = phrases(__file__)
log = Logger(__name__)

MAX_BODY_BYTES: Final = 1024 * 1024
BODY_S: Final = 2.5
"""Slack waits 3 s for an answer."""
NONSENSE: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What bolt raises at a payload that is none of Slack's, where it does not answer it with BROKEN."""
BROKEN: Final = 500
LEFT_OUT: Final = 400
Take = Callable[[Mapping[str, object]], Awaitable[int]]


def application(take: Take) -> AsyncApp:
    """Return a bolt app that hands every payload to `take` before it is acknowledged. Signatures are verified in `posted`."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=None)

    quiet = logging.getLogger("slack_bolt.quiet")
    quiet.setLevel(logging.CRITICAL)
    app = AsyncApp(
        logger=quiet,
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,  # it breaks on a malformed time or signature, with 500
        ignoring_self_events_enabled=False,  # `slack_incoming` knows the bot in every workspace
    )

    @app.middleware
    async def hand_over(body: Mapping[str, object]) -> BoltResponse:
        return BoltResponse(status=await take(body), body="")

    return app


@asynccontextmanager
async def posted(host: str, port: int, path: str, app: AsyncApp, *, signing_secret: str) -> AsyncIterator[int]:
    """Listen for Slack's requests while the context lasts; give the port. Raises ChannelError where the port cannot be had."""
    patience, verifier = Patience(), SignatureVerifier(signing_secret)

    async def handle(request: web.Request) -> web.Response:
        if request.method != "POST" or request.path not in {path, "/"}:
            return web.Response(status=405 if request.method != "POST" else 404)
        if (request.content_length or 0) > MAX_BODY_BYTES:
            return web.Response(status=413)
        try:
            async with asyncio.timeout(BODY_S):
                said = await request.read()
        except TimeoutError:
            return web.Response(status=408)
        if not _signed(verifier, said, request.headers):
            return web.Response(status=401)
        with patience.at_work(request.protocol):
            return await _dispatched(app, said, request)

    try:
        async with hosted(handle, host, port, patience, most_bytes=MAX_BODY_BYTES) as taken:
            yield taken
    except CannotListenError as error:
        sentence = _(
            "Slack's requests cannot be listened for on {host}:{port} ({reason}). Set slack.events_port to a free port.",
            host=host,
            port=port,
            reason=error.reason,
        )
        raise ChannelError(sentence) from error


def _signed(verifier: SignatureVerifier, body: bytes, headers: Mapping[str, str]) -> bool:
    """Say whether Slack signed it within the last five minutes. What cannot even be read is a bad signature."""
    try:
        return verifier.is_valid_request(body, dict(headers))
    except (ArithmeticError, TypeError, ValueError):
        return False


async def _dispatched(app: AsyncApp, body: bytes, request: web.Request) -> web.Response:
    headers: dict[str, str | Sequence[str]] = {name: [value] for name, value in request.headers.items()}
    try:
        asked = AsyncBoltRequest(body=body.decode(), query=request.query_string, headers=headers)
        answer = await app.async_dispatch(asked)
        if answer.status != BROKEN:
            return await to_aiohttp_response(answer)
        why = "bolt cannot read it"
    except NONSENSE as error:
        why = type(error).__name__
    log.warning("what was posted with Slack's signature is nothing that is known, and is left out", why=why)
    return web.Response(status=LEFT_OUT)
