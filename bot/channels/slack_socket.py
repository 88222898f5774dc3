"""Socket Mode: the socket that the bot opens, its envelopes, and when the next one is opened.

Owns the sockets. Leaves what an envelope says to bolt's app; nothing is acknowledged before that is through, and what is acknowledged is
so on the socket on which it came. slack_sdk's own client is not used: it asks for ten seconds the same expired address, says nothing of a
refused token, and ends the old socket before the new one stands.

    await over_a_socket(app, wire, session, pulse, backoff)     # until cancelled

Source: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Final

import aiohttp
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.channels.backoff import SETTLED_S, SLACK_S, Backoff
from bot.channels.slack_listening import BROKEN, NONSENSE
from bot.channels.slack_wire import Wire
from bot.config import MEBIBYTE
from bot.errors import ChannelError, RetryLaterError
from bot.locale import phrases
from bot.logs import Logger
from bot.pulse import Pulse

_ = phrases(__file__)
log = Logger(__name__)

HEARTBEAT_S: Final = 10.0
BEAT_S: Final = 1.0
OPENED_S: Final = 15.0
"""How long Slack may take to open a socket, and to say hello on it."""
LEAVING_S: Final = 30.0
"""How long a socket of which Slack said that it ends is still read, beside the next one."""
MOST_SOCKETS: Final = 4
LONGEST_WAIT_S: Final = 60.0
MOST_BYTES: Final = 4 * MEBIBYTE
MOST_AT_ONCE: Final = 256
ACKNOWLEDGED: Final = 200


async def over_a_socket(app: AsyncApp, wire: Wire, session: aiohttp.ClientSession, pulse: Pulse, backoff: Backoff) -> None:
    """Take in until cancelled. What Slack refuses is told in the log, and asked for again ever later."""
    said, open_now, clock = "", list[asyncio.Task[None]](), asyncio.get_running_loop().time
    try:
        while True:
            socket, begun = Socket(app, pulse), clock()
            reading = asyncio.create_task(socket.read(wire, session))
            ending = asyncio.create_task(socket.ends.wait())
            open_now = [*(one for one in open_now if not one.done()), reading]
            for one in open_now[:-MOST_SOCKETS]:
                one.cancel()
            await asyncio.wait([reading, ending], return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            if socket.said_hello and clock() - begun >= SETTLED_S:
                backoff.succeeded()
                said = ""
            error = reading.exception() if reading.done() else None
            if isinstance(error, ChannelError) and str(error) != said:
                said = str(error)
                log.warning("Slack gives no socket; it is asked for again, ever later", why=said)
            elif error is not None and not isinstance(error, ChannelError | aiohttp.ClientError | OSError | ValueError):
                raise error
            wait_s = error.retry_after_s if isinstance(error, RetryLaterError) else 0.0
            await backoff.wait(wait_s, most_s=LONGEST_WAIT_S)
    finally:
        for one in open_now:
            one.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)


class Socket:
    """One socket, from its opening to its end."""

    def __init__(self, app: AsyncApp, pulse: Pulse) -> None:
        """Hand what comes to `app`; tell `pulse` that Slack is there."""
        self._app = app
        self._pulse = pulse
        self._at_work: set[asyncio.Task[None]] = set()
        self.ends = asyncio.Event()
        """Set once Slack said that this socket ends soon: the next one is to be opened."""
        self.said_hello = False

    async def read(self, wire: Wire, session: aiohttp.ClientSession) -> None:
        """Open it, and read until it ends. Raises ChannelError where Slack gives none, and as aiohttp."""
        self._pulse.due(OPENED_S + SLACK_S)
        async with asyncio.timeout(OPENED_S):
            url = (await wire.call("apps.connections.open")).get("url")
            if not isinstance(url, str) or not wire.opens(url):
                raise RetryLaterError(_("Slack did not answer. It is tried again by itself."), retry_after_s=1.0)
            opened = await session.ws_connect(url, heartbeat=HEARTBEAT_S, max_msg_size=MOST_BYTES)
        beating: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(OPENED_S):
                self.said_hello = _read(await opened.receive()).get("type") == "hello"
            if self.said_hello:
                beating = asyncio.create_task(self._beat())
                await self._frames(opened)
        finally:
            if beating is not None:
                beating.cancel()
            for one in self._at_work:  # what is not acknowledged is told again
                one.cancel()
            await opened.close()

    async def _frames(self, opened: aiohttp.ClientWebSocketResponse) -> None:
        until = asyncio.timeout(None)
        with suppress(TimeoutError):
            async with until:
                while True:
                    frame = await opened.receive()
                    if frame.type is not aiohttp.WSMsgType.TEXT:
                        return
                    said = _read(frame)
                    if said.get("type") == "disconnect":
                        self.ends.set()
                        until.reschedule(asyncio.get_running_loop().time() + LEAVING_S)
                        continue
                    while len(self._at_work) >= MOST_AT_ONCE:
                        await asyncio.wait(self._at_work, return_when=asyncio.FIRST_COMPLETED)
                    task = asyncio.create_task(self._take(said, opened))
                    self._at_work.add(task)
                    task.add_done_callback(self._at_work.discard)

    async def _take(self, said: dict[str, object], opened: aiohttp.ClientWebSocketResponse) -> None:
        """Hand over what an envelope holds, and acknowledge it once that is through; what is none is passed over."""
        envelope, payload = said.get("envelope_id"), said.get("payload")
        if not isinstance(envelope, str) or not isinstance(payload, dict):
            return
        try:
            answer = await run_async_bolt_app(self._app, SocketModeRequest(str(said.get("type")), envelope, payload))
        except NONSENSE as error:
            log.warning("what Slack told is nothing that is known, and is left out", why=type(error).__name__)
            return
        if answer.status == BROKEN:
            log.warning("what Slack told is nothing that is known, and is left out", why="bolt cannot read it")
        if answer.status == ACKNOWLEDGED:
            with suppress(aiohttp.ClientError, OSError):
                await opened.send_json({"envelope_id": envelope})

    async def _beat(self) -> None:
        while True:
            self._pulse.reached()
            self._pulse.due(BEAT_S + SLACK_S)
            await asyncio.sleep(BEAT_S)


def _read(frame: aiohttp.WSMessage) -> dict[str, object]:
    """Return the JSON object that a frame holds, {} for anything else."""
    try:
        said = json.loads(frame.data) if frame.type is aiohttp.WSMsgType.TEXT else None
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
