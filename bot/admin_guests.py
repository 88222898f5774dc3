"""Who may talk to the bot: an admin lets a person in by the code that the bot showed them, sees who was let in, and takes it back.

Owns `/admit` and `/guests`. Leaves to `bot.front_door` the codes and the rule. A code is never written down.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Final

from bot.admin import Done, Verb
from bot.admin_people import REMOVE
from bot.admin_words import Order
from bot.errors import InputError
from bot.locale import Text, phrases
from bot.message import Button, Command
from bot.roles import has_a_name
from bot.skill import CommandSpec

if TYPE_CHECKING:
    from bot.front_door import FrontDoor
    from bot.roles import Roles
    from bot.store.guests import Guest

_ = phrases(__file__)

HERE: Final = frozenset({"here", "여기"})
AS_ADMIN: Final = frozenset({"--admin", "--관리자"})
MOST_BUTTONS: Final = 20
_HOW: Final = _(
    "Write /admit and the code that the person was shown, such as /admit 7KQ2-M9XD; or their name, /admit telegram:4711; or, "
    "in a group, /admit here."
)
_EVERYBODY: Final = _("Everybody may, by the settings (`front_door`).")


class GuestBook:
    """`/admit` and `/guests`."""

    def __init__(self, door: FrontDoor, roles: Roles, *, zone: tzinfo | None) -> None:
        """Tell times in `zone`, None for the machine's."""
        self._door = door
        self._roles = roles
        self._zone = zone

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """Its verbs."""
        return (
            Verb(
                CommandSpec(
                    "admit", _("Let somebody talk to me, by the code that I showed them"), aliases=("들이기",), admin=True
                ),
                self._admit,
                written=masked,
            ),
            Verb(
                CommandSpec("guests", _("Who was let in; remove one"), aliases=("손님",), admin=True),
                self._guests,
            ),
        )

    async def _admit(self, order: Order) -> Done:
        words = [word for word in order.words if word not in AS_ADMIN]
        as_admin = len(words) < len(order.words)
        if not words:
            raise InputError(_HOW)
        if as_admin:
            self._roles.check_may(order.who)
        address = order.request.message.address
        if words[0].lower() in HERE:
            if address.kind != "group":
                raise InputError(_("“Here” is a group: write it in the group that you want to let in. {how}", how=_HOW))
            words = [f"{address.channel}:{address.chat}"]
        if as_admin and ":" in words[0] and not has_a_name(words[0]):
            raise InputError(_("{person} is a group, and no group is an admin. Nobody was let in.", person=words[0]))
        person = await self._door.admit("".join(words), by=order.who)
        said = _("{person} is let in and may talk to me from now on. `/guests remove {person}` takes that back.", person=person)
        lines = [said]
        if as_admin:
            await self._roles.add(person, by=order.who)
            lines.append(_("{person} is an admin from now on.", person=person))
        lines += self._doubts(person)
        return Done(
            order.request.reply("\n\n".join(line.to(order.request.language) for line in lines)),
            about="" if person in order.words else person,
        )

    def _doubts(self, person: str) -> list[Text]:
        """Return what an admin should know who lets somebody in to whom the door is shut, or stands open, all the same."""
        policy = self._door.policy(person.partition(":")[0])
        if policy == "listed":
            return [
                _(
                    "But it is without effect: the settings let in only whom their lists name. `front_door` = `paired` changes that."
                )
            ]
        return [_EVERYBODY] if policy == "everybody" else []

    async def _guests(self, order: Order) -> Done:
        doing, person = order.word(0).lower(), order.word(1)
        if not doing:
            return await self._list(order)
        if doing not in REMOVE or not person:
            raise InputError(_("Write /guests, or /guests remove CHANNEL:USER, such as /guests remove telegram:4711."))
        gone = await self._door.remove(person)
        stays = await self._stays(person)
        if not gone:
            said = _("{person} had not been let in by a code. /guests shows who was.", person=person)
        elif stays is None:
            said = _("{person} is let in no more: nothing that they write from now on is read.", person=person)
        else:
            said = _("{person} is taken off those who were let in by a code. {stays}", person=person, stays=stays)
        return Done(order.request.reply(said))

    async def _stays(self, person: str) -> Text | None:
        """Return why `person` may talk although no code lets them in, None where they may not."""
        if await self._roles.admits(person):
            return _(
                "But they are an admin, and may talk to me as before: `/admins remove {person}` takes that back.", person=person
            )
        if self._door.lists(person):
            return _("But the lists of the settings name them, and they may talk to me as before.")
        return _EVERYBODY if self._door.policy(person.partition(":")[0]) == "everybody" else None

    async def _list(self, order: Order) -> Done:
        language = order.request.language
        guests, asking = await self._door.guests(), await self._door.asking()
        lines = [_("**Who was let in**").to(language), "", *(self._line(guest).to(language) for guest in guests)]
        if not guests:
            lines.append(_("Nobody yet.").to(language))
        if asking:
            lines += ["", _("**Who was shown a code, and waits**").to(language), ""]
            lines += [f"- `{one.person}`, {one.at.astimezone(self._zone):%H:%M}" for one in asking]
        lines += ["", _HOW.to(language)]
        buttons = [
            Button(_("Remove {person}", person=guest.person).to(language), Command("guests", f"remove {guest.person}"))
            for guest in guests[:MOST_BUTTONS]
        ]
        return Done(order.request.reply("\n".join(lines), buttons=buttons))

    def _line(self, guest: Guest) -> Text:
        day = f"{guest.at.astimezone(self._zone):%Y-%m-%d}"
        return _("- `{person}`: by {by} on {day}", person=guest.person, by=guest.by, day=day)


def masked(args: str) -> str:
    """Return what was ordered without a code, whole or mistyped: who reads the audit lets nobody in."""
    words = args.split()
    plain = [word if ":" in word or word.lower() in HERE | AS_ADMIN else "" for word in words]
    return " ".join(dict.fromkeys(word or "••••-••••" for word in plain))
