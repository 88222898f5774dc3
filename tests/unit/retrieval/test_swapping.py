"""The embedder by the verb of every swap: what its card says besides, the change, and what a stop, a failure and a start leave."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from retrieval_fakes import TEAM, Embedders

from bot.config import LimitSettings
from bot.errors import ModelError, StoreError
from bot.locale import LANGUAGES, Text
from bot.message import Message, Reply
from bot.models.spec import ModelSpec
from bot.passage import PUBLIC, Scope, Scopes
from bot.retrieval import changeover, overlap
from bot.retrieval.library import Shelves
from bot.retrieval.overlap import compared
from bot.retrieval.swapping import EmbedderPublisher
from bot.route import Route
from bot.store.assignments import Assignments
from bot.store.database import Database
from bot.store.generations import Generations
from bot.store.inbox import Inbox
from bot.store.passages import Passages
from bot.store.questions import Asked
from bot.testing import InlineSandbox, make_message

A, B, C = "a@1", "b@1", "c@1"


def spec(identity: str) -> ModelSpec:
    name, _at, revision = identity.partition("@")
    return ModelSpec(name, "embed", "any", "builtin", revision=revision)


@pytest.fixture
def embedders() -> Embedders:
    return Embedders(a=64, b=64, c=3)


@pytest.fixture
async def library(database: Database, embedders: Embedders, tmp_path: Path) -> AsyncIterator[Shelves]:
    opened = Shelves(database, embedders, InlineSandbox(), tmp_path, LimitSettings())  # type: ignore[arg-type]
    yield opened
    await opened.close()


@pytest.fixture
def publisher(library: Shelves, database: Database, embedders: Embedders, monkeypatch: pytest.MonkeyPatch) -> EmbedderPublisher:
    monkeypatch.setattr(changeover, "FEWEST", 4)
    monkeypatch.setattr(changeover, "MOST", 4)
    monkeypatch.setattr(changeover, "LOOK_EVERY_S", 0)
    return EmbedderPublisher(library, database, embedders)


class Told:
    def __init__(self) -> None:
        self.said: list[str] = []

    async def __call__(self, text: Text) -> None:
        assert text.to("ko")
        self.said.append(text.to("en"))


WORDS = ("lamp", "plan", "boat", "rain", "moon", "desk", "seed")


async def fill(library: Shelves, count: int, *, scope: Scope = PUBLIC, since: int = 0) -> None:
    for number in range(since, since + count):
        text = f"note {number} on a {WORDS[number % 7]} and a {WORDS[number % 5]}, {'very ' * (number % 3)}short"
        await library.add_text(text, scope, title="", link="", key=f"{number}")


async def ask(database: Database, *questions: Message) -> None:
    inbox = Inbox(database)
    for message in questions:
        number = await inbox.accept(message)
        assert number is not None
        await inbox.finish(number, message, [Reply("here", "en")], route=Route("search", "router", 0.9))


async def live(database: Database) -> str:
    generation = await Generations(database).live()
    return generation.embedder if generation else ""


def said(notes: tuple[Text, ...]) -> list[str]:
    return [note.to("en") for note in notes]


async def test_a_card_says_what_the_change_takes_and_how_much_the_answers_have_in_common(
    library: Shelves, publisher: EmbedderPublisher, database: Database
) -> None:
    await fill(library, 40)
    await ask(database, make_message("a lamp in the rain", id="1"), make_message("a boat", id="2", kind="group", chat="team"))

    takes, common = said(await publisher.notes(spec(B)))

    assert takes.startswith("b@1: 40 of 40 passages are to be embedded")
    assert common == (
        "Of last week's questions 2 of 2 were asked of both: of the ten passages nearest in meaning they have 100 % in common."
    )
    assert await live(database) == A


async def test_an_embedder_of_another_mind_has_less_in_common(library: Shelves, database: Database, embedders: Embedders) -> None:
    await fill(library, 40)

    found = await compared(
        library, Passages(database), embedders, C, [Asked("a lamp in the rain", make_message().address)], rate=1e9
    )

    assert 0 <= found.share <= 0.5


async def test_the_answers_are_compared_beside_the_event_loop(
    library: Shelves, database: Database, embedders: Embedders, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(library, 12)
    in_common, threads = overlap._in_common, set[threading.Thread]()

    def noted(live: Sequence[int], scores: np.ndarray) -> float:
        threads.add(threading.current_thread())
        return in_common(live, scores)

    monkeypatch.setattr(overlap, "_in_common", noted)
    await compared(library, Passages(database), embedders, B, [Asked("a lamp", make_message().address)], rate=1e9)
    assert threads
    assert threading.current_thread() not in threads


async def test_only_the_best_of_the_live_one_are_compared_where_all_are_too_many_and_that_is_said(
    library: Shelves, publisher: EmbedderPublisher, database: Database, embedders: Embedders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlap, "FEWEST", 30)
    monkeypatch.setattr(overlap, "MOST", 30)
    monkeypatch.setattr(overlap, "CANDIDATES", (15, 20))
    await fill(library, 60)
    questions = [Asked(f"a {word}", make_message().address) for word in WORDS]
    embedders.asked.clear()

    found = await compared(library, Passages(database), embedders, B, questions, rate=1e9)

    assert found.asked == 7
    assert 1 <= found.compared < 7
    assert found.passages <= 30
    assert found.candidates == 15
    assert found.share > 0.8  # many of these notes are equally near
    assert "looked for among the 15 that the live one puts first" in found.text().to("en")


async def test_a_question_is_compared_where_it_was_asked_and_where_there_is_something_to_choose(
    library: Shelves, publisher: EmbedderPublisher, database: Database, embedders: Embedders
) -> None:
    await fill(library, 8)
    await fill(library, 8, scope=TEAM, since=8)
    await fill(library, 30, scope=Scope("dm", "web/local/bob"), since=16)
    here = replace(make_message().address, channel="web", account="local", chat="team", kind="group")
    elsewhere = replace(here, chat="another")

    found = await compared(
        library, Passages(database), embedders, B, [Asked("a lamp", here), Asked("a lamp", elsewhere)], rate=1e9
    )

    assert (found.asked, found.compared, found.passages, found.candidates) == (2, 1, 16, 0)


async def test_the_questions_are_counted_and_never_shown(
    library: Shelves, publisher: EmbedderPublisher, database: Database
) -> None:
    await fill(library, 40)
    await ask(database, make_message("zanzibar lamp", id="1"))
    told = " ".join(note.to(language) for note in await publisher.notes(spec(B)) for language in LANGUAGES)
    assert "zanzibar" not in told
    assert "note" not in told


async def test_where_nobody_asked_or_nothing_is_kept_that_is_said(
    library: Shelves, publisher: EmbedderPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said(await publisher.notes(spec(B))) == [
        "Every passage has a vector of b@1: it takes the place of the live one at once."
    ]
    await fill(library, 3)
    assert "nobody asked" in said(await publisher.notes(spec(B)))[1]
    monkeypatch.setattr(changeover, "SPARE_BYTES", 1 << 60)
    assert "MB are free" in said(await publisher.notes(spec(B)))[1]


async def test_it_is_live_when_published_and_back_by_the_same_way(
    library: Shelves, publisher: EmbedderPublisher, database: Database
) -> None:
    await fill(library, 30)
    told = Told()

    await publisher.publish(spec(B), by="ann", tell=told)

    assert await live(database) == B
    assert told.said[0].startswith("b@1: 30 of 30")
    assert "4 of 30 passages embedded" in told.said[1]
    assert len((await library.rank("a lamp", Scopes([PUBLIC]), count=50, leg="vectors")).ids) == 30

    told.said.clear()
    await publisher.publish(spec(A), by="ann", tell=told)

    assert await live(database) == A
    assert told.said == []
    assert (await library.verify()).sound


async def test_questions_do_not_keep_it_waiting_that_an_admin_waits_for(
    library: Shelves, publisher: EmbedderPublisher, database: Database
) -> None:
    await fill(library, 30)

    async def never_quiet() -> None:
        await asyncio.Event().wait()

    running = asyncio.create_task(library.changeover.run(never_quiet))
    await publisher.publish(spec(B), by="ann", tell=Told())
    running.cancel()

    assert await live(database) == B


async def test_one_that_fails_leaves_the_one_before_and_no_wish(
    library: Shelves, publisher: EmbedderPublisher, database: Database, embedders: Embedders
) -> None:
    await fill(library, 10)

    def later(text: np.ndarray) -> np.ndarray:
        return text * np.float32(np.nan) if embedders.asked.count(B) > 4 else text

    embedders.spoilt[B] = later
    with pytest.raises(ModelError, match="no unit vector") as caught:
        await publisher.publish(spec(B), by="ann", tell=Told())

    assert "벡터가 아닌" in caught.value.sentence("ko")
    assert await live(database) == A
    standing = await library.changeover.standing()
    assert (standing.wish, standing.failure, standing.settled) == (A, {}, True)


async def test_want_of_room_is_told_and_nothing_begun(
    library: Shelves, publisher: EmbedderPublisher, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(library, 3)
    monkeypatch.setattr(changeover, "SPARE_BYTES", 1 << 60)
    with pytest.raises(StoreError, match="MB are free"):
        await publisher.publish(spec(B), by="ann", tell=Told())
    assert await Assignments(database).of("embed") is None


async def begun(publisher: EmbedderPublisher, embedders: Embedders) -> tuple[asyncio.Task[None], asyncio.Event]:
    """Return the publishing of B, which has made some vectors and waits for the event to make more."""
    reached, block = asyncio.Event(), asyncio.Event()

    async def wait(name: str, bulk: bool) -> None:
        if name == B and bulk and embedders.asked.count(B) > 4:
            reached.set()
            await block.wait()

    embedders.before = wait
    task = asyncio.create_task(publisher.publish(spec(B), by="ann", tell=Told()))
    await reached.wait()
    embedders.before = lambda _name, _bulk: None
    return task, block


async def test_stopped_by_whoever_asked_it_is_given_up(
    library: Shelves, publisher: EmbedderPublisher, database: Database, embedders: Embedders
) -> None:
    await fill(library, 12)
    task, _more = await begun(publisher, embedders)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    while await library.changeover.step():
        pass
    assert await live(database) == A
    assert (await library.changeover.standing()).settled


async def test_ended_with_the_process_it_goes_on_at_the_next_start(
    library: Shelves, publisher: EmbedderPublisher, database: Database, embedders: Embedders, tmp_path: Path
) -> None:
    await fill(library, 12)
    task, _more = await begun(publisher, embedders)
    library.changeover.leaving = True
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    after = Shelves(database, embedders, InlineSandbox(), tmp_path, LimitSettings())  # type: ignore[arg-type]
    while await after.changeover.step():
        pass
    await after.close()
    assert await live(database) == B


async def test_a_newer_wish_ends_it_and_is_kept(
    library: Shelves, publisher: EmbedderPublisher, database: Database, embedders: Embedders
) -> None:
    await fill(library, 12)
    task, more = await begun(publisher, embedders)
    await library.changeover.wish(C, by="bob")
    more.set()
    with pytest.raises(ModelError, match="Another embedder was asked for meanwhile: c@1"):
        await task
    while await library.changeover.step():
        pass
    assert await live(database) == C
