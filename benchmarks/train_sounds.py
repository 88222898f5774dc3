"""Trains bot/text/sounds.json: which letters of two alphabets stand for each other, and how likely.

    python -m benchmarks.train_sounds            # writes it, in a minute
    python -m benchmarks.train_sounds --check    # how many names are heard by a table that has not seen them; writes nothing

It learns from pairs of words that sound alike: those of `benchmarks/names.txt` (names and loan words, written for it), and those that it finds
itself among what the Unicode CLDR (in Babel) calls countries, languages, scripts, cities and money in both languages. Pieces of up to three
letters are aligned by expectation and maximisation, every alignment by its likelihood; a pair that others' pieces do not explain, as Germany and
독일, is left out. `--check` leaves out every fifth written pair in turn. Tried and left: pairs that stand in the same passage in both languages
(MS MARCO); what they teach beside is noise.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bot.text.sounds import BOTH, LENGTHS, PIECE, Sounds, comparable, letters_of
from bot.text.words import stem

HERE = Path(__file__).parent
NAMES = HERE / "names.txt"
TARGET = HERE.parent / "bot" / "text" / "sounds.json"
WRITTEN = 2.0
"""What a pair counts that was written for the training, beside one that was found."""
STEPS = 6
"""Of expectation and maximisation."""
SELDOM = 1e-5
"""Share of all pieces below which two are no longer said to stand for each other."""
OFF = 0.4
"""How far, as a share of both words, two pieces that stand for each other may stand apart."""
LETTER_MORE, LETTER_LESS = 2e-5, 1e-4
"""Likelihood that a letter of Hangul, or a Latin one, stands for nothing at all."""
EXPLAINED = 4.0
"""What a found pair scores at least by the pieces of others."""
SHARES = 5
VOWEL_OF_NONE = "\u1173"
"""The vowel that Korean writes between consonants: the one that may stand for nothing."""

Pair = tuple[str, str]
"""A Latin stem, and a word in Hangul."""
Likely = dict[Pair, float]
"""How likely two pieces are."""


def main() -> None:
    """Train and write, or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=TARGET)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    pairs = names()
    if not options.check:
        options.out.write_text(json.dumps(trained(pairs), ensure_ascii=False, indent=0, sort_keys=True) + "\n", encoding="utf-8")
        return
    heard, taken, missed, known = 0, 0, [], sorted({one for one, _other in pairs})
    for share in range(SHARES):
        held = pairs[share::SHARES]
        latin = {one for one, _other in held}
        sounds = Sounds(trained([pair for pair in pairs if pair[0] not in latin], without=latin))
        for own, hangul in held:
            found = sounds.alike(hangul, [sounds.cut(known)])
            heard += own in found
            taken += len([one for one in found if (one, hangul) not in pairs])
            missed += [] if own in found else [f"{hangul} {own}"]
    print(
        f"heard {heard} of {len(pairs)}; taken for one of the other {len(pairs)} names {taken} times",
        "not heard:",
        *missed,
        sep="\n",
    )


def trained(written: Sequence[Pair], *, without: Collection[str] = ()) -> dict[str, dict[str, float]]:
    """Return what pieces score beside each other, by the Latin one and the one of Hangul; learnt `without` some Latin words."""
    found = [pair for pair in dict.fromkeys(from_cldr()) if pair[0] not in without and all(map(comparable, pair)) and fits(*pair)]
    alike = explained(found, written)
    print(f"{len(written)} pairs written, {len(alike)} of {len(found)} of the CLDR sound alike", flush=True)
    return scored(written, alike)


def fits(latin: str, hangul: str) -> bool:
    """Say whether two words are of such lengths that the one can be the other."""
    least, most = LENGTHS
    return least <= len(letters_of(hangul)) / len(latin) <= most


def names() -> list[Pair]:
    """Return the written pairs: a word in Hangul and one in Latin letters a line."""
    lines = [line.split() for line in NAMES.read_text(encoding="utf-8").splitlines()]
    return [(stem(latin), hangul) for hangul, latin in lines]


def from_cldr() -> Iterator[Pair]:
    """Yield what the Unicode CLDR calls alike things in both languages, word by word; many of them do not sound alike."""
    from babel import Locale

    korean, english = Locale("ko"), Locale("en")
    for kind in ("territories", "languages", "scripts", "currencies"):
        of_korean = getattr(korean, kind)
        for code, name in getattr(english, kind).items():
            yield from in_words(of_korean.get(code, ""), name)
    for zone, names in korean.time_zones.items():
        yield from in_words(names.get("city", ""), zone.rpartition("/")[2].replace("_", " "))


