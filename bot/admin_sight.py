"""What an admin sees before changing anything: the models by slot, one slot, and the memory.

Owns what is told of them, and the buttons that lead on. Leaves the figures to the pool and the catalogue, and the changing to
`bot.admin_swaps`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bot.admin import Done, Verb
from bot.admin_meant import Meant
from bot.admin_search import SEARCH, Search
from bot.admin_words import Order, size
from bot.locale import Text, phrases
from bot.message import Button, Command
from bot.models.health import health_of
from bot.models.memory import machine_mb, resident_mb
from bot.models.telling import short
from bot.skill import CommandSpec, Skill

if TYPE_CHECKING:
    from bot.locale import Language
    from bot.models.catalogue import Catalogue
    from bot.models.places import SlotStatus
    from bot.models.pool import Pool
    from bot.models.spec import ModelSpec
    from bot.store.traffic import Traffic, Went

_ = phrases(__file__)

LATELY: Final = timedelta(days=7)
"""What the share of traffic is of."""
MOST_OTHERS: Final = 6
"""Other models of a slot that get a button."""
OF_EVERY_TEXT: Final = frozenset({"embed", "route"})
"""The slots by which a message is routed that says no skill itself …"""
ROUTED: Final = frozenset({"router", "found"})
"""… as its route tells."""


class Sight:
    """`/models` and `/ram`."""

    def __init__(
        self,
        pool: Pool,
        catalogue: Catalogue,
        traffic: Traffic,
        skills: Callable[[], Sequence[Skill]],
        meant: Meant,
        search: Search,
    ) -> None:
        """Ask the pool what is loaded, the catalogue what else there is, `traffic` what was answered by which skill."""
        self._pool = pool
        self._catalogue = catalogue
        self._traffic = traffic
        self._skills = skills
        self._meant = meant
        self._search = search

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """Its verbs."""
        return (
            Verb(CommandSpec("models", _("The live models: health, size, memory, share of traffic"), aliases=("모델",), admin=True),
                 self._models),
            Verb(CommandSpec("ram", _("What memory the models take, and what may be unloaded"), aliases=("메모리",), admin=True),
                 self._ram),
        )  # fmt: skip

    async def shares(self) -> Mapping[str, float]:
        """Return the share, 0..1, of last week's messages that each slot had a part in."""
        return _shares(await self._traffic.since(datetime.now(UTC) - LATELY), self._skills())

    async def _models(self, order: Order) -> Done:
        if order.word(0).lower() in SEARCH:
            return await self._search.answer(order, order.after(1))
        found, shares = await asyncio.to_thread(self._pool.status), await self.shares()
        if not order.words:
            return self._all(order, found, shares)
        slot = self._meant.slot(order, "models")
        if isinstance(slot, Done):
            return slot
        return self._one(order, next(status for status in found if status.slot == slot and not status.beside), shares)

    def _all(self, order: Order, found: Sequence[SlotStatus], shares: Mapping[str, float]) -> Done:
        language = order.request.language
        taken_mb, limit_mb = self._pool.memory
        head = _("**The live models.** They take {taken} of {budget} MiB.", taken=taken_mb, budget=limit_mb).to(language)
        lines = [head, "", *(_line(status, shares).to(language) for status in found)]
        buttons = [Button(status.slot, Command("models", status.slot)) for status in found if not status.beside]
        buttons.append(Button(_("Memory").to(language), Command("ram")))
        return Done(order.request.reply("\n".join(lines), buttons=buttons))

    def _one(self, order: Order, status: SlotStatus, shares: Mapping[str, float]) -> Done:
        language, slot = order.request.language, status.slot
        others = [spec for spec in self._catalogue.for_slot(slot) if spec.identity != status.model]
        lines = [f"**{slot}** · `{status.model or '–'}`", "", *(f"- {fact.to(language)}" for fact in _facts(status, shares))]
        if others:
            lines += ["", _("Others that are known for it:").to(language), *(_other(spec, language) for spec in others)]
        lines += ["", _("`/models search {slot}: WORDS` looks for more, `/swap {slot} MODEL` tries one.", slot=slot).to(language)]
        buttons = [
            Button(_("Try {model}", model=short(spec.name)).to(language), Command("swap", f"{slot} {spec.name}"))
            for spec in others[:MOST_OTHERS]
        ]
        return Done(order.request.reply("\n".join(lines), buttons=buttons))

    async def _ram(self, order: Order) -> Done:
        found = await asyncio.to_thread(self._pool.status)
        language = order.request.language
        taken_mb, limit_mb = self._pool.memory
        lines = [
            _("**Memory.** Loaded models take {taken} of {budget} MiB budgeted.", taken=taken_mb, budget=limit_mb).to(language),
            _("This process takes {process} MiB; {machine} MiB are the machine's, or what it may take of them.",
              process=resident_mb(), machine=machine_mb()).to(language),
            "",
        ]  # fmt: skip
        lines += [_loaded(status).to(language) for status in found if status.loaded]
        asleep = [_unloaded(status).to(language) for status in found if not status.loaded and status.model]
        if asleep:
            lines += ["", _("Not loaded; the first question loads it:").to(language), *asleep]
        lines += ["", _("The budget is models.ram_mb in the settings (0: 60 % of the machine).").to(language)]
        return Done(order.request.reply("\n".join(lines), buttons=[Button(_("Models").to(language), Command("models"))]))


