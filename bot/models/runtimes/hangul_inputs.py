"""Korean as MiniLM's own input: a vector of 384 numbers for each morpheme, where English has one for each token.

Owns which vectors a text with Hangul in it has. MiniLM's body reads them as it reads English: what stands beside a word tells what
it means, which a sum of words cannot. Leaves to `benchmarks/train_hangul_inputs.py` how they are found, to `bot.text.words` the
morphemes, to `bot.models.runtimes.hangul` the table that they begin with, to `bot.models.runtimes.minilm` the body.

    inputs = Inputs(table, Learnt.read(tensors), minilm.body.words, minilm.tokenizer)
    rows = inputs.rows("휴가는 며칠인가요?")      # float32 (t, 384)

A morpheme's vector: what the table says of it, brought into the space of MiniLM's tokens by a matrix (half of that and half the mean of
the tokens that say the same in English, where a list of words knew some when it was trained), what is the morpheme's own, and
what is its part of speech's. Particles and endings have none: they tell little of what a text is about, and a passage is half of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot import lazy
from bot.models.runtimes.hangul import Rows, Table, Tensors, key_of
from bot.text.words import korean_cuts, normalise

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BEGIN, END = 101, 102
"""MiniLM's tokens before and after a text."""
MOST: Final = 254
"""Vectors of a text at most, beside those two."""
MOST_CHARACTERS: Final = 8 * MOST
"""What is taken apart at most: more than MOST words of any text."""
TAGS: Final = 512
"""Rows for parts of speech: the dictionary's tags, hashed."""
MOST_REMEMBERED: Final = 8000
"""Morphemes whose vectors are kept: 6 MB."""

_HANGUL = lazy.compile("[\uac00-\ud7a3]+")


class Placed(NamedTuple):
    """A token of MiniLM's in a text, or a morpheme."""

    start: int
    token: int
    """-1 for a morpheme."""
    term: str = ""
    tag: int = 0
    """The row of its part of speech."""


_BEGIN, _END = Placed(0, BEGIN), Placed(0, END)


@dataclass(frozen=True, slots=True)
class Learnt:
    """What training has found beside the table."""

    into: Rows
    """float32 (384, 384): from the table's space into that of the tokens."""
    middle: Rows
    """float32 (384,)."""
    tags: Rows
    """float32 (TAGS, 384)."""
    own: NDArray[np.int8]
    """int8 (words, 384), in the order of the table's words."""
    scales: Rows
    """float32 (words,)."""
    said: NDArray[np.uint32]
    """uint32 (n,), sorted: CRC-32 of the morphemes that English tokens are known of."""
    tokens: NDArray[np.int32]
    """int32 (n, 3): those tokens; 0 for none."""

    @classmethod
    def read(cls, tensors: Tensors) -> Learnt:
        """Return what a file holds. Raises KeyError where something is missing."""
        single = {name: tensors[name].astype(np.float32) for name in ("into", "into_middle", "tags", "own_scales")}
        return cls(
            single["into"], single["into_middle"], single["tags"], tensors["own"].astype(np.int8), single["own_scales"],
            tensors["said"].astype(np.uint32), tensors["said_tokens"].astype(np.int32),
        )  # fmt: skip

    def tensors(self) -> dict[str, NDArray[np.generic]]:
        """Return it as a file holds it."""
        half = {"into": self.into, "into_middle": self.middle, "tags": self.tags, "own_scales": self.scales}
        return {
            "own": self.own, "said": self.said, "said_tokens": self.tokens.astype(np.uint16),
            **{name: array.astype(np.float16) for name, array in half.items()},
        }  # fmt: skip


@dataclass(slots=True, weakref_slot=True, eq=False)
class Inputs:
    """The vectors of texts."""

    table: Table
    learnt: Learnt
    words: NDArray[np.float16]
    """float16 (vocabulary, 384): those of MiniLM's tokens."""
    tokenizer: Tokenizer
    _places: Mapping[int, int] = field(init=False)
    _seen: dict[str, NDArray[np.float16]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Note the places of the words."""
        self._places = {key: place for place, key in enumerate(self.table.vocabulary.keys.tolist())}

    def rows(self, texts: Sequence[str]) -> list[Rows]:
        """Return float32 (t, 384) for each text: the vectors of its morphemes and tokens in reading order, with a beginning and an end."""
        return [self.rows_of([_BEGIN, *placed, _END]) for placed in self.placed(texts)]

    def rows_of(self, placed: Sequence[Placed]) -> Rows:
        """Return float32 (t, 384): the vectors of tokens and morphemes."""
        rows = np.empty((len(placed), self.words.shape[1]), np.float32)
        for at, one in enumerate(placed):
            rows[at] = self.words[one.token] if one.token >= 0 else self._morpheme(one.term, one.tag)
        return rows

    def placed(self, texts: Sequence[str]) -> list[list[Placed]]:
        """Return what each text is made of, in reading order, MOST at most."""
        plain = [normalise(text[:MOST_CHARACTERS]) for text in texts]
        blank = [_HANGUL.sub(lambda found: " " * len(found[0]), text) for text in plain]
        others = self.tokenizer.encode_batch(blank, add_special_tokens=False)
        found = []
        for text, one in zip(plain, others, strict=True):
            some = [Placed(start, token) for token, (start, _end) in zip(one.ids, one.offsets, strict=True)]
            some += [Placed(cut.start, -1, cut.term, key_of(cut.tag) % TAGS) for cut in korean_cuts(text)]
            found.append(sorted(some, key=lambda one: one.start)[:MOST])
        return found

    def _morpheme(self, term: str, tag: int) -> Rows:
        known = self._seen.get(term)
        if known is None:
            if len(self._seen) >= MOST_REMEMBERED:
                self._seen.clear()
            known = self._seen[term] = self._of(term).astype(np.float16)
        row: Rows = known + self.learnt.tags[tag]
        return row

    def _of(self, term: str) -> Rows:
        learnt = self.learnt
        row: Rows = self.table.vectors_of([[term]])[0] @ learnt.into + learnt.middle
        key = key_of(term)
        at = int(np.searchsorted(learnt.said, np.uint32(key)))
        if at < len(learnt.said) and learnt.said[at] == key:
            tokens = learnt.tokens[at][learnt.tokens[at] > 0]
            row = (row + self.words[tokens].astype(np.float32).mean(axis=0)) / 2
        if (place := self._places.get(key)) is not None:
            row = row + learnt.scales[place] * learnt.own[place].astype(np.float32)
        return row
