"""A search that is in doubt: a reader that reads the passages beside the question decides."""

import dataclasses
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from retrieval_fakes import ANN, TEAM, WordEmbedder

from bot.config import LimitSettings
from bot.errors import ModelError, NoModelError
from bot.models.tasks import NOT_READ, ReadInput, Verdict
from bot.passage import PUBLIC, Hit, Scope, Scopes
from bot.retrieval import found as found_module
from bot.retrieval import search as search_module
from bot.retrieval.evidence import EVIDENCE
from bot.retrieval.features import FEATURES
from bot.retrieval.fuse import ACROSS, STANDINGS, Fusion, Second, Trees
from bot.retrieval.judged import First
from bot.retrieval.library import Shelves
from bot.retrieval.verdicts import READING, led, read_mark, read_numbers
from bot.store.database import Database
from bot.testing import InlineSandbox

ASKED = "where is the blue lamp"
HALL, SHOP = "The blue lamp is in the hall. It is old.", "A lamp was sold. We sell lamps that are blue, at ten each."
ODDS = len(FEATURES) + STANDINGS + len(EVIDENCE) + READING.index("odds")
READER = "reader@1"


class Reading(WordEmbedder):
    """An embedder, and a reader that says `odds` of what it is given, and that the last sentence answers."""

    def __init__(self, odds: Callable[[str], float], error: ModelError | None = None) -> None:
        super().__init__()
        self.odds, self.error = odds, error
        self.pages: list[ReadInput] = []

    def live(self, slot: Any) -> str:
        return READER if slot.name == "read" else super().live(slot)

    async def run(self, slot: Any, batch: Sequence[Any], *, bulk: bool = False) -> list[Any]:
        if slot.name != "read":
            return await super().run(slot, batch, bulk=bulk)
        assert slot.model == READER
        if self.error is not None:
            raise self.error
        self.pages += batch
        return [Verdict(self.odds(one.text), (*(0.0 for _one in one.sentences[1:]), 5.0)) for one in batch]


def doubting(*, pages: int = 2, lead: float = 0.0, reader: str = READER, threshold: float = 0.0) -> Fusion:
    """Return a combiner that is never sure, and finds an answer where a reader's odds are above 0."""
    trees = Trees(
        np.array([0]), np.array([ODDS, -1, -1]), np.array([0, 0, 0], np.float32),
        np.array([1, 0, 0]), np.array([2, 0, 0]), np.array([0, -3, 3], np.float32), 0.0,
    )  # fmt: skip
    second = Second("words@1", trees, (0.0, 1.1), 0.5, reader, lead, pages)
    thresholds = {"en": threshold, "ko": threshold}
    return dataclasses.replace(Fusion.packaged(), thresholds=thresholds, second={"en": second, ACROSS: second}, few=None)


async def found(
    database: Database, models: Reading, home: Path, fusion: Fusion, *, scopes: Sequence[Scope] = (PUBLIC,), k: int = 10
) -> list[Hit]:
    library = Shelves(database, models, InlineSandbox(), home, LimitSettings(), fusion=fusion)  # type: ignore[arg-type]
    await library.open()
    try:
        await library.add_text(HALL, PUBLIC, title="Hall", link="", key="1")
        await library.add_text(SHOP, TEAM, title="Shop", link="", key="2")
        return await library.search(ASKED, Scopes(scopes), k)
    finally:
        await library.close()


def texts(hits: Sequence[Hit]) -> list[str]:
    return [hit.passage.text for hit in hits]


async def test_what_the_reader_says_answers_is_found(database: Database, tmp_path: Path) -> None:
    models = Reading(lambda text: 2.0 if text == HALL else -2.0)
    hits = await found(database, models, tmp_path, doubting(), scopes=(PUBLIC, TEAM))
    assert texts(hits) == [HALL, SHOP]
    assert hits[0].score == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-3)


async def test_nothing_is_found_where_the_reader_says_that_none_answers(database: Database, tmp_path: Path) -> None:
    assert await found(database, Reading(lambda _text: -2.0), tmp_path, doubting(), scopes=(PUBLIC, TEAM)) == []


