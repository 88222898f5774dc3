"""Who may use admin commands: asked at every command and at every press of a button, of what holds then.

An admin is CHANNEL:USER, as the channel names who says something. There are four kinds:

- the owner of the machine's home: whoever types in its terminal (`console`), for who can start a program there can read and write
  all that the bot keeps; and the person on the web page (`web:me`), unless web.admin is false;
- those whom `admins` in the settings names; only a change of the settings takes that from them;
- those whom one of the former added (`/admins add telegram:4711`); they may not add others;
- where the settings say so (`slack.admins_from`, `matrix.admin_room`), those whom their platform calls its own admins, as long as it
  does: it is asked, what it said is believed for a minute where somebody only talks, and not at all where they give an order. They may not
  add others.

Who speaks without a name, as a group or a channel, is nobody's admin.

    roles = Roles(settings, Admins(database))
    await roles.admits("telegram:4711")
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from bot import lazy
from bot.channels.channel import KnowsRoles
from bot.config_section import PERSON
from bot.errors import InputError
from bot.locale import phrases

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.config import Settings
    from bot.message import Message
    from bot.store.admins import Added, Admins

_ = phrases(__file__)

CONSOLE: Final = "console"
PAGE: Final = "web:me"
TERMINAL: Final = "terminal"
"""Who orders by the command line, in the audit."""
LOOK_EVERY_S: Final = 5.0
"""How often one looks for admins whom another process added or removed, to show and to take away menus."""
_TELEGRAM_USER = lazy.compile(r"\d{1,19}", re.ASCII)
"""A chat's number has a sign."""


class Roles:
    """The admins, by the settings and by the database."""

    def __init__(self, settings: Settings, admins: Admins, channels: Mapping[str, object] | None = None) -> None:
        """Take the settings, those whom admins added, and the channels, by name, that are asked for their platforms' own."""
        self._named = frozenset(settings.admins)
        self._page = settings.web.admin
        self._admins = admins
        self.platforms = tuple(
            f"{key} = {value}"
            for key, value, none in (
                ("slack.admins_from", settings.slack.admins_from, "nobody"),
                ("matrix.admin_room", settings.matrix.admin_room, ""),
            )
            if value != none
        )
        """The settings by which platforms' own admins are admins here."""
        self._channels = channels if channels is not None else {}
        self._changed = asyncio.Event()

    async def admits(self, person: str) -> bool:
        """Say whether `person` is an admin now; of what a platform says, by what it said within the last minute."""
        return await self.ours(person) or bool(await self._role(person, anew=False))

    async def ours(self, person: str) -> bool:
        """Say whether `person` is an admin by the settings or by an admin's word, whatever their platform says."""
        return self.settled(person) or (has_a_name(person) and await self._admins.has(person))

    async def role(self, person: str) -> str:
        """Return which role of their platform's makes `person` an admin at this moment, "" where none does. It is asked anew."""
        return await self._role(person, anew=True)

    async def _role(self, person: str, *, anew: bool) -> str:
        name, _colon, user = person.partition(":")
        channel = self._channels.get(name)
        return await channel.role(user, anew=anew) if isinstance(channel, KnowsRoles) and has_a_name(person) else ""

    async def admits_sender(self, message: Message) -> bool:
        """Say whether who said `message` is an admin now."""
        return await self.admits(person_of(message))

    def settled(self, person: str) -> bool:
        """Say whether `person` is the owner or one whom the settings name: no command takes that away."""
        channel, _colon, _user = person.partition(":")
        return channel == CONSOLE or (person == PAGE and self._page) or (person in self._named and has_a_name(person))

    @property
    def named(self) -> tuple[str, ...]:
        """Those whom the settings name."""
        return tuple(sorted(self._named))

    async def added(self) -> list[Added]:
        """Return those whom admins added."""
        return await self._admins.all()

    async def add(self, person: str, *, by: str) -> bool:
        """Make `person` an admin; return False where that one is. Raises InputError where `by` may not, or it is no person."""
        self.check_may(by)
        if not has_a_name(person):
            raise InputError(
                _(
                    "“{person}” is no person. Write CHANNEL:USER, such as telegram:4711; who is refused is told their own.",
                    person=person,
                )
            )
        new = not self.settled(person) and await self._admins.add(person, by=by)
        self._changed.set()
        return new

    async def remove(self, person: str, *, by: str) -> bool:
        """Take it from `person`; return False where nobody had added that one. Raises InputError where it is the settings' own."""
        if person != by:
            self.check_may(by)
        if person in self._named:
            raise InputError(
                _(
                    "{person} is an admin by the settings: take the name out of `admins` there and start Paring again.",
                    person=person,
                )
            )
        if self.settled(person):
            raise InputError(_("{person} is the owner of this machine's bot, and stays its admin.", person=person))
        gone = await self._admins.remove(person)
        self._changed.set()
        return gone

    def check_may(self, by: str) -> None:
        """Raise InputError where `by` may not say who is an admin."""
        if by != TERMINAL and not self.settled(by):
            raise InputError(_("Only the owner and the admins of the settings add and remove admins."))

    async def of_channel(self, channel: str) -> frozenset[str]:
        """Return the users of `channel` who are admins now."""
        people = filter(has_a_name, [*self._named, *(one.person for one in await self.added())])
        return frozenset(user for name, _colon, user in (one.partition(":") for one in people) if name == channel)

    async def other_than(self, channel: str, known: frozenset[str]) -> None:
        """Return once the users of `channel` who are admins are others than `known`: by a command here, or by another process."""
        while await self.of_channel(channel) == known:
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK_EVERY_S)


def person_of(message: Message) -> str:
    """Return who said `message` as CHANNEL:USER."""
    return f"{message.address.channel}:{message.sender}"


def has_a_name(person: str) -> bool:
    """Say whether it is CHANNEL:USER, and a person: a group, in whose name its admins may speak in Telegram, is none."""
    form = PERSON.fullmatch(person)
    return form is not None and (form["channel"] != "telegram" or _TELEGRAM_USER.fullmatch(form["user"]) is not None)
