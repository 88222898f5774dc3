"""Questions beside the passages that a search finds for them: what a model that reads is taught with, and measured with.

    cases = await found_of(DATA, cache, settings)
    taught = [case for case in cases if case.taught]
    written = await found_of_written(DATA, cache, settings)

Taught are the questions of `benchmarks/reading`, each asked of a library of its file's thirty passages, and of the public sets that the
judges of a search are trained on those that they are not: every other BLOCK of SQuAD's and KorQuAD's, and of MS MARCO's all whose answers
are not kept from everything (`benchmarks/train_hangul.py`). The others, and `benchmarks/libraries`, are measured with. Written later
are those of `benchmarks/reading/more`, and of `public`, about passages of those sets that answer none of the questions measured with.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.fusion_cases import silent
from benchmarks.fusion_sources import TAUGHT, taught_by
from benchmarks.reading_texts import FOLDER, MORE, PUBLIC, Asked, asked_of, written_of
from benchmarks.team_libraries import EVERYONE, TRAINED, UNSEEN, cases_of, library_of
from benchmarks.train_hangul import SETS, held_out
from bot.app import opened
from bot.evaluate.search import Collection, filled_library
from bot.models.tasks import ReadInput
from bot.retrieval.judged import MOST_OF_TITLE
from bot.retrieval.library import Shelves
from bot.text.query import looked_for
from bot.text.sentences import split

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.skill import Models

MOST = 4
"""Passages that are kept of what a search finds."""
PUBLIC_SETS = (*TAUGHT, *SETS)
MOST_CHARACTERS = 1400
LEAST_SENTENCES = 3
"""Of fewer, without the one that answers too little would be left."""
NO_FILE_NAME = re.compile(r"[^\w -]+")


@dataclass(frozen=True)
class Candidate:
    """A passage that was found, and whether its document answers."""

    title: str
    text: str
    right: bool


@dataclass(frozen=True)
class Case:
    """A question, what in a right passage answers it ("" where that is not known), and what was found, best first."""

    library: str
    question: str
    answer: str
    there: bool
    """Whether anything in the library answers."""
    taught: bool
    found: tuple[Candidate, ...]


@dataclass(frozen=True)
class Pair:
    """A question beside a passage."""

    asked: ReadInput
    right: bool
    sentence: int
    """Which sentence answers; -1 where none does or it is not known."""


def right_of(case: Case) -> Pair | None:
    """Return a question beside the first passage that was found to hold its answer; None where none was."""
    one = next((one for one in case.found if one.right and case.answer in one.text[:MOST_CHARACTERS]), None)
    if one is None:
        return None
    asked = beside(case.question, one)
    at = asked.text.find(case.answer) if case.answer else -1
    return Pair(asked, True, next((number for number, (start, end) in enumerate(asked.sentences) if start <= at < end), -1))  # noqa: FBT003


def wrong_of(case: Case, place: int) -> Pair | None:
    """Return a question beside the wrong passage that stands at `place`, from 1, among the wrong ones; None where there are fewer."""
    wrong = [one for one in case.found if not one.right]
    return Pair(beside(case.question, wrong[place - 1]), False, -1) if place <= len(wrong) else None  # noqa: FBT003


def without_of(case: Case) -> Pair | None:
    """Return a question beside its passage less the sentence that answers; None where that is not known, or all that there is."""
    pair = right_of(case)
    if pair is None or pair.sentence < 0 or len(pair.asked.sentences) < LEAST_SENTENCES:
        return None
    start, end = pair.asked.sentences[pair.sentence]
    rest = pair.asked.text[:start] + pair.asked.text[end:]
    if case.answer in rest:
        return None
    return Pair(beside(case.question, Candidate(pair.asked.title, rest, False)), False, -1)  # noqa: FBT003


def beside(question: str, one: Candidate) -> ReadInput:
    """Return what a reader is given of a question and a passage."""
    text = one.text[:MOST_CHARACTERS]
    return ReadInput(question, one.title, text, tuple((found.start, found.end) for found in split(text)))


async def found_of(data: Path, cache: Path, settings: Settings) -> list[Case]:
    """Return all cases: from `cache`, where an earlier run left them."""
    return await _kept(cache / "reader-questions.jsonl", lambda: _asked(data, settings))


async def found_of_written(data: Path, cache: Path, settings: Settings) -> list[Case]:
    """Return those of `benchmarks/reading/more` and `public`: from `cache`, where an earlier run left them."""
    return await _kept(cache / "reader-written.jsonl", lambda: _asked_of_written(data, settings))


async def _kept(file: Path, made: Callable[[], Awaitable[list[Case]]]) -> list[Case]:
    if not await asyncio.to_thread(file.exists):
        cases = await made()
        whole = "".join(json.dumps(asdict(case), ensure_ascii=False) + "\n" for case in cases)
        await asyncio.to_thread(file.write_text, whole, encoding="utf-8")
    lines = (await asyncio.to_thread(file.read_text, encoding="utf-8")).splitlines()
    return [_read(line) for line in lines]


def _read(line: str) -> Case:
    value = json.loads(line)
    return Case(**{**value, "found": tuple(Candidate(**one) for one in value["found"])})


async def _asked(data: Path, settings: Settings) -> list[Case]:
    cases: list[Case] = []
    async with opened(settings) as app:
        models = app.pool
        cases += await _of_subjects(FOLDER, models, settings)
        for folder in sorted((*TRAINED.iterdir(), *UNSEEN.iterdir())):
            async with library_of(folder, models, settings) as (library, names):
                for case in cases_of(folder):
                    found = await _found(library, names, case.question, {case.document} if case.document else set())
                    cases.append(Case(folder.name, case.question, case.answer, bool(case.document), False, found))  # noqa: FBT003
        held = held_out(data / "retrieval" / SETS[1])
        for name in PUBLIC_SETS:
            collection = Collection.load(data / "retrieval" / name)
            taught = {number for number, _text in collection.queries} - held if name in SETS else taught_by(collection)
            async with filled_library(collection, models=models, settings=settings, report=silent) as (library, names):
                for number, text in collection.queries:
                    found = await _found(library, names, text, set(collection.gains[number]))
                    cases.append(Case(name, text, "", True, number in taught, found))  # noqa: FBT003
            print(name, len(cases), flush=True)
    return cases


async def _asked_of_written(data: Path, settings: Settings) -> list[Case]:
    """Return each question with what is found for it; one that a public passage does not answer with that passage alone."""
    cases: list[Case] = []
    async with opened(settings) as app:
        cases += await _of_subjects(MORE, app.pool, settings)
        for name in PUBLIC_SETS:
            collection = Collection.load(data / "retrieval" / name)
            texts = {passage: text for passage, _title, text in collection.documents}
            async with filled_library(collection, models=app.pool, settings=settings, report=silent) as (library, names):
                for one in written_of(PUBLIC / f"{name}.txt"):
                    found = await _found(library, names, one.question, {one.passage})
                    if one.sentence < 0:
                        found = tuple(replace(passage, right=False) for passage in found if passage.right)
                    answer = _sentence(texts[one.passage], one.sentence)
                    cases.append(Case(name, one.question, answer, one.sentence >= 0, True, found))  # noqa: FBT003
            print(name, len(cases), flush=True)
    return cases


def _sentence(text: str, number: int) -> str:
    if number < 0:
        return ""
    sentences = split(text[:MOST_CHARACTERS])
    return text[sentences[number].start : sentences[number].end]


async def _of_subjects(folder: Path, models: Models, settings: Settings) -> list[Case]:
    written = asked_of(folder)
    cases: list[Case] = []
    for subject in dict.fromkeys(one.subject for one in written):
        cases += await _of_subject(subject, [one for one in written if one.subject == subject], models, settings)
        print(subject, len(cases), flush=True)
    return cases


async def _of_subject(subject: str, asked: Sequence[Asked], models: Models, settings: Settings) -> list[Case]:
    """Return the questions about a subject, asked of a library of its passages."""
    async with _library_of_subject(asked, models, settings) as (library, names, file_of):
        return [
            Case(
                subject, one.question, one.answer, bool(one.answer), True,  # noqa: FBT003
                await _found(library, names, one.question, {file_of[one.title]} if one.answer else set()),
            )
            for one in asked
        ]  # fmt: skip


@asynccontextmanager
async def _library_of_subject(
    asked: Sequence[Asked], models: Models, settings: Settings
) -> AsyncIterator[tuple[Shelves, Mapping[int, str], Mapping[str, str]]]:
    with tempfile.TemporaryDirectory() as place:
        documents = Path(place) / "documents"
        documents.mkdir()
        files: dict[str, str] = {}
        for number, (title, text) in enumerate(dict.fromkeys((one.title, one.text) for one in asked)):
            called, _mark, heading = title.partition(" > ")
            files[title] = f"{NO_FILE_NAME.sub('', called).strip().replace(' ', '_')[:50]}_{number:02d}.md"
            headed = f"## {heading}\n\n" if heading else ""
            (documents / files[title]).write_text(f"# {called}\n\n{headed}{text}\n", encoding="utf-8")
        async with library_of(Path(place), models, settings) as (library, names):
            yield library, names, files


async def _found(library: Shelves, names: Mapping[int, str], question: str, answers: set[str]) -> tuple[Candidate, ...]:
    """Return what a library finds for a question, best first."""
    query = looked_for(question)
    ranked = await library.rank(query, EVERYONE, count=60)
    of = {number: names[document] for number, document in zip(ranked.ids, ranked.documents, strict=True)}
    hits = await library.nearest(query, EVERYONE, k=MOST + 2)
    passages = [hit.passage for hit in hits][:MOST]
    return tuple(Candidate(titled(one.title, one.heading), one.text, of.get(one.id) in answers) for one in passages)


def titled(title: str, heading: str) -> str:
    """Return what a passage is called."""
    return f"{title} {heading}"[:MOST_OF_TITLE]
