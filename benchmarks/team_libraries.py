"""Made-up teams' libraries, asked in everyday words: what the judges are trained on beside the public sets, and measured with.

    python -m benchmarks.team_libraries [FOLDER...]      # by default those that no training has seen
    python -m benchmarks.team_libraries --rank [--embedder embed.minilm-ko.v2] [FOLDER...]      # where the right document ranks, by leg

`benchmarks/libraries/` holds those that the judges are trained on (`trained/`), those for the next training (`later/`) and those that
are kept from it (`unseen/`): each a folder with
`documents/` and `questions.tsv`, lines of kind, question, file name and answer with | between them. A question is asked in the document's
language (`same`), in the other one (`cross`), or of what no document tells (`none`). All were written for this by authors who had read
nothing of the program; the answer stands verbatim in the document.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.app import opened
from bot.config import ModelSettings, Settings
from bot.evaluate.search import LEGS, temporary_library
from bot.language import detect
from bot.models.tasks import EMBED
from bot.passage import PUBLIC, Scopes
from bot.retrieval.library import Shelves
from bot.text.query import looked_for

if TYPE_CHECKING:
    from bot.retrieval.fuse import Fusion
    from bot.skill import Models

TRAINED, LATER, UNSEEN = (Path(__file__).parent / "libraries" / name for name in ("trained", "later", "unseen"))
EVERYONE = Scopes([PUBLIC])
KINDS = ("same", "cross", "none")
DEPTH = 30
"""Passages that are ranked."""


@dataclass(frozen=True)
class Case:
    """A question of one of KINDS, and the document that answers it, with what answers; "" where none does."""

    kind: str
    question: str
    document: str = ""
    answer: str = ""

    @property
    def language(self) -> str:
        """Return the language that it is asked in."""
        return detect(self.question) or "en"


def cases_of(folder: Path) -> list[Case]:
    """Return the questions about the library in `folder`."""
    lines = (folder / "questions.tsv").read_text(encoding="utf-8").splitlines()
    return [Case(*(part.strip() for part in line.split("|"))) for line in lines if line.strip()]


@asynccontextmanager
async def library_of(
    folder: Path, models: Models, settings: Settings, fusion: Fusion | None = None
) -> AsyncIterator[tuple[Shelves, Mapping[int, str]]]:
    """Give a temporary library that holds the documents in `folder`, and the file name of each."""
    async with temporary_library(models, settings, fusion) as library:
        files = sorted((folder / "documents").iterdir())
        added = [await library.add_file(file, PUBLIC, title=file.name) for file in files]
        yield library, {one.document: file.name for one, file in zip(added, files, strict=True)}


async def asked(folder: Path, models: Models, settings: Settings, fusion: Fusion | None = None) -> Counter[tuple[str, str, str]]:
    """Return how many questions of a kind and language there are, were answered, by the right document first, by its marked sentence."""
    counted: Counter[tuple[str, str, str]] = Counter()
    async with library_of(folder, models, settings, fusion) as (library, names):
        titles = {name: document for document, name in names.items()}
        for case in cases_of(folder):
            hits = await library.search(looked_for(case.question), EVERYONE, k=5)
            of = case.kind, case.language
            counted[*of, "asked"] += 1
            if not hits:
                continue
            best = hits[0]
            right = bool(case.document) and await _document_of(library, best.passage.id, titles, case.document)
            start, end = best.marked or (0, 0)
            counted[*of, "answered"] += 1
            counted[*of, "right document"] += right
            counted[*of, "marked"] += right and case.answer in best.passage.text[start:end]
    return counted


async def _document_of(library: Shelves, passage: int, titles: Mapping[str, int], name: str) -> bool:
    """Say whether a passage is of the document called `name`."""
    return passage in {one.id for one in await library.whole(titles[name], EVERYONE, most=1000)}


async def ranked(folder: Path, models: Models, settings: Settings) -> Counter[tuple[str, str, str, str]]:
    """Return how many questions of a kind and language have an answer, and for how many its document is first, and among three, by leg."""
    counted: Counter[tuple[str, str, str, str]] = Counter()
    async with library_of(folder, models, settings) as (library, names):
        for case in cases_of(folder):
            for leg in LEGS if case.document else ():
                found = await library.rank(looked_for(case.question), EVERYONE, count=DEPTH, leg=leg)
                order = list(dict.fromkeys(names[document] for document in found.documents))
                of = case.kind, case.language, leg
                counted[*of, "asked"] += 1
                counted[*of, "first"] += order[:1] == [case.document]
                counted[*of, "among three"] += case.document in order[:3]
    return counted


def ranking(counted: Counter[tuple[str, str, str, str]]) -> str:
    """Return the figures of `ranked` as a table in Markdown."""
    rows = ["| kind | language | leg | asked | first | among three |", "| --- " * 6 + "|"]
    for kind, language, leg in dict.fromkeys(key[:3] for key in sorted(counted)):
        asked = counted[kind, language, leg, "asked"]
        shares = " | ".join(f"{counted[kind, language, leg, column] / asked:.3f}" for column in ("first", "among three"))
        rows.append(f"| {kind} | {language} | {leg} | {asked} | {shares} |")
    return "\n".join(rows)


def table(counts: Mapping[str, Counter[tuple[str, str, str]]]) -> str:
    """Return the figures as a table in Markdown."""
    columns = ("asked", "answered", "right document", "marked")
    rows = ["| library | kind | language | " + " | ".join(columns) + " |", "| --- " * (len(columns) + 3) + "|"]
    for name, counted in counts.items():
        for kind in KINDS:
            for language in ("ko", "en"):
                figures = " | ".join(str(counted[kind, language, column]) for column in columns)
                rows.append(f"| {name} | {kind} | {language} | {figures} |")
    return "\n".join(rows)


async def measured(folders: Sequence[Path]) -> dict[str, Counter[tuple[str, str, str]]]:
    """Return what is counted of each library, and of all together."""
    async with _housed() as (models, settings):
        counts = {folder.name: await asked(folder, models, settings) for folder in folders}
    return {**counts, "all": sum(counts.values(), Counter())}


async def ranks(folders: Sequence[Path], embedder: str = "") -> Counter[tuple[str, str, str, str]]:
    """Return the sum of `ranked` over all libraries, with an `embedder` by name; "" for the one that a new home starts with."""
    async with _housed(embedder) as (models, settings):
        return sum([await ranked(folder, models, settings) for folder in folders], Counter())


@asynccontextmanager
async def _housed(embedder: str = "") -> AsyncIterator[tuple[Models, Settings]]:
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), models=ModelSettings(choose={EMBED.name: embedder} if embedder else {}))
        async with opened(settings) as app:
            yield app.pool, settings


def main() -> None:
    """Ask, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, help="The libraries; by default those that no training has seen.")
    parser.add_argument(
        "--rank", action="store_true", help="Where the right document ranks, whether or not it would be answered."
    )
    parser.add_argument("--embedder", default="", help="Another than a new home starts with.")
    options = parser.parse_args()
    folders = options.folders or sorted(UNSEEN.iterdir())
    print(ranking(asyncio.run(ranks(folders, options.embedder))) if options.rank else table(asyncio.run(measured(folders))))


if __name__ == "__main__":
    main()
