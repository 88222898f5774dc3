"""A short text as hashed features: words, word pairs, letters in a row, and for Hangul the jamo in a row.

Owns: what of a text is looked at, and the hash that names it. Leaves to `bot.models.heads.train` the weighing, to the
embedder the meaning. The same text has the same features on every machine: the hash is CRC-32, not Python's.

    weights, names = features("이거 요약해줘")    # by bucket; each block has unit length
    embeddable("복도 불 꺼줘")                    # "bedroom living room light turn off", for an English embedder
    gist(mail_of_three_pages)                    # its first and last lines, where an instruction stands
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt
from typing import Final
from zlib import crc32

from bot import lazy
from bot.language import detect
from bot.models.heads.gloss import gloss
from bot.text.normal import normal

VERSION: Final = 2
"""Raised when features change, so that a kept head is trained anew."""
BUCKETS: Final = 1 << 20
SHORT: Final = 200
"""Characters up to which a text is looked at whole."""
EDGE: Final = 110
"""Characters of a long text's beginning, and of its end, that are looked at."""

ORDER: Final = 90
"""Characters of the longest order on a line of its own; SHORT_ORDER: of one that is not."""
SHORT_ORDER: Final = 30
LONGEST_GLOSS: Final = 300
"""Characters."""

_SURROGATE = lazy.compile("[\ud800-\udfff]")
_UNSEEN = lazy.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff\x00-\x08\x0b-\x1f\x7f]")
_URL = lazy.compile(r"(?:https?://|www\.)\S+")
_FILE = lazy.compile(r"\b[\w-]+\.(jpe?g|png|gif|webp|heic|pdf|docx?|xlsx?|pptx?|mp3|m4a|wav|ogg|mp4|mov|txt|csv)\b")
_REPEATED = lazy.compile(r"(.)\1{2,}")
_DIGITS = lazy.compile(r"\d+")
_WORD = lazy.compile(r"[^\W_]+(?:'[^\W_]+)?|[?!]|[^\w\s]")
_HANGUL = lazy.compile("[\uac00-\ud7a3\u3131-\u318e]")
_SENTENCE = lazy.compile(r"(?<=[.!?。:：])\s|\n")


@dataclass(frozen=True, slots=True)
class Block:
    """One kind of feature: the length its row is brought to, whether a person can read its pieces, the hash that theirs begins with."""

    weight: float
    readable: bool
    begin: int


WORDS: Final = Block(1.0, readable=True, begin=crc32(b"word\t"))
LETTERS: Final = Block(1.0, readable=True, begin=crc32(b"letters\t"))
JAMO: Final = Block(1.0, readable=False, begin=crc32(b"jamo\t"))
SHAPE: Final = Block(0.4, readable=False, begin=crc32(b"shape\t"))


def gist(text: str) -> str:
    """Return what of `text` tells what is wanted: all of a short text; of a long one the order before or after it, else both ends."""
    text = text.strip()
    if len(text) <= SHORT:
        return text
    head, tail = _head(text), _tail(text)
    first, last = _is_order(head, text[len(head) :]), _is_order(tail, text[: -len(tail)])
    if first != last:
        return head if first else tail
    return f"{head}\n{tail}"


def normalise(text: str) -> str:
    """Return `text` as features see it: NFKC, lower case, links and numbers by a sign, nothing thrice in a row."""
    seen = _UNSEEN.sub("", _SURROGATE.sub(" ", text))
    plain = normal("NFKC", seen).lower().replace("’", "'")
    plain = _URL.sub(" ⟨url⟩ ", plain)
    plain = _FILE.sub(lambda match: f" ⟨file⟩ {match[1]} ", plain)
    return _DIGITS.sub("0", _REPEATED.sub(r"\1\1", plain))


def features(text: str) -> tuple[dict[int, float], dict[int, str]]:
    """Return (weight by bucket, and what can be read of it, a piece by bucket) of `text`; each block of weights has its block's length."""
    weights: dict[int, float] = {}
    names: dict[int, str] = {}
    for block, found in _blocks(text):
        counts = Counter(found)
        sizes = [1.0 if count == 1 else 1.0 + log(count) for count in counts.values()]
        scale = block.weight / (sqrt(sum(size * size for size in sizes)) or 1.0)
        buckets = [crc32(piece.encode(), block.begin) % BUCKETS for piece in counts]
        for bucket, size in zip(buckets, sizes, strict=True):
            weights[bucket] = weights.get(bucket, 0.0) + scale * size
        if block.readable:
            names.update(zip(buckets, counts, strict=True))
    return weights, names


