"""Names that are written in two alphabets: which words of the other one sound like a word.

Owns how alike a word in Hangul and one in Latin letters sound. Leaves to `bot.retrieval.spelt` which words a library holds.

    sounds = Sounds()
    sounds.alike("슬랙", [sounds.cut(["slack", "slide"])])            # ["slack"]
    sounds.alike("slack", [sounds.cut(["슬랙", "슬픔"])])             # ["슬랙"]

Korean writes a foreign word as it is heard: Slack is 슬랙, Bradford 브래드포드. Which letters stand for which was counted over names and loan
words (`benchmarks/train_sounds.py`): pieces of up to three letters on either side, each with the logarithm of how many times more often the
two stand for each other than chance would have it. Two words sound as alike as the best way to cut both into such pieces says.
Source: joint-sequence models, Bisani and Ney 2008, of one piece at a time.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot import lazy
from bot.text.words import stem, terms

TABLE: Final = "sounds.json"
LOANS: Final = "loans.txt"
ENOUGH: Final = 6.0
"""What two words score at least that are taken for one (docs/words.md)."""
ENOUGH_TO_BEGIN: Final = -2.0
"""What the best beginning of a word scores at least beside the first letters of another, for the two to be compared."""
LEAST: Final = 2
"""Syllables of a word that is heard: one alone sounds like too many."""
LEAST_LETTERS: Final = 3
"""The same of Latin letters."""
LONGEST: Final = 24
LENGTHS: Final = (0.5, 2.2)
"""Letters of Hangul for one in Latin, of two words that are compared."""
PIECE: Final = 3
"""Letters of a piece, at most."""
BOTH: Final = 4
"""Letters of two pieces that stand for each other, together, at most."""
LAST_LETTER: Final = 0x11FF
"""The last of the letters that syllables of Hangul are made of, in Unicode."""

_ALWAYS, _ONE_WAY, _OTHER_WAY = 7, 8, 16
_KEPT: Final = (
    (1, frozenset("m\u1106\u11b7")), (2, frozenset("n\u1102\u11ab\u11bc")), (4, frozenset("bfpv\u1107\u1108\u1111\u11b8\u11c1")),
    (_ONE_WAY, frozenset("l\u1105\u11af")), (_OTHER_WAY, frozenset("lr\u1105\u11af")),
)  # fmt: skip
"""ㅁ; ㄴ, and ㅇ that ends a syllable; ㅂ ㅃ ㅍ; ㄹ: as they begin a syllable, and as they end one."""
_SILENT = "\u110b"
"""The letter of Hangul that begins a syllable without a sound."""
_NOTHING, _UNKNOWN = 0, 1
"""The places of no letters, and of those that no table has, among the pieces."""

_LATIN = lazy.compile(f"[a-z]{{{LEAST_LETTERS},{LONGEST}}}")
_KOREAN = lazy.compile(f"[가-힣]{{{LEAST},12}}")
_PARTICLE = lazy.compile(
    "(?:에게서는|에서는|으로는|에게서|에서|에게|으로|까지|부터|이라는|라는|이란|란|이나|보다|처럼|의|은|는|이|가|을|를|에|와|과|로|도|만|나)$"
)
_VERB = lazy.compile("(?:나요|[까죠]요?|니까|니다|세요|[해어아와워]요|[는은]지|는데|면|[하되있없]는|해서?|하[고기여]|지만)$")

Rows = NDArray[np.float32]


def heard(text: str) -> Iterator[tuple[str, ...]]:
    """Yield each word in Hangul of `text` that may be a name: as it stands, and without its particle. Verbs are passed over."""
    for found in _KOREAN.finditer(text):
        word = found.group()
        if _VERB.search(word):
            continue
        bare = _PARTICLE.sub("", word)
        yield (word, bare) if len(bare) >= LEAST and bare != word else (word,)


@dataclass(frozen=True, slots=True)
class Cut:
    """Words of one alphabet, ready to be compared with one of the other."""

    words: tuple[str, ...]
    pieces: NDArray[np.int16]
    """int16 (n, letters, PIECE): the places of the pieces that begin at each letter, by their length."""
    sizes: NDArray[np.int64]
    """int64 (n,): letters of each."""
    kept: NDArray[np.uint8]
    """uint8 (n,): which of the letters each has that are kept between the alphabets, as `_kept` says."""


class Sounds:
    """Compares words of two alphabets."""

    def __init__(self, table: Mapping[str, Mapping[str, float]] | None = None) -> None:
        """Go by `table`, what Latin pieces and pieces of Hangul score beside each other; by the packaged one for None."""
        self._scores, self._places = _packaged() if table is None else _read(table)
        self._letters = "\0" + "".join(sorted(set("".join(self._places))))
        self._kept = np.array([_kept(letter) for letter in self._letters], np.uint8)
        self._numbers = np.zeros(LAST_LETTER + 1, np.int64)
        self._numbers[[ord(letter) for letter in self._letters]] = np.arange(len(self._letters))
        self._by_numbers = np.full(len(self._letters) ** PIECE, _UNKNOWN, np.int16)
        for piece, place in self._places.items():
            self._by_numbers[self._number(np.array([self._letters.index(letter) for letter in piece], np.int64))] = place

    def cut(self, words: Sequence[str]) -> Cut:
        """Return `words`, all in Hangul or all Latin in lower case, ready to be compared."""
        letters = letters_of("\n".join(words)).split("\n") if words else []
        sizes = np.array([len(own) for own in letters], np.int64)
        long = int(sizes.max(initial=0)) + PIECE - 1
        codes = np.frombuffer("".join(own.ljust(long, "\0") for own in letters).encode("utf-32-le", "replace"), "<u4")
        numbers = self._numbers[np.where(codes > LAST_LETTER, 0, codes)].reshape(len(words), long)
        pieces = np.empty((len(words), long - PIECE + 1, PIECE), np.int16)
        for size in range(1, PIECE + 1):
            run = [numbers[:, at : at + pieces.shape[1]] for at in range(size)]
            pieces[:, :, size - 1] = np.where(np.all(run, axis=0), self._by_numbers[self._number(np.array(run))], _UNKNOWN)
        return Cut(tuple(words), pieces, sizes, np.bitwise_or.reduce(self._kept[numbers], axis=1))

    def _number(self, letters: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return one number for letters by their numbers, along the first axis."""
        number = np.zeros(letters.shape[1:], np.int64)
        for one in letters:
            number = number * len(self._letters) + one
        return number

    def beginnings(self, word: str, among: Cut) -> list[str]:
        """Return those of some beginnings of words in the other alphabet with which one may begin that sounds like `word`."""
        best = self._aligned(word, among.pieces, among.sizes).max(axis=1, initial=-np.inf)
        return [among.words[place] for place in np.flatnonzero(best >= ENOUGH_TO_BEGIN).tolist()]

    def alike(self, word: str, others: Sequence[Cut]) -> list[str]:
        """Return those of `others`, in the other alphabet, that sound like `word`, the most alike first."""
        likely = [(other, places) for other in others if len(places := _likely(word, other))]
        if not likely:
            return []
        sizes = np.concatenate([other.sizes[places] for other, places in likely])
        pieces = np.full((len(sizes), int(sizes.max()), PIECE), _UNKNOWN, np.int16)
        row = 0
        for other, places in likely:
            own = other.pieces[places, : pieces.shape[1]]
            pieces[row : row + len(own), : own.shape[1]] = own
            row += len(own)
        scores = self._aligned(word, pieces, sizes)[:, -1].tolist()
        words = [other.words[place] for other, places in likely for place in places.tolist()]
        return [other for score, other in sorted(zip(scores, words, strict=True), reverse=True) if score >= ENOUGH]

    def score(self, word: str, other: str) -> float:
        """Return the logarithm of how many times likelier the two are one word than by chance."""
        cut = self.cut([other])
        return float(self._aligned(word, cut.pieces, cut.sizes)[0, -1])

    def _aligned(self, word: str, pieces: NDArray[np.int16], sizes: NDArray[np.int64]) -> Rows:
        """Return float32 (n, letters of `word` + 1): what each of n words, whole, scores beside so many letters, both cut at best."""
        letters = letters_of(word)
        scores = self._scores.T if word.isascii() else self._scores
        many, (count, long, _sizes) = len(letters), pieces.shape
        beside = [scores[:, self._placed(letters, size)] for size in range(PIECE + 1)]
        best = np.full((long + 1 + PIECE, count, many + 1 + PIECE), -np.inf, np.float32)
        best[0, :, 0] = 0
        for taken in range(long + 1):
            here = best[taken, :, : many + 1]
            for start in range(many):
                np.maximum(here[:, start + 1], here[:, start] + beside[1][_NOTHING, start], out=here[:, start + 1])
            for size in range(1, PIECE + 1) if taken < long else ():
                for own in range(min(PIECE, BOTH - size) + 1):
                    then = best[taken + size, :, own : own + many + 1]
                    np.maximum(then, here + beside[own][pieces[:, taken, size - 1]], out=then)
        found: Rows = best[sizes, np.arange(count), : many + 1]
        return found

    def _placed(self, letters: str, size: int) -> list[int]:
        """Return the place of the piece of `size` letters that begins at each of `letters`, and at their end."""
        whole = len(letters) - size
        return [
            self._places.get(letters[at : at + size], _UNKNOWN) if at <= whole else _UNKNOWN for at in range(len(letters) + 1)
        ]


