"""The bot in one workspace of Slack: who it is there, its line, the order of what comes in, and the signs that it shows.

Owns the signs for which nothing waits: the reaction on a message that is worked on, the status of a thread, what is said beside the outbox.
Leaves answers to `slack_sending`, what Slack tells to `slack_taking`.

    here.seen("C1", "1700000000.000100")        # a reaction; taken away by here.answered(...)
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from bot.channels.beside import Beside, patiently
from bot.channels.slack_incoming import Me, is_ts
from bot.channels.slack_people import People
from bot.channels.slack_sending import Place, Sending
from bot.channels.slack_space import Space
from bot.channels.slack_wire import Wire
from bot.errors import ChannelError
from bot.locale import Language, phrases
from bot.logs import Logger
from bot.message import Address, Reply
from bot.recent import Recent

_ = phrases(__file__)
log = Logger(__name__)

SEEN: Final = "eyes"
"""The reaction while a message is worked on."""
MOST_UNDER_WAY: Final = 256
MOST_SEEN: Final = 4096
LONGEST_WAIT_S: Final = 60.0
FILES_WITHIN_S: Final = 1.0
MOST_FILES: Final = 20
_ASK: Final = "check_file_info"


class Workspace:
    """The bot in one workspace: who it is there, its line, and what it says."""

    def __init__(self, me: Me, wire: Wire, sending: Sending) -> None:
        """Take the three."""
        self.me = me
        self.wire = wire
        self.sending = sending
        self._orders: dict[str, asyncio.Lock] = {}
        self._beside: Beside[None] = Beside(most=MOST_UNDER_WAY)
        self._seen: Recent[tuple[str, str], asyncio.Task[None] | None] = Recent(most=MOST_SEEN)
        """The reaction's task; None where it was taken away."""
        self._gone: Recent[tuple[str, str], None] = Recent(most=MOST_SEEN)
        self._working: Recent[Place, asyncio.Task[None] | None] = Recent(most=MOST_SEEN)
        self._languages: Recent[tuple[str, str], Language] = Recent(most=MOST_SEEN)
        self.people = People(wire)
        self.space = Space(wire, me.team)
        self._numbers = itertools.count()

    def in_order(self, chat: str) -> asyncio.Lock:
        """Return what one conversation's messages pass through one after the other, in the order in which they came."""
        if len(self._orders) >= MOST_SEEN:
            self._orders = {name: lock for name, lock in self._orders.items() if lock.locked()}
        return self._orders.setdefault(chat, asyncio.Lock())

    def seen(self, chat: str, ts: str) -> None:
        """Show by a reaction that a message is worked on; nothing waits for it."""
        self._seen[chat, ts] = self.beside("reactions.add", channel=chat, timestamp=ts, name=SEEN)

    def answered(self, chat: str, ts: str) -> None:
        """Take the reaction away again, once: also one of a former life, and not before it is there."""
        if not is_ts(ts) or self._seen.get((chat, ts), self) is None:
            return
        before = self._seen.get((chat, ts))
        self._seen[chat, ts] = None
        self.beside("reactions.remove", after=before, channel=chat, timestamp=ts, name=SEEN)

    def speaks(self, to: Address, language: Language) -> None:
        """Know the language in which is spoken there."""
        self._languages[to.chat, to.thread] = language

    async def works(self, to: Address) -> None:
        """Show in a thread, once, that an answer is worked on: Slack takes it away as the bot says something there, or after two minutes.

        Source: https://docs.slack.dev/reference/methods/assistant.threads.setStatus
        """
        try:
            place = await self.sending.place(to)
        except ChannelError:
            return
        if not place.thread or place.only or place in self._working:
            return
        status = _("is working on it …").to(self._languages.get((to.chat, to.thread), "en"))
        self._working[place] = self._status(place, status)

    def spoke(self, place: Place) -> None:
        """Know that something was said there; a status that comes later than that is taken away."""
        task = self._working.pop(place, None)
        if task is not None and not task.done():
            self._status(place, "", after=task)

    def _status(self, place: Place, status: str, *, after: asyncio.Task[None] | None = None) -> asyncio.Task[None] | None:
        said = {"channel_id": place.chat, "thread_ts": place.thread, "status": status}
        return self.beside("assistant.threads.setStatus", after=after, **said)

    async def with_files(self, event: Mapping[str, object]) -> Mapping[str, object]:
        """Return the event with what its files are: of one from another workspace (Slack Connect) only its id is told.

        Source: https://docs.slack.dev/apis/slack-connect/ (check_file_info)
        """
        listed = event.get("files")
        if not isinstance(listed, list) or not any(isinstance(one, dict) and one.get("file_access") == _ASK for one in listed):
            return event
        with suppress(TimeoutError):
            async with asyncio.timeout(FILES_WITHIN_S):
                return {**event, "files": [await self._file(one) for one in listed[:MOST_FILES]]}
        return event

    async def _file(self, told: object) -> object:
        if not isinstance(told, dict) or told.get("file_access") != _ASK or not isinstance(told.get("id"), str):
            return told
        try:
            found = (await self.wire.call("files.info", file=told["id"])).get("file")
        except ChannelError:
            return told
        return found if isinstance(found, dict) else told

    def took_back(self, chat: str, ts: str) -> None:
        """Know that a message was deleted: told late, or told again, it is nothing any more."""
        self._gone[chat, ts] = None

    def is_gone(self, chat: str, ts: str) -> bool:
        """Say whether a message is known to be deleted."""
        return (chat, ts) in self._gone

    def say(self, said: Reply, to: Address) -> None:
        """Say something beside the outbox; nothing waits for it."""
        key = f"door {next(self._numbers)}"
        self._beside.start(lambda: self._said(said, to, key))

    async def finish(self, *, within_s: float) -> None:
        """Wait for what is under way; end what takes longer."""
        await self._beside.finish(within_s=within_s)

    def beside(self, method: str, *, after: asyncio.Task[None] | None = None, **said: object) -> asyncio.Task[None] | None:
        """Call a method for which nothing waits, once `after` is through; where Slack asks to wait, somewhat later."""
        return self._beside.start(lambda: self._called(method, said, after))

    async def _called(self, method: str, said: Mapping[str, object], after: asyncio.Task[None] | None) -> None:
        if after is not None:
            await asyncio.wait([after])
        place = str(said.get("channel", ""))
        try:
            await patiently(lambda: self.wire.call(method, wait_for=place, **said), most_s=LONGEST_WAIT_S)  # type: ignore[arg-type]
        except ChannelError as error:  # a sign that is missing harms nobody
            log.debug("a sign was not shown", method=method, why=str(error))

    async def _said(self, said: Reply, to: Address, key: str) -> None:
        try:
            await patiently(lambda: self.sending.send(said, to, key, shareable=False), most_s=LONGEST_WAIT_S)
        except ChannelError as error:
            log.info("something the bot says on its own was not sent", why=str(error))
