"""A search within some documents: nothing else is found, and who may not read them finds nothing."""

import pytest
from retrieval_fakes import ANN, TEAM

from bot.passage import PUBLIC, Mended, Scopes
from bot.retrieval.library import Shelves

OURS = Scopes([PUBLIC, TEAM])
LETTER = "Dear tenant,\n\nThe rent of the flat is due on the 5th. The deposit is 900 euros.\nPicture: white, black"
ASKED = "when is the rent of the flat due?"


@pytest.fixture
async def letter(library: Shelves) -> int:
    for number in range(60):
        await library.add_text(
            f"the blue lamp of office {number} was paid on the {number}th", PUBLIC, title="", link="", key=str(number)
        )
    added = await library.add_text(LETTER, TEAM, title="letter.png", link="message:web/local/team/7", key="image:1")
    return added.document


async def test_the_sentence_of_the_document_is_marked_whatever_else_there_is(library: Shelves, letter: int) -> None:
    (hit,) = await library.search_in(ASKED, [letter], OURS)
    assert hit.marked is not None
    assert "due on the 5th" in hit.passage.text[slice(*hit.marked)]
    assert hit.passage.link == "message:web/local/team/7"


async def test_where_none_of_it_answers_nothing_is_found_though_another_does(library: Shelves, letter: int) -> None:
    await library.add_text("the password of the wifi in the kitchen is moon", PUBLIC, title="", link="", key="wifi")
    assert await library.search("password of the wifi in the kitchen", OURS)
    assert await library.search_in("password of the wifi in the kitchen", [letter], OURS) == []


async def test_who_may_not_read_it_finds_nothing_in_it(library: Shelves, letter: int) -> None:
    assert await library.search_in(ASKED, [letter], Scopes([PUBLIC, ANN])) == []


async def test_in_no_document_nothing_is_found(library: Shelves, letter: int) -> None:
    assert letter
    assert await library.search_in(ASKED, [], OURS) == []
    assert await library.search_in(" ", [letter], OURS) == []


async def test_a_mistyped_word_is_mended_there_too(library: Shelves, letter: int) -> None:
    hits = await library.search_in("how much is the depsoit?", [letter], OURS)
    assert [hit.mended for hit in hits] == [(Mended("depsoit", "deposit"),)]


@pytest.mark.parametrize("question", ["elephants", "where is the moon?"])
async def test_what_comes_nearest_is_told_though_it_is_no_answer_and_of_the_readers_own_alone(
    library: Shelves, question: str
) -> None:
    for key, scope in (("1", PUBLIC), ("2", ANN)):
        await library.add_text(f"the lamp of room {key}", scope, title="", link="", key=key)
    assert await library.search(question, Scopes([PUBLIC])) == []
    hits = await library.nearest(question, Scopes([PUBLIC]))
    assert [hit.passage.text for hit in hits] == ["the lamp of room 1"]
    assert await library.nearest(question, Scopes([TEAM])) == []
