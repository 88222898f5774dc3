"""What a person reads of quotas: what they have used today of what they may, here and in all.

said = await told_of(message, quotas)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.locale import Text, phrases
from bot.quota import group_of, in_group

if TYPE_CHECKING:
    from bot.message import Message
    from bot.quota import Quotas, Standing

_ = phrases(__file__)

NO_QUOTA: Final = _("You may ask me for as much as you like: no quota is set.")


async def told_of(message: Message, quotas: Quotas) -> str:
    """Return what who said `message` has used, in the message's language."""
    limits = [*_paces(message, quotas), *await _days(message, quotas)]
    if not limits:
        return NO_QUOTA.markdown(message.language)
    lines = [_("**What you may ask for**"), Text(""), *limits]
    if await quotas.exempts(message):
        lines += [Text(""), _("You are an admin: no quota a day holds for you.")]
    elif any([quotas.settings.person_a_day, quotas.settings.costly_a_day]):
        lines += [Text(""), _("A new day begins at {midnight}.", midnight=quotas.midnight())]
    return "\n".join(line.markdown(message.language) for line in lines)


def _paces(message: Message, quotas: Quotas) -> list[Text]:
    person, group = quotas.settings.person_a_minute, quotas.settings.group_a_minute
    lines = [_("- a minute: {most} messages", most=person)] if person else []
    return lines + (
        [_("- a minute, everybody in this group together: {most} messages", most=group)] if group and in_group(message) else []
    )


async def _days(message: Message, quotas: Quotas) -> list[Text]:
    person = await quotas.person(message)
    said = await quotas.standing(person, "messages")
    lines = [_("- messages today: {used} of {most}", used=said.used, most=said.most)] if said.most else []
    costly = await quotas.standing(person, "costly")
    if costly.most:
        skills = quotas.costly(message.language)
        lines.append(_("- of these today: {used} of {most} ({skills})", used=costly.used, most=costly.most, skills=skills))
    lines += _of_group(await quotas.standing(group_of(message), "group messages")) if in_group(message) else []
    return lines


def _of_group(here: Standing) -> list[Text]:
    if not here.most:
        return []
    return [_("- messages today, everybody in this group together: {used} of {most}", used=here.used, most=here.most)]
