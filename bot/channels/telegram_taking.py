"""What is done with updates: read, put into their language, committed, and a press answered.

Owns the order of these, albums and cut texts as one message, and what becomes of an update that nothing can be made of: it is
told in the log and left out, so that it never stands in the way of those behind it. Leaves to `telegram_polling` and
`telegram_webhook` when updates are confirmed, to the intake who may talk to the bot, and to `telegram_door` what is said at the door.

    await Taking(intake, wire, me, sending, door, download_bytes=20 * 2**20).take([update])
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from telegram import Update
from telegram.error import TelegramError

from bot.channels.backoff import Pause
from bot.channels.channel import Intake
from bot.channels.incoming import telling_words
from bot.channels.rich_split import shorten
from bot.channels.telegram_addressing import Me
from bot.channels.telegram_door import Door
from bot.channels.telegram_errors import repeatable
from bot.channels.telegram_gather import Series, album_of, whole
from bot.channels.telegram_incoming import CHANNEL, Incoming, joined, left, moved, read, unread_press
from bot.channels.telegram_lenient import bared, sifted
from bot.channels.telegram_members import came_or_left
from bot.channels.telegram_sending import Sending
from bot.channels.telegram_wire import Wire
from bot.errors import ParingError, RetryLaterError, StoreError
from bot.locale import Language, phrases
from bot.message import Address, Message, Press
from bot.parts import after, together
from bot.recent import Recent

_ = phrases(__file__)

NOTE_UNITS = 200
"""Source: https://core.telegram.org/bots/api#answercallbackquery"""
LATE_S = 15.0
"""After so long nobody waits for the answer to a press any more."""
TRIES = 3
"""How often updates are tried whose taking fails in a way nobody foresaw."""
ALBUMS = 256
"""Albums that are remembered, for a picture that comes after the others."""
MOST_WAITING = 1024
"""Chats that are told that nothing can be kept."""
SPEAKERS = 4096
"""People whose last language, and whose last press, is remembered."""
TWICE_S = 2.0
"""Who presses the same button again so soon, and before anything was answered, means it once."""
_STRANGE = (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError, TelegramError)
"""What reading an update that is none may raise."""
_log = logging.getLogger(__name__)