@pytest.mark.parametrize("k", [1, 10])
async def test_a_passage_that_reads_better_comes_first(database: Database, tmp_path: Path, k: int) -> None:
    models = Reading(lambda text: 3.0 if text == SHOP else -3.0)
    hits = await found(database, models, tmp_path, doubting(lead=100.0), scopes=(PUBLIC, TEAM), k=k)
    assert texts(hits) == [SHOP, HALL][:k]
    assert hits[0].marked is not None
    assert SHOP[slice(*hits[0].marked)] == "We sell lamps that are blue, at ten each."


async def test_so_many_are_read_as_the_combiner_says(database: Database, tmp_path: Path) -> None:
    models = Reading(lambda _text: 2.0)
    await found(database, models, tmp_path, doubting(pages=1), scopes=(PUBLIC, TEAM))
    assert [(one.question, one.title, one.text) for one in models.pages] == [(ASKED, "Hall ", HALL)]
    assert [HALL[start:end] for start, end in models.pages[0].sentences] == ["The blue lamp is in the hall.", "It is old."]


async def test_the_reader_is_given_nothing_that_the_asker_may_not_read(database: Database, tmp_path: Path) -> None:
    models = Reading(lambda _text: 2.0)
    assert texts(await found(database, models, tmp_path, doubting(), scopes=(PUBLIC, ANN))) == [HALL]
    assert [one.text for one in models.pages] == [HALL]


@pytest.mark.parametrize(("threshold", "hits"), [(0.0, 1), (1.1, 0)])
@pytest.mark.parametrize("error", [NoModelError("gone"), ModelError("broken")])
async def test_the_first_look_decides_where_the_reader_fails(
    database: Database, tmp_path: Path, error: ModelError, threshold: float, hits: int
) -> None:
    models = Reading(lambda _text: 2.0, error)
    assert len(await found(database, models, tmp_path, doubting(threshold=threshold))) == hits


@pytest.mark.parametrize(("threshold", "hits"), [(0.0, 1), (1.1, 0)])
async def test_the_first_look_decides_where_another_reader_is_live(
    database: Database, tmp_path: Path, threshold: float, hits: int
) -> None:
    models = Reading(lambda _text: 2.0)
    fusion = doubting(threshold=threshold, reader="another@1")
    assert len(await found(database, models, tmp_path, fusion)) == hits
    assert not models.pages


async def test_what_comes_nearest_is_not_read(database: Database, tmp_path: Path) -> None:
    models = Reading(lambda _text: -2.0)
    library = Shelves(database, models, InlineSandbox(), tmp_path, LimitSettings(), fusion=doubting())  # type: ignore[arg-type]
    await library.add_text(HALL, PUBLIC, title="Hall", link="", key="1")
    assert texts(await library.nearest(ASKED, Scopes([PUBLIC]))) == [HALL]
    await library.close()
    assert not models.pages


def test_the_odds_that_a_passage_answers_count_beside_what_it_ranks_by() -> None:
    verdicts = [Verdict(-1.0, ()), Verdict(4.0, ()), Verdict(1.0, ())]
    assert [led((2.0, 1.0, 1.5), verdicts, lead) for lead in (0.0, 0.1, 0.3)] == [0, 0, 1]


def first(span: tuple[int, int] | None, *, place: int | None = 0, spoken: str = "en") -> First:
    return First(1, None, span, np.zeros(1, np.float32), spoken, (), place, ((0, 5), (6, 11), (12, 20)))  # type: ignore[arg-type]


def test_what_a_reader_says_is_given_as_numbers() -> None:
    verdicts = [Verdict(1.0, (0.0,)), Verdict(3.0, (-1.0, 4.0, 2.5)), Verdict(2.0, (0.0,))]
    numbers = dict(zip(READING, read_numbers(first((6, 11)), verdicts, 1).tolist(), strict=True))
    assert numbers == {"odds": 3.0, "of_others": 2.0, "of_first": 1.0, "marked": 1.0, "ahead": 1.5, "moved": 1.0}
    alone = dict(zip(READING, read_numbers(first((0, 5)), verdicts[1:2], 0).tolist(), strict=True))
    assert (alone["of_others"], alone["marked"], alone["moved"]) == (-10.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("span", "place", "sentences", "marked"),
    [
        ((0, 5), 0, (1.0, 1.5, 0.0), (0, 5)),  # hardly ahead: what words have marked stays
        ((0, 5), 0, (1.0, 3.0, 0.0), (6, 11)),
        ((0, 5), None, (1.0, 1.5, 0.0), (6, 11)),  # between two languages no word has marked it
        (None, 0, (0.0, NOT_READ, 0.5), (12, 20)),
        ((0, 5), 0, (), (0, 5)),
    ],
)
def test_the_sentence_that_a_reader_marks_is_taken_where_it_is_ahead(
    span: tuple[int, int] | None, place: int | None, sentences: tuple[float, ...], marked: tuple[int, int]
) -> None:
    assert read_mark(first(span, place=place), Verdict(2.0, sentences)) == marked


