import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from fakes.channel import FakeChannel
from sqlalchemy import select, update

from bot.config import LimitSettings, QuotaSettings, Settings
from bot.errors import InputError, RetryLaterError, StoreError, UnreadableError
from bot.intake import Reception
from bot.locale import Text
from bot.meanwhile import meanwhile
from bot.message import Address, Attachment, Command, Message, Press, Reply
from bot.quota import Quotas
from bot.refusing import refused
from bot.roles import Roles
from bot.route import Route
from bot.store.admins import Admins
from bot.store.blobs import BlobStore
from bot.store.chats import Chats
from bot.store.database import Database
from bot.store.dead import DeadLetters
from bot.store.erasing import Eraser
from bot.store.inbox import Inbox
from bot.store.moving import Moves
from bot.store.outbox import Outbox, Parcel
from bot.store.tables import InboxRow, UsageRow
from bot.store.usage import Usage
from bot.testing import NOON, make_message
from bot.worker import Worker


class Answer:
    def __init__(self, *replies: Reply) -> None:
        self.replies = replies
        self.route = Route("chat", "router")


class FakeDispatcher:
    """Answers as it is told: with a text, an error, or by a coroutine of the test's."""

    def __init__(self, answer=None) -> None:
        self.asked: list[Message] = []
        self.broke: list[str] = []
        self._answer = answer

    def heard(self, message: Message, answer: BaseException, seconds: float) -> None:
        self.broke.append(type(answer).__name__)

    def wants_files(self, message: Message) -> bool:
        return True

    def is_of_the_house(self, message: Message) -> bool:
        return message.command == Command("quota")

    def takes_long(self, message: Message) -> bool:
        return message.command == Command("swap")

    async def answer(self, message: Message, *, progress=None) -> Answer:
        self.asked.append(message)
        if isinstance(self._answer, Exception):
            raise self._answer
        if self._answer is not None:
            return await self._answer(message, progress)
        return Answer(Reply(f"re: {message.text}", "en"))


def make_worker(database: Database, dispatcher: FakeDispatcher, folder: Path, channel: FakeChannel | None = None) -> Worker:
    channels = {"test": channel or FakeChannel()}
    return Worker(Inbox(database), dispatcher, BlobStore(folder), channels, limits=LimitSettings(), replied=lambda _parcels: None)


class Outgoing:
    """What the worker gave to be delivered; `whole` is set once there is as much as expected."""

    def __init__(self, worker: Worker, expected: int) -> None:
        self.texts: list[str] = []
        self.whole = asyncio.Event()
        self._expected = expected
        worker._replied = self.take  # what Worker is given as `replied`

    def take(self, parcels: Sequence[Parcel]) -> None:
        self.texts += [parcel.reply.text for parcel in parcels]
        if len(self.texts) >= self._expected:
            self.whole.set()


async def parcels(database: Database) -> list[Parcel]:
    outbox = Outbox(database)
    return [await outbox.one(ticket.id) for ticket in await outbox.tickets({"test": ""})]


async def replies(database: Database) -> list[str]:
    return [parcel.reply.text for parcel in await parcels(database)]


async def accepted(database: Database, message: Message):
    inbox = Inbox(database)
    number = await inbox.accept(message)
    assert number is not None
    return await inbox.one(number)