class Taking:
    """Hands updates to one intake."""

    def __init__(
        self,
        intake: Intake,
        wire: Wire,
        me: Me,
        sending: Sending,
        door: Door,
        *,
        download_bytes: int,
        one_by_one: bool = False,
        pause: Pause = asyncio.sleep,
    ) -> None:
        """Take where messages go, the line on which presses are answered, who the bot is, how it speaks, and who keeps its door.

        `one_by_one`: updates come each alone; those that are one thing said are told so, and become one after they are committed.
        """
        self._intake = intake
        self._wire = wire
        self._me = me
        self._sending = sending
        self._door = door
        self._download_bytes = download_bytes
        self._pause = pause
        self._series = Series() if one_by_one else None
        self._failed: Counter[object] = Counter()
        self._waiting: dict[str, object] = {}
        """Chats of which nothing could be kept since the last that could, by the first update of each; None once that is told."""
        self._answers: set[asyncio.Task[None]] = set()
        self._albums: Recent[object, Message] = Recent(most=ALBUMS)
        self._spoken: Recent[tuple[str, str], Language] = Recent(most=SPEAKERS)
        self._pressed: Recent[tuple[str, str], tuple[Press, str, int]] = Recent(most=SPEAKERS)
        """Each person's last press in a chat, what they were told, and how often something had been said there by then."""

    async def take(self, updates: Sequence[Mapping[str, object]]) -> None:
        """Commit what the updates, which are one thing said, say; return once they may be confirmed.

        Raises:
            StoreError: they must come again.
        """
        number = updates[0].get("update_id")
        try:
            await self._commit(updates)
        except StoreError:
            self.kept_out(updates[0])
            raise
        except ParingError as error:
            _log.warning("Update %s was refused and left out: %s", number, error)
        except Exception as error:
            self._failed[number] += 1
            if self._failed[number] < TRIES:
                raise StoreError(
                    _("An update could not be worked on. It was kept at Telegram and is asked for again.")
                ) from error
            _log.exception("Update %s failed %d times and is left out.", number, TRIES)
        self._failed.pop(number, None)
        self._waiting.clear()

    def kept_out(self, data: Mapping[str, object]) -> None:
        """Tell who writes alone with the bot, at the second try, that it waits: once until something is kept again."""
        incoming = self._read(data)
        if incoming is None or not isinstance(incoming.item, Message) or incoming.item.address.kind != "direct":
            return
        place, first = incoming.item.address, self._waiting.get(incoming.item.address.chat, "")
        if first == "" and len(self._waiting) < MOST_WAITING:
            self._waiting[place.chat] = data.get("update_id")
        elif first == data.get("update_id"):
            self._waiting[place.chat] = None
            speaks = self._spoken.get((place.chat, incoming.item.sender)) or incoming.platform_language
            language: Language = "ko" if speaks.startswith("ko") else "en"
            said = _(
                "I cannot keep what you write just now: my disk or my database fails. It waits at Telegram, and I answer as soon as "
                "that is mended; you need not write it again."
            )
            self._door.say(said.to(language), place, language)

    async def finish(self, *, within_s: float) -> None:
        """Wait for what is under way beside the loop: answers to presses, greetings, typing."""
        if self._answers:
            await asyncio.wait(self._answers, timeout=within_s)
        await self._door.finish(within_s=within_s)
        await self._sending.finish(within_s=within_s)

    async def _commit(self, updates: Sequence[Mapping[str, object]]) -> None:
        if places := moved(updates[0]):
            old, new = map(str, places)
            self._sending.moves.follow(old, new)
            await self._sending.moves.tell()
        if told := came_or_left(updates[0]):
            chat, people = told
            for person in people:
                self._intake.members_changed(Address(CHANNEL, self._me.account, chat, kind="group"), person)
        await self._welcome(updates[0])
        if "my_chat_member" in updates[0] or "chat_member" in updates[0]:
            if told is None:
                _log.warning("Update %s names no chat, and is left out.", updates[0].get("update_id"))
            return
        incoming = self._read_all(updates)
        if incoming is None:
            await self._answer_unread(updates[0])
            return
        item = incoming.item
        language = await self._language(incoming)
        if isinstance(item, Press):
            self._answer(item.id, await self._note_on(replace(item, language=language)))
        else:
            quoted = replace(item.reply_to, language=language) if item.reply_to else None
            taken = await self._intake.accept(replace(item, language=language, reply_to=quoted))
            if taken.fresh and item.addressed:
                self._sending.type(item.address, hurry=True)
            elif taken.note:
                self._door.say(taken.note, item.address, language)

    async def _note_on(self, press: Press) -> str:
        """Commit the press, unless it only repeats the person's last, to which nothing was said yet; return what they are told."""
        chat = press.address.chat
        said = self._sending.said.get(chat, 0)
        last, note, said_then = self._pressed.get((chat, press.sender), (None, "", said))
        if last is None or said != said_then or not is_twice(last, press):
            note = (await self._intake.accept(press)).note
            self._pressed[chat, press.sender] = press, note, said
        return note

    async def _language(self, incoming: Incoming) -> Language:
        """Return the language to answer in. Where neither the words nor Telegram tell, the person speaks as before."""
        item = incoming.item
        words = _words(item) if isinstance(item, Message) else ""
        who = (item.address.chat, item.sender)
        language = await self._intake.language(item.address, words, incoming.platform_language or self._spoken.get(who, ""))
        if words:
            self._spoken[who] = language
        return language

    async def _welcome(self, data: Mapping[str, object]) -> None:
        """Greet a group to which the bot was added."""
        if came := joined(data, self._me):
            group, who, platform_language = came
            language = await self._intake.language(group, "", platform_language)
            self._door.greet(group, await self._intake.joined(group, who, language), language)
        elif chat := left(data):
            self._door.left(chat)

    async def _answer_unread(self, data: Mapping[str, object]) -> None:
        """Answer a press of which nothing can be made: a button that nobody answers keeps turning."""
        if press := unread_press(data):
            query, presser, platform_language = press
            alone = Address(CHANNEL, self._me.account, presser)
            language = await self._intake.language(alone, "", platform_language)
            self._answer(query, _("I do not know what this button belongs to any more. Please ask again.").to(language))

    def _read_all(self, updates: Sequence[Mapping[str, object]]) -> Incoming | None:
        """Return the one thing that the updates say: an album's message has all its files, a text all its pieces."""
        if self._series is not None:
            return self._read_part(updates[0], self._series.part_of(updates[0]))
        album = album_of(updates[0])
        if album is None:
            return self._read(whole(updates) if len(updates) > 1 else updates[0])
        found = [incoming for incoming in map(self._read, updates) if incoming is not None]
        messages = [incoming.item for incoming in found if isinstance(incoming.item, Message)]
        if not messages:
            return None
        head = self._albums.get(album)
        message = together(messages) if head is None else after(head, together(messages))
        self._albums.setdefault(album, message)
        return replace(found[0], item=message)

    def _read_part(self, data: Mapping[str, object], part_of: str) -> Incoming | None:
        incoming = self._read(data)
        if incoming is None or not isinstance(incoming.item, Message):
            return incoming
        return replace(incoming, item=replace(incoming.item, part_of=part_of))

    def _read(self, data: Mapping[str, object]) -> Incoming | None:
        """Return what it says; where a field of what is quoted or pressed cannot be read, or of its message, what it says without."""
        try:
            return self._understood(data)
        except _STRANGE as error:
            strange = type(error).__name__
        with suppress(*_STRANGE):
            return self._understood(bared(data))
        for kind in ("message", "edited_message"):
            content = data.get(kind)
            if isinstance(content, dict):
                with suppress(*_STRANGE):
                    return self._understood({**data, kind: sifted(content, self._readable)})
        _log.warning("Update %s is none that is known (%s) and is left out.", data.get("update_id"), strange)
        return None

    def _understood(self, data: Mapping[str, object]) -> Incoming | None:
        return read(Update.de_json(self._signed(data), None), self._me, download_bytes=self._download_bytes)

    def _signed(self, data: Mapping[str, object]) -> dict[str, object]:
        """Return the update with the bot as the writer of what is replied to, where it is the bot's and a server names no writer."""
        said = data.get("message")
        quoted = said.get("reply_to_message") if isinstance(said, dict) else None
        if not isinstance(said, dict) or not isinstance(quoted, dict) or quoted.keys() & {"from", "sender_chat"}:
            return dict(data)
        chat = said.get("chat")
        if not isinstance(chat, dict) or not self._sending.wrote(str(chat.get("id")), str(quoted.get("message_id"))):
            return dict(data)
        bot = {"id": self._me.id, "is_bot": True, "first_name": ""}
        return {**data, "message": {**said, "reply_to_message": {**quoted, "from": bot}}}

    def _readable(self, message: dict[str, object]) -> bool:
        try:
            self._understood({"update_id": 0, "message": {"text": "-", **message}})
        except _STRANGE:
            return False
        return True

    def _answer(self, query: str, note: str) -> None:
        """Answer the press beside the loop: nobody who comes after it waits for Telegram's answer."""
        task = asyncio.create_task(self._say(query, note))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _say(self, query: str, note: str) -> None:
        for _try in range(TRIES):
            try:
                await self._wire.bot.answer_callback_query(query, text=shorten(note, NOTE_UNITS) or None)
            except TelegramError as error:
                house = repeatable(error)
                if not isinstance(house, RetryLaterError) or house.retry_after_s > LATE_S:
                    _log.info("A press was not answered in time: %s", house)
                    return
                await self._pause(house.retry_after_s)
            else:
                return


def is_twice(last: Press, press: Press) -> bool:
    """Say whether `press` only repeats `last`; one that Telegram tells again is none, it may not have been kept."""
    again = last.token == press.token and last.id != press.id
    return again and (press.sent_at - last.sent_at).total_seconds() < TWICE_S


def _words(message: Message) -> str:
    """Return the words that tell the message's language; of a command no single one such as `on` or `today`: Telegram tells it better."""
    words = telling_words(message)
    return words if words == message.text or len(words.split()) > 1 or not words.isascii() else ""
