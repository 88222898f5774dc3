"""A mistyped word of a question is looked for as it stands in the reader's own passages."""

from collections.abc import Iterator

import pytest
from retrieval_fakes import ANN, TEAM

from bot.passage import PUBLIC, Scopes
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
