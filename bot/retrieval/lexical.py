"""The words leg: which of a query's terms are asked of the word index, and how often each stands in it.

Common words make an OR of words slow (every passage that holds one is scored) and tell little. So the rarest terms are
asked for, as many as their passages fit a budget; what the common ones say is weighed among the candidates alone.

    terms = weigh_query(state, "when does the office open", passages=10_000)
    found = state.search_words(asked(terms, frequencies), scope_ids, count=50)
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.retrieval.features import QueryTerms, weigh
from bot.store.shelf import State
from bot.text.words import terms as cut

BUDGET = 2000
"""Entries of the word index that one query may score: a millisecond of SQLite."""
MOST_CUT = 4000
"""Characters of a query that are cut into terms."""
MOST_ASKED = 500
"""Terms whose frequency is looked up."""


def weigh_query(state: State, query: str, *, passages: int) -> tuple[QueryTerms, Mapping[str, int]]:
    """Return the query's weighed terms, and in how many passages each stands."""
    said = cut(query[:MOST_CUT])
    frequencies = state.frequencies(sorted(set(said))[:MOST_ASKED])
    return weigh(said, frequencies, max(passages, 1), query), frequencies


def asked(query: QueryTerms, frequencies: Mapping[str, int], *, budget: int = BUDGET) -> list[str]:
    """Return the terms that the word index is asked for: the heaviest, while they fit the budget, the first in any case."""
    chosen: list[str] = []
    spent = 0
    for term in query.terms:
        frequency = frequencies.get(term, 0)
        if not frequency:
            continue
        if chosen and spent + frequency > budget:
            break
        chosen.append(term)
        spent += frequency
    return chosen
