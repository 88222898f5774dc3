"""What is found of a chat, through the library: a message with what was said around it."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from retrieval_fakes import ANN, TEAM, WordEmbedder, by_words

from bot.config import LimitSettings
from bot.passage import PUBLIC, Hit, Scope, Scopes
from bot.retrieval.library import Shelves
from bot.store.database import Database
from bot.talk import Said
from bot.testing import InlineSandbox

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
HERE = Scopes([TEAM, PUBLIC])
TALK = (
    ("Ann", "the login page is broken again"), ("Ben", "who fixes the login?"), ("Cho", "점심은 국수 어때요"), ("Dan", "I'll do it after lunch"),
    ("김민지", "점심 좋아요"),
)  # fmt: skip


@pytest.fixture
async def library(database: Database, embedder: WordEmbedder, tmp_path: Path) -> AsyncIterator[Shelves]:
    opened = Shelves(database, embedder, InlineSandbox(), tmp_path, LimitSettings(), fusion=by_words(), now=lambda: NOW)  # type: ignore[arg-type]
    await opened.open()
    yield opened
    await opened.close()


async def tell(
    library: Shelves, lines: Sequence[tuple[str, str]], *, first: int = 1, start: datetime = NOW, **place: str
) -> None:
    """Say `lines`, a minute apart, two hours before `start`."""
    scope = Scope.parse(place.get("scope", str(TEAM)))
    for number, (who, text) in enumerate(lines, start=first):
        said = Said(
            who, start - timedelta(hours=2) + timedelta(minutes=number), place.get("thread", ""), place.get("answers", "")
        )
        key = f"message:{number}"
        await library.add_text(text, scope, title=who, link=f"message:t/b/1/{number}", key=key, sender=who, said=said)


def shown(hit: Hit) -> list[tuple[str, str, bool]]:
    return [(line.who, line.text, line.best) for line in hit.lines]


async def test_an_answer_is_found_by_the_words_of_the_question_it_answers(library: Shelves) -> None:
    await tell(library, TALK)
    hit, *_rest = await library.search("who said they would fix the login?", HERE)
    assert (hit.passage.text, hit.passage.link) == ("I'll do it after lunch", "message:t/b/1/4")
    assert hit.marked == (0, len("I'll do it after lunch"))
    assert ("Dan", "I'll do it after lunch", True) in shown(hit)
    assert ("Ben", "who fixes the login?", False) in shown(hit)


async def test_an_exchange_comes_once(library: Shelves) -> None:
    await tell(library, TALK)
    hits = await library.search("who fixes the login page?", HERE)
    told = [line.text for hit in hits for line in hit.lines]
    assert len(told) == len(set(told)) > 1


async def test_a_question_that_was_asked_before_does_not_answer_itself(library: Shelves) -> None:
    await tell(library, [("Ann", "who fixes the login page?")])
    assert await library.search("who fixes the login page?", HERE) == []


async def test_what_is_forgotten_or_edited_is_gone_from_what_was_said_around_it(library: Shelves) -> None:
    await tell(library, TALK)
    assert "again" in str(await library.search("who fixes the login page?", HERE))
    await tell(library, [("Ann", "the login page is fine")])
    assert "again" not in str(await library.search("who fixes the login page?", HERE))
    await library.forget(TEAM, sender="Ben")
    hits = await library.search("who said they would fix the login page?", HERE)
    assert "who fixes" not in str([hit.lines for hit in hits])


async def test_what_was_said_elsewhere_is_no_context(library: Shelves) -> None:
    await tell(library, TALK[1:2])
    await tell(library, [("Eve", "the canary sings")], first=2, scope=str(ANN))
    await tell(library, [("Eve", "the canary is yellow")], first=7, thread="9")
    await tell(library, [("Dan", "I'll do it")], first=3)
    hit, *_rest = await library.search("who said they would fix the login?", HERE)
    assert [who for who, _text, _best in shown(hit)] == ["Ben", "Dan"]


async def test_a_reply_belongs_to_what_it_answers_however_late(library: Shelves) -> None:
    await tell(library, [("Ben", "who fixes the login page?")])
    await tell(library, [("Dan", "me, tomorrow")], first=50, start=NOW + timedelta(hours=30), answers="message:1")
    hit, *_rest = await library.search("who fixes the login page?", HERE)
    assert shown(hit) == [("Ben", "who fixes the login page?", False), ("Dan", "me, tomorrow", True)]


async def test_the_person_and_the_day_that_are_named_are_preferred(library: Shelves) -> None:
    for days, who in ((9, "김민지"), (1, "Jun Park"), (0, "김민지")):
        await tell(library, [(who, f"배포 시간은 {days}시입니다")], first=10 + days, start=NOW - timedelta(days=days))
    (first, *_rest) = await library.search("어제 배포 시간이 몇 시라고 했지?", HERE)
    assert first.passage.title == "Jun Park"
    (first, *_rest) = await library.search("민지가 오늘 배포 시간이 몇 시라고 했어?", HERE)
    assert (first.passage.title, first.passage.text) == ("김민지", "배포 시간은 0시입니다")


async def test_documents_are_found_beside_what_was_said(library: Shelves) -> None:
    await tell(library, TALK)
    await library.add_text("The spare keys of the garage hang in the kitchen.", PUBLIC, title="Keys", link="", key="k")
    hit, *_rest = await library.search("where do the spare keys of the garage hang?", HERE)
    assert (hit.passage.title, hit.lines) == ("Keys", ())


async def test_messages_of_an_earlier_index_are_found_by_themselves(library: Shelves) -> None:
    await library.add_text("the red box is Kim's", TEAM, title="Ann, 2025", link="message:t/b/1/1", key="message:1", sender="a")
    hit, *_rest = await library.search("whose is the red box?", HERE)
    assert (hit.passage.text, hit.lines) == ("the red box is Kim's", ())


@pytest.mark.parametrize(
    "question", ["What did Ben say?", "so what has Ben said in the chat?", "벤이 뭐라고 했어?", "벤이 마지막으로 한 말 뭐야?"]
)
async def test_who_asks_what_somebody_said_gets_what_they_said_last(library: Shelves, question: str) -> None:
    await tell(library, [*TALK, ("Ben", "lunch is on me")])
    (hit,) = await library.search(question, HERE)
    assert shown(hit) == [("Ben", "who fixes the login?", False), ("Ben", "lunch is on me", True)]
    assert (hit.passage.link, hit.score) == ("message:t/b/1/6", 1.0)


async def test_what_somebody_said_on_a_day_is_of_that_day(library: Shelves) -> None:
    await tell(library, [("Ben", "the old lease ends in May")], start=NOW - timedelta(days=1))
    await tell(library, [("Ben", "lunch is on me")], first=2)
    (hit,) = await library.search("what did Ben say yesterday?", HERE)
    assert shown(hit) == [("Ben", "the old lease ends in May", True)]
    assert await library.search("what did Ben say last week?", HERE) == []


async def test_what_somebody_said_last_is_read_in_the_readers_scopes_alone(library: Shelves) -> None:
    elsewhere = Scope("group", "telegram/bot/2")
    await tell(library, [("Ben", "who fixes the login?")])
    await tell(library, [("Ben", "the secret is out")], first=2, scope=str(elsewhere))
    assert [hit.passage.text for hit in await library.search("what did Ben say?", HERE)] == ["who fixes the login?"]
    both = await library.search("what did Ben say?", Scopes([TEAM, elsewhere]))
    assert [shown(hit) for hit in both] == [[("Ben", "the secret is out", True)], [("Ben", "who fixes the login?", True)]]


async def test_what_somebody_said_about_something_is_looked_for_by_that(library: Shelves) -> None:
    await tell(library, [*TALK, ("Ben", "lunch is on me")])
    assert all("lunch" not in hit.passage.text for hit in await library.search("what did Ben say about the login?", HERE))