def called(text: str) -> Iterator[str]:
    """Yield the stem of each Latin word of `text` (in lower case) that may be a name: of none that is an ordinary loan word of Korean.

    What such a word means the embedder knows; heard as well, a question of another thing's backup was answered by whatever tells of a 백업.
    """
    for word in _LATIN.findall(text):
        yield from (term for term in terms(word) if comparable(term) and term not in _loans())


def letters_of(word: str) -> str:
    """Return the letters that are compared: of Hangul each syllable's, without the sign for none; Latin ones as they are."""
    return unicodedata.normalize("NFD", word).replace(_SILENT, "")


def comparable(word: str) -> bool:
    """Say whether `word`, of whichever alphabet, is one that is compared."""
    return bool(_LATIN.fullmatch(word) or _KOREAN.fullmatch(word))


def _likely(word: str, others: Cut) -> NDArray[np.int64]:
    """Return the places of those of `others` that `word` can be at all: of such a length, and with the letters that are always kept."""
    least, most = LENGTHS if word.isascii() else (1 / LENGTHS[1], 1 / LENGTHS[0])
    letters = letters_of(word)
    long, kept = len(letters), np.uint8(_kept(letters))
    latin, hangul = (kept, others.kept) if word.isascii() else (others.kept, kept)
    fits = (((latin ^ hangul) & _ALWAYS) == 0) & ((latin & ~hangul & _ONE_WAY) == 0) & ((hangul & ~latin & _OTHER_WAY) == 0)
    return np.flatnonzero(fits & (others.sizes >= least * long) & (others.sizes <= most * long))


