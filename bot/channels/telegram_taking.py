"""What is done with one update: read, put into its language, committed, and a press answered.

Owns the order of these, and what becomes of an update that nothing can be made of: it is told in the log and left out, so that
it never stands in the way of those behind it. Leaves to `telegram_polling` and `telegram_webhook` when it is confirmed.

    await Taking(intake, wire, me, sending, download_bytes=20 * 2**20).take(update)
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from telegram import Update
from telegram.error import TelegramError

from bot.channels.channel import Intake
from bot.channels.telegram_addressing import Me
from bot.channels.telegram_errors import translated
from bot.channels.telegram_incoming import Incoming, moved, read
from bot.channels.telegram_sending import Sending
from bot.channels.telegram_split import shorten
from bot.channels.telegram_wire import Wire
from bot.errors import ParingError, StoreError
from bot.locale import phrases
from bot.message import Message, Press

_ = phrases(__file__)

NOTE_UNITS = 200
"""Source: https://core.telegram.org/bots/api#answercallbackquery"""
TRIES = 3
"""How often an update is tried whose taking fails in a way nobody foresaw."""
_STRANGE = (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError, TelegramError)
"""What reading an update that is none may raise."""
_log = logging.getLogger(__name__)


class Taking:
    """Hands updates to one intake."""

    def __init__(self, intake: Intake, wire: Wire, me: Me, sending: Sending, *, download_bytes: int) -> None:
        """Take where messages go, the line on which presses are answered, and who the bot is."""
        self._intake = intake
        self._wire = wire
        self._me = me
        self._sending = sending
        self._download_bytes = download_bytes
        self._failed: Counter[object] = Counter()
        self._answers: set[asyncio.Task[None]] = set()

    async def take(self, data: Mapping[str, object]) -> None:
        """Commit what the update says; return once it may be confirmed. Raises StoreError where it must come again."""
        number = data.get("update_id")
        try:
            await self._commit(data)
        except StoreError:
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

    async def finish(self, *, within_s: float) -> None:
        """Wait for the answers to presses that are under way."""
        if self._answers:
            await asyncio.wait(self._answers, timeout=within_s)

    async def _commit(self, data: Mapping[str, object]) -> None:
        incoming = self._read(data)
        if incoming is None:
            return
        item = incoming.item
        text = item.text if isinstance(item, Message) else ""
        language = await self._intake.language(item.address, text, incoming.platform_language)
        if isinstance(item, Message):
            quoted = replace(item.reply_to, language=language) if item.reply_to else None
            await self._intake.accept(replace(item, language=language, reply_to=quoted))
            return
        taken = await self._intake.accept(replace(item, language=language))
        self._answer(item, taken.note)

    def _read(self, data: Mapping[str, object]) -> Incoming | None:
        try:
            update = Update.de_json(dict(data), None)
            if places := moved(update):
                self._sending.follow(*places)
            return read(update, self._me, download_bytes=self._download_bytes)
        except _STRANGE as error:
            _log.warning("Update %s is none that is known (%s) and is left out.", data.get("update_id"), type(error).__name__)
            return None

    def _answer(self, press: Press, note: str) -> None:
        """Answer the press beside the loop: nobody who comes after it waits for Telegram's answer."""
        task = asyncio.create_task(self._say(press.id, note))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _say(self, query: str, note: str) -> None:
        try:
            await self._wire.bot.answer_callback_query(query, text=shorten(note, NOTE_UNITS) or None)
        except TelegramError as error:
            _log.info("A press was not answered in time: %s", translated(error))
