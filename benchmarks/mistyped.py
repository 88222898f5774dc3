"""Questions with a typing error: what is found of them, with the words mended as the bot does and as they were typed.

    python -m benchmarks.mistyped --data DIR/retrieval/squad-open-en [--questions 400] [--cache FILE.npz]

Into one word of each question (six letters or more, no function word; drawn by a seeded generator) one error is put: two letters
swapped, one left out, one typed twice, or a neighbouring key. Asked as they are, mistyped, and of a library without what answers
them (the first look's judgement alone); and of how many it is told what was looked for instead, rightly where that is a word of the
question as it was. With `--golden` the cases of `skills/search/golden` are asked instead.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from benchmarks.fusion_cases import CachedModels, silent
from bot.app import opened
from bot.config import Settings
from bot.evaluate.search import Collection, filled_library
from bot.passage import PUBLIC, Hit, Scopes
from bot.retrieval.lexical import Words
from bot.retrieval.library import Shelves
from bot.text.words import is_empty, stem

SEED = 5
LEAST = 6
SHOWN = 6
EVERYONE = Scopes([PUBLIC])
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
GOLDEN = Path(__file__).parent.parent / "skills" / "search" / "golden"
_WORD = re.compile(rf"[A-Za-z]{{{LEAST},}}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--golden", action="store_true")
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--cache", type=Path, help="keeps the vectors for the next run")
    options = parser.parse_args()
    collection = golden() if options.golden else Collection.load(options.data)
    with tempfile.TemporaryDirectory() as folder:
        cache = options.cache or Path(folder) / "vectors.npz"
        for mode, figures in asyncio.run(measured(collection, options.questions, cache)).items():
            print(f"{mode}: {json.dumps(figures)}")


def golden() -> Collection:
    """Return the golden cases of the search skill as a collection."""
    cases = [json.loads(line) for line in (GOLDEN / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
    files = sorted((GOLDEN / "documents").iterdir())
    documents = tuple((file.name, file.stem, file.read_text(encoding="utf-8")) for file in files)
    asked = [case for case in cases if case.get("document")]
    return Collection(
        documents, tuple((case["id"], case["question"]) for case in asked), {case["id"]: {case["document"]: 1} for case in asked}
    )  # fmt: skip


async def measured(collection: Collection, count: int, cache: Path) -> dict[str, Counter[str]]:
    """Return the counts, by whether the words are taken as they were typed or mended."""
    chance = random.Random(SEED)  # noqa: S311 - the same errors on every run
    asked = chance.sample(list(collection.queries), min(count, len(collection.queries)))
    typed = {number: wrong for number, text in asked if (wrong := with_error(text, chance))}
    settings = Settings()
    async with opened(settings) as app:
        models = CachedModels(app.pool, cache)
        async with filled_library(collection, models=models, settings=settings, report=silent) as (library, names):
            asking = Asking(library, names, collection)
            with mock.patch.object(Words, "mended", lambda _words, _state, text, *_args, **_options: text):
                plain = await asking.all(asked, typed)
            figures = {"as typed": plain, "mended": await asking.all(asked, typed)}
        models.save()
    return figures


@dataclass(frozen=True)
class Asking:
    """A library, and what answers the questions that it is asked."""

    library: Shelves
    names: Mapping[int, str]
    collection: Collection

    async def all(self, asked: Sequence[tuple[str, str]], typed: Mapping[str, str]) -> Counter[str]:
        """Return how many of the questions, as they are and `typed`, were answered, and by the right passage first."""
        counted: Counter[str] = Counter()
        for number, text in asked:
            await self._ask("as they are", number, text, counted)
            if number in typed:
                await self._ask("mistyped", number, typed[number], counted, meant=text)
            counted["told nothing, the answer away"] += await self._told_nothing(number, text)
        return counted

    async def _ask(self, how: str, number: str, text: str, counted: Counter[str], *, meant: str = "") -> None:
        hits = await self.library.search(text, EVERYONE, SHOWN)
        right = bool(hits) and self.names[document_of(hits[0])] in self.collection.gains[number]
        counted.update({how: 1, f"{how}, answered": bool(hits), f"{how}, first": right})
        if meant and hits and hits[0].mended:
            said = {stem(word.lower()) for word in _WORD.findall(meant)}
            rightly = all(stem(word.meant.lower()) in said for word in hits[0].mended)
            counted.update({f"{how}, told what was looked for": 1, f"{how}, told rightly": rightly})

    async def _told_nothing(self, number: str, text: str) -> bool:
        away = [document for document, name in self.names.items() if name in self.collection.gains[number]]
        return not await self.library.search(text, EVERYONE, 1, without=away)


def with_error(text: str, chance: random.Random) -> str | None:
    """Return `text` with an error in one of its words, None where it has none that is long enough."""
    words = [word for word in _WORD.finditer(text) if not is_empty(stem(word.group().lower()))]
    if not words:
        return None
    word = chance.choice(words)
    return text[: word.start()] + mistyped(word.group(), chance) + text[word.end() :]


def mistyped(word: str, chance: random.Random) -> str:
    """Return `word` with two letters swapped, one left out, one twice, or a neighbouring key for one; its first letter stays."""
    at = chance.randrange(1, len(word) - 1)
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    other = chance.choice(beside(word[at].lower()))
    return chance.choice((swapped, word[:at] + word[at + 1 :], word[: at + 1] + word[at:], word[:at] + other + word[at + 1 :]))


def beside(letter: str) -> list[str]:
    """Return the letters whose keys are beside that of `letter`."""
    row = next(at for at, keys in enumerate(ROWS) if letter in keys)
    place = ROWS[row].index(letter)
    near = "".join(keys[max(0, place - 1) : place + 2] for keys in ROWS[max(0, row - 1) : row + 2])
    return sorted(set(near) - {letter})


def document_of(hit: Hit) -> int:
    """Return the number of the document that a hit without a link is of."""
    return int(hit.passage.link.removeprefix("document:").partition("#")[0])


if __name__ == "__main__":
    main()
