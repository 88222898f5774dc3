"""The verbs of a question, which its answer often says otherwise: lose where the page says lost, 닫다 where it says when it ends.

predicates("독서실 몇 시에 닫아요?")      # {"닫"}
predicates("what if I lose the key?")    # {"lose"}
"""

from __future__ import annotations

from functools import cache

from bot.text.words import korean_cuts, normalise, stem, terms

_VERBS = """
accept add agree allow answer arrive ask became become begin belong bite bought break bring brought build buy call came carry catch
caught choose chose close come complain decide deliver did discover do drank draw drink drive eat ended explain feel fell felt find
fit fix fly follow forget found gave give go gone grow grew handle happen hear heard hold held include join keep kept kill knew know
lay lead leave left lend let like live lose lost make made marry mean meant meet met move name occur offer open own pay paid pick
prefer provide put quit ran reach receive recommend remember replace require ride ring run said sang saw say see sell sold send sent
show sing sit slept sleep speak spend spent spoke stand start stay stop store take taken taught teach tell thought think threw throw
told took try turn understand use visit wait walk want watch wear went win won wore work write wrote
"""
"""English verbs that are seldom what a question is about. Its nouns, and what may be either (cost, order, play), are not among them."""


def predicates(text: str) -> frozenset[str]:
    """Return the terms of `text` that are verbs or adjectives: of Hangul as the dictionary says, of English the common verbs."""
    cuts = korean_cuts(normalise(text))
    korean = frozenset(cut.term for cut in cuts if cut.predicate) - {cut.term for cut in cuts if not cut.predicate}
    return korean | _english().intersection(terms(text))


@cache
def _english() -> frozenset[str]:
    return frozenset(stem(word) for word in _VERBS.split())
