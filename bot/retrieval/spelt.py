"""The library's words that a question says in another alphabet: 슬랙 where the passages say Slack, Slack where they say 슬랙.

Owns the vocabulary that is looked through, and how old it may be. Leaves to `bot.text.sounds` what sounds alike, to
`bot.retrieval.lexical` whose passages hold a word, to `bot.retrieval.features` what it counts for.

    spelt = Spelt()
    spelt.find("슬랙 채널은 몇 개야?", state.terms_between, own)    # {"slack": ("슬랙",)}
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Final

from bot.recent import Recent
from bot.text.sounds import Cut, Sounds, called, comparable, heard
from bot.text.words import is_empty, normalise, terms

MOST_HEARD: Final = 12
"""Words of a question that are heard: a pasted text is none."""
MOST_SPELT: Final = 3
"""Latin words that one in Hangul is taken for, the most alike."""
SELDOM: Final = 20.0
"""How many times as long as it took to read a vocabulary is served: of 100,000 passages that takes a quarter of a second."""
MOST_REMEMBERED: Final = 500
"""Words whose likes are remembered until the vocabulary is read anew."""

Read = Callable[[str, str], Sequence[str]]
"""Reads the library's terms from one letter to before another."""
Own = Callable[[AbstractSet[str]], AbstractSet[str]]
"""Returns those of some terms that stand in the reader's passages: what others' hold changes nothing."""


class Spelt:
    """Remembers the words of one database. Not for two threads at once."""

    def __init__(self, *, clock: Callable[[], float] = time.perf_counter) -> None:
        """Begin with nothing read; `clock` gives seconds."""
        sounds = Sounds()
        self._latin = Vocabulary("a", "{", 2, sounds, clock)
        self._hangul = Vocabulary("\uac00", "\ud7a4", 1, sounds, clock)

    def clear(self) -> None:
        """Forget the vocabulary, and read it at the next name."""
        for vocabulary in (self._latin, self._hangul):
            vocabulary.clear()

    def moved(self, *, gone: bool) -> None:
        """Take note that passages have come; `gone` says that others are no longer there: of what stood in them nothing is kept."""
        for vocabulary in (self._latin, self._hangul):
            vocabulary.moved(gone=gone)

    def find(self, text: str, read: Read, own: Own) -> Mapping[str, tuple[str, ...]]:
        """Return terms in the other alphabet that sound like words of the query `text`, and which terms of it each stands for."""
        meant: dict[str, dict[str, None]] = {}
        plain = normalise(text)
        asked = [*islice(((self._latin, forms) for forms in heard(plain)), MOST_HEARD)]
        asked += islice(((self._hangul, (term,)) for term in called(plain)), MOST_HEARD)
        said = frozenset(terms(text)) if asked else frozenset()
        for vocabulary, forms in asked:
            pieces = [term for term in terms(forms[-1]) if term in said]
            if all(map(is_empty, pieces)):
                continue
            for form in reversed(forms):
                near = vocabulary.like(form, read)
                standing = own(frozenset(near)) if near else frozenset()
                if standing:
                    for word in [word for word in near if word in standing][:MOST_SPELT]:
                        meant.setdefault(word, {}).update(dict.fromkeys(pieces))
                    break
        return {word: tuple(pieces) for word, pieces in meant.items()}


class Vocabulary:
    """The library's words in one alphabet, by how they begin, and which of them sound like words of the other."""

    def __init__(self, first: str, end: str, beginning: int, sounds: Sounds, clock: Callable[[], float]) -> None:
        """Begin with nothing read of the terms from `first` to before `end`; a `beginning` has so many letters."""
        self._first, self._end = first, end
        self._long = beginning
        self._sounds = sounds
        self._clock = clock
        self._beginnings: Cut | None = None
        self.clear()

    def clear(self) -> None:
        """Forget all, and read it at the next word."""
        self._words: dict[str, list[str]] = {}
        self._forget_compared()
        self._stale = True
        self._again_at = 0.0

    def moved(self, *, gone: bool) -> None:
        """Take note that passages have come, and whether others are no longer there."""
        self._stale = True
        if gone:
            self._words = {}
            self._forget_compared()

    def like(self, word: str, read: Read) -> Sequence[str]:
        """Return the library's words that sound like `word`, the most alike first; they are read anew where passages came, and it is time."""
        begun = self._clock()
        if self._stale and begun >= self._again_at:
            self._words = {}
            for term in filter(comparable, read(self._first, self._end)):
                self._words.setdefault(term[: self._long], []).append(term)
            self._forget_compared()
            self._stale = False
            done = self._clock()
            self._again_at = done + SELDOM * (done - begun)
        found = self._like.get(word) if self._words else ()
        if found is None:
            near = [self._beginning_with(start) for start in self._sounds.beginnings(word, self._begin())]
            found = self._like[word] = self._sounds.alike(word, near)
        return found

    def _begin(self) -> Cut:
        if self._beginnings is None:
            self._beginnings = self._sounds.cut(list(self._words))
        return self._beginnings

    def _beginning_with(self, start: str) -> Cut:
        cut = self._cut.get(start)
        if cut is None:
            cut = self._cut[start] = self._sounds.cut(self._words[start])
        return cut

    def _forget_compared(self) -> None:
        self._beginnings = None
        self._cut: dict[str, Cut] = {}
        self._like: Recent[str, Sequence[str]] = Recent(most=MOST_REMEMBERED)