@asynccontextmanager
async def at_work(worker: Worker) -> AsyncIterator[None]:
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show typing and the status without waiting for them."""
    for name in ("TYPING_AFTER_S", "STATUS_AFTER_S", "STATUS_EVERY_S"):
        monkeypatch.setattr(f"bot.company.{name}", 0.0)


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


class Faulty:
    """Breaks so many times, then answers."""

    def __init__(self, times: int, error: BaseException) -> None:
        self.left, self.error = times, error

    async def __call__(self, message: Message, _progress: object) -> Answer:
        if self.left:
            self.left -= 1
            raise self.error
        return Answer(Reply(f"re: {message.text}", "en"))


class OutsideError(BaseException):
    """No Exception, as what some libraries raise."""


@pytest.mark.parametrize(
    "error",
    [RuntimeError("secret"), SystemExit(3), asyncio.CancelledError(), MemoryError(), KeyboardInterrupt(), OutsideError()],
    ids=repr,
)
@pytest.mark.parametrize("times", [2, 3])
async def test_what_breaks_is_tried_three_times_then_set_aside_under_a_reference(
    database: Database, tmp_path: Path, error: BaseException, times: int
) -> None:
    dispatcher = FakeDispatcher(Faulty(times, error))
    waiting = await accepted(database, make_message("hello"))
    await make_worker(database, dispatcher, tmp_path).handle(waiting)
    (said,) = await replies(database)
    letters = await DeadLetters(database).last(5)
    assert len(dispatcher.asked) == 3
    if times < 3:
        assert (said, letters, dispatcher.broke) == ("re: hello", [], [])
        return
    assert dispatcher.broke == [type(error).__name__]
    assert [letter.why for letter in letters] == [f"{type(error).__name__} in {__name__}"]
    assert said == f"I could not work on this (ref {letters[0].reference}); it is kept. Please tell the admin."


async def test_what_breaks_slowly_is_not_tried_again(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.attempts.TRIED_WITHIN_S", -1.0)
    dispatcher = FakeDispatcher(RuntimeError("a bug"))
    await make_worker(database, dispatcher, tmp_path).handle(await accepted(database, make_message("hello")))
    assert len(dispatcher.asked) == 1


async def test_an_admins_order_that_breaks_is_given_once(database: Database, tmp_path: Path) -> None:
    dispatcher = FakeDispatcher(RuntimeError("a bug"))
    await make_worker(database, dispatcher, tmp_path).handle(await accepted(database, make_message("/swap")))
    assert len(dispatcher.asked) == 1
    assert "could not work" in (await replies(database))[0]


async def test_messages_that_died_with_the_bot_twice_are_tried_again_one_by_one(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.suspects.AFTER_S", (0.0, 0.0, 0.0))
    monkeypatch.setattr("bot.suspects.AGAIN_S", 0.01)
    inbox, at_once = Inbox(database), []
    for chat in range(8):
        number = await inbox.accept(make_message("hello", id="1", chat=str(chat), sender=f"p{chat}"))
        for _death in range(2):
            await inbox.start(number)
    running = 0

    async def answer(message: Message, _progress: object) -> Answer:
        nonlocal running
        running += 1
        at_once.append(running)
        await asyncio.sleep(0)
        running -= 1
        return Answer(Reply("done", "en"))

    worker = make_worker(database, FakeDispatcher(answer), tmp_path)
    outgoing = Outgoing(worker, 8)
    async with at_work(worker):
        await outgoing.whole.wait()
    assert at_once == [1] * 8


async def test_who_comes_anew_is_answered_while_what_died_with_the_bot_waits(database: Database, tmp_path: Path) -> None:
    inbox = Inbox(database)
    await inbox.start(await inbox.accept(make_message("it died", id="1", chat="1")))
    await inbox.accept(make_message("hello", id="2", chat="2"))
    worker = make_worker(database, FakeDispatcher(), tmp_path)
    outgoing = Outgoing(worker, 1)
    async with at_work(worker):
        await outgoing.whole.wait()
    assert outgoing.texts == ["re: hello"]
    assert await inbox.counts() == {"done": 1, "received": 1}


async def test_a_part_that_another_took_along_keeps_no_suspect_waiting(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.suspects.AFTER_S", (0.0, 0.0, 0.0))
    monkeypatch.setattr("bot.suspects.AGAIN_S", 0.01)
    monkeypatch.setattr("bot.worker.REST_WITHIN_S", 0.0)
    inbox = Inbox(database)
    pieces = [replace(make_message(said), id=said, part_of="text 1") for said in ("one", "two")]
    for message in (*pieces, make_message("three", id="3", chat="another")):
        await inbox.start(await inbox.accept(message))
    worker = make_worker(database, FakeDispatcher(), tmp_path)
    outgoing = Outgoing(worker, 2)
    async with at_work(worker), asyncio.timeout(20):
        await outgoing.whole.wait()
    assert sorted(outgoing.texts) == ["re: one\ntwo", "re: three"]


async def test_an_answer_that_is_made_anew_counts_as_one_attempt(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = [None, None]
    finish = Inbox.finish

    async def flaky(self: Inbox, *arguments: object, **named: object):
        return changed.pop() if changed else await finish(self, *arguments, **named)

    monkeypatch.setattr(Inbox, "finish", flaky)
    waiting = await accepted(database, make_message("hello"))
    await make_worker(database, FakeDispatcher(), tmp_path).handle(waiting)
    assert await replies(database) == ["re: hello"]
    assert (await Inbox(database).one(waiting.id)).attempts == 1


async def test_an_answer_that_cannot_be_kept_becomes_a_sentence_with_a_reference(database: Database, tmp_path: Path) -> None:
    async def odd(_message: Message, _progress) -> Answer:
        return Answer(Reply("half a sign: \ud83d", "en"))

    await make_worker(database, FakeDispatcher(odd), tmp_path).handle(await accepted(database, make_message("hello")))
    (said,) = await replies(database)
    assert "I could not work on this" in said
    assert await Inbox(database).counts() == {"dead": 1}


async def test_a_status_that_never_ends_holds_up_no_answer(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch)
    monkeypatch.setattr("bot.company.END_WITHIN_S", 0.0)
    begun, gate = asyncio.Event(), asyncio.Event()

    class Stuck(FakeChannel):
        async def send(self, reply: Reply, to: Address, *, key: str) -> str:
            while not gate.is_set():
                with suppress(asyncio.CancelledError):
                    begun.set()
                    await gate.wait()
            return "m1"

    async def slowly(_message: Message, _progress) -> Answer:
        await begun.wait()
        return Answer(Reply("done", "en"))

    waiting = await accepted(database, make_message("hello"))
    await make_worker(database, FakeDispatcher(slowly), tmp_path, Stuck()).handle(waiting)
    gate.set()
    assert await replies(database) == ["done"]


async def test_a_message_that_stopped_the_bot_three_times_is_set_aside_and_told(database: Database, tmp_path: Path) -> None:
    dispatcher = FakeDispatcher()
    waiting = replace(await accepted(database, make_message("hello")), attempts=3)
    await make_worker(database, dispatcher, tmp_path).handle(waiting)
    assert dispatcher.asked == []
    assert "it is kept" in (await replies(database))[0]


async def test_who_waits_for_a_place_is_told_which_number_they_are_and_is_answered_there(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker.CHATS_AT_ONCE", 1)
    monkeypatch.setattr("bot.turns.TOLD_AFTER_S", 0.0)
    monkeypatch.setattr("bot.turns.LOOK_EVERY_S", 0.01)
    channel = FakeChannel()

    async def answer(message: Message, _progress: object) -> Answer:
        if message.text == "long":
            await channel.arrived.wait()  # until somebody was told something
        return Answer(Reply(f"re: {message.text}", "en"))

    worker, inbox = make_worker(database, FakeDispatcher(answer), tmp_path, channel), Inbox(database)
    outgoing = Outgoing(worker, 2)
    for chat, text in enumerate(("long", "short")):
        await inbox.accept(make_message(text, id=text, chat=str(chat), sender=text))
    async with at_work(worker):
        await outgoing.whole.wait()
    assert [reply.text for _key, reply in channel.sent] == [
        "I am busy with others just now: you are number 1. You need not do anything."
    ]
    assert {parcel.reply.text: parcel.edits for parcel in await parcels(database)} == {"re: long": "", "re: short": "m1"}
    assert worker.waiting(make_message("x").address) == (0, 0)


async def test_what_never_ends_is_ended_and_set_aside(database: Database, tmp_path: Path) -> None:
    async def answer(_message: Message, _progress: object) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    worker = Worker(
        Inbox(database), FakeDispatcher(answer), BlobStore(tmp_path), {"test": FakeChannel()},
        limits=LimitSettings(answer_minutes=1e-4), replied=lambda _parcels: None,
    )  # fmt: skip
    await worker.handle(await accepted(database, make_message("hang")))

    assert "it is kept" in (await replies(database))[0]
    assert await DeadLetters(database).count() == 1


async def test_files_are_fetched_before_they_are_worked_on_and_kept(database: Database, tmp_path: Path) -> None:
    dispatcher = FakeDispatcher()
    message = make_message("read", attachments=[Attachment("document", "a.txt", "text/plain", 3, ref="abc")])
    waiting = await accepted(database, message)
    await make_worker(database, dispatcher, tmp_path).handle(waiting)
    (file,) = dispatcher.asked[0].attachments
    assert BlobStore(tmp_path).path(file.blob).read_bytes() == b"abc"
    assert (await Inbox(database).one(waiting.id)).message.attachments == (file,)


@pytest.mark.parametrize("damage", ["gone", "cut"])
async def test_a_file_that_the_disk_lost_is_fetched_again_or_asked_for(database: Database, tmp_path: Path, damage: str) -> None:
    dispatcher, blobs = FakeDispatcher(), BlobStore(tmp_path)
    blob = blobs.keep(b"abc")
    blobs.path(blob).unlink() if damage == "gone" else blobs.path(blob).write_bytes(b"a")
    file = Attachment("document", "a.txt", "text/plain", 3, blob=blob)
    there = replace(make_message("read", attachments=[replace(file, ref="abc")]), id="other")
    here = make_message("too", attachments=[file])
    worker = make_worker(database, dispatcher, tmp_path)

    await worker.handle(await accepted(database, here))
    told = await replies(database)
    await worker.handle(await accepted(database, there))

    assert told == ["a.txt is damaged or gone on my disk. Please send it once more."]
    assert [one.text for one in dispatcher.asked] == ["read"]
    assert blobs.path(blob).read_bytes() == b"abc"


async def test_a_file_over_the_limit_is_not_fetched(database: Database, tmp_path: Path) -> None:
    dispatcher = FakeDispatcher()
    message = make_message("read", attachments=[Attachment("document", "a.bin", "text/plain", 1 << 40, ref="abc")])
    await make_worker(database, dispatcher, tmp_path).handle(await accepted(database, message))
    assert dispatcher.asked == []
    assert "a.bin" in (await replies(database))[0]


def refusing(database: Database, folder: Path) -> Worker:
    worker = make_worker(database, FakeDispatcher(UnreadableError(Text("It is damaged."))), folder)
    worker._unnamed = Eraser(database, BlobStore(folder)).let_go
    return worker


def dropped(folder: Path, *names: str, at: float = 0.0) -> list[Attachment]:
    """Return files that the page or the terminal has kept: nobody gives them again."""
    blobs = BlobStore(folder)
    files = [Attachment("document", name, "application/pdf", len(name), blob=blobs.keep(name.encode())) for name in names]
    for path in _kept(folder):
        os.utime(path, (at, at))
    return files


async def test_a_file_that_was_refused_is_named_by_no_message_and_goes(database: Database, tmp_path: Path) -> None:
    """It is fetched again from its platform where somebody replies to it."""
    message = make_message("", attachments=[Attachment("document", "a.pdf", "application/pdf", 3, ref="abc")])
    waiting = await accepted(database, message)
    worker = refusing(database, tmp_path)
    keep, worker._files._blobs.keep_file = worker._files._blobs.keep_file, lambda spool: _of_long_ago(keep(spool), tmp_path)
    await worker.handle(waiting)
    assert (await Inbox(database).one(waiting.id)).message.attachments == message.attachments
    assert _kept(tmp_path) == []


def _of_long_ago(blob: str, folder: Path) -> str:
    os.utime(BlobStore(folder).path(blob), (0, 0))
    return blob


async def test_a_refused_file_that_nobody_gives_again_goes_and_the_rest_stays(database: Database, tmp_path: Path) -> None:
    alone, shared, several, other = (dropped(tmp_path, name)[0] for name in ("alone", "shared", "several", "other"))
    worker = refusing(database, tmp_path)
    for number, files in enumerate(([alone], [shared], [several, other])):
        waiting = await accepted(database, make_message("", id=f"{number}", attachments=files))
        if files == [shared]:
            await accepted(database, make_message("the same", id="again", attachments=files))
        await worker.handle(waiting)
    assert sorted(path.read_text() for path in _kept(tmp_path)) == ["other", "several", "shared"]
    assert await replies(database) == ["It is damaged."] * 3
    assert (await Inbox(database).one(1)).message.attachments == (replace(alone, blob=""),)


async def test_of_several_files_the_one_that_was_refused_goes(database: Database, tmp_path: Path) -> None:
    files = dropped(tmp_path, "good.pdf", "bad.pdf", "odd.pdf")

    async def reads(message: Message, _progress: object) -> Answer:
        refused(message.attachments[2], InputError(Text("Nobody knows what this is.")))  # not for good
        return Answer(Reply(refused(message.attachments[1], UnreadableError(Text("It is damaged."))).to("en"), "en"))

    worker = refusing(database, tmp_path)
    worker._dispatcher._answer = reads
    await worker.handle(await accepted(database, make_message("", attachments=files)))

    assert await replies(database) == ["**bad.pdf**: It is damaged."]
    assert sorted(path.read_text() for path in _kept(tmp_path)) == ["good.pdf", "odd.pdf"]
    assert [file.blob == "" for file in (await Inbox(database).one(1)).message.attachments] == [False, True, False]


async def test_a_refused_file_goes_wherever_the_bot_was_killed(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, left = database.write, [0]

    async def then_killed(*said: object, **more: object) -> object:
        left[0] -= 1
        done = await write(*said, **more)
        if not left[0]:
            raise KilledError
        return done

    for commits in (1, 2):  # it is begun; it is answered
        [file] = dropped(tmp_path, f"{commits}.pdf")
        number = await Inbox(database).accept(make_message("", id=f"{commits}", attachments=[file]))
        left[0] = commits
        monkeypatch.setattr(database, "write", then_killed)
        with pytest.raises(KilledError):
            await refusing(database, tmp_path).handle(await Inbox(database).one(number))
        monkeypatch.undo()
        assert len(_kept(tmp_path)) == 1
        if (await Inbox(database).counts()).get("working"):
            await refusing(database, tmp_path).handle(await Inbox(database).one(number))
        await Eraser(database, BlobStore(tmp_path)).sweep(kept_until=NOON)
        assert _kept(tmp_path) == []

    assert await replies(database) == ["It is damaged."] * 2


async def test_a_file_over_somebody_s_quota_is_not_fetched(database: Database, tmp_path: Path) -> None:
    dispatcher = FakeDispatcher()
    worker = make_worker(database, dispatcher, tmp_path)
    worker._quotas = FakeQuotas(0)
    file = Attachment("document", "a.pdf", "application/pdf", 3, ref="abc")
    await worker.handle(await accepted(database, make_message("read", attachments=[file])))
    assert (dispatcher.asked, _kept(tmp_path)) == ([], [])
    assert len(await replies(database)) == 1


def _kept(blobs: Path) -> list[Path]:
    return [path for path in blobs.glob("??/*") if path.is_file()]


async def test_long_work_is_shown_in_one_message_that_becomes_the_answer(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch)
    channel = FakeChannel()

    async def slowly(message: Message, progress) -> Answer:
        await channel.arrived.wait()
        await progress(Text("Page 3 of 9"))
        return Answer(Reply("done", "en"))

    waiting = await accepted(database, make_message("hello"))
    await make_worker(database, FakeDispatcher(slowly), tmp_path, channel).handle(waiting)
    assert [reply.text for _key, reply in channel.sent] == ["I am working on it …"]
    assert [(sent, reply.text) for sent, reply in channel.edited] == [("m1", "Page 3 of 9")]
    (parcel,) = await parcels(database)
    assert (parcel.edits, parcel.reply.text) == ("m1", "done")


async def test_a_database_that_fails_for_a_while_loses_no_message(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.feed.FIRST_WAIT_S", 0.0)
    dispatcher = FakeDispatcher()
    worker, inbox = make_worker(database, dispatcher, tmp_path), Inbox(database)
    outgoing = Outgoing(worker, 1)
    await inbox.accept(make_message("hello"))
    for name in ("start", "finish"):
        monkeypatch.setattr(Inbox, name, failing_twice(getattr(Inbox, name)))
    running = asyncio.create_task(worker.run())
    await outgoing.whole.wait()
    running.cancel()
    assert await replies(database) == ["re: hello"]
    assert len(dispatcher.asked) == 1, "an answer that was there was made again"


def failing_twice(method):
    failures = [StoreError("locked"), StoreError("locked")]

    async def flaky(self: Inbox, *arguments: object, **named: object):
        if failures:
            raise failures.pop()
        return await method(self, *arguments, **named)

    return flaky


async def test_order_is_kept_within_a_chat_over_what_was_left_and_what_comes(database: Database, tmp_path: Path) -> None:
    dispatcher = FakeDispatcher()
    worker, inbox = make_worker(database, dispatcher, tmp_path), Inbox(database)
    outgoing = Outgoing(worker, 40)
    for number in range(20):
        await inbox.accept(make_message(str(number), id=str(number), chat=str(number % 3)), then=worker.hand)
    running = asyncio.create_task(worker.run())
    for number in range(20, 40):
        await inbox.accept(make_message(str(number), id=str(number), chat=str(number % 3)), then=worker.hand)
    await outgoing.whole.wait()
    running.cancel()
    assert len(dispatcher.asked) == 40
    for chat in "012":
        texts = [int(message.text) for message in dispatcher.asked if message.address.chat == chat]
        assert texts == sorted(texts)


async def test_a_row_that_cannot_be_read_stops_nobody(database: Database, tmp_path: Path) -> None:
    worker, inbox = make_worker(database, FakeDispatcher(), tmp_path), Inbox(database)
    outgoing = Outgoing(worker, 1)
    poison = await inbox.accept(make_message("poison", id="1"))
    await inbox.accept(make_message("hello", id="2"))
    table = InboxRow.__table__
    await database.write(lambda connection: connection.execute(update(table).where(table.c.id == poison).values(message="{")))
    running = asyncio.create_task(worker.run())
    await outgoing.whole.wait()
    running.cancel()
    assert outgoing.texts == ["re: hello"]
    assert await inbox.counts() == {"dead": 1, "done": 1}


async def test_the_one_who_asked_can_stop_the_work_and_the_next_is_answered(database: Database, tmp_path: Path) -> None:
    begun, ended = asyncio.Event(), []

    async def long(message: Message, _progress) -> Answer:
        if message.text != "long":
            return Answer(Reply("next", "en"))
        try:
            begun.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append(message.text)
            raise
        raise AssertionError

    worker, inbox = make_worker(database, FakeDispatcher(long), tmp_path), Inbox(database)
    outgoing = Outgoing(worker, 2)
    number = await inbox.accept(make_message("long", id="1"))
    await inbox.accept(make_message("short", id="2"))
    running = asyncio.create_task(worker.run())
    await begun.wait()
    assert not worker.stop(number + 1)
    assert worker.stop(number)
    await outgoing.whole.wait()
    assert ended == ["long"]
    assert ["Stopped, as you asked" in text for text in outgoing.texts] == [True, False]
    assert not worker.stop(number)
    running.cancel()
    assert await inbox.counts() == {"done": 2}


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("forgotten_first", [True, False])
async def test_what_is_taken_back_while_it_is_worked_on_is_ended_and_not_answered(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, shown: bool, forgotten_first: bool
) -> None:
    if shown:
        at_once(monkeypatch)
    channel, begun = FakeChannel(), asyncio.Event()

    async def long(_message: Message, _progress) -> Answer:
        begun.set()
        if shown:
            await channel.arrived.wait()
        await asyncio.Event().wait()
        raise AssertionError

    waiting = await accepted(database, make_message("my secret"))
    worker, eraser = make_worker(database, FakeDispatcher(long), tmp_path, channel), Eraser(database, BlobStore(tmp_path))
    outgoing = Outgoing(worker, 1)
    handling = asyncio.create_task(worker.handle(waiting))
    await (channel.arrived if shown else begun).wait()
    if forgotten_first:
        await eraser.forget_message(waiting.message.address, waiting.message.id, sender=None)
    await worker.withdraw(waiting.id)
    if not forgotten_first:
        await eraser.forget_message(waiting.message.address, waiting.message.id, sender=None)
    await handling
    assert outgoing.texts == (["You took your message back, so I stopped. Nothing of it is kept."] if shown else [])
    assert await Inbox(database).counts() == {}


async def test_what_was_forgotten_while_it_waited_is_not_begun(database: Database, tmp_path: Path) -> None:
    async def never(_message: Message, _progress) -> Answer:
        raise AssertionError

    waiting = await accepted(database, make_message("my secret"))
    await Eraser(database, BlobStore(tmp_path)).forget_message(waiting.message.address, waiting.message.id, sender=None)
    worker = make_worker(database, FakeDispatcher(never), tmp_path)
    await worker.handle(waiting)
    await worker.withdraw(waiting.id)
    assert (await replies(database), await Inbox(database).counts()) == ([], {})


async def test_the_status_message_has_a_button_that_stops_the_work(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch)
    channel = FakeChannel()

    async def slowly(_message: Message, _progress) -> Answer:
        await channel.arrived.wait()
        return Answer(Reply("done", "en"))

    waiting = await accepted(database, make_message("hello"))
    await make_worker(database, FakeDispatcher(slowly), tmp_path, channel).handle(waiting)
    ((_key, status),) = channel.sent
    (button,) = status.buttons
    order = await Chats(database).order(button.token)
    assert order is not None
    assert (order.command, order.owner) == (Command("cancel", str(waiting.id)), "ann")


async def test_what_an_answer_waits_for_is_the_status_until_it_is_over(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch)
    monkeypatch.setattr("bot.company.TYPING_EVERY_S", 0.0)
    channel = FakeChannel()

    def shown() -> list[str]:
        return [reply.text for _key, reply in (*channel.sent, *channel.edited)]

    async def slow(_message: Message, progress) -> Answer:
        await progress(Text("Looking …"))
        async with meanwhile(Text("Loading caption, about 4 s …")):
            while "Loading caption, about 4 s …" not in shown():
                await asyncio.sleep(0)
        while shown()[-1] != "Looking …":
            await asyncio.sleep(0)
        return Answer(Reply("a cat", "en"))

    await make_worker(database, FakeDispatcher(slow), tmp_path, channel).handle(await accepted(database, make_message("hello")))
    assert shown()[-1] == "Looking …"
    assert await replies(database) == ["a cat"]


async def test_a_status_that_has_to_wait_is_shown_later(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch)
    monkeypatch.setattr("bot.company.TYPING_EVERY_S", 0.0)
    channel = FakeChannel(failures=[RetryLaterError("slow down", retry_after_s=3)])

    async def slowly(_message: Message, _progress) -> Answer:
        await channel.arrived.wait()
        return Answer(Reply("done", "en"))

    await make_worker(database, FakeDispatcher(slowly), tmp_path, channel).handle(await accepted(database, make_message("hello")))
    assert len(channel.sent) == 1


@pytest.mark.parametrize("error", [None, InputError("This is cut off."), RuntimeError("a bug")])
async def test_what_was_only_overheard_is_worked_on_in_silence_and_its_files_are_left_alone(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    at_once(monkeypatch)
    channel = FakeChannel()

    async def slowly(message: Message, _progress: object) -> Answer:
        for _turn in range(50):  # a status would have been shown by now
            await asyncio.sleep(0)
        if error is not None:
            raise error
        assert not any(file.blob for file in message.attachments)
        return Answer()

    file = Attachment("document", "plan.pdf", "application/pdf", 1 << 40, ref="f")
    message = replace(make_message("look", attachments=(file,), kind="group"), addressed=False)
    await make_worker(database, FakeDispatcher(slowly), tmp_path, channel).handle(await accepted(database, message))
    assert (channel.sent, channel.typed, await replies(database)) == ([], 0, [])
    assert await Inbox(database).counts() == {"dead" if isinstance(error, RuntimeError) else "done": 1}


async def test_what_is_answered_at_once_shows_no_typing(database: Database, tmp_path: Path) -> None:
    channel = FakeChannel()
    await make_worker(database, FakeDispatcher(), tmp_path, channel).handle(await accepted(database, make_message("hello")))
    assert channel.typed == 0


async def test_a_worker_that_is_cancelled_leaves_the_message_to_the_next_start(database: Database, tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def hanging(_message: Message, _progress) -> Answer:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    worker, inbox = make_worker(database, FakeDispatcher(hanging), tmp_path), Inbox(database)
    await inbox.accept(make_message("hello", id="1"))
    await inbox.accept(make_message("and then", id="2"))
    running = asyncio.create_task(worker.run())
    await begun.wait()
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()
    assert await inbox.counts() == {"received": 2}
    assert (await inbox.one(1)).attempts == 0


async def test_a_press_on_cancel_ends_the_work_and_the_status_becomes_one_sentence(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch)
    channel = FakeChannel()

    async def for_ever(_message: Message, _progress) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    inbox, chats = Inbox(database), Chats(database)
    worker = make_worker(database, FakeDispatcher(for_ever), tmp_path, channel)
    outgoing = Outgoing(worker, 1)
    reception = Reception(
        inbox, chats, BlobStore(tmp_path), Moves(database, chats), arrived=worker.hand, stop=worker.stop, default="en",
        text_bytes=1000,
    )  # fmt: skip
    running = asyncio.create_task(worker.run())
    message = make_message("오래 걸리는 일")
    await reception.accept(message)
    await channel.arrived.wait()
    ((_key, status),) = channel.sent
    taken = await reception.accept(Press(message.address, "ann", "p1", status.buttons[0].token, "ko", NOON))
    assert taken.note == "멈추고 있어요."
    await outgoing.whole.wait()
    running.cancel()
    (parcel,) = await parcels(database)
    assert (parcel.edits, parcel.reply.text) == ("m1", "말씀하신 대로 멈췄어요. 메시지는 보관했으니 필요할 때 다시 보내 주세요.")
    assert await inbox.counts() == {"done": 1}


async def test_a_chat_that_moves_while_it_is_answered_is_answered_for_in_the_new_one(database: Database, tmp_path: Path) -> None:
    chats = Chats(database)
    moves = Moves(database, chats)
    old, new = (Address("test", "me", chat, kind="group") for chat in ("-5", "-1005"))
    asked: list[tuple[str, str]] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def answer(message: Message, _progress: object) -> Answer:
        asked.append((message.address.chat, message.text))
        if message.text == "one":
            begun.set()
            await go_on.wait()
            await chats.set_language(message.address, "ko")
        return Answer(Reply(f"re: {message.text}", "en"))

    worker = make_worker(database, FakeDispatcher(answer), tmp_path)
    worker._moves = moves
    outgoing = Outgoing(worker, 2)
    running = asyncio.create_task(worker.run())
    inbox = Inbox(database)
    for number, said in enumerate(("one", "two")):
        await inbox.accept(replace(make_message(said), address=old, id=str(number)), then=worker.hand)
    await begun.wait()
    await moves.move(old, new)
    go_on.set()
    await outgoing.whole.wait()
    await worker.idle()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert asked == [("-5", "one"), ("-1005", "two")]
    assert [parcel.to.chat for parcel in await parcels(database)] == ["-1005", "-1005"]
    assert (await chats.settings(new)).language == "ko"


async def test_what_comes_bit_by_bit_is_answered_once_it_is_whole_and_in_its_turn(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker.REST_WITHIN_S", 0.0)
    dispatcher = FakeDispatcher()
    worker = make_worker(database, dispatcher, tmp_path)
    outgoing = Outgoing(worker, 2)
    inbox = Inbox(database)
    pieces = [
        replace(make_message(said), id=str(number), part_of="text 1") for number, said in enumerate(("one", "two", "three"))
    ]
    for message in (*pieces, replace(make_message("another thing"), id="9")):
        await inbox.accept(message)
    running = asyncio.create_task(worker.run())
    await outgoing.whole.wait()
    await worker.idle()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert [message.text for message in dispatcher.asked] == ["one\ntwo\nthree", "another thing"]
    assert await inbox.counts() == {"done": 4}


async def test_what_was_left_half_gathered_is_answered_whole_at_the_next_start(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker.REST_WITHIN_S", 0.0)
    inbox = Inbox(database)
    for number, said in enumerate(("one", "two")):
        await inbox.accept(replace(make_message(said), id=str(number), part_of="text 1"))
    first = await inbox.gather(1)
    assert first is not None
    await inbox.start(first.id)
    dispatcher = FakeDispatcher()
    worker = make_worker(database, dispatcher, tmp_path)
    outgoing = Outgoing(worker, 1)
    running = asyncio.create_task(worker.run())
    await outgoing.whole.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert [message.text for message in dispatcher.asked] == ["one\ntwo"]


async def test_what_takes_an_admin_minutes_holds_up_nobody_else_in_the_chat(database: Database, tmp_path: Path) -> None:
    swapping, answered = asyncio.Event(), asyncio.Queue[str]()

    async def answer(message: Message, _progress) -> Answer:
        if message.command is not None:
            await swapping.wait()
        answered.put_nowait(message.text)
        return Answer(Reply("ok", "en"))

    worker, inbox = make_worker(database, FakeDispatcher(answer), tmp_path), Inbox(database)
    await inbox.accept(make_message("are you there?", id="0", kind="group"))
    running = asyncio.create_task(worker.run())
    assert await asyncio.wait_for(answered.get(), 20) == "are you there?"  # from here on it takes what it is handed
    await inbox.accept(make_message("/swap", id="1", kind="group"), then=worker.hand)
    await inbox.accept(make_message("where is it?", id="2", kind="group", sender="bob"), then=worker.hand)
    assert await asyncio.wait_for(answered.get(), 20) == "where is it?"
    swapping.set()
    await asyncio.wait_for(worker.idle(), 20)
    assert await inbox.counts() == {"done": 3}
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_a_channel_without_edits_may_show_the_state_of_the_work_in_its_own_way(database: Database, tmp_path: Path) -> None:
    class Terminal(FakeChannel):
        def __init__(self) -> None:
            super().__init__(edits=False)
            self.states: list[str] = []

        def state(self, said: str, to: Address) -> None:
            self.states.append(said)

    async def answer(message: Message, progress) -> Answer:
        await progress(Text("probing 1 of 2"))
        return Answer(Reply("ok", "en"))

    channel = Terminal()
    worker = make_worker(database, FakeDispatcher(answer), tmp_path, channel)
    number = await Inbox(database).accept(make_message("/swap"))
    assert number is not None
    await worker.handle(await Inbox(database).one(number))
    assert (channel.states, channel.sent, channel.edited) == (["probing 1 of 2"], [], [])


class FakeQuotas:
    """Lets so many messages through, tells the next one that it is too much, and leaves the rest."""

    def __init__(self, most: int) -> None:
        self.left, self.asked = most, 0

    async def refused(self, message: Message, *, free: bool, begins: object = None) -> str | None:
        self.asked += 1
        self.left -= not free
        return None if free or self.left >= 0 else "too much" if self.left == -1 else ""


async def test_what_is_too_much_is_answered_in_its_turn_by_one_sentence_and_not_worked_on(
    database: Database, tmp_path: Path
) -> None:
    dispatcher, inbox = FakeDispatcher(), Inbox(database)
    worker = make_worker(database, dispatcher, tmp_path)
    worker._quotas = FakeQuotas(2)
    for number in range(1, 7):
        text = "/quota" if number == 5 else str(number)
        await inbox.accept(make_message(text, id=str(number)))
        await worker.handle(await inbox.one(number))

    assert [parcel.reply.text for parcel in await parcels(database)] == ["re: 1", "re: 2", "too much", "re: /quota"]
    assert [message.text for message in dispatcher.asked] == ["1", "2", "/quota"]
    assert await inbox.counts() == {"done": 6}


async def test_what_was_begun_before_a_restart_is_not_counted_again(database: Database, tmp_path: Path) -> None:
    inbox, quotas = Inbox(database), FakeQuotas(0)
    worker = make_worker(database, FakeDispatcher(), tmp_path)
    worker._quotas = quotas
    number = await inbox.accept(make_message("1"))
    await inbox.start(number)

    await worker.handle(await inbox.one(number))

    assert quotas.asked == 0
    assert [parcel.reply.text for parcel in await parcels(database)] == ["re: 1"]


class KilledError(BaseException):
    pass


async def test_a_message_counts_once_wherever_the_bot_was_killed(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, left = database.write, [0]

    async def then_killed(*said: object, **more: object) -> object:  # the commit is there, and what comes after it is not
        left[0] -= 1
        done = await write(*said, **more)
        if not left[0]:
            raise KilledError
        return done

    quotas = Quotas(
        QuotaSettings(person_a_day=99), Usage(database), Roles(Settings(), Admins(database)), zone=UTC, now=lambda: NOON
    )
    for commits in range(1, 4):
        number = await Inbox(database).accept(make_message(f"{commits}", id=f"{commits}", sender=f"{commits}"))
        left[0] = commits
        monkeypatch.setattr(database, "write", then_killed)
        for _life in range(2):
            worker = make_worker(database, FakeDispatcher(), tmp_path)
            worker._quotas = quotas
            with suppress(KilledError):
                await worker.handle(await Inbox(database).one(number))
        monkeypatch.undo()

    assert [one.used for one in await quotas.today()] == [1, 1, 1]


async def test_what_was_being_worked_on_when_the_bot_was_ended_counts_once(database: Database, tmp_path: Path) -> None:
    asked, begun = Inbox(database), asyncio.Event()
    settings = QuotaSettings(person_a_day=99, person_a_minute=99, costly_a_day=99, costly=("translate",))
    quotas = Quotas(settings, Usage(database), Roles(Settings(), Admins(database)), zone=UTC, now=lambda: NOON)
    lives: list[int] = []

    async def translates(message: Message, _progress: object) -> Answer:
        async with quotas.charged("translate", message) as too_much:
            assert too_much is None
            lives.append(len(lives))
            begun.set()
            if len(lives) <= 2:
                await asyncio.Event().wait()
            return Answer(Reply("done", "en"))

    number = await asked.accept(make_message("hello"))
    for _life in range(2):
        worker = make_worker(database, FakeDispatcher(translates), tmp_path)
        worker._quotas = quotas
        async with at_work(worker):
            await begun.wait()
        begun.clear()
        assert (await asked.one(number)).attempts == 0
    worker = make_worker(database, FakeDispatcher(translates), tmp_path)
    worker._quotas = quotas
    await worker.handle(await asked.one(number))

    assert await replies(database) == ["done"]
    assert {one.kind: one.used for one in await quotas.today()} == {"messages": 1, "costly": 1}
    async with database.read() as connection:
        assert (await connection.execute(select(UsageRow.used).where(UsageRow.kind == "pace"))).scalars().all() == [1]


async def test_a_costly_answer_that_fails_after_a_restart_is_given_back_once(database: Database) -> None:
    quotas = Quotas(
        QuotaSettings(costly_a_day=9, costly=("translate",)), Usage(database), Roles(Settings(), Admins(database)), zone=UTC,
        now=lambda: NOON,
    )  # fmt: skip
    message = (await accepted(database, make_message("hello"))).message
    used = []
    for ends in (asyncio.CancelledError, InputError("no"), None):
        with suppress(asyncio.CancelledError, InputError):
            async with quotas.charged("translate", message):
                if ends is not None:
                    raise ends
        used += [one.used for one in await quotas.today()]

    assert used == [1, 0, 1]
