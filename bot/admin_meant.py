"""Which slot and which model an admin means, and what is said where it is not clear: names that are near, and buttons for them.

found = await meant.model(order, "swap")      # ("summarise", "summarise.lexrank.v1"), or the Done that asks back
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.admin import Done
from bot.admin_words import LONGEST, Order, near, near_slots, slot_of
from bot.locale import Text, phrases
from bot.message import Button, Command
from bot.models.telling import short

if TYPE_CHECKING:
    from bot.models.catalogue import Catalogue
    from bot.models.spec import ModelSpec
    from bot.skill import Skill

_ = phrases(__file__)

HUB: Final = "hub:"
MOST_BUTTONS: Final = 8


class Meant:
    """The slots and the models by whatever they are called."""

    def __init__(self, catalogue: Catalogue, skills: Callable[[], Sequence[Skill]], home: Path) -> None:
        """Look in the catalogue, and for folders in the model home."""
        self._catalogue = catalogue
        self._skills = skills
        self._home = home

    def slot(self, order: Order, command: str, *, among: Sequence[str] | None = None) -> str | Done:
        """Return the slot of the order's first word, or the question which one, with a button for each of `among`."""
        slots, word = self._catalogue.slots(), cut(order.word(0))
        if slot := slot_of(word, slots, self._skills()):
            return slot
        if not word:
            offered = slots if among is None else among
            said = _("Which slot? There are: {slots}.", slots=", ".join(slots))
            if among is not None and not among:
                said = _("No model was swapped yet, so there is nothing to go back to.")
            return _ask(order, said, _buttons(command, offered))
        meant = near_slots(word, slots, self._skills())
        if meant:
            said = _("There is no slot “{word}”. Did you mean {near}?", word=word, near=" / ".join(meant))
            return _ask(order, said, _buttons(command, meant, order.after(1)))
        said = _("There is no slot “{word}”. There are: {slots}.", word=word, slots=", ".join(slots))
        return _ask(order, said, _buttons(command, slots))

    async def model(self, order: Order, command: str) -> tuple[str, str] | Done:
        """Return the slot and the word for the model that the order names, or the question what was meant, with buttons."""
        if (alone := self._by_model_alone(order, command)) is not None:
            return alone
        slot = self.slot(order, command)
        if isinstance(slot, Done):
            return slot
        word = cut(order.after(1))
        specs = self._catalogue.for_slot(slot)
        if not word:
            told = [(spec.name, spec.told_for(order.request.language)) for spec in specs]
            listed = [f"- `{name}`" + (f": {good_for}" if good_for else "") for name, good_for in told]
            said = _("Which model for {slot}? By name, `hub:owner/name@revision`, or a folder in HOME/models.", slot=slot)
            return _ask(order, said, _models(command, slot, specs), below=listed)
        if word.startswith(HUB) or await asyncio.to_thread(self._is_folder, word):
            return slot, word
        return self._named(order, command, slot, word)

    def _named(self, order: Order, command: str, slot: str, word: str) -> tuple[str, str] | Done:
        specs = {spec.name: spec for spec in self._catalogue.for_slot(slot)}
        known = [spec.name for one in self._catalogue.slots() for spec in self._catalogue.for_slot(one)]
        if word in known or any(word == short(name) for name in specs):
            return slot, word
        within = [name for name in specs if word.lower() in name.lower().removeprefix(f"{slot}.")]
        if len(within) == 1:
            return slot, within[0]
        called = {short(name): name for name in specs}
        meant = within or [called[one] for one in near(short(word), called)]
        if meant:
            said = _(
                "There is no model “{word}” for {slot}. Did you mean {near}?", word=word, slot=slot, near=" / ".join(meant[:3])
            )
            return _ask(order, said, _models(command, slot, [specs[name] for name in meant]))
        said = _("There is no model “{word}” for {slot}. `/models search {slot}: {word}` looks for one.", word=word, slot=slot)
        search = Button(_("Look for it").to(order.request.language), Command("models", f"search {slot}: {word}"))
        return _ask(order, said, [search, *_models(command, slot, list(specs.values()))])

    def _by_model_alone(self, order: Order, command: str) -> Done | None:
        """Ask whether a model was meant whose slot was not written, None where that is not so."""
        word = order.word(0)
        if not word or len(order.words) > 1 or slot_of(word, self._catalogue.slots(), self._skills()):
            return None
        named = [
            spec
            for slot in self._catalogue.slots()
            for spec in self._catalogue.for_slot(slot)
            if word in {spec.name, short(spec.name)}
        ]
        if not named:
            return None
        said = _("Write the slot first: `/{command} {slot} {word}`.", command=command, slot=named[0].slot, word=word)
        return _ask(
            order,
            said,
            [Button(f"{spec.slot} {short(spec.name)}", Command(command, f"{spec.slot} {spec.name}")) for spec in named],
        )

    def _is_folder(self, word: str) -> bool:
        try:
            return (self._home / Path(word).expanduser()).is_dir()
        except (OSError, RuntimeError, ValueError):  # too long a name, nobody's ~, a NUL
            return False


def cut(word: str) -> str:
    """Return the beginning of a word that is no name of anything: it is told to people."""
    return word if len(word) <= LONGEST else f"{word[:40]}…"


def _ask(order: Order, said: Text, buttons: Sequence[Button], *, below: Sequence[str] = ()) -> Done:
    language = order.request.language
    return Done(order.request.reply("\n".join([said.to(language), *([""] if below else []), *below]), buttons=buttons), "refused")


def _buttons(command: str, slots: Sequence[str], rest: str = "") -> list[Button]:
    return [Button(slot, Command(command, f"{slot} {rest}".rstrip())) for slot in slots]


def _models(command: str, slot: str, specs: Sequence[ModelSpec]) -> list[Button]:
    return [Button(short(spec.name), Command(command, f"{slot} {spec.name}")) for spec in specs[:MOST_BUTTONS]]
