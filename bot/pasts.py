"""What was said in groups before the bot came: read in by an admin's order, page by page, while nobody waits for an answer.

Owns when what is read, and what follows from an order for a workspace: its open groups are entered, told so, and read. Leaves the rows to
`bot.store.pasts`, the pages to a channel that has a history (`bot.channels.channel.HasHistory`), orders to `bot.indexing`.

    pasts = PastReader(store, library, chats, say, kept_days=0)
    await pasts.run(channel, worker.idle)      # until cancelled; a past goes on where it was, also after a kill

A page is one transaction with the mark from which the next one goes on. Where a platform asks to wait, that account waits, and others go on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bot.channels.channel import ChannelError, HasHistory, HasOpenGroups, RetryLaterError
from bot.errors import ModelError, StoreError
from bot.kept_talk import talk_of
from bot.locale import LANGUAGES, Language, Text, phrases
from bot.logs import Logger
from bot.passage import Scope
from bot.store.pasts import OvertakenError, Past, Pasts

if TYPE_CHECKING:
    from bot.channels.channel import Past as Page
    from bot.message import Address
    from bot.retrieval.library import Shelves
    from bot.store.chats import Chats

_ = phrases(__file__)
log = Logger(__name__)

LOOK_EVERY_S: Final = 60.0
"""How often one looks for groups that are new, and for those that are open no more."""
IDLE_WITHIN_S: Final = 20.0
"""How long a page waits for who waits for an answer: a bot that is never idle reads all the same, slowly."""
FAILED_S: Final = 60.0
Say = Callable[["Address", Text, Language], Awaitable[None]]
Admits = Callable[["Address", str], Awaitable[bool]]


async def everybody(group: Address, person: str) -> bool:
    """Admit everybody."""
    del group, person
    return True


class PastReader:
    """Reads in."""

    def __init__(
        self, pasts: Pasts, library: Shelves, chats: Chats, say: Say, *, kept_days: int = 0, admits: Admits = everybody,
        now: Callable[[], datetime] = lambda: datetime.now(UTC), clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """Tell a group by `say(address, text, language)`.

        What was said more than `kept_days` ago is not kept (0: everything is), nor what somebody said for whom the bot does not
        work: `admits(group, person)`.
        """
        self._pasts = pasts
        self._library = library
        self._chats = chats
        self._say = say
        self._kept_days = kept_days
        self._admits = admits
        self._now = now
        self._clock = clock
        self._not_before: dict[tuple[str, str], float] = {}
        self._looked: dict[tuple[str, str], float] = {}
        self.news = asyncio.Event()
        """Set where something was ordered or taken back."""

    def look(self, channel: str, account: str) -> None:
        """Look at once which groups are open in an account: there is news of its order."""
        self._looked.pop((channel, account), None)
        self.news.set()

    async def run(self, channel: object, name: str, idle: Callable[[], Awaitable[None]]) -> None:
        """Read what was ordered on the channel `name`, until cancelled."""
        if not isinstance(channel, HasHistory):
            return
        for account in await self._pasts.accounts(name):
            await self._pasts.catch_up(name, account)
        while True:
            self.news.clear()
            for account in await self._pasts.accounts(name):
                await self._spread(channel, name, account)
            due = await self._due(name)
            wait_s = LOOK_EVERY_S if due is None else max(0.0, self._not_before.get((name, due.account), 0.0) - self._clock())
            if wait_s:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.news.wait(), min(wait_s, LOOK_EVERY_S))
            if due is None or wait_s:
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(idle(), IDLE_WITHIN_S)
            await self.step(channel, due)

    async def step(self, channel: HasHistory, past: Past) -> None:
        """Read one page of `past`; what goes wrong is tried again later, or told by `/index`."""
        wait_s = channel.history_pause_s
        try:
            await self._page(channel, past)
        except RetryLaterError as error:
            wait_s = error.retry_after_s
        except ChannelError as error:
            log.warning("what was said before in a group cannot be read", why=str(error))
            await self._pasts.become(past, "lost", why={language: error.text.to(language) for language in LANGUAGES})
        except OvertakenError:
            wait_s = 0.0
        except (ModelError, StoreError) as error:
            log.warning("a page of what was said before could not be kept; it is tried again", why=str(error))
            wait_s = FAILED_S
        self._not_before[past.channel, past.account] = self._clock() + wait_s

    async def _page(self, channel: HasHistory, past: Past) -> None:
        fetched_at = self._now()
        page = await channel.history(past.address, past.before)
        times = [message.sent_at for message in page.messages]
        reached = min([*times, *([past.reached] if past.reached else [])], default=None)
        floor = fetched_at - timedelta(days=self._kept_days) if self._kept_days else None
        writers = {message.sender for message in page.messages}
        known = {person for person in writers if await self._admits(past.address, person)}
        talk = [
            one
            for message in page.messages
            if message.sender in known and (floor is None or message.sent_at > floor) and (one := talk_of(message))
        ]
        after = "" if self._is_over(past, page, floor) else page.before
        await self._library.add_talk(
            talk, Scope.of(past.address), self._pasts.page(past, after=after, fetched_at=fetched_at, reached=reached)
        )
        if not after and past.until is None:
            log.info("what was said before in a group is read")

    def _is_over(self, past: Past, page: Page, floor: datetime | None) -> bool:
        """Say whether all that is older is here already, or too old to be kept."""
        least = max((moment for moment in (past.until, floor) if moment is not None), default=None)
        if least is None or page.aside or not page.messages:
            return False
        return max(message.sent_at for message in page.messages) < least

    async def _due(self, name: str) -> Past | None:
        """Return the past whose account may be asked next, the soonest one; None where nothing is to be read."""
        reading = [
            past
            for account in await self._pasts.accounts(name)
            for past in (await self._pasts.groups(name, account))
            if past.state == "reading"
        ]
        return min(reading, key=lambda past: self._not_before.get((name, past.account), 0.0), default=None)

    # ------------------------------------------------------------------ a workspace

    async def _spread(self, channel: object, name: str, account: str) -> None:
        """Follow the order for a workspace: open groups that are new come to it, those that are open no more, or shared, leave it."""
        order = await self._pasts.workspace(name, account)
        if order is None or not isinstance(channel, HasOpenGroups):
            return
        if self._looked.get((name, account), -LOOK_EVERY_S) + LOOK_EVERY_S > self._clock():
            return
        if self._not_before.get((name, account), 0.0) > self._clock() or (found := await channel.open_groups(account)) is None:
            return
        self._looked[name, account] = self._clock()
        known = {past.chat: past for past in await self._pasts.groups(name, account)}
        for past in known.values():
            group = found.get(past.chat)
            if past.of_workspace and past.state != "off" and (group is None or group.outside):
                await self.take_back(past)
        for chat, group in found.items():
            if (chat in known and known[chat].state != "entering") or group.outside or group.archived:
                continue
            if not await self._begin(channel, replace(order, chat=chat, name=group.name, of_workspace=True)):
                return

    async def _begin(self, channel: HasOpenGroups, past: Past) -> bool:
        """Enter a group, say there what is done, and have it be read; False where the platform asks to wait, or the order is taken back.

        The row comes first: whoever takes back the order, or the group, finds it.
        """
        if (state := await self._pasts.enter(past)) != "entering":
            return state is not None
        try:
            await channel.enter(past.address)
        except RetryLaterError as error:
            self._not_before[past.channel, past.account] = self._clock() + error.retry_after_s
            self._looked.pop((past.channel, past.account), None)
            return False
        except ChannelError as error:
            why: dict[str, str] = {language: error.text.to(language) for language in LANGUAGES}
            await self._pasts.become(past, "lost", why=why, only="entering")
            return True
        if (state := await self._pasts.enter(past)) != "entering":
            return state is not None
        await self._say(past.address, told(of_workspace=True), past.language)  # rather twice than not at all
        await self._chats.set_indexing(past.address, on=True)
        if not await self._pasts.become(past, "reading", only="entering"):
            await self._out_meanwhile(past)
        return True

    async def _out_meanwhile(self, past: Past) -> None:
        """Index a group no more that was taken back while it was told, beside what it has ordered itself."""
        now = await self._pasts.of(past.address)
        if now is None or now.state == "off":
            await self._chats.set_indexing(past.address, on=False)

    async def take_back(self, past: Past) -> int:
        """Read in a group no more, and remove what was kept of what was said in it; return how many passages went."""
        await self._pasts.become(past, "off")
        await self._chats.set_indexing(past.address, on=False)
        return await self._library.forget_talk(Scope.of(past.address))


def told(*, of_workspace: bool) -> Text:
    """Return what a group is told when its past begins to be read."""
    if of_workspace:
        return _(
            "An admin has the public channels of this workspace indexed, this one among them: what was said here before, and from now on. "
            "Members of the workspace find it in their own chats with me. `/index off` said to me here takes this channel out of it; "
            "`/forget` removes what you said yourself."
        )
    return _(
        "An admin has this group indexed: what was said here before, and from now on. It is found by those who may read it here. "
        "`/index off` said to me here stops that; `/forget` removes what you said yourself."
    )
