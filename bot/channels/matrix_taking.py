"""What is done with what a Matrix sync tells: read in order, and committed in one transaction with the position that it was told up to.

Owns what has to be asked about an event: what it quotes, whose message it edits, which button it presses. Leaves to `matrix_timelines` what
a homeserver leaves out, to `matrix_incoming` what an event says, to the intake who may talk to the bot, to the seal the ciphers.

    await taking.take(sync, since)

Whatever is no event of the specification's form is passed over: rooms are open to every homeserver, and the loop must outlive them all.
What cannot be asked for a moment has the whole sync told again, TRIES times; then it is done without.

Source: https://spec.matrix.org/v1.11/client-server-api/#syncing
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from bot.channels.channel import Intake, Taken
from bot.channels.incoming import telling_words
from bot.channels.matrix_doors import Doors
from bot.channels.matrix_incoming import MARK, SAID, THUMBS, attachments, chosen, of_message, pressed, relation, sent_at
from bot.channels.matrix_odd import oddity, passed_over, strays, type_of
from bot.channels.matrix_outgoing import tokens_of
from bot.channels.matrix_rooms import CHANNEL, Json, Rooms, dict_of, dicts_in, is_id, listed, text_of
from bot.channels.matrix_sealing import Seal
from bot.channels.matrix_signs import Signs
from bot.channels.matrix_timelines import Timelines
from bot.channels.matrix_wire import Wire, asked, path
from bot.locale import phrases
from bot.logs import Logger
from bot.message import Address, Message, Position, Press
from bot.recent import Recent

_ = phrases(__file__)
log = Logger(__name__)

TRIES: Final = 3
LOOKED_BACK: Final = 50
"""Events among which the last answer with buttons is looked for."""
MOST_VERSIONS: Final = 4096
NOTE_EVERY_S: Final = 60.0
BROKEN: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_SAYS: Final = frozenset({"m.room.message", "m.sticker"})
T = TypeVar("T")
NOTHING: Final[Json] = {}


@dataclass
class _Batch:
    """What one sync brings."""

    items: list[Message | Press] = field(default_factory=list)
    removed: dict[str, tuple[Address, ...]] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)
    """Of each room the last event that says something."""
    places: dict[int, str] = field(default_factory=dict)
    """The room of each item, by its place in `items`."""
    original: dict[str, str] = field(default_factory=dict)
    """Who sent each event that it brings."""
    quiet: set[str] = field(default_factory=set)
    """The presses of which nothing is said."""
    patient: bool = True


class Taking:
    """Hands what the homeserver tells to one intake."""

    def __init__(
        self,
        intake: Intake,
        wire: Wire,
        rooms: Rooms,
        seal: Seal,
        signs: Signs,
        doors: Doors,
        *,
        commands: Callable[[], Collection[str]],
    ) -> None:
        """Take where messages go, what is asked, who greets, and the names of the commands."""
        self._intake = intake
        self._wire = wire
        self._rooms = rooms
        self._seal = seal
        self._signs = signs
        self._doors = doors
        self._commands = commands
        self._timelines = Timelines(wire, rooms)
        self._tries: tuple[str, int] = ("", 0)
        self._versions: Recent[str, int] = Recent(most=MOST_VERSIONS)
        self._edits: Recent[str, str] = Recent(most=MOST_VERSIONS)
        """The message that each edit is of: once taken back, an edit itself says so no more."""
        self._noted: dict[tuple[str, str], float] = {}

    async def take(self, sync: Json, since: str) -> None:
        """Commit what `sync` says since the position `since`, and its own position.

        Raises:
            StoreError: nothing was kept.
            RetryLaterError: nothing was kept; the homeserver is to be asked again from `since`.
        """
        self._tries = (since, self._tries[1] + 1 if self._tries[0] == since else 1)
        batch = _Batch(patient=self._tries[1] <= TRIES)
        for room, _told in dicts_in(dict_of(sync, "rooms"), "leave"):
            if is_id(room, "!"):
                self._intake.members_changed(self._rooms.group(room))
        for room, told in dicts_in(dict_of(sync, "rooms"), "join"):
            if is_id(room, "!"):
                for stray in strays(told):
                    passed_over(stray, "it is no object")
                for event in await self._timelines.of(room, told, since, patient=batch.patient):
                    await self._read(room, event, batch)
        for number, places in batch.removed.items():
            for place in places:
                await self._intake.removed(place, number)
        await self._commit(batch, text_of(sync, "next_batch"))

    async def late(self, room: str, event: Json) -> None:
        """Take in one event whose key has come after the sync that brought it; `event` is as it was said."""
        batch = _Batch(patient=False)
        await self._read(room, event, batch)
        for item in batch.items:
            spoken = await self._spoken(item)
            taken = await self._intake.accept(spoken)
            self._answer(spoken, taken.fresh, "" if item.id in batch.quiet else taken.note, room)

    async def _commit(self, batch: _Batch, at: str) -> None:
        kept = [place for place, item in enumerate(batch.items) if item.id not in batch.removed]
        items = [await self._spoken(batch.items[place]) for place in kept]
        read_to = Position(CHANNEL, self._rooms.me.account, at)
        try:
            taken = await self._intake.accept_all(items, read_to=read_to)
        except BROKEN as error:  # what no database takes, though it was looked at: the rest is not held up by it
            log.error("something that came cannot be kept; each is tried by itself", why=type(error).__name__)
            taken = [await self._alone(item) for item in items]
            await self._intake.accept_all([], read_to=read_to)
        fresh = set()
        for place, item, one in zip(kept, items, taken, strict=True):
            room = batch.places[place]
            self._answer(item, one.fresh, "" if item.id in batch.quiet else one.note, room)
            if one.fresh and (isinstance(item, Press) or item.addressed):
                fresh.add(room)
        for room in fresh:
            self._signs.read(room, batch.rooms[room])

    async def _alone(self, item: Message | Press) -> Taken:
        try:
            return await self._intake.accept(item)
        except BROKEN as error:
            log.warning("an event of a room cannot be kept, and is passed over", why=type(error).__name__)
            return Taken(fresh=False)

    def _answer(self, item: Message | Press, fresh: bool, note: str, room: str) -> None:  # noqa: FBT001 - what became of it
        if isinstance(item, Message) and fresh and item.addressed:
            self._signs.sending.askers[item.id] = item.sender
            self._signs.seen(room, item.id)
        elif note and (isinstance(item, Message) or self._may_note(item.sender, note)):
            self._signs.say(note, item.address)

    def _may_note(self, person: str, note: str) -> bool:
        """Say whether somebody is told this once more of a press: in a room all see it."""
        now = time.monotonic()
        self._noted = {told: at for told, at in self._noted.items() if now - at < NOTE_EVERY_S}
        return self._noted.setdefault((person, note), now) == now

    async def _spoken(self, item: Message | Press) -> Message | Press:
        """Return it with the language that it is to be answered in, and its sender's name."""
        words = "" if isinstance(item, Press) else telling_words(item)
        language = await self._intake.language(item.address, words, "")
        if isinstance(item, Press):
            return replace(item, language=language)
        quoted = replace(item.reply_to, language=language) if item.reply_to else None
        return replace(item, language=language, reply_to=quoted)

    # ------------------------------------------------------------------ one event

    async def _read(self, room: str, event: Json, batch: _Batch) -> None:
        try:
            await self._understood(room, event, batch)
        except BROKEN as error:
            why = type(error).__name__
            log.warning("an event of a room is nothing that is known, and is passed over", type=type_of(event), why=why)

    async def _understood(self, room: str, event: Json, batch: _Batch) -> None:
        kind, number, sender = event.get("type"), event.get("event_id"), event.get("sender")
        if not is_id(number, "$") or not is_id(sender, "@"):
            passed_over(event, oddity(event))
            return
        if kind == "m.room.encrypted":
            opened = await self._seal.opened(room, event)
            if opened is None:
                return
            event, kind = opened, opened.get("type")
        batch.original[str(number)] = str(sender)
        match kind:
            case "m.room.message" | "m.sticker":
                await self._said(room, event, batch)
            case "m.reaction":
                await self._reacted(room, event, batch)
            case "m.room.redaction":
                await self._redacted(room, event, batch)
            case "m.room.member":
                await self._came_or_left(room, event, batch)
            case _:
                passed_over(event, oddity(event))

    async def _said(self, room: str, event: Json, batch: _Batch) -> None:
        content, sender = dict_of(event, "content"), text_of(event, "sender")
        if sender == self._rooms.me.user:
            self._own(room, event)
            return
        about = relation(content)
        if about.replaces:
            await self._edited(room, event, about.replaces, batch)
            return
        at = await self._at(room, sender, batch, thread=about.thread)
        if (number := chosen(content)) and text_of(content, "msgtype") in SAID:
            await self._chosen(room, event, at, str(number), batch)
            return
        message = of_message(event, self._rooms.me, at, commands=self._commands())
        if message is None:
            passed_over(event, oddity(event))
            return
        self._add(room, text_of(event, "event_id"), await self._whole(room, message, about.replies_to, batch), batch)

    async def _whole(self, room: str, message: Message, replies_to: str, batch: _Batch) -> Message:
        """Return the message with its writer's name and what it replies to; a reply to the bot is for the bot."""
        message = replace(message, sender_name=self._rooms.name(room, message.sender))
        if not replies_to:
            return message
        quoted = await self._quoted(room, replies_to, message.address, batch)
        if quoted is None:
            return message
        return replace(message, reply_to=quoted, addressed=message.addressed or quoted.by_bot)

    async def _quoted(self, room: str, number: str, at: Address, batch: _Batch) -> Message | None:
        event = await self._event(room, number, batch)
        if event is None:
            return None
        newest = _newest(event)
        sender = text_of(event, "sender")
        words = text_of(newest, "body") if text_of(newest, "msgtype") in {*SAID, "m.notice"} else ""
        return Message(
            at, sender, number, words.strip(), "en", sent_at(event), sender_name=self._rooms.name(room, sender),
            attachments=attachments({**event, "content": newest}), by_bot=sender == self._rooms.me.user,
        )  # fmt: skip

    async def _edited(self, room: str, event: Json, number: str, batch: _Batch) -> None:
        """Take in the new version of a message, where its own writer made it: anybody may send such an event."""
        sender, newest = text_of(event, "sender"), dict_of(dict_of(event, "content"), "m.new_content")
        original = await self._event(room, number, batch)
        if original is None or text_of(original, "sender") != sender:
            return
        if not newest:
            passed_over(event, "it is an edit without what the message says now")
            return
        about = relation(dict_of(original, "content"))
        if about.replaces:  # an edit of an edit is none: of a message each edit names the message itself
            return
        at = await self._at(room, sender, batch, thread=about.thread)
        whole = {**original, "content": newest, "type": "m.room.message"}
        message = of_message(whole, self._rooms.me, at, commands=self._commands())
        if message is None:
            passed_over(event, oddity(whole))
            return
        version = max(int(sent_at(event).timestamp()), self._versions.get(number, 0) + 1)
        self._versions[number] = version
        self._edits[text_of(event, "event_id")] = number
        self._add(
            room,
            text_of(event, "event_id"),
            replace(await self._whole(room, message, about.replies_to, batch), version=version),
            batch,
        )

    async def _reacted(self, room: str, event: Json, batch: _Batch) -> None:
        related = dict_of(dict_of(event, "content"), "m.relates_to")
        number, name = related.get("event_id"), pressed(text_of(related, "key"))
        if not name or not is_id(number, "$") or event.get("sender") == self._rooms.me.user:
            passed_over(event, oddity(event))
            return
        token = (await self._tokens(room, str(number), batch)).get(name)
        if token:
            at = await self._at(room, text_of(event, "sender"), batch)
            if name in THUMBS:  # it stands there for all to see: nothing is said of it
                batch.quiet.add(text_of(event, "event_id"))
            self._press(room, event, at, token, batch)

    async def _chosen(self, room: str, event: Json, at: Address, name: str, batch: _Batch) -> None:
        """Take `!2` as a press on a button of the answer that it replies to, or else of the last one in the room."""
        about = (
            relation(dict_of(event, "content")).replies_to or self._signs.last.get(room) or await self._last_shown(room, batch)
        )
        token = (await self._tokens(room, about, batch)).get(name) if about else None
        if token:
            self._press(room, event, at, token, batch)
        elif at.kind == "direct" and batch.patient:
            language = await self._intake.language(at, "", "")
            self._signs.say(_("There is no such button here any more. Please ask again.").to(language), at)

    def _press(self, room: str, event: Json, at: Address, token: str, batch: _Batch) -> None:
        sender, number = text_of(event, "sender"), text_of(event, "event_id")
        alone = at if at.kind == "direct" else Address(CHANNEL, at.account, sender)
        self._add(room, number, Press(at, sender, number, token, "en", sent_at(event), alone=alone), batch)

    async def _tokens(self, room: str, number: str, batch: _Batch) -> Mapping[str, str]:
        """Return the buttons that one of the bot's own events shows now; after a restart the event itself tells."""
        if number not in self._signs.keys:
            event = await self._event(room, number, batch)
            mine = event is not None and event.get("sender") == self._rooms.me.user
            self._signs.know(room, number, tokens_of(_newest(event)) if event is not None and mine else {})
        return self._signs.keys[number]

    async def _last_shown(self, room: str, batch: _Batch) -> str:
        """Return the last event with buttons among what was said last in the room."""
        query = {"dir": "b", "limit": str(LOOKED_BACK)}
        told = await self._asked(
            lambda: self._wire.call("GET", path("v3", "rooms", room, "messages"), query=query), NOTHING, batch
        )
        for event in listed(told, "chunk"):
            content = dict_of(event, "content")
            if event.get("sender") == self._rooms.me.user and tokens_of(content):
                return relation(content).replaces or text_of(event, "event_id")
        return ""

    def _own(self, room: str, event: Json) -> None:
        """Know the buttons of what the bot said, also in a former life."""
        content, number = dict_of(event, "content"), text_of(event, "event_id")
        shown = relation(content).replaces or number
        if MARK in content and shown not in self._signs.keys:
            self._signs.know(room, shown, tokens_of(content))

    async def _redacted(self, room: str, event: Json, batch: _Batch) -> None:
        number = event.get("redacts") or dict_of(event, "content").get("redacts")
        sender = text_of(event, "sender")
        if not is_id(number, "$") or sender == self._rooms.me.user:
            passed_over(event, oddity(event))
            return
        gone = await self._event(room, str(number), batch)
        if gone is not None and gone.get("type") not in {*_SAYS, "m.room.encrypted"}:
            return
        here = await self._asked(lambda: self._rooms.address(room), self._rooms.group(room), batch)
        batch.removed[self._edits.get(str(number), str(number))] = tuple(
            {self._rooms.group(room), self._rooms.direct(sender, room), here}
        )

    async def _came_or_left(self, room: str, event: Json, batch: _Batch) -> None:
        person = text_of(event, "state_key")
        if person != self._rooms.me.user:
            self._intake.members_changed(self._rooms.group(room), person)
            alone_with = self._rooms.of(room).alone_with
            if alone_with and not await self._asked(lambda: self._rooms.other(room), alone_with, batch):
                self._signs.beside(lambda: self._doors.came(room))
            return
        self._intake.members_changed(self._rooms.group(room))
        if self._timelines.comes(event):
            self._signs.beside(lambda: self._doors.came(room))

    async def _at(self, room: str, sender: str, batch: _Batch, *, thread: str = "") -> Address:
        """Return where `sender` says something."""
        return await self._asked(lambda: self._rooms.address(room, thread, by=sender), self._rooms.group(room, thread), batch)

    def _add(self, room: str, number: str, item: Message | Press, batch: _Batch) -> None:
        batch.places[len(batch.items)] = room
        batch.items.append(item)
        batch.rooms[room] = number

    # ------------------------------------------------------------------ what is asked

    async def _event(self, room: str, number: str, batch: _Batch) -> Json | None:
        """Return an event of the room, opened unless it is the bot's; None where there is none that can be read."""
        nothing: Json | None = None

        async def ask() -> Json | None:
            told = await self._wire.call("GET", path("v3", "rooms", room, "event", number))
            if told.get("type") != "m.room.encrypted" or told.get("sender") == self._rooms.me.user:
                return told  # of the bot's own it is enough that it is the bot's
            return await self._seal.opened(room, told, only_look=True)

        found = await self._asked(ask, nothing, batch)
        return found if found is not None and is_id(found.get("sender"), "@") else None

    async def _asked(self, ask: Callable[[], Awaitable[T]], otherwise: T, batch: _Batch) -> T:
        return await asked(ask, otherwise, patient=batch.patient)


def _newest(event: Json) -> Json:
    """Return the content of an event as its last edit shows it.

    Source: https://spec.matrix.org/v1.11/client-server-api/#event-replacements
    """
    content = dict_of(event, "content")
    edit = dict_of(dict_of(dict_of(event, "unsigned"), "m.relations"), "m.replace")
    newest = dict_of(dict_of(edit, "content"), "m.new_content")
    return newest if newest and edit.get("sender") == event.get("sender") else content
