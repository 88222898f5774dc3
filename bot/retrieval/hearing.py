"""The words leg of one search: from a query's text to the passages that its words find, mistyped ones mended, in the reader's scopes.

Owns the order of these steps, and which scopes hold anything. Leaves to `bot.retrieval.lexical` the words, to `bot.retrieval.search` the
other leg and what is made of both.

    hearing = Hearing(mirror)
    heard = hearing.hear(state, "where is the wiki", scopes, count=DEPTH)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from bot.passage import Scope, Scopes
from bot.retrieval.features import QueryTerms
from bot.retrieval.found import DEPTH, Heard
from bot.retrieval.lexical import Readable, Words, weigh_without
from bot.retrieval.mirror import Mirror, Moved
from bot.retrieval.roll import MOST_READERS
from bot.store.shelf import State
from bot.text.lexicon import NONE, Lexicon


class Hearing:
    """Looks for words in the passages that `mirror` follows. Not for two threads at once."""

    def __init__(self, mirror: Mirror, lexicon: Callable[[], Lexicon] = lambda: NONE) -> None:
        """Begin with nothing remembered; `lexicon` gives the words that stand for each other."""
        self._mirror = mirror
        self._lexicon = lexicon
        self._words = Words()
        self._readable: dict[tuple[Scope, ...], Readable] = {}
        self._removal = 0

    def clear(self) -> None:
        """Forget everything."""
        self._words.clear()
        self._readable.clear()

    def forget_questions(self) -> None:
        """Drop the words that were asked."""
        self._words.clear()

    def moved(self, moved: Moved) -> None:
        """Learn that the mirror has come further, or begun anew."""
        if moved == "anew":
            self._words.clear()
        if moved != "not":
            self._readable.clear()
            removal = self._mirror.mark.removal
            self._words.moved(len(self._mirror.index), gone=removal != self._removal)
            self._removal = removal

    def hear(self, state: State, text: str, scopes: Scopes, *, count: int, without: Collection[int] = ()) -> Heard:
        """Return the best `count` passages in `scopes` by the words of `text`, the documents in `without` left out; DEPTH of them are read."""
        readable = self.read_by(state, scopes)
        query, frequencies, held = self._held(state, text, readable, count, without)
        meant = self._words.mended(state, text, frequencies, readable, held, mark=self._mirror.mark)
        if meant != text:
            mended = self._held(state, meant, readable, count, without)
            if without and not sum(map(bool, mended[1].values())) > sum(map(bool, frequencies.values())):
                meant = text  # only what is left out has those words
            else:
                query, frequencies, held = mended
        rows = state.candidates(sorted(held[:DEPTH]), readable.scopes) if held else []
        return Heard(self._mirror.mark, readable.scopes, query, tuple(held), tuple(rows), meant)

    def _held(
        self, state: State, text: str, readable: Readable, count: int, without: Collection[int]
    ) -> tuple[QueryTerms, Mapping[str, int], list[int]]:
        """Return the weighed terms of `text`, in how many passages each stands, and what the words find."""
        passages, mark = self._mirror.passages(state), self._mirror.mark

        def weighed(spelt: Mapping[str, Collection[str]]) -> tuple[QueryTerms, Mapping[str, int]]:
            query, frequencies = self._words.weigh(state, text, passages=passages, spelt=spelt)
            return weigh_without(state, text, query, frequencies, without) if without else (query, frequencies)

        spelt = self._words.spelt(state, text, readable, mark=mark, passages=passages)
        query, frequencies = weighed(spelt)
        cut = self._words.recut(state, text, query, readable, mark=mark, passages=passages)
        meant = self._words.otherwise(state, text, self._lexicon(), frequencies, passages=passages)
        if cut or meant:
            query, frequencies = weighed(_together(spelt, cut, meant))
        found = self._words.search(state, query, frequencies, readable, mark=mark, mean_length=self.mean_length, count=count)
        return query, frequencies, found

    @property
    def mean_length(self) -> float:
        """How many terms a passage has on average."""
        return self._mirror.lengths / max(self._mirror.seen, 1)

    def read_by(self, state: State, scopes: Scopes) -> Readable:
        """Return which of `scopes` hold anything; remembered until anything comes or goes."""
        names = tuple(scopes)
        found = self._readable.get(names)
        if found is None:
            numbers = tuple(state.scope_ids(scopes))
            if len(self._readable) >= MOST_READERS:
                self._readable.clear()
            found = self._readable[names] = Readable(numbers, len(numbers) == state.all_scopes())
        return found


def _together(*some: Mapping[str, Collection[str]]) -> Mapping[str, Collection[str]]:
    """Return words that stand for terms, each for all that it stands for in one of `some`."""
    words: dict[str, dict[str, None]] = {}
    for spelt in some:
        for word, meant in spelt.items():
            words.setdefault(word, {}).update(dict.fromkeys(meant))
    return {word: tuple(meant) for word, meant in words.items()}