def in_words(hangul: str, latin: str) -> Iterator[Pair]:
    """Yield the words of two names that have as many; an ending of Korean for a language or a script is left out as well."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", latin.lower()) if sign.isascii())
    ours, theirs = hangul.removesuffix(" 문자").split(), re.findall("[a-z]+", plain)
    if len(ours) == len(theirs):
        for one, other in zip(ours, theirs, strict=True):
            yield from ((stem(other), form) for form in dict.fromkeys((one, one.removesuffix("어"))))


def explained(found: Sequence[Pair], written: Sequence[Pair]) -> list[Pair]:
    """Return those of the `found` pairs that what is learnt of the others explains: what only looks alike goes."""
    order = list(found)
    random.Random(5).shuffle(order)  # noqa: S311 - which pairs are tried together
    kept: list[Pair] = []
    for share in range(SHARES):
        tried = order[share::SHARES]
        sounds = Sounds(scored(written, [pair for pair in order if pair not in set(tried)]))
        kept += [pair for pair in tried if sounds.score(pair[1], pair[0]) > EXPLAINED]
    return sorted(kept)


def scored(written: Iterable[Pair], found: Iterable[Pair]) -> dict[str, dict[str, float]]:
    """Return what the pieces of some pairs score beside each other: how likely both are, over each letter's own likelihood."""
    weighed = [
        (latin, letters_of(hangul), weight) for pairs, weight in ((written, WRITTEN), (found, 1.0)) for latin, hangul in pairs
    ]
    likely = learnt(weighed)
    chance = [chances(word[side] for word in weighed) for side in (0, 1)]
    for letter in chance[1]:
        likely.setdefault(("", letter), LETTER_MORE)
    for letter in chance[0]:
        likely.setdefault((letter, ""), LETTER_LESS)
    table: dict[str, dict[str, float]] = {}
    for (latin, hangul), likelihood in sorted(likely.items()):
        alone = sum(chance[0][letter] for letter in latin) + sum(chance[1][letter] for letter in hangul)
        table.setdefault(latin, {})[hangul] = round(math.log(likelihood) - alone, 2)
    return table


def chances(words: Iterable[Any]) -> dict[str, float]:
    """Return the logarithm of each letter's share."""
    count = Counter("".join(words))
    return {letter: math.log(times / count.total()) for letter, times in count.items()}


def learnt(pairs: Sequence[tuple[str, str, float]]) -> Likely:
    """Return how likely each two pieces are, by expectation and maximisation over all ways to cut each pair."""
    ways = [(latin, letters, weight, list(steps(latin, letters))) for latin, letters, weight in pairs]
    likely: Likely | None = None
    for _step in range(STEPS):
        counts: Counter[Pair] = Counter()
        for latin, letters, weight, taken in ways:
            expect(latin, letters, weight, taken, likely, counts)
        total = sum(counts.values())
        likely = {pieces: count / total for pieces, count in counts.items() if count / total > SELDOM}
    return likely or {}


Step = tuple[int, int, int, int, Pair]


def steps(latin: str, letters: str) -> Iterator[Step]:
    """Yield each two pieces that may stand for each other: where they begin and end, and what they are, in the order of where they begin."""
    many, long = len(latin), len(letters)
    for one in range(many + 1):
        for other in range(long + 1):
            for size in range(min(PIECE, many - one) + 1):
                for own in range(min(PIECE, long - other) + 1):
                    if (
                        not 0 < size + own <= BOTH
                        or (size > 1 and not own)
                        or (not size and (own > 1 or letters[other] != VOWEL_OF_NONE))
                    ):
                        continue
                    if max(abs(one / many - other / long), abs((one + size) / many - (other + own) / long)) > OFF:
                        continue
                    pieces = latin[one : one + size], letters[other : other + own]
                    yield one, other, one + size, other + own, pieces


def expect(latin: str, letters: str, weight: float, taken: Sequence[Step], likely: Likely | None, counts: Counter[Pair]) -> None:
    """Add to `counts` how often each two pieces are expected in a pair, over all ways to cut it."""
    shares = [begin(pieces) if likely is None else likely.get(pieces, 0.0) for *_where, pieces in taken]
    before, after = np.zeros((2, len(latin) + 1, len(letters) + 1))
    before[0, 0] = after[-1, -1] = 1
    for (one, other, then, next_, _pieces), share in zip(taken, shares, strict=True):
        if share:
            before[then, next_] += before[one, other] * share
    whole = before[-1, -1]
    if not whole:
        return
    for (one, other, then, next_, _pieces), share in zip(reversed(taken), reversed(shares), strict=True):
        if share:
            after[one, other] += share * after[then, next_]
    for (one, other, then, next_, pieces), share in zip(taken, shares, strict=True):
        if expected := before[one, other] * share * after[then, next_] / whole:
            counts[pieces] += weight * expected


def begin(pieces: Pair) -> float:
    """Return how likely two pieces are held before anything is learnt: one letter for one, best."""
    latin, letters = map(len, pieces)
    return (0.05, 1.0, 0.1, 0.02)[latin] * (0.05, 1.0, 0.5, 0.1)[letters] / 1e4


if __name__ == "__main__":
    main()
