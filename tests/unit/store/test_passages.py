import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import func, select, text

from bot.passage import PUBLIC, Scope, Scopes
from bot.store import schema
from bot.store.database import Database
from bot.store.generations import Generations
from bot.store.passages import NewDocument, NewPassage, Passages
from bot.store.shelf import Shelf
from bot.store.tables import PassageRow, VectorRow

TEAM = Scope("group", "t/b/1")
VECTOR = b"\x00\x3c" + bytes(6)
"""(1, 0, 0, 0) in half precision."""


def passage(said: str) -> NewPassage:
    return NewPassage(said, "", 2, 0, len(said), "en", 0.0, ("", "", said), b"\0" * 8, b"", VECTOR)


def document(*said: str, key: str = "k", scope: Scope = PUBLIC, sender: str = "") -> NewDocument:
    return NewDocument(scope, key, "Title", "", "sha" + "".join(said), "text", 10, tuple(map(passage, said)), sender)


@pytest.fixture
async def generation(database: Database) -> int:
    return (await Generations(database).begin("minilm@1", dimension=4)).id


@pytest.fixture
def passages(database: Database) -> Passages:
    return Passages(database)


async def count(database: Database, table: type) -> int:
    async with database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


async def test_text_words_and_vectors_come_and_go_together(database: Database, passages: Passages, generation: int) -> None:
    (kept,) = await passages.add([document("one lamp", "two lamps")], generation=generation)
    assert (kept.status, kept.passages) == ("added", 2)
    shelf = Shelf(database.path)
    with shelf.state() as state:
        assert state.holders("lamp").tolist() == [1]
        assert state.frequencies(["lamp", "lamps", "zebra"]) == {"lamp": 1, "lamps": 1}
        assert [arrivals.ids.tolist() for arrivals in state.arrivals(state.mark(), after=0)] == [[1, 2]]
    assert await passages.remove(PUBLIC, key="k") == 2
    with shelf.state() as state:
        assert state.holders("lamp").tolist() == []
        assert state.removed(after=0) == [1, 2]
        assert state.words_without_passage() == 0
    shelf.close()
    assert await count(database, PassageRow) == await count(database, VectorRow) == 0


async def test_ids_are_never_given_twice(passages: Passages, generation: int, database: Database) -> None:
    await passages.add([document("one")], generation=generation)
    await passages.remove(PUBLIC, key="k")
    await passages.add([document("two")], generation=generation)
    shelf = Shelf(database.path)
    with shelf.state() as state:
        assert list(state.passages([1, 2], Scopes([PUBLIC]))) == [2]
        assert state.mark().passage == 2
    shelf.close()


async def test_a_known_key_replaces_and_counts_its_versions(passages: Passages, generation: int) -> None:
    (first,) = await passages.add([document("one")], generation=generation)
    (second,) = await passages.add([document("two")], generation=generation)
    assert (second.status, second.document) == ("replaced", first.document)


async def test_a_document_is_found_by_its_bytes_in_its_scope_alone(
    passages: Passages, generation: int, database: Database
) -> None:
    await passages.add([document("one", scope=TEAM)], generation=generation)
    shelf = Shelf(database.path)
    with shelf.state() as state:
        assert state.document(TEAM, "shaone") == (1, "Title", 1)
        assert state.document(TEAM, "shaone", key="other") is None
        assert state.document(PUBLIC, "shaone") is None
    shelf.close()


async def test_the_same_bytes_are_kept_once_even_when_they_come_together(passages: Passages, generation: int) -> None:
    twins = [replace(document("one", key=key), once=True) for key in ("a", "b")]
    assert [kept.status for kept in await passages.add(twins, generation=generation)] == ["added", "unchanged"]


async def test_forgetting_spares_other_scopes_and_senders(passages: Passages, generation: int, database: Database) -> None:
    await passages.add(
        [
            document("a", key="1", scope=TEAM, sender="ann"),
            document("b", key="2", scope=TEAM, sender="ben"),
            document("c", sender="ann"),
        ],
        generation=generation,
    )
    assert len(await passages.forget(TEAM, sender="ann")) == 1
    assert await count(database, PassageRow) == 2
    assert await passages.forget(Scope("dm", "no/such/chat")) == []