def test_in_korean_the_sentence_that_words_have_marked_stays_unless_the_reader_is_sure() -> None:
    ahead, far = Verdict(2.0, (1.0, 3.0, 0.0)), Verdict(2.0, (1.0, 9.0, 0.0))
    assert read_mark(first((0, 5), spoken="ko"), ahead) == (0, 5)
    assert read_mark(first((0, 5), spoken="ko"), far) == (6, 11)
    assert read_mark(first(None, spoken="ko"), far) == (6, 11)


async def test_the_lines_of_a_picture_are_not_read(database: Database, tmp_path: Path) -> None:
    models = Reading(lambda _text: -2.0)
    library = Shelves(database, models, InlineSandbox(), tmp_path, LimitSettings(), fusion=doubting())  # type: ignore[arg-type]
    added = await library.add_text(HALL, PUBLIC, title="Hall", link="", key="1")
    assert await library.search(ASKED, Scopes([PUBLIC])) == []
    models.pages.clear()
    assert texts(await library.search_in(ASKED, [added.document], Scopes([PUBLIC]))) == [HALL]
    await library.close()
    assert not models.pages


async def test_who_asks_for_a_number_is_answered_by_what_has_one_however_well_another_reads(
    database: Database, tmp_path: Path
) -> None:
    with_number, without = "Call the caretaker Ben Moore at 555-0134.", "Ben Moore is the caretaker, and his phone is new."
    models = Reading(lambda text: 3.0 if text == without else 1.0)
    library = Shelves(database, models, InlineSandbox(), tmp_path, LimitSettings(), fusion=doubting(lead=100.0))  # type: ignore[arg-type]
    for key, text in (("1", with_number), ("2", without)):
        await library.add_text(text, PUBLIC, title="", link="", key=key)
    hits = await library.search("what is the phone number of the caretaker Ben Moore?", Scopes([PUBLIC]))
    await library.close()
    assert texts(hits)[:1] == [with_number]


async def test_what_the_edition_fulfils_is_not_asked_of_its_text(database: Database, tmp_path: Path) -> None:
    models = Reading(lambda _text: 2.0)
    day = datetime(2026, 5, 4, tzinfo=UTC)
    library = Shelves(
        database, models, InlineSandbox(), tmp_path, LimitSettings(), fusion=doubting(pages=1), now=lambda: day  # type: ignore[arg-type]
    )  # fmt: skip
    for year in (2025, 2026):
        await library.add_text(
            f"A day ticket costs {year - 1990} euros.", PUBLIC, title=f"prices {year}.md", link="", key=str(year)
        )
    hits = await library.search("what did a day ticket cost last year", Scopes([PUBLIC]))
    await library.close()
    assert texts(hits)[:1] == ["A day ticket costs 35 euros."]
    assert [page.question.split() for page in models.pages] == [["what", "did", "a", "day", "ticket", "cost"]]


@pytest.mark.parametrize(("pages", "looked"), [(1, 1), (2, 2)])
async def test_a_passage_is_taken_apart_once_for_each_time_that_it_is_judged(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: int, looked: int
) -> None:
    counted: list[int] = []
    once = found_module.readings_of
    for module in (found_module, search_module):
        monkeypatch.setattr(module, "readings_of", lambda *asked: (counted.append(1), once(*asked))[1])
    await found(database, Reading(lambda _text: 2.0), tmp_path, doubting(pages=pages), scopes=(PUBLIC, TEAM))
    assert len(counted) == looked
