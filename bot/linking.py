"""`/link` and `/unlink`: one person on several channels.

Owns the codes, their bounds, and what both sides are told. Leaves the rows to `bot.store.linked`, what follows for reading to
`bot.retrieval.access`, for quotas to `bot.quota`. To be an admin is of one account alone, whatever it is linked with.

    /link            a code is shown, in one's own chat alone
    /link 7KQ2-M9XD  typed on the other channel: whose it is, and what comes of a yes
    /link yes        both are one from now on, and both are told
    /unlink          this account is one of its own again

A code has 40 bits, stands for ten minutes, is taken once, and only its SHA-256 is kept: what is said with it goes beside the outbox, and
the message in which it is typed beside the inbox (`said`, called by `bot.intake`). Somebody may be talked into typing another's code:
therefore the yes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bot.front_door import hashed, is_code, new_code
from bot.locale import Language, Text, phrases
from bot.recent import Recent
from bot.roles import CONSOLE, PAGE
from bot.store.linked import LIFE, Identity
from bot.text.shown import named

if TYPE_CHECKING:
    from bot.message import Address, Message
    from bot.store.linked import Linked

_ = phrases(__file__)

LINK: Final = frozenset({"link", "연결"})
UNLINK: Final = frozenset({"unlink", "연결해제"})
YES: Final = frozenset({"yes", "네", "예"})
MOST_GUESSES: Final = 5
"""Wrong codes of one person, and codes that are shown to them, within LIFE."""
MOST_WRONG: Final = 200
"""Wrong codes of everybody within LIFE: then nobody may try for a while."""
KNOWN: Final = 10_000
Tell = Callable[["Address", Text, Language], Awaitable[None]]


class Linking:
    """Joins and parts."""

    def __init__(
        self, linked: Linked, tell: Tell, changed: Callable[[], None], *, page: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        """Tell the other side by `tell(address, text, language)`; `changed` is called whenever accounts were joined or parted.

        `page` is False where the web page is not one person's own.
        """
        self._linked = linked
        self._tell = tell
        self._changed = changed
        self._page = page
        self._now = now
        self._tries: Recent[str, list[datetime]] = Recent(most=KNOWN)
        self._wrong: list[datetime] = []
        self._said: Recent[tuple[Address, str, int], str] = Recent(most=KNOWN)
        self._one_at_a_time = asyncio.Lock()

    async def others(self, message: Message) -> list[Identity]:
        """Return the other accounts of who said `message`."""
        at = message.address
        return await self._linked.others(at.channel, at.account, message.sender)

    async def said(self, message: Message) -> str | None:
        """Return what is said to an order of these on a platform, the same to one that it tells again; None for any other message.

        Raises StoreError: nothing was done, or not all of it; the platform tells of it again.
        """
        command = message.command
        if command is None or command.name not in LINK | UNLINK or message.address.channel in _OWN or not message.addressed:
            return None
        key = message.address, message.id, message.version
        async with self._one_at_a_time:
            if key not in self._said:
                self._said[key] = (await self.answer(message)).markdown(message.language)
            return self._said[key]

    async def answer(self, message: Message) -> Text:
        """Do what an order says; return what is said to it."""
        command, word = message.command, message.command.args.strip() if message.command is not None else ""
        if message.address.kind == "group":
            if is_code(word):
                await self._linked.burn(hashed(word))
            return _(
                "Not here, where others read along: write that in our own chat. A code that was written here is of no use any more."
            )
        at = replace(message.address, thread="")
        me = Identity(at.channel, at.account, message.sender, at, message.sender_name)
        if me.channel == CONSOLE:
            return _(
                "Whoever types in this terminal is the machine's owner, and linked with nobody. Write /link in another chat."
            )
        if command is not None and command.name in UNLINK:
            return await self._unlink(me, message.language)
        if me.person == PAGE and not self._page:
            return _("This page is not one person's own (`web.admin` is false), so it is linked with nobody.")
        if not word:
            return await self._shown(me)
        if word.lower() in YES:
            return await self._joined(me, message.language)
        return await self._typed(me, word)

    async def _shown(self, me: Identity) -> Text:
        if me.person == PAGE:
            return _("Write /link in the other chat, and type here the code that is shown there: /link CODE.")
        if not self._may_try(f"show {me.person}"):
            return _("Too many codes were shown. Please try again in ten minutes.")
        code = new_code()
        await self._linked.show(me, hashed(code), now=self._now())
        return _(
            "Type this in your own chat with me on the other channel, within ten minutes: **/link {code}**\n\nShow it to nobody: whoever uses "
            "it and you are one person to me from then on, and find what either may read. /unlink ends that.",
            code=code,
        )

    async def _typed(self, me: Identity, word: str) -> Text:
        if not self._may_try(f"guess {me.person}") or len(self._within(self._wrong)) >= MOST_WRONG:
            return _("Too many codes were wrong. Nothing was linked; please try again in ten minutes.")
        other = await self._linked.typed(hashed(word), me, now=self._now()) if is_code(word) else None
        if other is None:
            self._wrong = [*self._within(self._wrong), self._now()]
            return _(
                "No such code stands: mistyped, older than ten minutes, used, or your own. Write /link on the other channel for a new one."
            )
        self._tries.pop(f"guess {me.person}", None)
        return _(
            "That code was shown to **{name}** on {channel} ({person}). If that is you, write **/link yes** within ten minutes: from then on "
            "both of you find what either may read, your chats with me too. If somebody else gave you the code, do not: they would read yours.",
            name=_name(other), channel=other.channel.title(), person=other.person,
        )  # fmt: skip

    async def _joined(self, me: Identity, language: Language) -> Text:
        joined = await self._linked.join(me, now=self._now())
        if joined.other is None:
            return _(
                "There is no code of which you could say yes. Write /link on the other channel, and here /link and the code."
            )
        if joined.how == "same":
            return _("You are one person already; nothing to do.")
        if joined.how == "taken":
            return _(
                "Nothing was linked: one of the two is linked with another account there already. /unlink first, on the one that is to change."
            )
        self._changed()
        await self._tell_joined(me, joined.other, language)
        return _(
            "You are one person to me from now on, here and as {person}. /unlink ends that; /privacy says with whom.",
            person=joined.other.person,
        )

    async def _tell_joined(self, me: Identity, shown: Identity, language: Language) -> None:
        """Tell whom the code was shown to, and the further accounts of both."""
        by_code = _(
            "{name} on {channel} ({person}) and you are one person to me from now on, by your code. If that is not you, write /unlink at "
            "once.",
            name=_name(me), channel=me.channel.title(), person=me.person,
        )  # fmt: skip
        await self._tell(shown.direct, by_code, language)
        others = await self._linked.others(me.channel, me.account, me.user)
        for one in others:
            if one.direct != shown.direct:
                people = ", ".join(other.person for other in (me, *others) if other is not one)
                further = _(
                    "You are one person to me with {people} from now on. If that is not you, write /unlink at once.",
                    people=people,
                )
                await self._tell(one.direct, further, language)

    async def _unlink(self, me: Identity, language: Language) -> Text:
        others = await self._linked.leave(me)
        if others:
            self._changed()
        for other in others:
            text = _("{person} is linked with you no more: each finds only its own again.", person=me.person)
            await self._tell(other.direct, text, language)
        if not others:
            return _("You are linked with no other account. A code that was shown to you is of no use any more.")
        return _(
            "You are linked no more with {people}: each finds only its own again.", people=", ".join(one.person for one in others)
        )

    def _may_try(self, who: str) -> bool:
        """Count a try; say whether it is one of the first."""
        tries = [*self._within(self._tries.get(who, [])), self._now()][-(MOST_GUESSES + 1) :]
        self._tries[who] = tries
        return len(tries) <= MOST_GUESSES

    def _within(self, moments: list[datetime], within: timedelta = LIFE) -> list[datetime]:
        return [at for at in moments if self._now() - at < within]


_OWN: Final = frozenset({CONSOLE, PAGE.partition(":")[0]})
"""Channels where nothing is said beside the outbox: there these orders go the way of all others, and no code is shown."""


def _name(one: Identity) -> str:
    return named(one.name) or one.user
