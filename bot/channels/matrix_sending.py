"""Sending to Matrix: one event after the other, each under a transaction id of its own, and nothing twice.

Owns the ids: a PUT that is repeated with the same one gives back the event that it made the first time, so that a send whose fate is
unknown is simply done again. Leaves waiting to the outbox, looks to `matrix_outgoing`, the line to `matrix_wire`, ciphers to the seal.

A homeserver knows an id by device and token, and for a while: Synapse for a day and more (it is forgotten some 24 h after the send). An
answer that is repeated later than that, after a day in which the homeserver or the bot was away, may be seen twice.

Source: https://spec.matrix.org/v1.11/client-server-api/#transaction-identifiers
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from bot.channels.matrix_outgoing import Key, Part, plain, render
from bot.channels.matrix_rooms import Json, Rooms, is_id, text_of
from bot.channels.matrix_sealing import Seal
from bot.channels.matrix_wire import RefusedError, Wire, closed, path, unreached
from bot.channels.rich_split import shorten
from bot.errors import ChannelError
from bot.locale import phrases
from bot.logs import Logger
from bot.message import Address, Picture, Reply
from bot.recent import Recent
from bot.skill import Blobs

_ = phrases(__file__)
log = Logger(__name__)

KEPT: Final = 4096
MOST_REACTIONS: Final = 5
"""That the bot puts below an answer for people to press; further buttons are pressed by writing `!6`."""
FALLBACK_UNITS: Final = 500
"""Of an edit for clients that show none."""
WentOut = Callable[[Sequence[str]], Awaitable[None]]
Shown = Callable[[str, str, Sequence[Key]], None]


class Sending:
    """Sends and edits as one account."""

    def __init__(
        self, wire: Wire, rooms: Rooms, seal: Seal, blobs: Blobs, *, shown: Shown = lambda _room, _event, _keys: None
    ) -> None:
        """Send over `wire`; `shown(room, event, keys)` is told of each event that shows buttons, and of each that shows none any more."""
        self._wire = wire
        self._rooms = rooms
        self._seal = seal
        self._blobs = blobs
        self._shown = shown
        self._files: Recent[str, Json] = Recent(most=KEPT)
        self.askers: Recent[str, str] = Recent(most=KEPT)
        """Who wrote the messages that are answered, by their ids: they are called in a room, so that they are told of the answer."""

    async def send(
        self, reply: Reply, to: Address, key: str, *, sent: Sequence[str] = (), went_out: WentOut | None = None
    ) -> str:
        """Send the parts after those in `sent`; return the id of the first event. Raises as `Channel.send`."""
        room, thread = await self._place(to)
        parts, shown = _rendered(reply), list(sent)
        for number in range(len(shown), len(parts)):
            related = self._related(reply, to, thread, first=number == 0)
            shown.append(await self._part(room, parts[number], related, _named(key, number, reply, to)))
            if went_out is not None and number < len(parts) - 1:
                await went_out(shown)
        return shown[0]

    async def edit(
        self, event: str, reply: Reply, to: Address, key: str, *, sent: Sequence[str] = (), went_out: WentOut | None = None
    ) -> str:
        """Make `event` show the first part and send the rest; return its id. Raises as `Channel.send`."""
        room, _thread = await self._place(to)
        parts = _rendered(reply)
        stands_in = to.thread.partition(" ")[0]
        if to.kind == "direct" and stands_in and room != stands_in:  # others have come to where the status stands
            return await self.send(reply, to, key, sent=sent, went_out=went_out)
        if parts[0].picture is not None:
            shown = await self.send(reply, to, key, sent=sent, went_out=went_out)
            with suppress(ChannelError):  # a status message that stays beside its answer harms nobody
                await self.take_back(room, event, f"{_named(key, 0, reply, to)}.gone")
            return shown
        if not sent:
            await self._replaced(room, event, parts[0], _named(key, 0, reply, to))
            sent = (event,)
            if went_out is not None and len(parts) > 1:
                await went_out(sent)
        return await self.send(reply, to, key, sent=sent, went_out=went_out)

    async def say(self, text: str, to: Address, *, key: str = "") -> str:
        """Say a few words beside the outbox, as a notice: other bots answer none. Raises as `send`."""
        room, thread = await self._place(to)
        related = {"m.relates_to": _threaded(thread, "")} if thread else {}
        return await self.put(room, "m.room.message", plain(text) | related, key or fresh())

    async def react(self, room: str, event: str, emoji: str, key: str) -> str:
        """Put a reaction below an event; return its id. Raises as `put`."""
        content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": event, "key": emoji}}
        return await self.put(room, "m.reaction", content, key)

    async def take_back(self, room: str, event: str, key: str) -> None:
        """Redact an event of the bot's own. Raises as `put`."""
        await self._called(path("v3", "rooms", room, "redact", event, key), {})

    async def put(self, room: str, kind: str, content: Json, key: str) -> str:
        """Send an event once a `key`, sealed where the room is; return its id.

        Raises:
            RetryLaterError: it is to be sent again, with the same key.
            GoneError, ChannelError: refused.
        """
        sealed_kind, sealed = await self._seal.sealed(room, kind, content)
        return await self._called(path("v3", "rooms", room, "send", sealed_kind, key), sealed)

    async def _called(self, where: str, content: Json) -> str:
        try:
            event = text_of(await self._wire.call("PUT", where, said=content, wait_for="send"), "event_id")
        except RefusedError as error:
            raise closed(error) from None
        if not event:
            raise unreached()
        return event

    async def _part(self, room: str, part: Part, related: Json, name: str) -> str:
        content = part.content if part.picture is None else await self._with_picture(room, part.content, part.picture, name)
        event = await self.put(room, "m.room.message", {**content, **related}, name)
        if part.keys:
            self._shown(room, event, part.keys)
        return event

    async def _replaced(self, room: str, event: str, part: Part, name: str) -> None:
        whole = dict(part.content)
        content = {
            "msgtype": whole["msgtype"], "body": f"* {shorten(str(whole['body']), FALLBACK_UNITS)}", "m.mentions": {},
            "m.new_content": whole, "m.relates_to": {"rel_type": "m.replace", "event_id": event},
        }  # fmt: skip
        content |= {name: value for name, value in whole.items() if "." in name}  # the bot's own mark
        await self.put(room, "m.room.message", content, name)
        self._shown(room, event, part.keys)

    async def _with_picture(self, room: str, content: Json, picture: Picture, name: str) -> Json:
        """Return the content with the picture's address; it is uploaded once a name."""
        if name not in self._files:
            try:
                data = await asyncio.to_thread(self._blobs.path(picture.blob).read_bytes)
            except OSError as error:
                raise ChannelError(_("The picture of this answer is gone. Its text was kept; please ask again.")) from error
            sealed, file = await self._seal.sealed_file(room, data)
            media_type = picture.media_type if file is None else "application/octet-stream"
            address = await self._wire.upload(sealed, name=str(content["filename"]), media_type=media_type)
            self._files[name] = {"url": address} if file is None else {"file": {**file, "url": address}}
        return {**content, **self._files[name]}

    def _related(self, reply: Reply, to: Address, thread: str, *, first: bool) -> Json:
        """Return what an answer relates to: in a room it quotes what it answers and calls who asked."""
        asked = reply.reply_to if first and to.kind == "group" and is_id(reply.reply_to, "$") else ""
        related: dict[str, object] = {}
        if thread:
            related["m.relates_to"] = _threaded(thread, asked)
        elif asked:
            related["m.relates_to"] = {"m.in_reply_to": {"event_id": asked}}
        if asked in self.askers:
            related["m.mentions"] = {"user_ids": [self.askers[asked]]}
        return related

    async def _place(self, to: Address) -> tuple[str, str]:
        try:
            return await self._rooms.place(to)
        except RefusedError as error:
            raise closed(error) from None


def fresh() -> str:
    """Return a transaction id for what is sent once and never again."""
    return secrets.token_urlsafe(12)


def _threaded(thread: str, asked: str) -> Json:
    """Return the relation of what is said in a thread.

    Source: https://spec.matrix.org/v1.11/client-server-api/#threading
    """
    return {
        "rel_type": "m.thread",
        "event_id": thread,
        "is_falling_back": not asked,
        "m.in_reply_to": {"event_id": asked or thread},
    }


def _named(key: str, number: int, reply: Reply, to: Address) -> str:
    """Return a part's transaction id. The outbox counts anew in another home; what is answered, or else said, and where, tells the two apart."""
    about = f"{to.chat} {to.thread} {reply.reply_to or reply.text}"
    told_apart = hashlib.sha256(about.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.{number}.{told_apart}"


def _rendered(reply: Reply) -> list[Part]:
    parts = render(reply)
    if not parts:
        raise ChannelError(_("The answer was empty, and Matrix shows no empty message. Please ask in other words."))
    return parts