async def test_a_group_of_documents_is_kept_whole_or_not_at_all(passages: Passages, generation: int, database: Database) -> None:
    broken = replace(document("b", key="2"), title=None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="NOT NULL"):
        await passages.add([document("a", key="1"), broken], generation=generation)
    assert await count(database, PassageRow) == 0


async def test_the_link_leads_to_the_page_and_a_link_of_its_own_is_kept(
    passages: Passages, generation: int, database: Database
) -> None:
    await passages.add([document("a", key="1"), replace(document("b", key="2"), link="message:t/b/1/7")], generation=generation)
    shelf = Shelf(database.path)
    with shelf.state() as state:
        links = [shown.passage.link for shown in state.passages([1, 2], Scopes([PUBLIC])).values()]
    shelf.close()
    assert links == ["document:1#page=2", "message:t/b/1/7"]


async def test_a_words_search_keeps_to_the_scopes(passages: Passages, generation: int, database: Database) -> None:
    await passages.add([document("lamp", key="1"), document("lamp lamp", key="2", scope=TEAM)], generation=generation)
    shelf = Shelf(database.path)
    with shelf.state() as state:
        (team,) = state.scope_ids(Scopes([TEAM, Scope("dm", "no/such/chat")]))
        assert state.readable([team]).tolist() == [2]
        assert state.readable([]).tolist() == []
        assert [number for number, _scope, _terms in state.terms_in(np.array([1, 2]), [team])] == [2]
        assert [found.id for found in state.candidates([1, 2], [team])] == [2]
    shelf.close()


@pytest.mark.parametrize("term", ['"', "c++", "3.5", "a-b", "§1", "*", "or", "near"])
async def test_no_term_breaks_the_query(passages: Passages, generation: int, database: Database, term: str) -> None:
    await passages.add([document(f"x {term} y")], generation=generation)
    shelf = Shelf(database.path)
    with shelf.state() as state:
        found = state.holders(term).tolist()
        assert found in ([1], []) if term in ('"', "*", "§1") else found == [1]
    shelf.close()


async def test_at_most_one_generation_is_live_and_only_a_whole_one_takes_over(passages: Passages, database: Database) -> None:
    generations = Generations(database)
    old = await generations.begin("minilm@1", dimension=4)
    assert old.state == "live"
    assert (await generations.begin("minilm@1", dimension=4)) == old
    await passages.add([document("one")], generation=old.id)
    new = await generations.begin("other@1", dimension=2)
    assert new.state == "building"
    assert not await generations.publish(new)
    (lacking,) = await passages.unembedded(new.id, count=9)
    await passages.add_vectors(new.id, [(lacking.id, b"\x00\x3c\0\0"), (999, b"\x00\x3c\0\0")])
    assert await generations.publish(new)
    live = await generations.live()
    assert live is not None
    assert live.embedder == "other@1"


def config(path: Path) -> Config:
    made = Config()
    made.set_main_option("script_location", str(schema.migrations()))
    made.attributes["path"] = path
    return made


def test_the_migrations_go_up_down_and_up_and_agree_with_the_tables(tmp_path: Path) -> None:
    made = config(tmp_path / "paring.db")
    command.upgrade(made, "head")
    command.check(made)
    command.downgrade(made, "0001")
    command.upgrade(made, "head")
    command.check(made)
    command.downgrade(made, "base")
    command.upgrade(made, "head")
    command.check(made)


async def test_what_is_forgotten_is_gone_from_the_bytes(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "own.db")
    passages, generation = Passages(database), (await Generations(database).begin("minilm@1", dimension=4)).id
    await passages.add([document("canaryword of the first", key="1"), document("another", key="2")], generation=generation)
    await passages.forget(PUBLIC)
    await database.write(
        lambda connection: connection.execute(text("INSERT INTO passage_words(passage_words) VALUES ('optimize')"))
    )
    await database.close()
    with closing(sqlite3.connect(database.path)) as connection:
        connection.execute("VACUUM")
    assert b"canaryword" not in database.path.read_bytes()
