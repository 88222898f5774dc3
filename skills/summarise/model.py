"""The summary models that come with Paring: extract, LexRank and lead. Each picks sentences; none invents one.

Owns: three models of the slot `summarise` with the same budget, filling and writing, so that they differ in what they prefer alone.
Leaves to `skills.summarise.evidence` what is seen, to `skills.summarise.choose` how much is taken.

    model = load_extract(spec, folder, LoadOptions())
    model.predict([SummaryInput.of(text, language="ko", length="short")])[0].text
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import Summary, SummaryInput
from bot.text.words import terms
from skills.summarise import weights
from skills.summarise.choose import costs_of, fill, is_full, words_for, write
from skills.summarise.cues import LEANING
from skills.summarise.evidence import SENTENCE_EVIDENCE, Evidence, observe
from skills.summarise.lexrank import cosines, lexrank, word_rows

PART: Final = 200
"""Sentences that are compared with each other: of a longer text each part is thinned first, then what is left is chosen from."""
SENTENCE_WORTH: Final = 2.0
"""How much a sentence's own evidence counts beside its words'."""
LENGTH_POWER: Final = 0.8
"""0 would take the longest sentences, 1 those with the densest words."""
COUNTED_POWER: Final = 0.4
"""The same where sentences are counted and not words: a denser sentence saves nothing then."""
SAYING: Final = 3
"""Words that say something, from which on a sentence is worth its evidence; `Agreed!` after a name is not."""
NODDING: Final = 0.7
"""What greetings and mere agreement are worth beside the same words without them."""
NODDING_ONLY: Final = 0.2
"""The same of a sentence that holds little else: `Great, thanks!`"""
ASKING: Final = 0.8
"""In talk: what a question is worth beside the same words as a statement; its answer is what is remembered."""
PLANNING: Final = 1.2
"""In talk: what an intention is worth beside the same words without one."""
LEADING: Final = 0.3
LEADING_NEWS: Final = 1.0
"""How much more the first sentence of prose, and of a newspaper's, is worth; halved every two sentences."""

Pick = Callable[[SummaryInput, float], list[int]]
"""The indices of the sentences that a summary of so many words is made of, in reading order."""


