"""How much one may ask for: messages a minute, messages and costly answers a day, of one person and of one group.

Owns which limits hold for whom, and what is told. Leaves to `bot.store.usage` the counting, to `bot.roles` who is an admin. Asked in the
worker, in a message's turn: what is over a limit was taken in as any other, is answered by one sentence, in order, and costs no work; what
comes after it until the moment that the sentence names is left unanswered, so that a flood makes no flood of refusals.

    said = await quotas.refused(message, free=False)      # None: go on; "": leave it; else say this
    async with quotas.charged("translate", message) as said: ...

The owner's terminal is never refused. Admins keep to the pace like everybody, and have no quota. The house's own commands (/quota, /privacy,
/forget …) and admin commands are no part of a quota: who has used theirs up can still have all of it deleted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Final

from bot.locale import Language, Text, phrases
from bot.roles import CONSOLE, person_of
from bot.store.usage import Cap, Kind, Once, Over, Usage, Used

if TYPE_CHECKING:
    from bot.config import QuotaSettings
    from bot.message import Message
    from bot.roles import Roles
    from bot.skill import Skill
    from bot.store.database import Work

_ = phrases(__file__)

ALMOST_A_SECOND: Final = timedelta(microseconds=999_999)
"""What is told in seconds is no sooner than what is meant."""


One = Callable[[str, str, str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody has used today of what they may. `most` is 0 where there is no limit."""

    used: int
    most: int


