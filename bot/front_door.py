"""The front door: who may talk to the bot at all, on a channel where strangers find it.

Owns the rule, what a stranger is told, and the pairing codes. Leaves to `bot.roles` who is an admin, to `bot.store.guests` who was let
in, to a channel the saying. What a stranger writes is kept nowhere: it is turned away before it is committed.

    door = FrontDoor("auto", {"telegram": Listed(people, chats)}, roles=roles, guests=guests, moves=moves)
    taken = await door.turn_away(message)    # None: come in; else what is said to the one who said it, "" for nothing

A channel of which no lists are named has no strangers: the page has its password, the terminal its owner. A code has 40 bits, stands
for an hour and is good once; only its SHA-256 is kept. Who was let in is asked of the database each time, so that an admin's word in a chat or
in a terminal holds from the next message on.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from bot import lazy
from bot.channels.channel import Taken
from bot.errors import InputError
from bot.locale import Language, Text, phrases
from bot.message import Address, Message, Press
from bot.recent import Recent
from bot.store.guests import AGAIN, LIFE, Asked, Guest, Guests

if TYPE_CHECKING:
    from bot.roles import Roles
    from bot.store.moving import Moves

_ = phrases(__file__)

Policy = Literal["auto", "listed", "paired", "everybody"]
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U. What is read for them is taken as 1, 1, 0. Source: https://www.crockford.com/base32.html"""
LENGTH: Final = 8
TOLD: Final = 10_000
"""People and groups that are remembered as told, for an hour; the oldest are forgotten, and told once more."""
LOOK_EVERY_S: Final = 5.0
"""How often one looks whether somebody was let in from a terminal, to tell them so."""
_READ_AS: Final = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})
_GUEST: Final = lazy.compile(r"[a-z][a-z0-9_-]{0,30}:[^\s,]{1,200}")


@dataclass(frozen=True, slots=True)
class Listed:
    """The people and groups of a channel that the settings let in, by the platform's own names of them."""

    people: frozenset[str] = frozenset()
    chats: frozenset[str] = frozenset()

    @classmethod
    def of(cls, people: Collection[str], chats: Collection[str]) -> Listed:
        """Return the lists."""
        return cls(frozenset(people), frozenset(chats))


