"""Questions that say otherwise what the passages say, in the same language or in another one."""

from pathlib import Path

import pytest
from retrieval_fakes import ANN, TEAM, WordEmbedder

from bot.config import LimitSettings
from bot.passage import PUBLIC, Scopes
from bot.retrieval.features import FEW
from bot.retrieval.fuse import Fusion
from bot.retrieval.library import Shelves
from bot.retrieval.otherwise import MOST_SAID, otherwise
from bot.store.database import Database
from bot.testing import InlineSandbox
from bot.text.lexicon import Lexicon

LEXICON = Lexicon(sorted(["쉬 날\tholiday\t휴무", "lamp\t램프\tlight", "램프\tlamp light\t전등", "이\ttooth\t치아"]))
EVERYONE = Scopes([PUBLIC])


def test_words_of_the_other_language_stand_for_the_query_s_whatever_stands_where() -> None:
    assert otherwise(["램프"], LEXICON, {"램프": 9}, passages=FEW + 1) == {"lamp": ("램프",), "light": ("램프",)}


def test_words_of_the_same_language_stand_for_them_among_few_passages_or_where_a_term_stands_nowhere() -> None:
    assert "light" in otherwise(["lamp"], LEXICON, {"lamp": 9}, passages=FEW)
    assert "light" in otherwise(["lamp"], LEXICON, {}, passages=FEW + 1)
    assert "light" not in otherwise(["lamp"], LEXICON, {"lamp": 9}, passages=FEW + 1)


def test_a_word_stands_for_all_terms_of_a_phrase() -> None:
    assert otherwise(["쉬", "날"], LEXICON, {}, passages=9)["휴무"] == ("쉬", "날")


def test_a_word_that_the_query_says_itself_stands_for_no_other() -> None:
    assert otherwise(["lamp", "light"], LEXICON, {}, passages=9) == {"램프": ("lamp",)}


def test_function_words_mean_nothing_by_themselves() -> None:
    assert otherwise(["이"], LEXICON, {}, passages=9) == {}


def test_of_a_pasted_text_the_first_terms_count() -> None:
    assert otherwise(["x"] * MOST_SAID + ["lamp"], LEXICON, {}, passages=9) == {}


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("누가 프린터를 고쳐요?", "The printer is repaired by Dana."),
        ("where can I park my car?", "차량은 건물 뒤 주차장에 댄다."),
        ("쉬는 날 알려줘", "매주 월요일은 휴무입니다."),
        ("how do I quit?", "A resignation is handed to the manager."),
    ],
)
async def test_the_words_leg_finds_what_is_said_otherwise(library: Shelves, asked: str, text: str) -> None:
    for key, said in enumerate(["회의실은 3층에 있다.", "Lunch is at noon.", text]):
        await library.add_text(said, PUBLIC, title="", link="", key=str(key))
    found = await library.rank(asked, EVERYONE, count=3, leg="words")
    last = (await library.rank(text, EVERYONE, count=1, leg="words")).ids
    assert found.ids[:1] == last


async def test_no_word_finds_what_may_not_be_read(library: Shelves) -> None:
    await library.add_text("The printer is repaired by Dana.", ANN, title="", link="", key="1")
    assert (await library.rank("누가 프린터를 고쳐요?", Scopes([TEAM, PUBLIC]), count=3, leg="words")).ids == ()


async def test_a_combiner_that_was_trained_without_reads_words_as_they_stand(
    database: Database, embedder: WordEmbedder, tmp_path: Path
) -> None:
    opened = Shelves(database, embedder, InlineSandbox(), tmp_path, LimitSettings(), fusion=Fusion.untrained())  # type: ignore[arg-type]
    await opened.open()
    try:
        await opened.add_text("The printer is repaired by Dana.", PUBLIC, title="", link="", key="1")
        assert (await opened.rank("누가 고쳐요?", EVERYONE, count=3, leg="words")).ids == ()
    finally:
        await opened.close()


@pytest.mark.parametrize(
    ("embedder_of", "reads"),
    [("embed.minilm-ko.v3", True), ("embed.minilm-ko.v2", True), ("embed.minilm-ko.v1", False), ("embed.minilm.v1", False)],
)
def test_the_combiner_of_the_first_embedders_knows_no_such_words(embedder_of: str, *, reads: bool) -> None:
    assert bool(Fusion.packaged(embedder_of).lexicon) is reads