class Picker:
    """A model that answers with some of the text's own sentences."""

    def __init__(self, pick: Pick) -> None:
        """Keep the function that picks."""
        self._pick = pick

    def predict(self, batch: Sequence[SummaryInput]) -> list[Summary]:
        """Return a summary for each input, in order; the empty one where there is no sentence."""
        return [self._shorten(item) if item.sentences else Summary("") for item in batch]

    def close(self) -> None:
        """Nothing is held."""

    def _shorten(self, item: SummaryInput) -> Summary:
        places = list(range(len(item.sentences)))
        budget = words_for(item.length, sum(costs_of(item)))
        while len(places) > PART:
            thinner = list(self._thinned(item, places, budget))
            if len(thinner) >= len(places):
                break
            places = thinner
        picked = [places[index] for index in self._pick(_part(item, places), budget)]
        return Summary(write(item, picked), tuple(picked))

    def _thinned(self, item: SummaryInput, places: Sequence[int], budget: float) -> Iterator[int]:
        """Yield what each part keeps: together thrice what is wanted, and never more than half of the part."""
        parts = [places[start : start + PART] for start in range(0, len(places), PART)]
        for part in parts:
            inner = replace(_part(item, part), count=min(item.count, len(part) // 2))
            most = sum(costs_of(inner)) / 2
            yield from (part[index] for index in self._pick(inner, min(most, 3 * budget / len(parts))))


def load_extract(_spec: ModelSpec, _folder: Path, _options: LoadOptions) -> Picker:
    """Return `summarise.extract.v1`: the sentences that together hold most of what a summary would say, without repetition.

    Source: the cover of weighted concepts of Gillick & Favre 2009 (ILP for NLP), filled greedily by worth a word as Lin & Bilmes 2010 do.
    """
    return Picker(_extract)


def load_lexrank(_spec: ModelSpec, _folder: Path, _options: LoadOptions) -> Picker:
    """Return `summarise.lexrank.v1`: continuous LexRank over TF-IDF cosines. Source: Erkan & Radev 2004, JAIR 22."""
    return Picker(_lexrank)


def load_lead(_spec: ModelSpec, _folder: Path, _options: LoadOptions) -> Picker:
    """Return `summarise.lead.v1`: the first sentences."""
    return Picker(_lead)


def _lead(item: SummaryInput, budget: float) -> list[int]:
    return fill(range(len(item.sentences)), costs=costs_of(item), budget=budget, count=item.count)


def _lexrank(item: SummaryInput, budget: float) -> list[int]:
    scores = lexrank(cosines(word_rows([terms(sentence) for sentence in item.sentences])))
    return fill(np.argsort(-scores, kind="stable").tolist(), costs=costs_of(item), budget=budget, count=item.count)


def _extract(item: SummaryInput, budget: float) -> list[int]:
    """Take, again and again, the sentence whose words not yet told are worth most for its length; `They did` after who did."""
    seen = observe(item)
    chances, factors = worth(item, seen)
    costs = costs_of(item)
    left, spent = _different(item.sentences), 0
    told: set[int] = set()
    taken: list[int] = []
    pulls = factors / np.maximum(costs, 1) ** (COUNTED_POWER if item.count else LENGTH_POWER)
    after = {} if item.speakers else {index: index - 1 for index in left if index and LEANING.search(item.sentences[index])}
    while left:
        ready = [index for index in left if after.get(index, -1) not in left] or left
        best = max(ready, key=lambda index: (pulls[index] * sum(chances[word] for word in seen.bags[index] - told), -index))
        if is_full(spent, costs[best], budget=budget, taken=len(taken), count=item.count):
            break
        if taken and seen.bags[best] <= told and not item.count:
            break  # what is left says nothing new
        taken.append(best)
        left.remove(best)
        told |= seen.bags[best]
        spent += costs[best]
    return sorted(taken)


def _different(sentences: Sequence[str]) -> list[int]:
    """Return where each sentence stands first."""
    return list({sentence: index for index, sentence in reversed(list(enumerate(sentences)))}.values())[::-1]


def worth(item: SummaryInput, seen: Evidence) -> tuple[list[float], NDArray[np.float64]]:
    """Return the chance of each word to be in a summary, and a factor for each sentence, float64 (n,)."""
    known = "words" if item.vectors is None else "meaning"
    chances = 1 / (1 + np.exp(-(seen.words @ np.array(weights.WORDS[known]))))
    factors = np.exp(SENTENCE_WORTH * (seen.sentences @ np.array(weights.SENTENCES[known])))
    factors = factors * np.minimum(1.0, seen.saying / SAYING) * NODDING ** _cue(seen, "nod")
    factors = factors * NODDING_ONLY ** (_cue(seen, "nod") * _cue(seen, "short"))
    if item.speakers:
        factors = factors * ASKING ** _cue(seen, "question") * PLANNING ** _cue(seen, "intent")
    else:
        factors = factors * (1 + (LEADING_NEWS if seen.is_news else LEADING) * 0.5 ** (np.arange(len(factors)) / 2))
    return chances.tolist(), factors


def _cue(seen: Evidence, name: str) -> NDArray[np.float64]:
    return seen.sentences[:, SENTENCE_EVIDENCE.index(name)]


def _part(item: SummaryInput, places: Sequence[int]) -> SummaryInput:
    """Return the input of those sentences alone."""
    if len(places) == len(item.sentences):
        return item
    return replace(
        item,
        sentences=tuple(item.sentences[place] for place in places),
        speakers=tuple(item.speakers[place] for place in places) if item.speakers else (),
        vectors=None if item.vectors is None else item.vectors[list(places)],
    )
