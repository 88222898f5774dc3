"""The library's words that say what a question says otherwise: 휴무 for 쉬는 날, and free for 무료 where a page is English.

Owns which of them count. Leaves to `bot.text.lexicon` which words stand for each other, to `bot.retrieval.lexical` where they stand, to
`bot.retrieval.features` what they count for: a word of the library counts as the question's own does, with one frequency (structured
queries, Pirkola 1998).

    otherwise(terms("주차 무료야?"), packaged(), frequencies, passages=40)    # {"free": ("무료",), "park": ("주차",), ...}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bot.retrieval.features import FEW
from bot.text.lexicon import Lexicon
from bot.text.words import is_empty

MOST_SAID: Final = 40
"""Terms of a question whose meanings are looked for: a pasted text is none."""


def otherwise(
    said: Sequence[str], lexicon: Lexicon, frequencies: Mapping[str, int], *, passages: int
) -> Mapping[str, tuple[str, ...]]:
    """Return words that say the same as terms of a query, and which terms of it each stands for.

    Words of the other language always; of the same one where the passages are FEW, or a term stands nowhere: among many its own
    passages are the likelier ones.

    Args:
        said: the terms of the query, in reading order.
        lexicon: which words stand for each other.
        frequencies: in how many passages each term stands.
        passages: how many there are.
    """
    asked = said[:MOST_SAID]
    found: dict[str, dict[str, None]] = {}
    for meaning in lexicon.meanings(asked):
        terms = [term for term in meaning.said if not is_empty(term)]
        seldom = passages <= FEW or not all(frequencies.get(term) for term in terms)
        for word in (*meaning.across, *(meaning.alike if seldom else ())):
            if word not in asked:
                found.setdefault(word, {}).update(dict.fromkeys(terms))
    return {word: tuple(terms) for word, terms in found.items() if terms}
