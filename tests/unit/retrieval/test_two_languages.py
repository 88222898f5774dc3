"""A library in two languages: what comes first in the other one, and is no answer, hides nothing."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from retrieval_fakes import ANN, TEAM, WordEmbedder

from bot.config import LimitSettings
from bot.passage import PUBLIC, Hit, Scopes
from bot.retrieval import lexical
from bot.retrieval.features import FEATURES
from bot.retrieval.fuse import Fusion, Network
from bot.retrieval.library import Shelves
from bot.store.database import Database
from bot.talk import Said
from bot.testing import InlineSandbox

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
HERE = Scopes([TEAM, PUBLIC])
ASKED = "전동 드릴 담당자는?"
KOREAN = "전동 드릴은 창고에 있다."
ENGLISH = "Dario is in charge of the tools."


def foreign_first(*, across: float, own: float = 0.0) -> Fusion:
    """Return a combiner that puts what is in the other language first, and wants these chances of either."""
    order = Network.zeros(len(FEATURES))
    order.hidden[FEATURES.index("cross")] = 1.0
    order.out[:] = 1.0
    wanted = {"en": own, "ko": own, "across": across}
    answers = dataclasses.replace(Fusion.packaged(), thresholds=wanted, second={}, few=None)
    return dataclasses.replace(answers, order=order)


@asynccontextmanager
async def opened(database: Database, embedder: WordEmbedder, home: Path, fusion: Fusion | None = None) -> AsyncIterator[Shelves]:
    library = Shelves(
        database,
        embedder,
        InlineSandbox(),
        home,
        LimitSettings(),
        fusion=fusion,
        now=lambda: NOW,  # type: ignore[arg-type]
    )
    await library.open()
    try:
        yield library
    finally:
        await library.close()


async def found(database: Database, embedder: WordEmbedder, home: Path, fusion: Fusion, *, talking: bool) -> list[Hit]:
    async with opened(database, embedder, home, fusion) as library:
        if talking:
            await library.add_text("lunch is at noon", TEAM, title="Ben", link="", key="message:1", said=Said("Ben", NOW))
        await library.add_text(KOREAN, PUBLIC, title="", link="", key="1")
        await library.add_text(ENGLISH, PUBLIC, title="", link="", key="2")
        return await library.search(ASKED, HERE)


@pytest.mark.parametrize("talking", [False, True], ids=["documents", "a chat too"])
async def test_the_best_of_ones_own_language_answers_where_the_foreign_first_one_does_not(
    database: Database, embedder: WordEmbedder, tmp_path: Path, *, talking: bool
) -> None:
    hits = await found(database, embedder, tmp_path, foreign_first(across=1.1), talking=talking)
    assert [hit.passage.text for hit in hits] == [KOREAN]


@pytest.mark.parametrize("talking", [False, True], ids=["documents", "a chat too"])
async def test_a_foreign_first_one_that_answers_stays_first(
    database: Database, embedder: WordEmbedder, tmp_path: Path, *, talking: bool
) -> None:
    first, *_rest = await found(database, embedder, tmp_path, foreign_first(across=0.0), talking=talking)
    assert first.passage.language == "en"


@pytest.mark.parametrize("talking", [False, True], ids=["documents", "a chat too"])
async def test_neither_is_shown_where_neither_answers(
    database: Database, embedder: WordEmbedder, tmp_path: Path, *, talking: bool
) -> None:
    assert await found(database, embedder, tmp_path, foreign_first(across=1.1, own=1.1), talking=talking) == []


async def test_one_language_alone_is_judged_once(
    database: Database, embedder: WordEmbedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rejecting = foreign_first(across=0.0, own=1.1)
    judged: list[str] = []
    chance = Fusion.chance
    monkeypatch.setattr(Fusion, "chance", lambda self, row, spoken: judged.append(spoken) or chance(self, row, spoken))
    library = Shelves(database, embedder, InlineSandbox(), tmp_path, LimitSettings(), fusion=rejecting)  # type: ignore[arg-type]
    await library.open()
    try:
        await library.add_text(KOREAN, PUBLIC, title="", link="", key="1")
        assert await library.search(ASKED, HERE) == []
    finally:
        await library.close()
    assert judged == ["ko"]


OTHERS = Scopes([ANN, PUBLIC])
NAMED = "Draco keeps the nightly copies."


async def by_name(database: Database, embedder: WordEmbedder, home: Path, scopes: Scopes) -> list[int]:
    """Return the documents that the words of a question find, which says in Hangul whom a passage of the team names in English."""
    async with opened(database, embedder, home) as library:
        added = await library.add_text(NAMED, TEAM, title="", link="", key="1")
        await library.add_text("Tigers sleep at night.", PUBLIC, title="", link="", key="2")
        found = await library.rank("드라코는 뭐 하는 서버야?", scopes, count=5, leg="words")
        return [document for document in found.documents if document == added.document]


async def test_a_name_in_hangul_finds_the_passage_that_has_it_in_latin_letters(
    database: Database, embedder: WordEmbedder, tmp_path: Path
) -> None:
    assert len(await by_name(database, embedder, tmp_path, HERE)) == 1
    assert await by_name(database, embedder, tmp_path / "again", OTHERS) == []


async def test_in_a_very_large_library_names_are_not_heard(
    database: Database, embedder: WordEmbedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexical, "HEARD_IN", 1)
    assert await by_name(database, embedder, tmp_path, HERE) == []


async def test_the_sentence_that_has_the_name_is_the_one_that_is_marked(
    database: Database, embedder: WordEmbedder, tmp_path: Path
) -> None:
    async with opened(database, embedder, tmp_path, foreign_first(across=0.0)) as library:
        text = f"The office is in Busan. {NAMED} Tigers sleep at night."
        await library.add_text(text, TEAM, title="", link="", key="1")
        (hit,) = await library.search("드라코는 뭐 하는 서버야?", HERE)
    assert hit.marked is not None
    assert text[slice(*hit.marked)] == NAMED
