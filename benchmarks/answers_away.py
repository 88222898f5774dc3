"""Questions whose passage was taken away and that are answered all the same: how many, and what they are answered.

    python -m benchmarks.answers_away DIR [--questions 400] [--show 40]

DIR is a collection in BEIR layout. Each question is asked of the whole collection, as it is and as if the passages that its qrels name
were not there, as a person would ask. `--show` prints so many of the answers that came without them,
drawn by chance: whoever reads them sees which are wrong, and which are right though the qrels do not name their passage.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fusion_cases import silent
from bot.app import opened
from bot.config import Settings
from bot.evaluate.search import Collection, filled_library
from bot.passage import PUBLIC, Scopes
from bot.retrieval.library import Shelves

EVERYONE = Scopes([PUBLIC])
SEED = 0


@dataclass(frozen=True)
class Told:
    """What a question is answered: the passage that ranks first and its marked sentence; `answered` False where it is told nothing."""

    question: str
    answered: bool
    passage: str = ""
    marked: str = ""


def main() -> None:
    """Ask, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--show", type=int, default=0)
    options = parser.parse_args()
    there, away = asyncio.run(measured(Collection.load(options.folder), options.questions))
    print(f"answered: {share(there, answered=True)}; told nothing without the passage: {share(away, answered=False)}")
    wrong = [told for told in away if told.answered]
    for number, told in enumerate(random.Random(SEED).sample(wrong, min(options.show, len(wrong))), start=1):  # noqa: S311 - a sample
        print(
            f"\n{number}. {told.question}\n   {told.passage.replace(told.marked, f'**{told.marked}**') if told.marked else told.passage}"
        )


async def measured(collection: Collection, count: int) -> tuple[list[Told], list[Told]]:
    """Return what `count` of the questions are told, with the passages that answer them there, and without."""
    chance = random.Random(SEED)  # noqa: S311 - a sample
    asked = chance.sample(list(collection.queries), min(count, len(collection.queries)))
    settings = Settings()
    async with (
        opened(settings) as app,
        filled_library(collection, models=app.pool, settings=settings, report=silent) as (library, names),
    ):
        place = {name: document for document, name in names.items()}
        there, away = [], []
        for number, text in asked:
            gone = [place[name] for name in collection.gains[number] if name in place]
            there.append(await told(library, text, []))
            away.append(await told(library, text, gone))
    return there, away


async def told(library: Shelves, text: str, without: list[int]) -> Told:
    """Return what `text` is told where the documents in `without` are not there."""
    hits = await library.search(text, EVERYONE, 1, without=without)
    if not hits:
        return Told(text, answered=False)
    best = hits[0]
    return Told(text, True, best.passage.text, best.passage.text[slice(*best.marked)] if best.marked else "")  # noqa: FBT003 - a field


def share(some: list[Told], *, answered: bool) -> str:
    """Return how many of `some` are told so."""
    count = sum(told.answered is answered for told in some)
    return f"{count} of {len(some)} ({count / len(some):.3f})"


if __name__ == "__main__":
    main()