def _kept(letters: str) -> int:
    """Return which of the letters that are kept between the alphabets stand in `letters`, a bit for each.

    They are m, n, those of the lips (b, f, p, v), and l: an l of English is a ㄹ, and a ㄹ is an l or an r, so there are two bits for it.
    """
    return sum(bit for bit, kept in _KEPT if not kept.isdisjoint(letters))


@cache
def _loans() -> frozenset[str]:
    return frozenset(map(stem, files("bot.text").joinpath(LOANS).read_text(encoding="utf-8").split()))


@cache
def _packaged() -> tuple[Rows, dict[str, int]]:
    return _read(json.loads(files("bot.text").joinpath(TABLE).read_text(encoding="utf-8")))


def _read(table: Mapping[str, Mapping[str, float]]) -> tuple[Rows, dict[str, int]]:
    """Return float32 (Latin pieces, pieces of Hangul), what two of them score, and the place of each piece of either alphabet."""
    latin = sorted(set(table) - {""})
    hangul = sorted({piece for beside in table.values() for piece in beside} - {""})
    scores = np.full((len(latin) + 2, len(hangul) + 2), -np.inf, np.float32)
    rows, columns = ({piece: place for place, piece in enumerate(pieces, 2)} for pieces in (latin, hangul))
    for piece, beside in table.items():
        for other, found in beside.items():
            scores[rows.get(piece, _NOTHING), columns.get(other, _NOTHING)] = found
    return scores, rows | columns | {"": _NOTHING}
