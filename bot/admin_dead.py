"""What was set aside: an admin sees it, has it done once more, or drops it.

Owns `/dead`. Leaves the rows to `bot.store.dead`. Nothing of what people said is shown: who, where, when, how long, and why.

    /dead                  the last, with [Replay] and [Drop] under them
    /dead replay a91f3c    it is worked on again, and answered in its own chat, in the place of what was told there
    /dead drop a91f3c      it is listed no more; it stays among what was said
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import TYPE_CHECKING, Final

from bot.admin import Done, Verb
from bot.admin_words import Order
from bot.errors import InputError
from bot.locale import Language, Text, phrases
from bot.message import Button, Command
from bot.skill import CommandSpec

if TYPE_CHECKING:
    from bot.store.dead import DeadLetter, DeadLetters

_ = phrases(__file__)

REPLAY: Final = frozenset({"replay", "again", "다시"})
DROP: Final = frozenset({"drop", "버리기", "버려"})
FEW: Final = 10
"""Shown in a chat; `paring dead` shows more."""
MOST_BUTTONS: Final = 5
"""Letters with two buttons each."""
LONGEST_SHOWN: Final = 120
_HOW: Final = _("Write /dead, /dead replay REF or /dead drop REF; REF is what /dead shows, and the person was told.")


class Dead:
    """`/dead`."""

    def __init__(self, letters: DeadLetters, *, zone: tzinfo | None) -> None:
        """Tell times in `zone`, None for the machine's."""
        self._letters = letters
        self._zone = zone

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """Its verb."""
        summary = _("What was set aside because it broke: have it done again, or drop it")
        return (Verb(CommandSpec("dead", summary, aliases=("보류",), admin=True), self._dead),)

    async def _dead(self, order: Order) -> Done:
        doing = order.word(0).lower()
        if not doing:
            return await self._list(order)
        reference = order.word(1).strip("().#").lower()
        if doing not in REPLAY | DROP or not reference:
            raise InputError(_HOW)
        return await (self._replay if doing in REPLAY else self._drop)(order, reference)

    async def _replay(self, order: Order, reference: str) -> Done:
        letter = await self._letters.replay(reference)
        if letter is None:
            raise _not_there(reference)
        said = (
            _("{reference} is worked on again, and answered in its own chat.", reference=reference)
            if letter.kind == "message"
            else _("{reference} is sent again. Where it cannot be sent, it comes back here.", reference=reference)
        )
        return Done(order.request.reply(said))

    async def _drop(self, order: Order, reference: str) -> Done:
        if await self._letters.drop(reference) is None:
            raise _not_there(reference)
        return Done(order.request.reply(_("{reference} is dropped: it is listed no more.", reference=reference)))

    async def _list(self, order: Order) -> Done:
        language = order.request.language
        letters, count = await self._letters.last(FEW), await self._letters.count()
        if not letters:
            return Done(order.request.reply(_("Nothing is set aside.")))
        head = _("**Set aside: {count}**, the newest first:", count=count).to(language)
        lines = [head, "", *(told(letter, language, self._zone) for letter in letters), "", _HOW.to(language)]
        buttons = [
            Button(label(reference=letter.reference).to(language), Command("dead", f"{doing} {letter.reference}"))
            for letter in letters[:MOST_BUTTONS]
            for label, doing in _BUTTONS
        ]
        return Done(order.request.reply("\n".join(lines), buttons=buttons))


def told(letter: DeadLetter, language: Language, zone: tzinfo | None) -> str:
    """Return one of them as a line: reference, when, who, where, what it was, and why."""
    at, address = letter.at.astimezone(zone), letter.address
    who = f"{_plain(letter.name)} ({letter.who})" if letter.name else letter.who
    where = f"{address.channel}/{_plain(address.chat)}"
    parts = [f"{at:%m-%d %H:%M}", *([who] if who else []), where, _what(letter).to(language), _plain(letter.why)]
    return f"- `{letter.reference}` · " + " · ".join(part for part in parts if part)


def _what(letter: DeadLetter) -> Text:
    skill = f" {_plain(letter.skill)}" if letter.skill else ""
    if letter.kind == "reply":
        return _("an answer{skill}, {characters} characters, {files} files",
                 skill=skill, characters=letter.characters, files=letter.files)  # fmt: skip
    return _("a message{skill}, {characters} characters, {files} files",
             skill=skill, characters=letter.characters, files=letter.files)  # fmt: skip


def _not_there(reference: str) -> InputError:
    return InputError(
        _(
            "Nothing is set aside under {reference}, or it was replayed or dropped already. /dead shows what is.",
            reference=_plain(reference)[:20],
        )
    )


def _plain(text: str) -> str:
    """Return a word of others on one line, without what Markdown would act on."""
    line = "".join(" " if sign.isspace() else sign for sign in text if sign not in "*`[]<>")
    return line if len(line) <= LONGEST_SHOWN else f"{line[: LONGEST_SHOWN - 1]}…"


def _replay_label(*, reference: str) -> Text:
    return _("Replay {reference}", reference=reference)


def _drop_label(*, reference: str) -> Text:
    return _("Drop {reference}", reference=reference)


_BUTTONS: Final[tuple[tuple[Callable[..., Text], str], ...]] = ((_replay_label, "replay"), (_drop_label, "drop"))
