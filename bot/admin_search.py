"""`/models search`: what may be put into a slot, of the presets that are known here and of what a hub offers.

Owns: what is asked for (a slot and words), and how the finds are shown. Leaves the hub to `bot.models.hub`, which is asked only now.

    /models search summarise: korean news
    /models search 번역
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from bot.admin import Done
from bot.admin_words import Order, size, slot_of
from bot.errors import InputError, ModelError
from bot.locale import Language, phrases
from bot.message import Button, Command
from bot.models.telling import short

if TYPE_CHECKING:
    from bot.locale import Text
    from bot.models.catalogue import Catalogue
    from bot.models.spec import ModelSpec
    from bot.skill import Skill

_ = phrases(__file__)

SEARCH: Final = frozenset({"search", "find", "검색", "찾기"})
MOST_PRESETS, MOST_OFFERS = 6, 5
_LANGUAGES: Final = {"korean": "ko", "한국어": "ko", "한글": "ko", "english": "en", "영어": "en"}


class Offer(Protocol):
    """What a hub offers. Implemented by `bot.models.hub_listing.Offer`."""

    @property
    def word(self) -> str:
        """What names it: hub:owner/name."""
        ...

    @property
    def loadable(self) -> bool:
        """Whether the slot's runtime can load it, as far as the hub tells."""
        ...

    @property
    def licence(self) -> str:
        """Its licence, "" where it names none."""
        ...

    @property
    def downloads(self) -> int:
        """How often it was fetched lately."""
        ...

    @property
    def size_bytes(self) -> int:
        """Its size, 0 where the hub does not tell it."""
        ...

    @property
    def obstacle(self) -> Text | None:
        """Why it cannot be loaded."""
        ...


class Offering(Protocol):
    """A hub. Implemented by `bot.models.hub.Hub`."""

    async def search(self, slot: str, text: str, *, count: int = 10) -> Sequence[Offer]:
        """Return what it offers for `slot`. Raises OfflineError, ModelError."""
        ...


class Search:
    """Finds models for a slot."""

    def __init__(self, catalogue: Catalogue, skills: Callable[[], Sequence[Skill]], hub: Offering | None) -> None:
        """Look in the catalogue and, where there is one, in a hub."""
        self._catalogue = catalogue
        self._skills = skills
        self._hub = hub

    async def answer(self, order: Order, asked: str) -> Done:
        """Return what is known and offered for what was asked: `SLOT: words`, a slot among the words, or words alone."""
        if not asked.strip():
            raise InputError(_("Write what to look for: `/models search summarise: korean news`."))
        slot, text = self._split(asked)
        language = order.request.language
        presets = self._presets(slot, text)
        lines = [_heading(slot, text, language), ""]
        lines += [_preset(spec, language) for spec in presets] or [_("Nothing that is known here fits.").to(language)]
        buttons = [_try(f"{spec.slot} {short(spec.name)}", spec.slot, spec.name, language) for spec in presets]
        offers, told = await self._offered(slot, text, language)
        lines += ["", told, *(_offer(offer, language) for offer in offers)]
        buttons += [_try(offer.word.rpartition("/")[2], slot, offer.word, language) for offer in offers if offer.loadable]
        return Done(order.request.reply("\n".join(lines), buttons=buttons))

    def _split(self, asked: str) -> tuple[str, str]:
        """Return the slot, "" for none, and the other words."""
        slots, skills = self._catalogue.slots(), self._skills()
        head, colon, rest = asked.partition(":")
        if colon and (slot := slot_of(head.strip(), slots, skills)):
            return slot, rest.strip()
        words = asked.split()
        place = next((place for place, word in enumerate(words) if slot_of(word, slots, skills)), None)
        if place is None:
            return "", asked.strip()
        return slot_of(words[place], slots, skills), " ".join(words[:place] + words[place + 1 :])

    def _presets(self, slot: str, text: str) -> list[ModelSpec]:
        """Return what fits best, of those in which at least one of the words stands; without words all of the slot."""
        slots = [slot] if slot else self._catalogue.slots()
        specs = [spec for one in slots for spec in self._catalogue.for_slot(one)]
        words = text.lower().split()
        fit = {spec.name: sum(_stands(word, spec) for word in words) for spec in specs}
        found = [spec for spec in specs if fit[spec.name] or (slot and not words)]
        return sorted(found, key=lambda spec: -fit[spec.name])[:MOST_PRESETS]

    async def _offered(self, slot: str, text: str, language: Language) -> tuple[Sequence[Offer], str]:
        """Return what the hub offers, and what is said of it: also that it could not be asked."""
        if self._hub is None:
            return (), _("No hub is asked by this bot.").to(language)
        if not slot:
            return (), _("Name a slot to ask the hub as well: `/models search summarise: {text}`.", text=text).to(language)
        try:
            offers = await self._hub.search(slot, text, count=MOST_OFFERS)
        except ModelError as error:
            return (), error.sentence(language)
        if not offers:
            return (), _("The hub offers nothing for that.").to(language)
        return offers, _("The hub offers:").to(language)


def _heading(slot: str, text: str, language: Language) -> str:
    if slot and text:
        return _("**For {slot}: {text}.** Known here:", slot=slot, text=text).to(language)
    return _("**For {text}.** Known here:", text=slot or text).to(language)


def _stands(word: str, spec: ModelSpec) -> bool:
    told = f"{spec.name} {spec.good_for} {spec.good_for_ko} {spec.location} {spec.licence}".lower()
    return word in told or _LANGUAGES.get(word, word) in spec.languages


def _preset(spec: ModelSpec, language: Language) -> str:
    facts = (spec.told_for(language), spec.licence, ", ".join(spec.languages), size(spec.size_mb * 1_000_000))
    return f"- `{spec.name}`: " + " · ".join(fact for fact in facts if fact)


def _offer(offer: Offer, language: Language) -> str:
    loads = _("{count} downloads", count=f"{offer.downloads:,}").to(language)
    facts = [offer.licence or "–", size(offer.size_bytes), loads, offer.obstacle.to(language) if offer.obstacle else ""]
    return f"- `{offer.word}`: " + " · ".join(fact for fact in facts if fact)


def _try(label: str, slot: str, word: str, language: Language) -> Button:
    return Button(_("Try {model}", model=label).to(language), Command("swap", f"{slot} {word}"))