class FrontDoor:
    """Lets in, or turns away."""

    def __init__(
        self,
        policy: Policy,
        lists: Mapping[str, Listed],
        *,
        roles: Roles,
        guests: Guests,
        moves: Moves,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Guard the channels of `lists`. "auto": as the lists say where there are any, else by codes."""
        self._policy = policy
        self._lists = lists
        self._roles = roles
        self._guests = guests
        self._moves = moves
        self._now = now
        self._told: Recent[tuple[str, str, str], datetime] = Recent(most=TOLD)
        self._shown: dict[str, Message] = {}
        self._news = asyncio.Event()

    def policy(self, channel: str) -> Policy:
        """Return who may talk on `channel`: never "auto"."""
        listed = self._lists.get(channel)
        if listed is None:
            return "everybody"
        if self._policy != "auto":
            return self._policy
        return "listed" if listed.people or listed.chats else "paired"

    def lists(self, person: str) -> bool:
        """Say whether the settings' lists name the person or group CHANNEL:ID."""
        channel, _colon, name = person.partition(":")
        listed = self._lists.get(channel, Listed())
        return name in listed.people or name in listed.chats

    async def admits(self, address: Address, sender: str) -> bool:
        """Say whether the bot works for `sender`, or for the chat at `address`, now."""
        policy, channel = self.policy(address.channel), address.channel
        if policy == "everybody":
            return True
        listed = self._lists[channel]
        if sender in listed.people or not listed.chats.isdisjoint(await self._moves.numbers(address)):
            return True
        if await self._roles.admits(f"{channel}:{sender}"):
            return True
        chats = [f"{channel}:{address.chat}"] if address.kind == "group" else []
        return policy == "paired" and await self._guests.has_any([f"{channel}:{sender}", *chats])

    async def admits_sender(self, message: Message) -> bool:
        """Say whether the bot still works for who said `message`."""
        return await self.admits(message.address, message.sender)

    async def turn_away(self, item: Message | Press) -> Taken | None:
        """Return what a stranger is told of `item`, None for who may talk. Each is told once, so that a flood is answered by silence."""
        if await self.admits(item.address, item.sender):
            return None
        if isinstance(item, Press):
            return Taken(fresh=False, note=self._sentence(item).to(item.language).replace("`", ""))  # shown as it is
        said = await self._said(item) if item.addressed else None
        return Taken(fresh=False, note=said.to(item.language) if said else "")

    async def joined(self, group: Address, by: str, language: Language) -> str:
        """Let in a group into which an admin put the bot; return what else is said there, "" for what a group is greeted with."""
        if self.policy(group.channel) == "paired" and await self._roles.admits(f"{group.channel}:{by}"):
            await self._guests.admit(f"{group.channel}:{group.chat}", by=f"{group.channel}:{by}")
        if await self.admits(group, by):
            return ""
        self._once("group", group, "")
        return self._of_group(group).to(language)

    # ------------------------------------------------------------------ what admins do

    async def admit(self, word: str, *, by: str) -> str:
        """Let in who shows the code `word`, or CHANNEL:ID; return the latter. Raises InputError where there is none."""
        if _GUEST.fullmatch(word):
            await self._guests.admit(word, by=by)
            asked = None
            person = word
        else:
            asked = await self._guests.redeem(hashed(word), by=by, now=self._now()) if is_code(word) else None
            if asked is None:
                raise InputError(
                    _(
                        "No such code stands: mistyped, older than an hour, or used. Nobody was let in; who writes to me is shown a new one."
                    )
                )
            person = asked.person
        if asked is not None and asked.origin is not None:
            self._shown[person] = asked.origin
        for key in [key for key in self._told if f"{key[1]}:{key[2]}" == person]:
            del self._told[key]
        self._news.set()
        return person

    async def remove(self, person: str) -> bool:
        """Let `person` in no more, from the next message on; return False where nobody had let that one in."""
        return await self._guests.remove(person)

    async def guests(self) -> list[Guest]:
        """Return who was let in."""
        return await self._guests.all()

    async def asking(self) -> list[Asked]:
        """Return who was shown a code that stands."""
        return await self._guests.asking(now=self._now())

    async def run(self, tell: Callable[[Address, Text, Language], Awaitable[None]]) -> None:
        """Tell who was let in that they were, whoever did it and wherever; until cancelled."""
        while True:
            self._news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_EVERY_S if self._shown else None)
            in_now = {guest.person for guest in await self._guests.all()}
            for person, origin in list(self._shown.items()):
                if person in in_now:
                    del self._shown[person]
                    await tell(origin.address, _("You are let in. Ask me anything; /help shows what I can do."), origin.language)
                elif self._now() - origin.sent_at > LIFE:
                    del self._shown[person]

    # ------------------------------------------------------------------ what a stranger is told

    async def _said(self, message: Message) -> Text | None:
        """Return what is told, None for what was told before."""
        address = message.address
        if address.kind == "group":
            return self._of_group(address) if self._once("group", address, "") else None
        if self.policy(address.channel) == "listed":
            return self._sentence(message) if self._once("listed", address, message.sender) else None
        return await self._code(message, f"{address.channel}:{message.sender}")

    async def _code(self, message: Message, person: str) -> Text | None:
        """Return the sentence with a new code, None where the last one is young; a flood is answered out of memory."""
        address, sender, now = message.address, message.sender, self._now()
        if self._is_told("code", address, sender, within=AGAIN) or self._is_told("crowded", address, sender):
            return None
        code = new_code()
        shown = await self._guests.ask(person, hashed(code), message, now=now)
        if shown == "full":
            self._once("crowded", address, sender)
            return self._crowded(person)
        if shown == "again":
            return None
        self._once("code", address, sender, within=AGAIN)
        self._shown[person] = Message(address, sender, message.id, "", message.language, now)
        self._news.set()
        return _(
            "I do not know you yet: I answer nothing, and nothing of what you write is kept. An admin of mine lets you in with this code, "
            "within an hour: **{code}**\n\nThat is `/admit {code}` in a chat with me, or `paring admit {code}` on the machine where I run.",
            code=code,
        )

    def _sentence(self, item: Message | Press) -> Text:
        if item.address.kind == "group":
            return self._of_group(item.address)
        if self.policy(item.address.channel) == "paired":
            return _("I do not know you yet. Write to me in our own chat: I show you a code with which my admin lets you in.")
        return _(
            "I may not work for you: I answer only the people on my admin's list. Nothing was kept. Your number, should you want "
            "to be on it: {user}.",
            user=item.sender,
        )

    def _of_group(self, group: Address) -> Text:
        if self.policy(group.channel) == "paired":
            return _(
                "I do not know this group yet: here I answer only whom I know. An admin of mine lets the whole group in by `/admit here`, "
                "written in it. Its number is {chat}.",
                chat=group.chat,
            )
        return _(
            "I may not work in this group. Its admin can ask mine to allow it: the number of this group is {chat}.",
            chat=group.chat,
        )

    def _crowded(self, person: str) -> Text:
        return _(
            "I do not know you yet, and too many people ask to be let in just now. Nothing was kept. Come back in an hour, or have my admin "
            "write `/admit {person}`.",
            person=person,
        )

    def _once(self, what: str, address: Address, sender: str, *, within: timedelta = LIFE) -> bool:
        if self._is_told(what, address, sender, within=within):
            return False
        self._told[what, address.channel, sender or address.chat] = self._now()
        return True

    def _is_told(self, what: str, address: Address, sender: str, *, within: timedelta = LIFE) -> bool:
        at = self._told.get((what, address.channel, sender or address.chat))
        return at is not None and self._now() - at < within


def new_code() -> str:
    """Return a code as it is shown: 7KQ2-M9XD."""
    letters = "".join(secrets.choice(ALPHABET) for _letter in range(LENGTH))
    return f"{letters[: LENGTH // 2]}-{letters[LENGTH // 2 :]}"


def is_code(word: str) -> bool:
    """Say whether `word` may be a code: anybody's word may be read here, and is bounded."""
    read = _read(word[: 4 * LENGTH])
    return len(word) <= 4 * LENGTH and len(read) == LENGTH and all(letter in ALPHABET for letter in read)


def hashed(code: str) -> str:
    """Return the SHA-256 of a code, however it is written."""
    return hashlib.sha256(_read(code).encode("utf-8", "replace")).hexdigest()


def _read(code: str) -> str:
    return code.upper().translate(_READ_AS)