def _line(status: SlotStatus, shares: Mapping[str, float]) -> Text:
    """Return one slot's line of the list."""
    if not status.model:
        return _("- **{slot}** · no model · {share}", slot=status.slot, share=_share(status, shares))
    return _(
        "- **{slot}** · {model} · {health} · {size} · RAM {ram} MiB · p50 {p50} · {share}",
        slot=status.slot, model=short(status.model), health=health_of(status),
        size=size(status.size_bytes) or "–", ram=status.ram_mb or "–", p50=_p50(status), share=_share(status, shares),
    )  # fmt: skip


def _facts(status: SlotStatus, shares: Mapping[str, float]) -> list[Text]:
    facts = [_("Health: {health}", health=health_of(status))]
    if status.model:
        takes, stays = size(status.size_bytes) or "–", _stays(status)
        languages = ", ".join(status.languages) or "–"
        facts += [
            _("On disk {size}, in memory {ram} MiB; {stays}", size=takes, ram=status.ram_mb or "–", stays=stays),
            _("Licence: {licence}; languages: {languages}", licence=status.licence or "–", languages=languages),
        ]
    return [*facts, _("p50 {p50}; {share}", p50=_p50(status), share=_share(status, shares))]


def _other(spec: ModelSpec, language: Language) -> str:
    facts = [
        spec.licence,
        ", ".join(spec.languages),
        size(on_disk) if (on_disk := sum(file.size_bytes for file in spec.files)) else "",
    ]
    told = " · ".join(fact for fact in (spec.told_for(language), *facts) if fact)
    return f"- `{spec.name}`" + (f": {told}" if told else "")


def _loaded(status: SlotStatus) -> Text:
    return _("- **{slot}** · {model} · {ram} MiB · {stays}", slot=status.slot, model=status.model.partition("@")[0], ram=status.ram_mb,
             stays=_stays(status))  # fmt: skip


def _unloaded(status: SlotStatus) -> Text:
    if status.ram_mb:
        return _("- **{slot}** · {model} · was measured to take {ram} MiB", slot=status.slot, model=status.model.partition("@")[0],
                 ram=status.ram_mb)  # fmt: skip
    return _("- **{slot}** · {model} · never measured", slot=status.slot, model=status.model.partition("@")[0])


def _stays(status: SlotStatus) -> Text:
    return _("stays loaded") if status.pinned else _("may be unloaded for others")


def _p50(status: SlotStatus) -> str:
    return "–" if status.p50_ms is None else f"{status.p50_ms:.3g} ms"


def _share(status: SlotStatus, shares: Mapping[str, float]) -> Text:
    if status.beside:
        return _("asked by name")
    return _("{share} % of messages", share=round(100 * shares.get(status.slot, 0.0)))


def _shares(went: Sequence[Went], skills: Sequence[Skill]) -> dict[str, float]:
    """Return by slot which part of the messages its model had a hand in: routing them, or in the skill that answered."""
    slots = {skill.name: {slot.name for slot in skill.slots} for skill in skills}
    total = sum(one.count for one in went)
    shares: dict[str, float] = {}
    for one in went:
        for slot in slots.get(one.skill, set()) | (OF_EVERY_TEXT if one.how in ROUTED else set()):
            shares[slot] = shares.get(slot, 0.0) + one.count / total
    return shares
