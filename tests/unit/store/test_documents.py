from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.passage import PUBLIC, Scope, Scopes
from bot.store.database import Database
from bot.store.documents import BEFORE, WINDOW, Documents, digest_of
from bot.store.passages import NewDocument, NewPassage, Passages
from bot.talk import Said

MINE = Scope("dm", "web/local/me")
ALL = Scopes([PUBLIC, MINE])


def passage(said: str, page: int | None = None) -> NewPassage:
    return NewPassage(said, f"on {said}", page, 0, len(said), "en", 0.0, ("", "", said), b"\0" * 8, b"", b"")


async def keep(database: Database, *said: str, key: str = "k", scope: Scope = PUBLIC) -> int:
    passages = tuple(passage(text, page=number // 2) for number, text in enumerate(said))
    document = NewDocument(scope, key, "folder/plan.txt", "", "sha" + "".join(said), "text", 10, passages)
    (kept,) = await Passages(database).add([document], generation=1)
    return kept.document


async def test_a_document_is_read_in_its_order(database: Database) -> None:
    number = await keep(database, "one", "two", "three")
    opened = await Documents(database).find(number, ALL)
    assert opened is not None
    assert [(part.text, part.heading, part.page, part.found) for part in opened.parts] == [
        ("one", "on one", 0, False), ("two", "on two", 0, False), ("three", "on three", 1, False),
    ]  # fmt: skip
    assert (opened.title, opened.total, opened.first) == ("folder/plan.txt", 3, 0)


async def test_the_passage_that_is_looked_for_is_found_by_its_text(database: Database) -> None:
    number = await keep(database, "one", "two", "three")
    opened = await Documents(database).find(number, ALL, near=digest_of("two"))
    assert opened is not None
    assert [part.text for part in opened.parts if part.found] == ["two"]


async def test_a_long_document_is_opened_around_the_passage(database: Database) -> None:
    said = [f"passage {number}" for number in range(400)]
    number = await keep(database, *said)
    opened = await Documents(database).find(number, ALL, near=digest_of("passage 300"))
    assert opened is not None
    assert (opened.first, len(opened.parts), opened.total) == (300 - BEFORE, 400 - 300 + BEFORE, 400)
    assert [part.text for part in opened.parts if part.found] == ["passage 300"]
    middle = await Documents(database).find(number, ALL, first=100)
    assert middle is not None
    assert [part.text for part in middle.parts] == said[100 : 100 + WINDOW]


async def test_what_was_replaced_shows_its_new_text_and_no_passage_of_the_old(database: Database) -> None:
    number = await keep(database, "old")
    assert await keep(database, "new") == number
    opened = await Documents(database).find(number, ALL, near=digest_of("old"))
    assert opened is not None
    assert [(part.text, part.found) for part in opened.parts] == [("new", False)]


@pytest.mark.parametrize("scope", [Scope("dm", "telegram/bot/7"), Scope("group", "telegram/bot/-1")])
async def test_a_document_of_another_chat_is_not_there(database: Database, scope: Scope) -> None:
    number = await keep(database, "secret", scope=scope)
    documents = Documents(database)
    assert await documents.find(number, ALL) is None
    assert await documents.find(number + 1, ALL) is None
    assert await documents.count(ALL) == 0
    assert await documents.count(Scopes([scope])) == 1


async def test_it_counts_what_may_be_asked_about(database: Database, tmp_path: Path) -> None:
    await keep(database, "a", key="a")
    await keep(database, "b", key="b", scope=MINE)
    assert await Documents(database).count(ALL) == 2


async def test_keys_are_listed_by_how_they_begin_in_one_scope(database: Database) -> None:
    for key, scope in (("path:/a_b/x", PUBLIC), ("path:/aXb/x", PUBLIC), ("file:x", PUBLIC), ("path:/a_b/y", MINE)):
        await keep(database, key, key=key, scope=scope)
    documents = Documents(database)
    assert await documents.keys(PUBLIC, beginning="path:") == ["path:/a_b/x", "path:/aXb/x"]
    assert await documents.keys(PUBLIC, beginning="path:/a_b") == ["path:/a_b/x"]
    assert await documents.keys(MINE, beginning="path:") == ["path:/a_b/y"]


async def test_documents_are_listed_by_scope_and_title_the_newest_first(database: Database) -> None:
    await keep(database, "a", "b", key="one")
    mine = await keep(database, "c", key="two", scope=MINE)
    await keep(database, "d", key="three", scope=Scope("group", "web/local/7"))
    listing = await Documents(database).listing(ALL, words=["PLAN"], first=0, count=5)
    assert (listing.total, listing.messages) == (2, 0)
    assert [(one.document == mine, one.scope, one.passages) for one in listing.documents] == [(True, MINE, 1), (False, PUBLIC, 2)]
    assert [one.passages for one in (await Documents(database).listing(ALL, words=[], first=1, count=5)).documents] == [2]
    assert (await Documents(database).listing(ALL, words=["plan", "lease"], first=0, count=5)).total == 0
    assert (await Documents(database).listing(ALL, words=["p%n"], first=0, count=5)).total == 0


async def test_documents_are_listed_by_what_they_are_headed_as_well_where_that_is_wanted(database: Database) -> None:
    await keep(database, "a", "b", key="one")
    await keep(database, "b", key="two", scope=MINE)
    documents = Documents(database)
    assert (await documents.listing(ALL, words=["on a"], first=0, count=5)).total == 0
    listing = await documents.listing(ALL, words=["plan", "ON A"], first=0, count=5, headed=True)
    assert [(one.heading, one.scope, one.passages) for one in listing.documents] == [("on a", PUBLIC, 2)]
    assert listing.total == 1
    assert (await documents.listing(Scopes([MINE]), words=["on a"], first=0, count=5, headed=True)).documents == ()


async def test_messages_are_no_documents_but_counted(database: Database) -> None:
    said = NewDocument(MINE, "message:1", "Ann", "", "s", "message", 1, (passage("hi"),), said=Said("Ann", datetime.now(UTC)))
    await Passages(database).add([said], generation=1)
    listing = await Documents(database).listing(ALL, words=[], first=0, count=5)
    assert (listing.documents, listing.total, listing.messages) == ((), 0, 1)


async def test_a_whole_document_is_read_in_order_by_who_may(database: Database) -> None:
    number = await keep(database, "one", "two", "three", scope=MINE)
    await keep(database, "1", "2", "3", scope=MINE)  # replaced
    documents = Documents(database)
    assert [(one.text, one.page, one.link) for one in await documents.whole(number, ALL, most=2)] == [
        ("1", 0, f"document:{number}"), ("2", 0, f"document:{number}"),
    ]  # fmt: skip
    assert await documents.whole(number, Scopes([PUBLIC]), most=2) == []
