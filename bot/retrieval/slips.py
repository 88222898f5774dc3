"""Slips of the typing finger: which of the library's words a mistyped one was meant to be.

Owns what one slip is, where the words of a question stand, and how it is told which were mended. Leaves to
`bot.retrieval.lexical` which words a reader's passages hold.

    near("recieve", ["receiv", "recent"])     # [Near(0, "receive", "receiv")]

A slip is one letter too many, too few or another, or two neighbours swapped. Latin words of LEAST letters and more are mended, and
the first letter is believed. Hangul is left as it is: of a syllable that differs in one jamo the dictionary mostly makes other
morphemes, and a short word has a neighbour at every jamo.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bot import lazy
from bot.locale import Text, phrases
from bot.passage import Mended
from bot.text.words import stem

_ = phrases(__file__)

LEAST = 6
"""Letters of a word that is mended: of shorter ones too many are one slip away from another."""
SURE = 3
"""First letters that are believed where the vocabulary is looked through; of slips in them all are tried but another letter."""
LEAST_STEM = 3
_ENDINGS = (
    "", "e", "s", "es", "ed", "er", "ers", "ing", "ings", "y", "ies", "ied", "ly", "al", "ally", "ion", "ions", "ation", "ations",
    "ment", "ments", "ant", "ants", "ent", "ents", "ive", "ity", "able", "ance", "ence", "ness", "ous", "ful",
    "ate", "ates", "ated", "ating", "ize", "ized", "izing",
)  # fmt: skip
"""What English words end in after their stems."""
_WORD = lazy.compile(rf"(?<![\w'’./@])[a-z]{{{LEAST},24}}(?![a-z0-9_'’@/]|[.][a-z0-9]|[\u00c0-\u024f])", re.IGNORECASE | re.ASCII)

_RUNS = lazy.compile("[a-z]+|[^a-z]+", re.IGNORECASE | re.ASCII)
_LETTERS = lazy.compile(r"(?<![^\W_])[a-z]+(?![^\W_가-힣])", re.IGNORECASE)


class Near(NamedTuple):
    """What a word may have been meant as: 0 a swap or a double letter, 1 any other slip; the word itself, and its stem."""

    distance: int
    word: str
    stem: str


class Place(NamedTuple):
    """A word of a text, in lower case, and where it stands."""

    start: int
    end: int
    word: str


def words_of(text: str) -> Iterator[Place]:
    """Yield the words of `text` that are long enough to be mended; no parts of addresses and names of files."""
    yield from (Place(found.start(), found.end(), found.group().lower()) for found in _WORD.finditer(text))


def early(said: str) -> set[str]:
    """Return what `said` may have been meant as where the slip is in its first letters, all but another letter for one."""
    swapped = {said[:at] + said[at + 1] + said[at] + said[at + 2 :] for at in range(min(SURE, len(said) - 1))}
    lost = {said[:at] + letter + said[at:] for at in range(1, SURE) for letter in string.ascii_lowercase}
    return (swapped | lost | {said[:at] + said[at + 1 :] for at in range(1, SURE)}) - {said}


def mended(said: str, meant: str, texts: Sequence[str]) -> tuple[Mended, ...]:
    """Return the words in which the question `said` became `meant`, as they stand in `texts`; those that stand in none are left out.

    What was looked for is a stem: a whole word is told of it, and it is one of `texts`, which the asker may read.
    """
    words = [word for text in texts for word in _LETTERS.findall(text)]
    changed = [(was, now) for was, now in zip(_cut(said), _cut(meant), strict=False) if was != now]
    standing = ((was, _standing(now, words)) for was, now in changed)
    return tuple(Mended(was, word) for was, word in dict.fromkeys(standing) if word)


def told(words: Sequence[Mended]) -> Text | None:
    """Return the sentence that says what was looked for instead of mistyped words; None for none."""
    if not words:
        return None
    said, meant = (", ".join(f"“{word}”" for word in side) for side in zip(*words, strict=True))
    return _("I looked for {meant}, not {said}.", meant=meant, said=said)


def near(word: str, stems: Iterable[str]) -> list[Near]:
    """Return what `word` may have been meant as: the words one slip away that have one of `stems`, the nearest of each."""
    return [min(forms, key=_rank) for other in set(stems) if _alike(word, other) and (forms := list(_forms(word, other)))]


def nearest(choices: Sequence[Near]) -> str | None:
    """Return the word of the nearest of `choices`; None where there is none, or more than one is as near."""
    best = min(choices, key=_rank, default=None)
    return best.word if best and sum(one.distance == best.distance for one in choices) == 1 else None


def _cut(text: str) -> list[str]:
    """Return `text` as runs of letters and what stands between them: mending a word changes its own run alone."""
    return _RUNS.findall(text)


def _standing(word: str, words: Sequence[str]) -> str:
    """Return `word` as it is written among `words`, else the first of them that has its stem, "" for none."""
    exact = {one for one in words if one.lower() == word}
    if exact:
        return word if word in exact else min(exact)
    return next((one for one in words if stem(one.lower()) == stem(word)), "")


def _rank(one: Near) -> tuple[int, int, str]:
    """Return the order of what is meant: the nearest, of those the longest: a whole word rather than a stem."""
    return one.distance, -len(one.word), one.word


def _alike(word: str, other: str) -> bool:
    """Say whether one half of `other` is in `word`: else it is more than a slip away. Quick: it is asked of hundreds of stems."""
    half = (len(other) + 1) // 2
    return word.startswith(other[:half]) or other[half + 1 : -1] in word  # its last letter may be an i for a y


def _forms(word: str, other: str) -> Iterator[Near]:
    """Yield the words of the stem `other` that are a slip away from `word`."""
    bases = (other, other[:-1] + "y") if other[-1:] == "i" else (other,)
    for base in bases:
        for distance, end in _in_stem(word, base):
            if stem(base + word[end:]) == other:
                yield Near(distance, base + word[end:], other)
    if len(other) >= LEAST_STEM and word.startswith(other[:-1]):
        for form in (base + ending for base in (*bases, other + other[-1]) for ending in _ENDINGS):
            if abs(len(form) - len(word)) <= 1:
                distances = [distance for distance, end in _in_stem(word, form) if end == len(word)]
                if distances and stem(form) == other:
                    yield Near(min(distances), form, other)


def _in_stem(word: str, base: str) -> Iterator[tuple[int, int]]:
    """Yield (distance, where the ending begins) of each slip by which `word` begins with `base`."""
    at = next((at for at, (said, meant) in enumerate(zip(word, base, strict=False)) if said != meant), min(len(word), len(base)))
    rest = base[at:]
    if not rest:
        if len(word) == at + 1:
            yield int(word[at] != word[at - 1]), at + 1
        return
    if word.startswith(rest, at + 1):
        yield int(word[at] != base[at - 1]), at + 1 + len(rest)
    if word.startswith(rest[1:], at):
        yield int(rest[0] != base[at - 1]), at + len(rest) - 1
    if word.startswith(rest[1:], at + 1):
        yield 1, at + len(rest)
    if rest[:2] == word[at : at + 2][::-1] and word.startswith(rest[2:], at + 2):
        yield 0, at + len(rest)
