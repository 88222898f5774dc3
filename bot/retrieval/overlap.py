"""How alike two embedders answer what was really asked, before the new one has a vector of every passage.

Owns: which passages are embedded for it, and the counting. What is compared are the ten passages nearest in meaning. For each question
those that the live embedder puts first (CANDIDATES, or all that may be read, where they are fewer) are embedded by the new one, and put
in order by it: what it would find outside of them is not seen, so the figure is the most that the two may have in common where they are
not all. Questions are taken, the newest first, until the passages are as many as can be embedded in PATIENCE_S; where these are few,
fewer stand for a question, so that it is not one question or two that decide. Nothing of a question or a passage leaves this file: they are
counted.

    overlap = await compared(library, passages, pool, "embed.static.v1@53aa51172d14", asked, rate=900.0)
    overlap.text().to("ko")
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from bot.locale import Text, phrases
from bot.passage import PUBLIC, Scope, Scopes
from bot.retrieval.embed import embedded, embedded_text

if TYPE_CHECKING:
    from bot.retrieval.library import Shelves
    from bot.skill import Models
    from bot.store.passages import Passages
    from bot.store.questions import Asked

_ = phrases(__file__)

FIRST: Final = 10
"""Passages of each answer that are compared."""
CANDIDATES: Final = (30, 100)
"""Passages of one question, at the least and at the most."""
QUESTIONS: Final = 20
"""That many there should be, before more passages stand for one."""
PATIENCE_S: Final = 20.0
FEWEST, MOST = 200, 2000
"""Passages that are embedded for it, at the least where there are so many, and at the most."""

Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Overlap:
    """What came of it. `share` is the mean share of the first ten that both have, 0..1."""

    asked: int
    """Questions that there were."""
    compared: int
    """Questions that were compared: at these more than ten passages may be read."""
    share: float
    passages: int
    """Passages that were embedded for it."""
    candidates: int
    """How many passages of each question were put in order by the new one; 0: all that may be read there."""

    def text(self) -> Text:
        """Return it for a person: a sentence."""
        if not self.compared:
            return _("Last week nobody asked the documents anything by which both embedders could be compared.")
        return _(
            "Of last week's questions {compared} of {asked} were asked of both: of the ten passages nearest in meaning they have {share} % in "
            "common{of}.",
            compared=self.compared, asked=self.asked, share=round(100 * self.share), of=self._of() if self.candidates else Text(""),
        )  # fmt: skip

    def _of(self) -> Text:
        return _(
            ", looked for among the {count} that the live one puts first ({passages} passages were embedded for it)",
            count=self.candidates, passages=self.passages,
        )  # fmt: skip


async def compared(
    library: Shelves, passages: Passages, models: Models, embedder: str, asked: Sequence[Asked], *, rate: float
) -> Overlap:
    """Return how much the live embedder and `embedder`, which makes `rate` vectors a second, have in common on `asked`, newest first.

    Raises:
        ModelError: `embedder` failed.
    """
    most = int(min(max(rate * PATIENCE_S, FEWEST), MOST))
    held = (await library.status()).passages
    count = held if held <= most else min(max(most // QUESTIONS, CANDIDATES[0]), CANDIDATES[1])
    found = await _candidates(library, asked, count=count, most=most)
    ids = sorted({number for _question, some in found for number in some})
    vectors = dict(zip(ids, await _vectors(passages, models, embedder, ids), strict=True))
    questions = await embedded(models, embedder, [question.text for question, _some in found]) if found else []
    shares = await asyncio.to_thread(_shares, [some for _question, some in found], vectors, questions)
    share = sum(shares) / len(shares) if shares else 0.0
    cut = count < held and any(len(some) == count for _question, some in found)
    return Overlap(len(asked), len(found), share, len(ids), candidates=count if cut else 0)


async def _candidates(library: Shelves, asked: Sequence[Asked], *, count: int, most: int) -> list[tuple[Asked, Sequence[int]]]:
    """Return questions with the `count` passages that the live embedder puts first, in its order; `most` passages in all."""
    seen: set[int] = set()
    taken: list[tuple[Asked, Sequence[int]]] = []
    for question in asked:
        scopes = Scopes([PUBLIC, Scope.of(question.address)])
        ids = (await library.rank(question.text, scopes, count=count, leg="vectors")).ids
        if len(ids) <= FIRST:
            continue
        if len(seen.union(ids)) > most:
            break
        seen.update(ids)
        taken.append((question, ids))
    return taken


async def _vectors(passages: Passages, models: Models, embedder: str, ids: Sequence[int]) -> list[Rows]:
    """Return the vectors by `embedder`; zeros for a passage that has gone meanwhile."""
    there = await passages.texts(ids)
    texts = [embedded_text(one.text, title=one.title, heading=one.heading) for one in there]
    vectors = await embedded(models, embedder, texts, bulk=True) if texts else []
    made = dict(zip((one.id for one in there), vectors, strict=True))
    nothing = np.zeros(len(vectors[0]) if vectors else 1, np.float32)
    return [made.get(number, nothing) for number in ids]


def _shares(answers: Sequence[Sequence[int]], vectors: Mapping[int, Rows], questions: Sequence[Rows]) -> list[float]:
    """Return what each of `answers` has in common with the order by `vectors`: seconds, of 200 questions among 2,000 passages."""
    return [
        _in_common(some, np.stack([vectors[number] for number in some]) @ question)
        for some, question in zip(answers, questions, strict=True)
    ]


def _in_common(live: Sequence[int], scores: Rows) -> float:
    """Return the share of the first ten of `live` (best first) that are among the ten with the best `scores`."""
    best = np.argsort(-scores, kind="stable")[:FIRST]
    return len(set(live[:FIRST]) & {live[place] for place in best}) / FIRST
