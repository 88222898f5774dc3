"""The library's Latin words that a question says in Hangul: 슬랙 where the passages say Slack.

Owns the vocabulary that is looked through, and how old it may be. Leaves to `bot.text.sounds` what sounds alike, to
`bot.retrieval.lexical` whose passages hold a word, to `bot.retrieval.features` what it counts for.

    spelt = Spelt()
    spelt.find("슬랙 채널은 몇 개야?", state.latin, own)    # {"slack": ("슬랙",)}
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Final

from bot.text.sounds import forget, heard, openings, spellings
from bot.text.words import is_empty, normalise, terms

MOST_HEARD: Final = 12
"""Words of a question that are heard: a pasted text is none."""
MOST_SPELT: Final = 3
"""Latin words that one in Hangul is taken for, the most alike."""
SELDOM: Final = 20.0
"""How many times as long as it took to read a vocabulary is served: of 100,000 passages that takes a quarter of a second."""


class Spelt:
    """Remembers the Latin words of one database. Not for two threads at once."""

    def __init__(self, *, clock: Callable[[], float] = time.perf_counter) -> None:
        """Begin with nothing read; `clock` gives seconds."""
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        """Forget the vocabulary, and read it at the next name."""
        self._beginning: dict[str, list[str]] = {}
        self._stale = True
        self._again_at = 0.0
        forget()

    def moved(self, *, gone: bool) -> None:
        """Take note that passages have come; `gone` says that others are no longer there: of what stood in them nothing is kept."""
        self._stale = True
        if gone:
            self._beginning = {}
            forget()

    def find(
        self,
        text: str,
        vocabulary: Callable[[], Sequence[str]],
        own: Callable[[AbstractSet[str]], AbstractSet[str]],
    ) -> Mapping[str, tuple[str, ...]]:
        """Return Latin terms that sound like words of `text` in Hangul, and which terms of the query each stands for.

        Args:
            text: the query.
            vocabulary: reads the library's Latin terms.
            own: returns those of some terms that stand in the reader's passages: what others' hold changes nothing.
        """
        meant: dict[str, dict[str, None]] = {}
        words = list(islice(heard(normalise(text)), MOST_HEARD))
        said = frozenset(terms(text)) if words else frozenset()
        for forms in words:
            pieces = [term for term in terms(forms[-1]) if term in said]
            if all(map(is_empty, pieces)):
                continue
            known = self._known(vocabulary)
            begun = [word for opening in openings(forms[0]) for word in known.get(opening, ())]
            for form in reversed(forms):
                near = spellings(form, begun)
                standing = own(frozenset(near)) if near else frozenset()
                if standing:
                    for word in [word for word in near if word in standing][:MOST_SPELT]:
                        meant.setdefault(word, {}).update(dict.fromkeys(pieces))
                    break
        return {word: tuple(pieces) for word, pieces in meant.items()}

    def _known(self, vocabulary: Callable[[], Sequence[str]]) -> Mapping[str, Sequence[str]]:
        """Return the vocabulary by its first letter and by its first two; read anew where passages came, and it is time."""
        begun = self._clock()
        if not self._stale or begun < self._again_at:
            return self._beginning
        self._beginning = {}
        for word in vocabulary():
            for opening in {word[:1], word[:2]}:
                self._beginning.setdefault(opening, []).append(word)
        self._stale = False
        done = self._clock()
        self._again_at = done + SELDOM * (done - begun)
        return self._beginning