def embeddable(text: str) -> str:
    """Return what the embedder is given of `text`: its gist, and where that is Korean, what its words mean in English."""
    short = _SURROGATE.sub(" ", gist(text))
    return gloss(short)[:LONGEST_GLOSS] if detect(short) == "ko" else short


def _blocks(text: str) -> Iterator[tuple[Block, list[str]]]:
    short = gist(text)
    plain = normalise(short)
    words = _WORD.findall(plain)
    yield WORDS, list(_word_pieces(words))
    yield LETTERS, list(_letter_pieces(plain))
    if _HANGUL.search(plain):
        yield JAMO, list(_jamo_pieces(plain))
    yield SHAPE, list(_shape(text, plain, words))


def _word_pieces(words: list[str]) -> Iterator[str]:
    yield from words
    ends = ["^", *words, "$"]
    yield from (f"{left} {right}" for left, right in pairwise(ends))
    yield from (f"{left} _ {right}" for left, right in zip(ends, ends[2:], strict=False))


def _letter_pieces(plain: str) -> Iterator[str]:
    for word in plain.split():
        edged = f"<{word}>"
        if _HANGUL.search(word):
            yield from (edged[at : at + size] for size in (2, 3, 4) for at in range(len(edged) - size + 1))
        else:
            yield from (edged[at : at + size] for size in (3, 4, 5) for at in range(len(edged) - size + 1))
    joined = "".join(letter for letter in plain if _HANGUL.match(letter))
    yield from (f"~{joined[at : at + size]}" for size in (1, 2, 3) for at in range(len(joined) - size + 1))
    if joined:
        yield from (f"{joined[-size:]}$" for size in (2, 3, 4, 5) if len(joined) >= size)


def _jamo_pieces(plain: str) -> Iterator[str]:
    joined = normal("NFD", "".join(letter for letter in plain if _HANGUL.match(letter)))
    yield from (joined[at : at + size] for size in (4, 5, 6) for at in range(len(joined) - size + 1))
    yield from (f"{joined[-size:]}$" for size in (5, 7) if len(joined) >= size)


def _shape(text: str, plain: str, words: list[str]) -> Iterator[str]:
    yield f"words {min(len(words).bit_length(), 6)}"
    yield "long" if len(text.strip()) > SHORT else "short"
    lines = sum(1 for line in text.splitlines() if line.strip())
    yield f"lines {min(lines.bit_length(), 4)}"
    if "?" in plain:
        yield "asks"
    if plain.rstrip().endswith("?"):
        yield "ends asking"
    if plain[:1] == "/":
        yield "slash"
    if re.search(r"[\"“”'‘’「『«]", plain):
        yield "quotes"
    if ":" in plain:
        yield "colon"
    scripts = {_script(letter) for letter in plain if letter.isalpha()}
    yield from sorted(scripts)
    yield "+".join(sorted(scripts)) or "no letters"


def _script(letter: str) -> str:
    if letter < "\u0250":
        return "latin"
    if _HANGUL.match(letter):
        return "hangul"
    if "\u3040" <= letter <= "\u30ff":
        return "kana"
    return "han" if "\u4e00" <= letter <= "\u9fff" else "other"


def _head(text: str) -> str:
    first = _SENTENCE.split(text, maxsplit=1)[0]
    return first if 0 < len(first) <= EDGE else text[:EDGE].rsplit(" ", 1)[0]


def _tail(text: str) -> str:
    end = text[-EDGE:]
    pieces = [piece for piece in _SENTENCE.split(end) if piece.strip()]
    return pieces[-1].strip() if len(pieces) > 1 else end.split(" ", 1)[-1]


def _is_order(edge: str, rest: str) -> bool:
    """Say whether the first or last words of a long text stand apart from it: before a colon, on a line of their own, very short."""
    apart = edge.endswith((":", "：")) or rest.startswith("\n") or rest.endswith("\n")
    return len(edge) <= ORDER if apart else len(edge) <= SHORT_ORDER
