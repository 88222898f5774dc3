import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.channel import FakeChannel

from bot.config import LimitSettings
from bot.errors import InputError, StoreError
from bot.locale import Text
from bot.message import Attachment, Message, Reply
from bot.route import Route
from bot.store.blobs import BlobStore
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox
from bot.testing import make_message
from bot.worker import Worker


class Answer:
    def __init__(self, *replies: Reply) -> None:
        self.replies = replies
        self.route = Route("chat", "router")


class FakeDispatcher:
    """Answers as it is told: with a text, an error, or by a coroutine of the test's."""

    def __init__(self, answer=None) -> None:
        self.asked: list[Message] = []
        self._answer = answer

    async def answer(self, message: Message, *, progress=None) -> Answer:
        self.asked.append(message)
        if isinstance(self._answer, Exception):
            raise self._answer
        if self._answer is not None:
            return await self._answer(message, progress)
        return Answer(Reply(f"re: {message.text}", "en"))


def make_worker(database: Database, dispatcher: FakeDispatcher, folder: Path, channel: FakeChannel | None = None) -> Worker:
    channels = {"test": channel or FakeChannel()}
    return Worker(Inbox(database), dispatcher, BlobStore(folder), channels, limits=LimitSettings(), replied=lambda: None)


async def replies(database: Database) -> list[str]:
    return [parcel.reply.text for parcel in await Outbox(database).pending(["test"], after=0, most=99)]


async def accepted(database: Database, message: Message):
    inbox = Inbox(database)
    number = await inbox.accept(message)
    assert number is not None
    return await inbox.one(number)


async def test_a_message_is_answered_and_done(database: Database, tmp_path: Path) -> None:
    await make_worker(database, FakeDispatcher(), tmp_path).handle(await accepted(database, make_message("hello")))
    assert await replies(database) == ["re: hello"]
    assert await Inbox(database).counts() == {"done": 1}


async def test_an_error_with_a_sentence_reaches_the_person(database: Database, tmp_path: Path) -> None:
    worker = make_worker(database, FakeDispatcher(InputError("This is cut off.")), tmp_path)
    await worker.handle(await accepted(database, make_message("hello")))
    assert await replies(database) == ["This is cut off."]


async def test_a_bug_becomes_a_sentence_with_a_reference_and_no_trace(database: Database, tmp_path: Path) -> None:
    worker = make_worker(database, FakeDispatcher(RuntimeError("secret detail")), tmp_path)
    await worker.handle(await accepted(database, make_message("안녕")))
    (said,) = await replies(database)
    assert "참조" in said
    assert "secret detail" not in said
    assert await Inbox(database).counts() == {"dead": 1}


async def test_a_message_that_stopped_the_bot_three_times_is_set_aside_and_told(database: Database, tmp_path: Path) -> None:
    dispatcher = FakeDispatcher()
    waiting = replace(await accepted(database, make_message("hello")), attempts=3)
    await make_worker(database, dispatcher, tmp_path).handle(waiting)
    assert dispatcher.asked == []
    assert "it is kept" in (await replies(database))[0]


async def test_files_are_fetched_before_they_are_worked_on_and_kept(database: Database, tmp_path: Path) -> None:
    dispatcher = FakeDispatcher()
    message = make_message("read", attachments=[Attachment("document", "a.txt", "text/plain", 3, ref="abc")])
    waiting = await accepted(database, message)
    await make_worker(database, dispatcher, tmp_path).handle(waiting)
    (file,) = dispatcher.asked[0].attachments
    assert BlobStore(tmp_path).path(file.blob).read_bytes() == b"abc"
    assert (await Inbox(database).one(waiting.id)).message.attachments == (file,)


async def test_a_file_over_the_limit_is_not_fetched(database: Database, tmp_path: Path) -> None:
    dispatcher = FakeDispatcher()
    message = make_message("read", attachments=[Attachment("document", "a.bin", "text/plain", 1 << 40, ref="abc")])
    await make_worker(database, dispatcher, tmp_path).handle(await accepted(database, message))
    assert dispatcher.asked == []
    assert "a.bin" in (await replies(database))[0]


async def test_long_work_is_shown_in_one_message_that_becomes_the_answer(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker.STATUS_AFTER_S", 0.0)
    channel = FakeChannel()

    async def slowly(message: Message, progress) -> Answer:
        await channel.arrived.wait()
        await progress(Text("Page 3 of 9"))
        return Answer(Reply("done", "en"))

    waiting = await accepted(database, make_message("hello"))
    await make_worker(database, FakeDispatcher(slowly), tmp_path, channel).handle(waiting)
    assert [reply.text for _key, reply in channel.sent] == ["I am working on it …"]
    assert [(sent, reply.text) for sent, reply in channel.edited] == [("m1", "Page 3 of 9")]
    (parcel,) = await Outbox(database).pending(["test"], after=0, most=9)
    assert (parcel.edits, parcel.reply.text) == ("m1", "done")


async def test_a_database_that_fails_for_a_while_loses_no_message(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker.FIRST_WAIT_S", 0.0)
    worker, inbox = make_worker(database, FakeDispatcher(), tmp_path), Inbox(database)
    await inbox.accept(make_message("hello"))
    failures = [StoreError("locked"), StoreError("locked")]
    start = Inbox.start

    async def flaky(self: Inbox, number: int) -> None:
        if failures:
            raise failures.pop()
        await start(self, number)

    monkeypatch.setattr(Inbox, "start", flaky)
    running = asyncio.create_task(worker.run())
    while not await replies(database):
        await asyncio.sleep(0)
    running.cancel()
    assert await replies(database) == ["re: hello"]


async def test_order_is_kept_within_a_chat(database: Database, tmp_path: Path) -> None:
    dispatcher = FakeDispatcher()
    worker = make_worker(database, dispatcher, tmp_path)
    for number in range(20):
        await Inbox(database).accept(make_message(str(number), id=str(number), chat=str(number % 3)))
    running = asyncio.create_task(worker.run())
    while len(await replies(database)) < 20:
        await asyncio.sleep(0)
    running.cancel()
    for chat in "012":
        texts = [int(message.text) for message in dispatcher.asked if message.address.chat == chat]
        assert texts == sorted(texts)
