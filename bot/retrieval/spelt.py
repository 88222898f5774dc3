"""The library's words that a question says in another alphabet: 슬랙 where the passages say Slack, Slack where they say 슬랙.

Owns which words are heard, and what is remembered of them. Leaves to `bot.retrieval.wordlist` the vocabulary, to `bot.text.sounds` what sounds
alike, to `bot.retrieval.lexical` whose passages hold a word, to `bot.retrieval.features` what it counts for.

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
from bot.retrieval.wordlist import NOTHING, Read, WordList
from bot.text.sounds import Cut, Sounds, called, comparable, heard
from bot.text.words import is_empty, normalise, terms

MOST_HEARD: Final = 12
"""Words of a question that are heard: a pasted text is none."""
MOST_SPELT: Final = 3
"""Latin words that one in Hangul is taken for, the most alike."""
MOST_REMEMBERED: Final = 500
"""Words whose likes are remembered until the vocabulary is read anew."""

Own = Callable[[AbstractSet[str]], AbstractSet[str]]
"""Returns those of some terms that stand in the reader's passages: what others' hold changes nothing."""


class Spelt:
    """Remembers the words of one database. Not for two threads at once."""

    def __init__(self, *, clock: Callable[[], float] = time.perf_counter) -> None:
        """Begin with nothing read; `clock` gives seconds."""
        sounds = Sounds()
        self.hangul = WordList("\uac00", "\ud7a4", clock)
        self._lists = (WordList("a", "{", clock), self.hangul)
        self._latin, self._hangul = (Vocabulary(listed, long, sounds) for listed, long in zip(self._lists, (2, 1), strict=True))

    def clear(self) -> None:
        """Forget the vocabulary, and read it at the next name."""
        for listed, vocabulary in zip(self._lists, (self._latin, self._hangul), strict=True):
            listed.clear()
            vocabulary.clear()

    def moved(self, *, gone: bool) -> None:
        """Take note that passages have come; `gone` says that others are no longer there: of what stood in them nothing is kept."""
        for listed, vocabulary in zip(self._lists, (self._latin, self._hangul), strict=True):
            listed.moved(gone=gone)
            if gone:
                vocabulary.clear()

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

    def __init__(self, listed: WordList, beginning: int, sounds: Sounds) -> None:
        """Begin with nothing read of the words `listed`; a `beginning` has so many letters."""
        self._listed = listed
        self._long = beginning
        self._sounds = sounds
        self._beginnings: Cut | None = None
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self._of: Sequence[str] = NOTHING
        self._words: dict[str, list[str]] = {}
        self._forget_compared()

    def like(self, word: str, read: Read) -> Sequence[str]:
        """Return the library's words that sound like `word`, the most alike first."""
        listed = self._listed.read(read)
        if listed is not self._of:
            self._of, self._words = listed, {}
            for term in filter(comparable, listed):
                self._words.setdefault(term[: self._long], []).append(term)
            self._forget_compared()
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
