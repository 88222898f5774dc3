"""What the bot shows beside its answers in Matrix: that it has read, that it types or works, the reactions that are its buttons.

Owns that nothing waits for a sign, and that a homeserver which limits the account is asked for none that can be done without: there an
answer counts more. Leaves to `matrix_sending` how an event is sent.

Sources: https://spec.matrix.org/v1.11/client-server-api/#receipts, https://spec.matrix.org/v1.11/client-server-api/#typing-notifications
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Final

from bot.channels.beside import Beside, patiently
from bot.channels.matrix_incoming import THUMBS
from bot.channels.matrix_outgoing import Key
from bot.channels.matrix_rooms import Rooms
from bot.channels.matrix_sending import MOST_REACTIONS, Sending, fresh
from bot.channels.matrix_wire import Wire, path
from bot.errors import ChannelError
from bot.logs import Logger
from bot.message import Address
from bot.recent import Recent

log = Logger(__name__)

SEEN: Final = "👀"
SEEN_AFTER_S: Final = 1.0
"""What is answered sooner needs no sign that it is worked on."""
TYPING_MS: Final = 7000
MOST_UNDER_WAY: Final = 256
MOST_SHOWN: Final = 4096
"""Events whose buttons are remembered; of an older one the homeserver is asked."""


class Signs:
    """The signs of one account."""

    def __init__(self, wire: Wire, rooms: Rooms) -> None:
        """Send over `wire`; `sending` is given before the first sign."""
        self.sending: Sending
        self._wire = wire
        self._rooms = rooms
        self._beside: Beside[None] = Beside(most=MOST_UNDER_WAY)
        self._seen: Recent[tuple[str, str], asyncio.TimerHandle | str] = Recent(most=MOST_SHOWN)
        self._typing: set[str] = set()
        self._offered: Recent[str, dict[str, str]] = Recent(most=MOST_SHOWN)
        """The bot's reactions below each event, by their emoji."""
        self.keys: Recent[str, dict[str, str]] = Recent(most=MOST_SHOWN)
        """The tokens of the buttons that events show, by the names of their keys."""
        self.last: Recent[str, str] = Recent(most=MOST_SHOWN)
        """The last event in each room that shows buttons."""

    def shown(self, room: str, event: str, keys: Sequence[Key]) -> None:
        """Remember what an event shows, put the reactions below it, and take away those of what it showed before."""
        self.know(room, event, {key.name: key.token for key in keys})
        kept = {key.emoji for key in keys}
        for emoji in [one for one in self._offered.get(event, ()) if one not in kept]:
            gone = self._offered[event].pop(emoji)
            self.beside(lambda gone=gone: self.sending.take_back(room, gone, fresh()))  # type: ignore[misc]
        if keys and not self._wire.limited:
            self.beside(lambda: self._offer(room, event, keys))

    def know(self, room: str, event: str, tokens: dict[str, str]) -> None:
        """Remember the buttons that an event shows."""
        self.keys[event] = tokens
        if tokens:
            self.last[room] = event

    def seen(self, room: str, event: str) -> None:
        """Show by a reaction that a message is worked on, where that takes a while."""
        if not self._wire.limited:
            handle = asyncio.get_running_loop().call_later(SEEN_AFTER_S, self.beside, lambda: self._look(room, event))
            self._seen[room, event] = handle

    def answered(self, room: str, event: str) -> None:
        """Take the reaction away again, and the typing."""
        if room in self._typing:
            self._typing.discard(room)
            self.beside(lambda: self._type(room, on=False))
        sign = self._seen.pop((room, event), "")
        if isinstance(sign, asyncio.TimerHandle):
            sign.cancel()
        elif sign:
            self.beside(lambda: self.sending.take_back(room, sign, fresh()))

    def read(self, room: str, event: str) -> None:
        """Show how far the room was read."""
        self.beside(lambda: self._receipt(room, event))

    async def type(self, room: str) -> None:
        """Show for some seconds that an answer is worked on; never raises."""
        self._typing.add(room)
        with suppress(ChannelError):
            await self._type(room, on=True)

    def say(self, text: str, to: Address) -> None:
        """Say something beside the outbox."""
        key = fresh()
        self.beside(lambda: patiently(lambda: self.sending.say(text, to, key=key)))

    def beside(self, work: Callable[[], Coroutine[object, object, None]]) -> bool:
        """Do what nothing waits for; return whether it is done: too much of it is left."""
        return self._beside.start(lambda: _quiet(work())) is not None

    async def finish(self, *, within_s: float) -> None:
        """Wait for what is under way, and end the rest."""
        for sign in self._seen.values():
            if isinstance(sign, asyncio.TimerHandle):
                sign.cancel()
        await self._beside.finish(within_s=within_s)

    async def _look(self, room: str, event: str) -> None:
        if (room, event) not in self._seen:
            return
        reaction = await self.sending.react(room, event, SEEN, fresh())
        if (room, event) in self._seen:
            self._seen[room, event] = reaction
        else:  # answered meanwhile
            await self.sending.take_back(room, reaction, fresh())

    async def _offer(self, room: str, event: str, keys: Sequence[Key]) -> None:
        offered = self._offered.setdefault(event, {})
        for key in keys[:MOST_REACTIONS]:
            if key.emoji and key.name not in THUMBS and key.emoji not in offered and self._stands(event, key):
                offered[key.emoji] = reaction = await self.sending.react(room, event, key.emoji, fresh())
                if not self._stands(event, key):  # it was answered meanwhile
                    del offered[key.emoji]
                    await self.sending.take_back(room, reaction, fresh())

    def _stands(self, event: str, key: Key) -> bool:
        return key.name in self.keys.get(event, {})

    async def _type(self, room: str, *, on: bool) -> None:
        said = {"typing": True, "timeout": TYPING_MS} if on else {"typing": False}
        await self._wire.call("PUT", path("v3", "rooms", room, "typing", self._rooms.me.user), said=said, wait_for="typing")

    async def _receipt(self, room: str, event: str) -> None:
        await self._wire.call("POST", path("v3", "rooms", room, "receipt", "m.read", event), said={}, wait_for="receipt")


async def _quiet(work: Coroutine[object, object, None]) -> None:
    try:
        await work
    except ChannelError as error:  # a sign that is missing harms nobody
        log.info("a sign was not shown", why=str(error))
