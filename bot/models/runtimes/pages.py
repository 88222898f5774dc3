"""What a reader is given: a question, what a document is called, and sentences of it, as vectors in one row.

Owns the order, the room, and what is said of each word: which side it stands on, and whether the other side has it too, or a word that says
the same. Leaves to `bot.models.runtimes.hangul_inputs` the vectors of words, to `bot.text.lexicon` what says the same, to
`bot.models.runtimes.reader` the reading.

    pages = Pages(inputs, packaged())
    page = pages.of(ReadInput("몇 시에 열어?", "이용 안내", text, sentences))
    page.rows, page.sides, page.matches, page.sentences       # float32 (t, 384), and three times int64 (t,)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot import lazy
from bot.models.runtimes.hangul import Rows
from bot.models.runtimes.hangul_inputs import BEGIN, END, MOST_CHARACTERS, Inputs, Placed
from bot.models.tasks import ReadInput
from bot.text.lexicon import Lexicon
from bot.text.words import is_empty, normalise, stem

MOST: Final = 240
"""Vectors of a page at most, with what stands between its parts; no more sentences than that are looked at."""
MOST_ASKED, MOST_TITLE = 48, 24
"""Of the question, and of the title."""
KINDS: Final = 5
NOWHERE, SAME, EMPTY, ACROSS, ALIKE = range(KINDS)
"""What the other side has of a word: nothing, the word, the same where it says little, one that says so in the other language, or in one."""

Places = NDArray[np.int64]

_WORD = lazy.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:[.,:]\d+)*")


class Page(NamedTuple):
    """A page as a reader is given it."""

    rows: Rows
    """float32 (t, 384)."""
    sides: Places
    """int64 (t,): 0 of the question, 1 of the page."""
    matches: Places
    """int64 (t,): NOWHERE to ALIKE."""
    sentences: Places
    """int64 (t,): of which sentence it is, -1 of none."""


@dataclass(frozen=True, slots=True)
class Word:
    """A token or a morpheme, and the term of `bot.text.words` that it belongs to; "" for a sign."""

    placed: Placed
    term: str


@dataclass(frozen=True, slots=True)
class Pages:
    """Makes pages."""

    inputs: Inputs
    lexicon: Lexicon

    def of(self, asked: ReadInput) -> Page:
        """Return what a reader is given of `asked`."""
        said = [asked.text[start:end] for start, end in asked.sentences[:MOST]]
        question, title, *sentences = self._words([asked.question, asked.title, *said])
        question, title = question[:MOST_ASKED], title[:MOST_TITLE]
        matches = Matches.of(question, [title, *sentences], self.lexicon)
        row: list[tuple[Placed, int, int, int]] = [(_BEGIN, 0, NOWHERE, -1)]
        row += [(word.placed, 0, matches.asked.get(word.term, NOWHERE), -1) for word in question]
        row.append((_END, 0, NOWHERE, -1))
        row += [(word.placed, 1, matches.said.get(word.term, NOWHERE), -1) for word in title]
        row.append((_END, 1, NOWHERE, -1))
        row += [
            (word.placed, 1, matches.said.get(word.term, NOWHERE), number)
            for number, sentence in enumerate(sentences)
            for word in sentence
        ]
        del row[MOST - 1 :]
        row.append((_END, 1, NOWHERE, -1))
        placed, *numbers = zip(*row, strict=True)
        return Page(self.inputs.rows_of(placed), *(np.array(some, np.int64) for some in numbers))

    def _words(self, texts: Sequence[str]) -> list[list[Word]]:
        texts = [text[:MOST_CHARACTERS] for text in texts]
        placed = self.inputs.placed(texts)
        return [list(_with_terms(normalise(text), some)) for text, some in zip(texts, placed, strict=True)]


@dataclass(frozen=True, slots=True)
class Matches:
    """What the other side has of each term, by term: of the question's, and of the page's."""

    asked: Mapping[str, int]
    said: Mapping[str, int]

    @classmethod
    def of(cls, question: Sequence[Word], parts: Sequence[Sequence[Word]], lexicon: Lexicon) -> Matches:
        """Compare both sides."""
        terms = [word.term for word in question if word.term]
        page = {word.term for part in parts for word in part if word.term}
        asked: dict[str, int] = {}
        said: dict[str, int] = {}
        for meaning in lexicon.meanings(terms):
            if all(is_empty(term) for term in meaning.said):
                continue
            for kind, words in ((ACROSS, meaning.across), (ALIKE, meaning.alike)):
                for word in page.intersection(words):
                    said.setdefault(word, kind)
                    for term in meaning.said:
                        asked.setdefault(term, kind)
        for term in page.intersection(terms):
            asked[term] = said[term] = EMPTY if is_empty(term) else SAME
        return cls(asked, said)


_BEGIN, _END = Placed(0, BEGIN), Placed(0, END)


def _with_terms(plain: str, placed: Sequence[Placed]) -> Iterator[Word]:
    """Yield each with its term: a morpheme's own, a token's of the Latin word or the number that it is a piece of."""
    words = [(found.start(), found.end(), found[0]) for found in _WORD.finditer(plain)]
    at = 0
    for one in placed:
        while at < len(words) and words[at][1] <= one.start:
            at += 1
        if one.token < 0:
            yield Word(one, one.term)
        elif at < len(words) and words[at][0] <= one.start:
            word = words[at][2]
            yield Word(one, stem(word) if word[0].isalpha() else word.replace(",", ""))
        else:
            yield Word(one, "")
