"""The way in: what a channel hands over is cleaned, committed to the inbox, and given to the worker.

Owns: what is wanted at all, the meaning of a pressed button, and the language to answer in. Leaves to the channel: the
platform; to `bot.worker`: everything after the commit.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from bot import lazy
from bot.channels.channel import Taken
from bot.company import CANCEL
from bot.language import NAMING, detect, of_order
from bot.locale import Language, phrases
from bot.message import DOWN, PRIVATELY, UP, Address, Button, Command, Message, Position, Press, Reply
from bot.passage import Scope
from bot.recent import Recent
from bot.store.inbox import Coming, Refused

if TYPE_CHECKING:
    from bot.crowd import Crowd
    from bot.front_door import FrontDoor
    from bot.linking import Linking
    from bot.store.blobs import BlobStore
    from bot.store.chats import Chats
    from bot.store.inbox import Inbox, Waiting
    from bot.store.moving import Moves
    from bot.store.outbox import Parcel

_ = phrases(__file__)
_LetIn: TypeAlias = "Callable[[Message], Awaitable[int | None]]"

PASSED_OVER = 64
"""Albums and cut texts not meant for the bot of which a later part may be: held in memory alone, the oldest forgotten first."""
THUMBS = 4096
"""Thumbs that are remembered as counted; the oldest are forgotten first."""
_OF_NO_LANGUAGE = lazy.compile(
    rf"\A\s*/(?:{'|'.join(sorted(NAMING))})\b.*|\A\s*/[A-Za-z]\S*|(?<![a-z0-9+.-])[a-z0-9+.-]*+://\S+", re.IGNORECASE | re.DOTALL
)
"""A command's name at the beginning, an admin's with the names after it, and links: they are the same in every language."""


class Reception:
    """Keeps `bot.channels.channel.Intake`."""

    def __init__(  # noqa: PLR0913 - everything that comes in passes here
        self,
        inbox: Inbox,
        chats: Chats,
        blobs: BlobStore,
        moves: Moves,
        *,
        arrived: Callable[[Waiting], None],
        stop: Callable[[int], bool],
        default: Language,
        text_bytes: int,
        members_changed: Callable[[Scope, str], None] = lambda _scope, _person: None,
        refused: Callable[[Press, Command], Awaitable[None]] | None = None,
        complained: Callable[[str, str], None] = lambda _slot, _answer: None,
        rated: Callable[[str, str], None] = lambda _channel, _thumb: None,
        door: FrontDoor | None = None,
        crowd: Crowd | None = None,
        not_taken: Callable[[Message, Sequence[Parcel]], None] = lambda _message, _parcels: None,
        removed: Callable[[Address, str], Awaitable[None]] | None = None,
        offered: Callable[[Address, str], Awaitable[Sequence[Button]]] | None = None,
        linking: Linking | None = None,
        foresee: Callable[[Message], None] = lambda _message: None,
    ) -> None:
        """Give `arrived` what was committed; `stop(number)` ends the work on a message and says whether there was any.

        Answer in `default` where nothing else tells; keep texts of up to `text_bytes`. `members_changed(group, person)` is told
        who came or left, "" for everybody; `refused(press, command)` of a press on a button that was somebody else's;
        `complained(slot, answer)` that an answer of the slot's model was called bad; `rated(channel, thumb)` of every thumb, "up" or
        "down". `door` says who may talk; None: everybody.
        `crowd` says when no more is taken (None: never); `not_taken(message, parcels)` is told of each, and what is to be sent.
        `removed(chat, id)` forgets a message that its writer took back; `offered(chat, person)` finds the buttons that they were shown last.
        `linking` takes orders that are written down nowhere; `foresee(message)` is told of what will be answered before it is written down.
        """
        self._inbox = inbox
        self._chats = chats
        self._blobs = blobs
        self._moves = moves
        self._arrived = arrived
        self._stop = stop
        self._default = default
        self._text_bytes = text_bytes
        self._members_changed = members_changed
        self._refused = refused
        self._complained = complained
        self._door = door
        self._crowd = crowd
        self._not_taken = not_taken
        self._removed = removed
        self._rated = rated
        self._linking = linking
        self._foresee = foresee
        self._thumbs: Recent[str, None] = Recent(most=THUMBS)
        self._offered = offered or _none
        self._passed_over: Recent[tuple[Address, str], tuple[Message, ...]] = Recent(most=PASSED_OVER)

    async def accept(self, item: Message | Press) -> Taken:
        """Commit `item`; see the contract."""
        return await self._accept(item, self._let_in)

    async def accept_all(self, items: Sequence[Message | Press], *, read_to: Position) -> Sequence[Taken]:
        """Commit `items` in one transaction with `read_to`; see the contract."""
        coming: list[Coming | Refused] = []
        places: list[int | None] = []
        taken = []

        async def let_in(message: Message) -> int:
            coming.append(self._coming(message))
            return len(coming) - 1

        try:
            for item in items:
                places.append(len(coming))
                taken.append(await self._accept(item, let_in))
            numbers = await self._inbox.accept_all(coming, read_to=read_to)
        finally:
            self._expect(-sum(isinstance(one, Coming) for one in coming))
        known = {place for place, number in enumerate(numbers) if number is None}
        return [replace(one, fresh=one.fresh and place not in known) for one, place in zip(taken, places, strict=True)]

    async def position(self, channel: str, account: str) -> str:
        """Return how far the account was read; see the contract."""
        return await self._inbox.position(channel, account)

    async def _accept(self, item: Message | Press, let_in: _LetIn) -> Taken:
        if self._door is not None and (turned_away := await self._door.turn_away(item)) is not None:
            return turned_away
        if isinstance(item, Press):
            return await self._pressed(item, let_in)
        if self._linking is not None and (said := await self._linking.said(item)) is not None:
            return Taken(fresh=False, note=said)
        return Taken(fresh=await self._commit(item, let_in) is not None)

    async def commit(self, message: Message) -> int | None:
        """Commit `message` and return its number in the inbox, None for what is there already or is not wanted."""
        return await self._commit(message, self._let_in)

    async def _commit(self, message: Message, let_in: _LetIn) -> int | None:
        message = await self._moves.current(message)
        if not await self._wanted(message):
            if message.version and await self._inbox.overheard(message):  # kept while its chat was indexed, and taken back now
                await self.removed(message.address, message.id)
            return None
        number = await let_in(self._clean(message))
        for earlier in self._passed_over.pop((message.address, message.part_of), ()):
            await let_in(self._clean(earlier))
        return number

    async def _let_in(self, message: Message) -> int | None:
        coming = self._coming(message)
        try:
            return (await self._inbox.accept_all([coming]))[0]
        finally:
            self._expect(-isinstance(coming, Coming))

    def _coming(self, message: Message) -> Coming | Refused:
        """Return it as what is to be answered, expected from now on, or, where too much waits, as what is not taken."""
        refusal = self._crowd.refusal(message) if self._crowd is not None else None
        if refusal is None:
            self._foresee(message)
            self._expect(1)
            return Coming(message, then=self._arrived)
        told = refusal.said.markdown(message.language) if refusal.said is not None else ""
        reply = Reply(told, message.language, reply_to=message.id) if told else None
        return Refused(message, reply, then=partial(self._not_taken, message))

    def _expect(self, more: int) -> None:
        if self._crowd is not None:
            self._crowd.coming += more

    async def language(self, address: Address, text: str, platform_language: str) -> Language:
        """Return what `/lang` settled, else the text's language, else the platform's, else the default."""
        settled = (await self._chats.settings(await self._moves.place(address))).language
        return settled or of_order(text) or detect(_OF_NO_LANGUAGE.sub("", text)) or _platform(platform_language) or self._default

    def keep(self, data: bytes) -> str:
        """Put bytes into the blob store; return their sha256."""
        return self._blobs.keep(data)

    async def moved(self, old: Address, new: Address) -> None:
        """Carry all that is kept of the chat `old` over to `new`; see the contract."""
        await self._moves.move(old, new)
        self.members_changed(old)
        self.members_changed(new)

    async def offered(self, address: Address, person: str) -> Sequence[Button]:
        """Return the buttons under the last answer to `person` in the chat; see the contract."""
        return await self._offered(await self._moves.place(address), person)

    async def joined(self, group: Address, by: str, language: Language) -> str:
        """Let in the group where an admin put the bot into it; see the contract."""
        return await self._door.joined(await self._moves.place(group), by, language) if self._door is not None else ""

    async def removed(self, address: Address, message: str) -> None:
        """Forget the message; see the contract."""
        if self._removed is not None:
            await self._removed(await self._moves.place(address), message)

    def members_changed(self, group: Address, person: str = "") -> None:
        """Have asked anew who is in `group`; see the contract."""
        self._members_changed(Scope.of(group), person)

    async def _pressed(self, press: Press, let_in: _LetIn) -> Taken:
        order = await self._chats.order(press.token)
        if order is None or order.expires_at < datetime.now(UTC) or order.about.address.channel != press.address.channel:
            return Taken(fresh=False, note=_("This button has expired. Please ask again.").to(press.language))
        here = await self._moves.place(press.address)
        asked_as_the_group = here.kind == "group" and order.owner == here.chat  # by an anonymous admin
        if order.owner != press.sender and not asked_as_the_group:
            if self._refused is not None:
                await self._refused(press, order.command)
            return Taken(fresh=False, note=_("This button belongs to somebody else's question.").to(press.language))
        if order.command.name == CANCEL:
            return self._cancelled(press, order.command)
        if order.command.name in {UP, DOWN}:
            return self._thumbed(press, order.command, order.about)
        command, note = order.command, ""
        if command.args == PRIVATELY:
            if press.alone is None or (self._door is not None and not await self._door.admits(press.alone, press.sender)):
                return Taken(fresh=False, note=_("I may not write to you privately here.").to(press.language))
            here, command, note = press.alone, replace(command, args=""), _("I answer you in our own chat.").to(press.language)
        message = Message(
            _with_thread(here, order.about.address), press.sender, f"press:{press.id}", "", press.language, press.sent_at,
            sender_name=order.about.sender_name, reply_to=order.about, command=command,
        )  # fmt: skip
        return Taken(fresh=await self._commit(message, let_in) is not None, note=note)

    def _thumbed(self, press: Press, command: Command, about: Message) -> Taken:
        """Take a person's word on an answer: the same thumb under the same answer counts once."""
        if press.token not in self._thumbs:
            self._rated(press.address.channel, command.name)
            self._thumbs[press.token] = None
        if command.name == DOWN and command.args:
            self._complained(command.args, f"{about.address} {about.id}")
            return Taken(fresh=False, note=_("Thank you. It counts against the new model.").to(press.language))
        return Taken(fresh=False, note=_("Thank you.").to(press.language))

    def _cancelled(self, press: Press, command: Command) -> Taken:
        """End the work at once: an order in the inbox would wait behind it."""
        stopped = command.args.isdecimal() and self._stop(int(command.args))
        note = _("I am stopping it.") if stopped else _("There is nothing to stop any more.")
        return Taken(fresh=False, note=note.to(press.language))

    async def _wanted(self, message: Message) -> bool:
        """Say whether it is for the bot, or kept; a part that is not may be one of something that is, as told by a later one."""
        if message.addressed or (await self._chats.settings(message.address)).indexing:
            return True
        if not message.part_of:
            return False
        if await self._inbox.wants(message):
            return True
        key = message.address, message.part_of
        self._passed_over[key] = (*self._passed_over.get(key, ()), message)
        return False

    def _clean(self, message: Message) -> Message:
        """Return the message with a text that every part of the bot can hold: no NUL, no lone surrogate, not over the limit."""
        text = clean(message.text)
        if len(text) > self._text_bytes:
            text = text[: self._text_bytes + 1]
        quoted = self._clean(message.reply_to) if message.reply_to else None
        return replace(message, text=text, reply_to=quoted, sender_name=clean(message.sender_name))


def _with_thread(here: Address, asked: Address) -> Address:
    """Return where a button was pressed, in the thread where it was asked for: of an old message a platform tells no thread."""
    untold = not here.thread or asked.thread.startswith(f"{here.thread} ")  # Matrix names a direct chat's room before its thread
    return replace(here, thread=asked.thread) if untold and here.chat == asked.chat else here


async def _none(_address: Address, _person: str) -> Sequence[Button]:
    return ()


def clean(text: str) -> str:
    """Return `text` without NUL and with U+FFFD in the place of lone surrogates."""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _platform(tag: str) -> Language | None:
    head = tag.lower().partition("-")[0]
    return "ko" if head == "ko" else "en" if head == "en" else None
