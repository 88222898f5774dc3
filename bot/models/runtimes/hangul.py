"""Korean text as vectors in MiniLM's space: a text is the weighted sum of the rows of its morphemes and of their syllables.

Owns the table and its arithmetic. Leaves to `benchmarks/train_hangul.py` how the rows are found, to `bot.text.words` the morphemes,
and to `bot.models.runtimes.minilm_ko` what is Korean. Syllables carry what no table of words holds: names, compounds, new words.

    table = read_table(file)
    rows = table.vectors(["휴가는 며칠인가요?"])     # float32 (1, 384)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from bot.text.words import terms

SIZES: Final = (1, 2, 3)
"""Syllables of the pieces of a morpheme, its ends marked. Source: Bojanowski et al., Enriching Word Vectors with Subword Information."""
LEAST: Final = 1e-9
MOST_REMEMBERED: Final = 50_000

Rows = NDArray[np.float32]
Tensors = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Bag:
    """A text's rows in the table, and what each weighs."""

    rows: tuple[int, ...]
    weights: tuple[float, ...]


class Vocabulary:
    """Which rows a text has: one for each morpheme that is known, and one for each of its pieces, known or not."""

    def __init__(self, keys: NDArray[np.uint32], rarity: Rows, *, unknown: float, pieces: int) -> None:
        """Keep the vocabulary.

        Args:
            keys: uint32 (words,), CRC-32 of the morphemes that have a row, in the order of the rows.
            rarity: float32 (words,), their inverse document frequency.
            unknown: that of all others.
            pieces: buckets that pieces are hashed to; their rows come after those of the words.
        """
        self.keys, self.rarity, self.unknown, self.pieces = keys, rarity, unknown, pieces
        self._places = {key: place for place, key in enumerate(keys.tolist())}
        self._seen: dict[str, tuple[float, tuple[int, ...]]] = {}

    def bag(self, said: Sequence[str]) -> Bag:
        """Return the rows of a text's terms and their weights; a term's weight is shared among its rows."""
        rows: list[int] = []
        weights: list[float] = []
        for term, count in Counter(said).items():
            rarity, own = self._seen.get(term) or self._look(term)
            rows += own
            weights += [rarity * (1 + math.log(count)) / math.sqrt(len(own))] * len(own)
        return Bag(tuple(rows), tuple(weights))

    def _look(self, term: str) -> tuple[float, tuple[int, ...]]:
        place = self._places.get(key_of(term))
        marked = f"<{term}>"
        pieces = {marked[start : start + size] for size in SIZES for start in range(len(marked) - size + 1)} - {"<", ">"}
        hashed = tuple(len(self.keys) + key_of(piece) % self.pieces for piece in sorted(pieces))
        found = (self.unknown, hashed) if place is None else (float(self.rarity[place]), (place, *hashed))
        if len(self._seen) >= MOST_REMEMBERED:
            self._seen.clear()
        self._seen[term] = found
        return found


@dataclass(frozen=True, slots=True)
class Table:
    """A row for each of the vocabulary's rows: int8 (n, r) with a scale each; from r numbers to 384 by `out`."""

    vocabulary: Vocabulary
    rows: NDArray[np.int8]
    scales: Rows
    """float32 (n,)."""
    out: Rows
    """float32 (r, 384)."""
    middle: Rows
    """float32 (384,): what is added to every text."""

    def vectors(self, texts: Sequence[str]) -> Rows:
        """Return float32 (n, 384), unit rows; a row of zeros for a text without a term."""
        return self.vectors_of([terms(text) for text in texts])

    def vectors_of(self, said: Sequence[Sequence[str]]) -> Rows:
        """Return the same for texts whose terms are known."""
        found = np.zeros((len(said), self.out.shape[1]), np.float32)
        for place, some in enumerate(said):
            bag = self.vocabulary.bag(some)
            if bag.rows:
                chosen, weights = np.array(bag.rows), np.array(bag.weights, np.float32)
                inner = (weights * self.scales[chosen]) @ self.rows[chosen].astype(np.float32)
                found[place] = inner @ self.out / math.sqrt(float(weights.sum())) + self.middle
        found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), np.float32(LEAST))
        return found

    def tensors(self) -> dict[str, NDArray[np.generic]]:
        """Return the table as a safetensors file holds it."""
        known = self.vocabulary
        numbers = np.array([known.unknown, known.pieces], np.float32)
        half = {"rarity": known.rarity, "scales": self.scales, "out": self.out, "middle": self.middle}
        return {
            "keys": known.keys, "rows": self.rows, "numbers": numbers,
            **{name: array.astype(np.float16) for name, array in half.items()},
        }  # fmt: skip


def table_of(tensors: Tensors) -> Table:
    """Return the table that `Table.tensors` has given. Raises KeyError where something is missing."""
    half = {name: tensors[name].astype(np.float32) for name in ("rarity", "scales", "out", "middle")}
    unknown, pieces = tensors["numbers"].astype(np.float32).tolist()
    known = Vocabulary(tensors["keys"].astype(np.uint32), half["rarity"], unknown=unknown, pieces=int(pieces))
    return Table(known, tensors["rows"].astype(np.int8), half["scales"], half["out"], half["middle"])


def read_table(file: Path) -> Table:
    """Return the table in a safetensors file. Raises OSError, KeyError, safetensors' SafetensorError."""
    from safetensors.numpy import load_file  # noqa: PLC0415 - a leaf's library

    return table_of(load_file(file))


def key_of(text: str) -> int:
    """Return the number that stands for a morpheme or a piece: its CRC-32."""
    return crc32(text.encode("utf-8", "surrogatepass"))
