"""What an admin's order says: its words, its flags, and which slot or model a word means.

Owns the reading of a line and what may have been meant. Leaves to the verbs what is done.

    order = read(request, "telegram:4711")     # /swap summarise lexrank --force "we want to compare"
    order.words, order.reason                  # ("summarise", "lexrank"), "we want to compare"

Phones write “ ” for quotes and — for two hyphens: both are read as they were meant.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot import lazy
from bot.skill import Request, Skill
from bot.text.normal import normal

FORCE: Final = frozenset({"--force", "--강제"})
LONGEST: Final = 200
"""Characters of a word that may still be a name."""
YES: Final = frozenset({"--yes", "--네", "--예"})
_QUOTES: Final = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"})
_DASHES: Final = lazy.compile(r"(?<!\S)[—–](?=\w)")
_ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    "embed": ("embedder", "vectors", "임베딩", "벡터"),
    "route": ("router", "routing", "분류", "라우터"),
    "read": ("reader", "독해"),
    "summarise": ("summarize",),
}
"""What people call the slots that come with Paring, besides the names of the skills that use them."""


@dataclass(frozen=True, slots=True)
class Order:
    """An admin's order: who gave it, its words, and its flags."""

    request: Request
    who: str
    """CHANNEL:USER."""
    words: tuple[str, ...] = ()
    reason: str = ""
    """What stands behind --force."""
    forced: bool = False
    """Whether --force was written, with or without a reason."""
    yes: bool = False

    def word(self, place: int) -> str:
        """Return the word at `place`, "" where there is none."""
        return self.words[place] if place < len(self.words) else ""

    def after(self, place: int) -> str:
        """Return the words from `place` on."""
        return " ".join(self.words[place:])


def read(request: Request, who: str) -> Order:
    """Return what the arguments of the command say. What stands behind --force is the reason, in quotes or not."""
    said = _DASHES.sub("--", request.text.translate(_QUOTES))
    try:
        words = shlex.split(said)
    except ValueError:  # a quote that is not closed
        words = said.split()
    flag = next((place for place, word in enumerate(words) if word in FORCE), len(words))
    before, behind = words[:flag], [word for word in words[flag + 1 :] if word not in YES]
    return Order(
        request, who, tuple(word for word in before if word not in YES), " ".join(behind).strip("\"' "),
        forced=flag < len(words), yes=any(word in YES for word in words),
    )  # fmt: skip


def slot_of(word: str, slots: Sequence[str], skills: Iterable[Skill] = ()) -> str:
    """Return the slot that `word` means: its name, or what the skill whose model it is is called; "" for none."""
    said = word.lower().lstrip("/")
    if said in slots:
        return said
    return next((slot for slot, names in _names(slots, skills).items() if said in names), "")


def near(word: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """Return which of `known` may have been meant by `word`, the nearest first; of Hangul, letters count, not syllables."""
    if len(word) > LONGEST:
        return []
    letters = {normal("NFD", name.lower()): name for name in known}
    said = normal("NFD", word.lower())
    within = [name for written, name in letters.items() if said and said in written]
    close = [letters[written] for written in difflib.get_close_matches(said, letters, n=most, cutoff=0.5)]
    return list(dict.fromkeys([*within, *close]))[:most]


def near_slots(word: str, slots: Sequence[str], skills: Iterable[Skill] = ()) -> list[str]:
    """Return which slots may have been meant by `word`."""
    names = {name: slot for slot, called in _names(slots, skills).items() for name in (slot, *called)}
    return list(dict.fromkeys(names[name] for name in near(word, names)))


def size(size_bytes: int) -> str:
    """Return a size as people read it: 0.4 MB, 91 MB, 1.3 GB; "" for nothing."""
    megabytes = size_bytes / 1e6
    if megabytes >= 1000:  # noqa: PLR2004 - a gigabyte
        return f"{megabytes / 1000:.1f} GB"
    return "" if not size_bytes else f"{megabytes:.0f} MB" if megabytes >= 10 else f"{megabytes:.1f} MB"  # noqa: PLR2004 - a decimal helps


def _names(slots: Sequence[str], skills: Iterable[Skill]) -> dict[str, set[str]]:
    """Return what each slot is called besides its name; a word that the skills of two slots share means the former."""
    named = {slot: set(_ALSO.get(slot, ())) for slot in slots}
    for skill in skills:
        own = next((slot.name for slot in skill.slots if slot.name == skill.name), skill.slots[0].name if skill.slots else "")
        if own in named:
            named[own] |= {skill.name, *(name for spec in skill.commands for name in (spec.name, *spec.aliases))}
    return named
