"""The library's words that a Korean question means though the dictionary cuts them otherwise: 주차 in 주차비, 미백, 재활용품 for 재활용.

The dictionary cuts a word by what stands around it: 주차비 becomes 주 and 차비, where the passages have 주차. So the words of a question
of which a piece stands nowhere are compared with the library's own. Owns which of these a word holds, or is held by. Leaves to
`bot.retrieval.wordlist` the vocabulary, to `bot.retrieval.lexical` whose passages hold a word, to `bot.retrieval.features` what it counts for.

    recut("차 두 대면 주차비 얼마", {"차비"}, ["주차"], own)      # {"주차": ("차비",)}
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations, islice
from typing import Final

from bot.retrieval.spelt import Own
from bot.text.words import Cut, is_empty, korean_cuts, normalise

MOST_CUT_ANEW: Final = 8
"""Words of a question that are compared: a pasted text is none."""
LONGEST: Final = 12
"""Syllables of a word that is compared."""
SHORTEST: Final = 2
"""The same; a term of one is what ends many words (비, 소, 장), and is meant by none of their parts."""
LONGER: Final = 2
"""Syllables that a library's word may have besides the question's."""
MOST_MEANT: Final = 3
"""Words of the library that one of the question is taken for."""


def recut(text: str, unknown: Collection[str], words: Sequence[str], own: Own) -> Mapping[str, tuple[str, ...]]:
    """Return words of the library that words of the query `text` hold, or are held by, and which of its terms each stands for.

    Args:
        text: the query.
        unknown: those of its terms that stand in no passage.
        words: the library's words in Hangul, in the order of their letters.
        own: tells which words stand in the reader's passages.
    """
    plain = normalise(text)
    meant: dict[str, dict[str, None]] = {}
    strange = ((word, some) for word, some in _words_of(plain) if any(cut.term in unknown for cut in some))
    for word, some in islice(strange, MOST_CUT_ANEW):
        for found, lacking in _meant(word, some, unknown, words, own):
            meant.setdefault(found, {}).update(dict.fromkeys(lacking))
    return {word: tuple(lacking) for word, lacking in meant.items()}


def _words_of(plain: str) -> Iterator[tuple[str, list[Cut]]]:
    """Yield each word without its particles and endings, and the terms that it is cut into, placed in it."""
    runs: list[list[Cut]] = []
    for cut in korean_cuts(plain):
        if runs and runs[-1][-1].end == cut.start:
            runs[-1].append(cut)
        else:
            runs.append([cut])
    for run in runs:
        start = run[0].start
        yield plain[start : run[-1].end], [cut._replace(start=cut.start - start, end=cut.end - start) for cut in run]


def _meant(
    word: str, cuts: Sequence[Cut], unknown: Collection[str], words: Sequence[str], own: Own
) -> Iterator[tuple[str, list[str]]]:
    """Yield the library's words that are meant by a word, and its unknown terms that each stands for."""
    if not SHORTEST <= len(word) <= LONGEST or all(cut.predicate for cut in cuts):
        return
    lacking = [cut for cut in cuts if cut.term in unknown and not is_empty(cut.term)]
    within = {word[start:end]: (start, end) for start, end in _parts(word, cuts) if _is_there(word[start:end], words)}
    standing = own(frozenset(within)) if within else frozenset()
    best = max((within[one] for one in standing), key=lambda span: (span[1] - span[0], -span[0]), default=None)
    if best is not None:
        whole = best == (0, len(word))
        covered = [
            cut.term for cut in lacking if cut.start < best[1] and best[0] < cut.end and (whole or len(cut.term) >= SHORTEST)
        ]
        if covered:
            yield word[best[0] : best[1]], covered
        return
    if any(cut.predicate for cut in cuts):
        return
    longer = list(_holding(word, words))
    kept = own(frozenset(longer)) if longer else frozenset()
    for one in [one for one in longer if one in kept][:MOST_MEANT]:
        yield one, [cut.term for cut in lacking]


def _parts(word: str, cuts: Sequence[Cut]) -> Iterator[tuple[int, int]]:
    """Yield where the parts of a word begin and end that may be a word of their own: none lies within one that the dictionary knows."""
    whole = [(cut.start, cut.end) for cut in cuts if not cut.compound]
    for start, end in combinations(range(len(word) + 1), 2):
        if end - start < SHORTEST or (start > 0 and end - start < len(word) - 1):
            continue
        if not any(first <= start and end <= last for first, last in whole):
            yield start, end


def _is_there(word: str, words: Sequence[str]) -> bool:
    at = bisect_left(words, word)
    return at < len(words) and words[at] == word


def _holding(word: str, words: Sequence[str]) -> Iterator[str]:
    """Yield the library's words that begin with `word` and are little longer, in the order of their letters."""
    for at in range(bisect_left(words, word), len(words)):
        if not words[at].startswith(word):
            return
        if len(words[at]) <= len(word) + LONGER:
            yield words[at]
