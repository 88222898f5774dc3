"""Who the admins are, and what they ordered.

Owns `/admins` and `/audit`. Leaves to `bot.roles` who may change whom, to `bot.store.audit` what was written down.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Final

from bot.admin import Done, Verb
from bot.admin_words import Order
from bot.errors import InputError
from bot.locale import Language, Text, phrases
from bot.message import Button, Command
from bot.roles import CONSOLE, PAGE
from bot.skill import CommandSpec

if TYPE_CHECKING:
    from bot.roles import Roles
    from bot.store.audit import Audit, Entry

_ = phrases(__file__)

ADD: Final = frozenset({"add", "추가"})
REMOVE: Final = frozenset({"remove", "delete", "삭제", "제거"})
FEW, MOST = 10, 50
"""Orders that /audit shows unless told how many, and at most: a chat is no ledger, `paring audit` has them all."""
LONGEST_SHOWN: Final = 120
"""Characters of an order."""
OUTCOMES: Final = {
    "begun": _("under way, or cut off"), "done": _("done"), "refused": _("refused"), "failed": _("failed"), "stopped": _("stopped"),
    "not an admin": _("refused: not an admin"), "another's button": _("refused: another's button"),
}  # fmt: skip


class People:
    """`/audit` and `/admins`."""

    def __init__(self, roles: Roles, audit: Audit, *, zone: tzinfo | None) -> None:
        """Tell times in `zone`, None for the machine's."""
        self._roles = roles
        self._audit = audit
        self._zone = zone

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """Its verbs."""
        return (
            Verb(
                CommandSpec("audit", _("What admins ordered, and what came of it"), aliases=("감사", "기록"), admin=True),
                self._show,
            ),
            Verb(
                CommandSpec("admins", _("Who the admins are; add or remove one"), aliases=("관리자",), admin=True), self._admins
            ),
        )

    async def _show(self, order: Order) -> Done:
        word = order.word(0)
        if word and not (word.isdecimal() and int(word[:9])):
            raise InputError(_("Write /audit, or /audit and how many of the last orders to show, such as /audit 20."))
        language = order.request.language
        entries = await self._audit.last(min(int(word[:9] or FEW), MOST))
        lines = [_("**The last {count} orders**, the newest first:", count=len(entries)).to(language), ""]
        return Done(order.request.reply("\n".join([*lines, *(told(entry, language, self._zone) for entry in entries)])))

    async def _admins(self, order: Order) -> Done:
        doing, person = order.word(0).lower(), order.word(1)
        if not doing:
            return await self._list(order)
        if doing in ADD and person:
            new = await self._roles.add(person, by=order.who)
            said = (
                _("{person} is an admin from now on.", person=person)
                if new
                else _("{person} is an admin already.", person=person)
            )
        elif doing in REMOVE and person:
            gone = await self._roles.remove(person, by=order.who)
            said = _("{person} is no admin any more.", person=person) if gone else _("{person} was no admin.", person=person)
        else:
            raise InputError(_("Write /admins, /admins add CHANNEL:USER or /admins remove CHANNEL:USER."))
        return Done(order.request.reply(said))

    async def _list(self, order: Order) -> Done:
        language = order.request.language
        added = await self._roles.added()
        lines = [_("**The admins**").to(language), "", *(f"- {line.to(language)}" for line in self._owners())]
        lines += [f"- `{person}`: {_('by the settings').to(language)}" for person in self._roles.named]
        lines += [
            f"- `{one.person}`: "
            + _("added by {by} on {day}", by=one.by, day=f"{one.at.astimezone(self._zone):%Y-%m-%d}").to(language)
            for one in added
        ]
        lines += ["", _("`/admins add CHANNEL:USER` adds one: who is refused is told their own.").to(language)]
        may = self._roles.settled(order.who)
        buttons = [
            Button(_("Remove {person}", person=one.person).to(language), Command("admins", f"remove {one.person}"))
            for one in added
            if may or one.person == order.who
        ]
        return Done(order.request.reply("\n".join(lines), buttons=buttons))

    def _owners(self) -> Sequence[Text]:
        owners = [_("whoever types in a terminal of this machine as the bot's own user (`{name}`)", name=f"{CONSOLE}:*")]
        if self._roles.settled(PAGE) and PAGE not in self._roles.named:
            owners.append(_("the person on the web page (`{name}`)", name=PAGE))
        owners += [
            _("who runs the workspace ({where}), as long as the platform says so", where=where) for where in self._roles.platforms
        ]
        return owners


def told(entry: Entry, language: Language, zone: tzinfo | None) -> str:
    """Return one order as a line: when, who, what, and what came of it."""
    outcome = OUTCOMES[entry.outcome].to(language) if entry.outcome in OUTCOMES else entry.outcome
    command = " ".join(entry.command.replace("`", "'").split())
    command = command if len(command) <= LONGEST_SHOWN else f"{command[: LONGEST_SHOWN - 1]}…"
    return f"- {entry.at.astimezone(zone):%m-%d %H:%M} · {entry.who} · `{command}` · **{outcome}**"
