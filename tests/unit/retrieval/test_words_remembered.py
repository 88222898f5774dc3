"""What the words leg remembers agrees with the database, whatever was added, replaced, removed or moved meanwhile."""

import asyncio
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from retrieval_fakes import ANN, TEAM, WordEmbedder

from bot.config import LimitSettings
from bot.message import Address
from bot.passage import PUBLIC, Scope, Scopes
from bot.retrieval import lexical, postings
from bot.retrieval.fuse import Fusion
from bot.retrieval.library import Shelves
from bot.retrieval.search import Finder
from bot.store.database import Database
from bot.store.rescoping import move_scope
from bot.testing import InlineSandbox

PLACES = (ANN, TEAM, PUBLIC)
READERS = (Scopes(PLACES), Scopes([TEAM]), Scopes([ANN, PUBLIC]))
SAID = ("blue lamp", "푸른 램프", "blue door", "lamp lamp door", "문", "램프 blue")
ASKED = ("the blue lamp", "푸른 문", "door")
STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "add", "remove", "forget", "move", "rebuild"]), st.integers(0, 2), st.integers(0, 5)),
    max_size=15,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, read=st.sampled_from([(1, 3), (500, 2500)]))
def test_what_is_remembered_finds_what_a_new_process_finds(
    steps: list[tuple[str, int, int]], read: tuple[int, int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    at_once, most = read
    with mock.patch.object(postings, "KEPT_FROM", 1), mock.patch.multiple(lexical, READ_AT_ONCE=at_once, READ_MOST=most):
        asyncio.run(play(steps, tmp_path_factory.mktemp("remembered")))


async def play(steps: list[tuple[str, int, int]], home: Path) -> None:
    database = await Database.open(home / "paring.db")
    library = Shelves(database, WordEmbedder(), InlineSandbox(), home, LimitSettings())  # type: ignore[arg-type]
    old = Finder(database.path, Fusion.untrained())
    try:
        await library.add_text("blue lamp", PUBLIC, title="", link="", key="first")
        for what, place, key in steps:
            await step(database, library, old, what, PLACES[place], key)
            agrees(old, Finder(database.path, Fusion.untrained()))
    finally:
        old.close()
        await library.close()
        await database.close()


async def step(database: Database, library: Shelves, old: Finder, what: str, scope: Scope, key: int) -> None:
    if what == "add":
        await library.add_text(SAID[key], scope, title=SAID[-key], link="", key=str(key % 3), sender=f"s{key % 2}")
    elif what == "remove":
        await library.remove(scope, key=str(key % 3))
    elif what == "forget":
        await library.forget(scope, sender=f"s{key % 2}")
    elif what == "move":
        chat = TEAM.path.split("/")
        old, new = (Address(chat[0], chat[1], name, kind="group") for name in (chat[2], f"-{key}"))
        await database.write(lambda connection: move_scope(connection, old, new))
    else:
        await database.write(lambda connection: connection.exec_driver_sql("DELETE FROM passage_words WHERE rowid % 2"))
        old.reset()
        old.hear(ASKED[0], READERS[0])  # remembers what lacks words
        await library.rebuild()


def agrees(old: Finder, new: Finder) -> None:
    for reader in READERS:
        for text in ASKED:
            remembered, read = (finder.hear(text, reader) for finder in (old, new))
            assert remembered.ids == read.ids
            assert remembered.query.terms == read.query.terms
    new.close()
