"""How often the marked sentence holds the answer, on a collection in BEIR layout whose queries tell their answers, or whose answers we marked.

    python -m benchmarks.marked COLLECTION [--most 2000]

A line of queries.jsonl tells them as `"answers": ["19 May", ...]`; any of them counts, compared without case, spaces and marks. Of the public
sets, which tell none, `benchmarks/marked_sentences/NAME.txt` says which sentences of a question's passage hold the answer, found by reading:
lines of query|passage|sentence (from 0, several with commas; - where none does). They are the questions that the reader was not taught
with. Counted are those whose passage came first. A collection without answers is told so: nothing is guessed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bot.config import Settings
from bot.evaluate.search import Collection, filled_library
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool
from bot.passage import PUBLIC, Scopes
from bot.text.sentences import split
from bot.text.words import normalise

SENTENCES, NONE = Path(__file__).with_name("marked_sentences"), "-"
_NO_WORD = re.compile(r"[\W_]+")


def answers_of(folder: Path) -> dict[str, list[str]]:
    """Return the answers by query, as far as queries.jsonl tells them."""
    rows = [json.loads(line) for line in (folder / "queries.jsonl").read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    return {str(row.get("_id", row.get("id"))): row["answers"] for row in rows if row.get("answers")}


def sentences_of(folder: Path) -> dict[str, list[str]]:
    """Return by query the sentences that hold its answer, as far as `SENTENCES` names them."""
    file = SENTENCES / f"{folder.name}.txt"
    if not file.exists():
        return {}
    texts = {number: text for number, _title, text in Collection.load(folder).documents}
    found: dict[str, list[str]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        query, passage, numbers = line.split("|")
        places = split(texts[passage])
        found.setdefault(query, []).extend(
            texts[passage][places[int(one)].start : places[int(one)].end] for one in numbers.split(",") if one != NONE
        )
    return {query: sentences for query, sentences in found.items() if sentences}


def holds(sentence: str, answers: list[str]) -> bool:
    """Say whether `sentence` holds any of `answers`."""
    said = _plain(sentence)
    return any(_plain(answer) in said for answer in answers if _plain(answer))


async def measure(folder: Path, answers: Mapping[str, list[str]], most: int) -> tuple[int, int, int]:
    """Return of how many answered questions the right passage came first, in how many of these the mark holds the answer, and asked."""
    collection = await asyncio.to_thread(Collection.load, folder)
    asked = [(number, text) for number, text in collection.queries if number in answers][:most]
    first = held = 0
    with tempfile.TemporaryDirectory(prefix="paring-marked-") as home:
        settings = Settings(home=Path(home))
        pool = Pool(Catalogue(settings), settings)
        try:
            async with filled_library(collection, models=pool, settings=settings, report=lambda *_told: None) as (
                library,
                _names,
            ):
                right = {
                    number: {text for name, _title, text in collection.documents if name in collection.gains[number]}
                    for number, _text in asked
                }
                for number, text in asked:
                    hits = await library.search(text, Scopes([PUBLIC]), 1)
                    if hits and any(hits[0].passage.text in whole for whole in right[number]):
                        first += 1
                        start, end = hits[0].marked or (0, 0)
                        held += holds(hits[0].passage.text[start:end], answers[number])
        finally:
            await pool.close()
    return first, held, len(asked)


def main() -> None:
    """Read the command line, print the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=2000)
    options = parser.parse_args()
    answers = answers_of(options.folder) or sentences_of(options.folder)
    if not answers:
        sys.exit(
            f"{options.folder}: no query tells its answers and none were marked: nothing can be said of the marked sentences."
        )
    first, held, asked = asyncio.run(measure(options.folder, answers, options.most))
    share = held / first if first else 0.0
    print(f"asked {asked}, the right passage first {first}, the marked sentence holds the answer {held}: {share:.3f}")


def _plain(text: str) -> str:
    return _NO_WORD.sub("", normalise(text))


if __name__ == "__main__":
    main()
