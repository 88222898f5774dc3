"""Who has asked for how much today, and more of it for one of them.

Owns `/quotas`. Leaves to `bot.quota` what the limits are, and to `/quota` (`bot.quota_told`) what everybody sees of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.admin import Done, Verb
from bot.admin_words import Order
from bot.errors import InputError
from bot.locale import Language, phrases
from bot.message import Button, Command
from bot.roles import has_a_name
from bot.skill import CommandSpec

if TYPE_CHECKING:
    from bot.quota import Quotas
    from bot.store.usage import Kind, Used

_ = phrases(__file__)

MORE: Final = frozenset({"more", "더", "추가"})
COSTLY: Final = frozenset({"costly", "비싼"})
SHOWN: Final = 20
MOST_GIVEN: Final = 1_000_000
_HOW: Final = _(
    "`/quotas more CHANNEL:USER 100` lets one send 100 messages more today, also a group (`/quotas more telegram:-100 100`); without a number, "
    "as much again as the quota. `costly` behind it (in a terminal `--costly`): that many more costly answers."
)


class QuotaBook:
    """`/quotas`."""

    def __init__(self, quotas: Quotas) -> None:
        """Show and change what `quotas` holds."""
        self._quotas = quotas

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """Its verb."""
        summary = _("Who asked for how much today; more for one of them")
        return (Verb(CommandSpec("quotas", summary, aliases=("사용량",), admin=True), self._answer),)

    async def _answer(self, order: Order) -> Done:
        if not order.words:
            return await self._list(order)
        if order.word(0).lower() not in MORE or ":" not in order.word(1):
            raise InputError(_HOW)
        return await self._give(order, order.word(1))

    async def _list(self, order: Order) -> Done:
        language, today = order.request.language, await self._quotas.today()
        lines = [_("**What was asked for today**").markdown(language), ""]
        lines += [self._line(used, language) for used in today[:SHOWN]] or [_("Nothing that has a quota.").markdown(language)]
        if len(today) > SHOWN:
            lines.append(_("- and {count} more", count=len(today) - SHOWN).markdown(language))
        buttons = [
            Button(_("More for {who}", who=used.who).to(language), Command("quotas", _more(used)))
            for used in today[:SHOWN]
            if self._is_used_up(used)
        ]
        return Done(order.request.reply("\n".join([*lines, "", _HOW.markdown(language)]), buttons=buttons))

    async def _give(self, order: Order, who: str) -> Done:
        words = [word.lower() for word in order.words[2:]]
        kind: Kind = "costly" if COSTLY & set(words) else "messages" if has_a_name(who) else "group messages"
        most = self._quotas.most(kind)
        if not most:
            raise InputError(_("There is no quota of that kind, so nobody needs more: the settings under `quotas` name them."))
        numbers = [word for word in words if word not in COSTLY]
        more = int(numbers[0]) if numbers and numbers[0].isdecimal() and len(numbers[0]) <= len(str(MOST_GIVEN)) else 0
        if len(numbers) > 1 or (numbers and not 0 < more <= MOST_GIVEN):
            raise InputError(_HOW)
        await self._quotas.give(who, kind, more or most)
        now = await self._quotas.standing(who, kind)
        said = _("{who} may have {most} today, and has used {used}.", who=who, most=now.most, used=now.used)
        return Done(order.request.reply(said))

    def _line(self, used: Used, language: Language) -> str:
        now = self._quotas.of(used)
        if not now.most:
            said = _("- `{who}`: {used}", who=used.who, used=now.used)
        elif used.kind == "costly":
            said = _("- `{who}`: {used} of {most} costly answers", who=used.who, used=now.used, most=now.most)
        else:
            said = _("- `{who}`: {used} of {most} messages", who=used.who, used=now.used, most=now.most)
        return said.markdown(language)

    def _is_used_up(self, used: Used) -> bool:
        now = self._quotas.of(used)
        return 0 < now.most <= now.used


def _more(used: Used) -> str:
    return f"more {used.who} costly" if used.kind == "costly" else f"more {used.who}"