class Quotas:
    """Says what is too much."""

    def __init__(
        self,
        settings: QuotaSettings,
        usage: Usage,
        roles: Roles,
        *,
        zone: tzinfo | None,
        skills: Callable[[], Sequence[Skill]] = tuple,
        counted: Callable[[str, Kind], None] = lambda _channel, _kind: None,
        one: One | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Have days begin in `zone`, None for the machine's; `counted(channel, kind)` is told of what is refused.

        `one(channel, account, user)` names the person for whom is counted: several accounts may be one person's.
        """
        self.settings = settings
        self._usage = usage
        self._roles = roles
        self._zone = zone
        self._skills = skills
        self._counted = counted
        self._one = one
        self._now = now

    async def person(self, message: Message) -> str:
        """Return for whom a message counts, CHANNEL:USER."""
        at = message.address
        return await self._one(at.channel, at.account, message.sender) if self._one is not None else person_of(message)

    async def refused(self, message: Message, *, free: bool, begins: Work[object] | None = None) -> str | None:
        """Count a message; return None where it is within all limits, else what is said to it, "" for nothing.

        Of what is `free` the pace alone counts. `begins` is done where it is within them, in the transaction that counts it. Raises StoreError.
        """
        return await self._over(await self._caps(message, free=free), message, begins)

    @asynccontextmanager
    async def charged(self, skill: str, message: Message) -> AsyncIterator[str | None]:
        """Count an answer of `skill`, where it is a costly one; give what `refused` returns.

        What fails is not counted; what was counted before the bot was ended or killed is not counted again.
        """
        most = self.settings.costly_a_day
        if not most or skill not in self.settings.costly or await self.exempts(message):
            yield None
            return
        cap = Cap(await self.person(message), "costly", most)
        once = Once(message, skill)
        said = await self._over([cap], message, once=once)
        try:
            yield said
        except Exception:
            if said is None:
                await self._usage.give_back(cap, once)
            raise

    async def standing(self, who: str, kind: Kind) -> Standing:
        """Return what `who`, a person or a group, has used of a kind today."""
        return self.of(next((one for one in await self.today() if (one.who, one.kind) == (who, kind)), Used(who, kind)))

    def of(self, used: Used) -> Standing:
        """Return what was used of what may be."""
        most = self.most(used.kind)
        return Standing(used.used, most + used.more if most else 0)

    async def today(self) -> list[Used]:
        """Return what everybody used today, who used most first."""
        return await self._usage.on(self._day(self._now()))

    async def give(self, who: str, kind: Kind, more: int) -> None:
        """Let somebody ask for more today."""
        await self._usage.give(Cap(who, kind, self.most(kind)), more, day=self._day(self._now()), now=self._now())

    async def drop_old(self) -> None:
        """Delete what is of days before yesterday: it may still be yesterday where a message waits."""
        await self._usage.drop(before=self._day(self._now() - timedelta(days=1)))

    async def exempts(self, message: Message) -> bool:
        """Say whether no quota holds for who said `message`."""
        return message.address.channel == CONSOLE or await self._roles.admits_sender(message)

    def most(self, kind: Kind) -> int:
        """Return how much of a kind one may ask for a day, 0 for any number."""
        of = {"messages": self.settings.person_a_day, "group messages": self.settings.group_a_day}
        return of.get(kind, self.settings.costly_a_day)

    def costly(self, language: Language) -> str:
        """Return the names of the skills whose answers are counted for themselves."""
        titles = {skill.name: skill.title.to(language) for skill in self._skills()}
        return ", ".join(titles.get(name, name) for name in self.settings.costly)

    def midnight(self) -> str:
        """Return when the next day begins."""
        tomorrow = self._now().astimezone(self._zone).date() + timedelta(days=1)
        begins = datetime.combine(tomorrow, time(), self._zone).astimezone(self._zone)
        return f"{begins:%H:%M} {begins.tzname() or ''}".rstrip()

    async def _caps(self, message: Message, *, free: bool) -> list[Cap]:
        if not message.addressed or message.address.channel == CONSOLE or not any(self._limits()):
            return []
        who = await self.person(message)
        caps = self._paces(message, who)
        if not free and (self.settings.person_a_day or self.settings.group_a_day) and not await self.exempts(message):
            caps += self._days(message, who)
        return [cap for cap in caps if cap.most]

    def _limits(self) -> tuple[int, ...]:
        settings = self.settings
        return settings.person_a_minute, settings.group_a_minute, settings.person_a_day, settings.group_a_day

    def _paces(self, message: Message, who: str) -> list[Cap]:
        return [
            Cap(who, "pace", self.settings.person_a_minute),
            *([Cap(group_of(message), "group pace", self.settings.group_a_minute)] if in_group(message) else []),
        ]

    def _days(self, message: Message, who: str) -> list[Cap]:
        return [
            Cap(who, "messages", self.settings.person_a_day),
            *([Cap(group_of(message), "group messages", self.settings.group_a_day)] if in_group(message) else []),
        ]

    async def _over(
        self, caps: Sequence[Cap], message: Message, begins: Work[object] | None = None, once: Once | None = None
    ) -> str | None:
        if not caps and begins is None:
            return None
        now = self._now()
        at = min(_said_at(message), now)
        over = await self._usage.take(caps, _named(message), at=at, day=self._day(at), now=now, begins=begins, once=once)
        if over is None:
            return None
        self._counted(message.address.channel, over.cap.kind)
        return self._sentence(over, message.language).markdown(message.language) if over.told else ""

    def _sentence(self, over: Over, language: Language) -> Text:
        most, who = over.most, over.cap.who
        if over.until is not None:
            clock = f"{(over.until + ALMOST_A_SECOND).astimezone(self._zone):%H:%M:%S}"
            if over.cap.kind == "pace":
                return _(
                    "That is more than {most} messages a minute, the most that I take from one person. I leave this one unanswered, and "
                    "what you send before {clock}. Please write again after that.",
                    most=most,
                    clock=clock,
                )
            return _(
                "That is more than {most} messages a minute, the most that I take from one group. I leave this one unanswered, and what "
                "is sent to me here before {clock}. Please write again after that.",
                most=most,
                clock=clock,
            )
        if over.cap.kind == "messages":
            return _(
                "The {most} messages that you may send me today are used up. I answer the next ones from {midnight} on, and until then "
                "/quota, /privacy and /forget alone. An admin may give you more: `/quotas more {who}`.",
                most=most, who=who, midnight=self.midnight(),
            )  # fmt: skip
        if over.cap.kind == "group messages":
            return _(
                "The {most} messages that this group may send me today are used up. I answer the next ones from {midnight} on. An admin "
                "may give more: `/quotas more {who}`.",
                most=most, who=who, midnight=self.midnight(),
            )  # fmt: skip
        return _(
            "The {most} answers a day that you may have of {skills} are used up. There are more from {midnight} on; everything else goes on. "
            "An admin may give you more: `/quotas more {who}`.",
            most=most, who=who, midnight=self.midnight(), skills=self.costly(language),
        )  # fmt: skip

    def _day(self, at: datetime) -> str:
        return at.astimezone(self._zone).date().isoformat()


def in_group(message: Message) -> bool:
    """Say whether others are in the chat, too."""
    return message.address.kind == "group"


def group_of(message: Message) -> str:
    """Return the group in which `message` was said as CHANNEL:CHAT."""
    return f"{message.address.channel}:{message.address.chat}"


def _said_at(message: Message) -> datetime:
    """Return when this version was said; not when it came: what waited while the platform was away was not said at once."""
    return datetime.fromtimestamp(message.version, UTC) if message.version else message.sent_at


def _named(message: Message) -> str:
    at = message.address
    return f"{at.channel}/{at.account}/{at.chat}/{message.id}/{message.version}"
