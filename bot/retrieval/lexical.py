"""The words leg: which of a query's terms are asked of the word index, and how often each stands in it.

Common words make an OR of words slow (every passage that holds one is scored) and tell little. So the rarest terms are
asked for, as many as their passages fit a budget; what the common ones say is weighed among the candidates alone.

    terms = weigh_query(state, "when does the office open", passages=10_000)
    found = state.search_words(asked(terms, frequencies), scope_ids, count=50)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping

import numpy as np

from bot.retrieval.features import QueryTerms, fingerprints, weigh
from bot.store.shelf import State
from bot.text.words import terms as cut

BUDGET = 2000
"""Entries of the word index that one query may score: a millisecond of SQLite."""
MOST_CUT = 4000
"""Characters of a query that are cut into terms."""
MOST_ASKED = 500
"""Terms whose frequency is looked up."""
MOST_KNOWN = 20_000
"""Terms whose frequency is remembered: some two megabytes."""


def weigh_query(
    state: State, query: str, *, passages: int, known: MutableMapping[str, int] | None = None
) -> tuple[QueryTerms, Mapping[str, int]]:
    """Return the query's weighed terms, and in how many passages each stands.

    `known` remembers frequencies as long as the database stands still: the word index counts a common word's passages one by
    one, 0.8 ms for a question of ten words, 0.05 where its common ones are known.
    """
    said = cut(query[:MOST_CUT])
    known = {} if known is None else known
    wanted = sorted(set(said))[:MOST_ASKED]
    if missing := [term for term in wanted if term not in known]:
        if len(known) > MOST_KNOWN:
            known.clear()
            missing = wanted
        known.update(dict.fromkeys(missing, 0) | state.frequencies(missing))
    frequencies = {term: known[term] for term in wanted}
    return weigh(said, frequencies, max(passages, 1), query), frequencies


def weigh_without(
    state: State, text: str, query: QueryTerms, frequencies: Mapping[str, int], documents: Collection[int]
) -> tuple[QueryTerms, Mapping[str, int]]:
    """Return what `weigh_query` would return were `documents` not there: for training."""
    marks = dict(zip(query.terms, fingerprints(query.terms).tolist(), strict=True))
    packed = [set(np.frombuffer(terms, "<u4")[2:].tolist()) for terms in state.terms_of(documents)]
    rest = {term: count - sum(1 for passage in packed if marks.get(term) in passage) for term, count in frequencies.items()}
    return weigh(cut(text[:MOST_CUT]), rest, max(query.passages - len(packed), 1), text), rest


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
