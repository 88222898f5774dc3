"""A mistyped word of a question is looked for as it stands in the reader's own passages."""

from collections.abc import Iterator

import pytest
from retrieval_fakes import ANN, TEAM

from bot.passage import PUBLIC, Mended, Scopes
from bot.retrieval import lexical
from bot.retrieval.library import Shelves
from bot.retrieval.search import Finder
from bot.store.database import Database

EVERYONE = Scopes([ANN, TEAM, PUBLIC])
OURS = Scopes([PUBLIC])


@pytest.fixture
async def parcels(library: Shelves) -> Shelves:
    await library.add_text("you receive the parcel at the door", PUBLIC, title="", link="", key="1")
    await library.add_text("the government of the island", PUBLIC, title="", link="", key="2")
    return library


@pytest.fixture
def finder(parcels: Shelves, database: Database) -> Iterator[Finder]:
    opened = Finder(database.path)
    yield opened
    opened.close()


@pytest.mark.parametrize("most", [1, lexical.READ_MOST])
@pytest.mark.parametrize("reader", [EVERYONE, OURS])
def test_a_mistyped_word_finds_what_it_was_meant_to(
    finder: Finder, reader: Scopes, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexical, "READ_MOST", most)
    heard = finder.hear("where do I recieve it, and the Goverment?", reader)
    assert heard.text == "where do I receive it, and the government?"
    assert heard.ids


def test_the_rest_of_a_question_in_korean_stays_as_it_is(finder: Finder) -> None:
    assert finder.hear("recieve는 어디서 하나요?", OURS).text == "receive는 어디서 하나요?"


@pytest.mark.parametrize("most", [1, lexical.READ_MOST])
async def test_what_others_passages_hold_changes_nothing(
    parcels: Shelves, finder: Finder, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await parcels.add_text("the office is closed", TEAM, title="", link="", key="3")
    monkeypatch.setattr(lexical, "READ_MOST", most)
    alone = [finder.hear(text, OURS).text for text in ("recieve the parcel", "the elephnat", "the governmnet")]
    assert alone == ["receive the parcel", "the elephnat", "the government"]
    for said in ("we recieve a governmnet elephant", "recieved relieve reciever", "governmneta"):
        await parcels.add_text(said, ANN, title="", link="", key=said)
    assert alone == [finder.hear(text, OURS).text for text in ("recieve the parcel", "the elephnat", "the governmnet")]
    assert finder.hear("the elephnat", EVERYONE).text == "the elephant"


@pytest.mark.parametrize(
    "text", ["receive the parcel", "the zebra", "ann@recieve.org", "recieve2 x2recieve", "islnad mountian forrest"]
)
def test_what_is_known_or_no_slip_is_left(finder: Finder, text: str) -> None:
    assert finder.hear(text, OURS).text == text


async def test_a_word_is_no_longer_meant_once_its_passage_is_gone(parcels: Shelves, finder: Finder) -> None:
    assert finder.hear("recieve", OURS).text == "receive"
    await parcels.remove(PUBLIC, key="1")
    assert finder.hear("recieve", OURS).text == "recieve"


async def test_what_is_mistyped_is_answered(parcels: Shelves) -> None:
    await parcels.add_text("the government of the island sits in the harbour", PUBLIC, title="", link="", key="4")
    hits = await parcels.search("where does the goverment of the island sit", OURS)
    assert hits
    assert "harbour" in hits[0].passage.text


@pytest.mark.parametrize("question", ["where does the goverment of the island sit", "goverment of the island 어디?"])
async def test_what_was_looked_for_instead_is_told_as_it_stands_in_what_was_found(parcels: Shelves, question: str) -> None:
    await parcels.add_text("The Governments of the island sit in the harbour", PUBLIC, title="", link="", key="4")
    hits = await parcels.search(question, OURS)
    told = {hit.passage.text: hit.mended for hit in hits}
    assert told["The Governments of the island sit in the harbour"] == (Mended("goverment", "Governments"),)
    assert told["the government of the island"] == (Mended("goverment", "government"),)
    assert told.get("you receive the parcel at the door", ()) == ()


async def test_of_a_question_without_a_slip_nothing_is_told(parcels: Shelves) -> None:
    assert {hit.mended for hit in await parcels.search("where is the government of the island", OURS)} == {()}


async def test_words_of_others_passages_are_told_to_nobody_else(parcels: Shelves) -> None:
    """Neither how a mended word is written there, nor that another would have been nearer."""
    question = "the goverment of the island and its elephnat"
    alone = await parcels.search(question, OURS)
    assert {word.meant for hit in alone for word in hit.mended} == {"government"}
    for said in ("GOVERNMENT and elephant of the island", "governmentt island", "Goverments of the island"):
        await parcels.add_text(said, ANN, title=said, link="", key=said)
    again = await parcels.search(question, OURS)
    assert [(hit.passage, hit.mended) for hit in again] == [(hit.passage, hit.mended) for hit in alone]
