import asyncio
import os
import random
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from bot.message import Attachment, Button, Command, Message, Picture, Reply
from bot.passage import Scope
from bot.store.blobs import BlobStore
from bot.store.chats import Chats, Label
from bot.store.database import Database
from bot.store.erasing import Eraser
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox
from bot.store.passages import NewDocument, NewPassage, Passages
from bot.testing import make_message

CANARY = "zyxcanary"


class House:
    def __init__(self, database: Database, folder: Path) -> None:
        self.folder, self.database = folder, database
        self.inbox, self.outbox, self.chats = Inbox(database), Outbox(database), Chats(database)
        self.blobs = BlobStore(folder / "blobs")
        self.unlearnt = 0
        self.eraser = Eraser(database, self.blobs, unlearn=self.unlearn)

    async def unlearn(self) -> None:
        self.unlearnt += 1

    async def answered(self, message: Message, *replies: Reply) -> int:
        number = await self.inbox.accept(message)
        assert number is not None
        await self.inbox.start(number)
        await self.inbox.rewrite(number, message)
        for parcel in await self.inbox.finish(number, message, replies or [Reply("ok", "en")]):
            await self.outbox.sent(parcel.id, "1")
        return number

    async def forget(self, sender: str = "ann") -> int:
        gone = await self.eraser.forget(make_message().address, sender)
        await self.eraser.wipe()
        return gone

    def found(self, word: str = CANARY) -> list[str]:
        """Return the files under the home whose bytes have the word in them."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(path.name for path in files if word.encode() in path.read_bytes())


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    return House(database, tmp_path)


def with_file(house: House, data: bytes, *, sender: str = "ann", id: str = "1") -> Message:
    file = Attachment("document", "a.txt", "text/plain", len(data), blob=house.blobs.keep(data))
    return make_message("keep this", sender=sender, id=id, attachments=[file])


async def test_ones_own_messages_and_their_answers_go_and_others_stay(house: House) -> None:
    for sender in ("ann", "bob"):
        await house.answered(make_message("hello", sender=sender, id=sender), Reply(f"hi {sender}", "en"))
    assert await house.forget() == 1
    assert await house.inbox.counts() == {"done": 1}
    assert [parcel.reply.text for parcel in await house.outbox.of(2)] == ["hi bob"]


async def test_not_a_byte_of_it_is_left_in_any_file(house: House) -> None:
    await house.answered(make_message(f"my {CANARY} is long " + "and longer " * 2000, id="1"))
    await house.answered(make_message("what did I say?", id="2"), Reply(f"You said {CANARY}.", "en", images=(picture(house),)))
    await house.answered(with_file(house, f"{CANARY} in a file".encode(), id="3"))
    asked = make_message("tell me", id="4")
    await house.answered(asked, Reply("more?", "en", buttons=(Button("More", Command("search", CANARY)),)))
    await house.chats.keep_label(Label(f"my {CANARY} is long " + "and longer " * 2000, "en", "chat", "search"))
    for number in range(30):  # the index is merged only where there is more than one piece of it
        await added(house, f"{CANARY} {number}", str(number))
    assert house.found() != []
    await Passages(house.database).forget(Scope.of(asked.address))
    assert await house.forget() == 4
    assert house.found() == []
    assert house.unlearnt == 1
    assert (await check(house)) == "ok"


async def test_a_quote_of_it_in_anothers_message_goes_too(house: House) -> None:
    said = make_message(f"the {CANARY}", id="1", kind="group")
    await house.answered(said)
    quoting = await house.answered(make_message("I agree", sender="bob", id="2", kind="group", reply_to=said))
    await house.forget()
    assert house.found() == []
    kept = (await house.inbox.one(quoting)).message
    assert (kept.text, kept.reply_to.text if kept.reply_to else None) == ("I agree", "")


async def test_nothing_is_left_between_rows_that_moved_from_page_to_page(house: House) -> None:
    chance, numbers = random.Random(0), list(range(200))
    chance.shuffle(numbers)

    def fill(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE said (id INTEGER PRIMARY KEY, words TEXT)"))
        for number in numbers:  # rows that come between others move these, and leave behind what stood there
            words = f"{CANARY if number % 3 == 0 else 'lamp'}{number} " * chance.randrange(5, 60)
            connection.execute(text("INSERT INTO said VALUES (:number, :words)"), {"number": number, "words": words})

    await house.database.write(fill)
    await house.database.write(lambda connection: connection.execute(text("DELETE FROM said WHERE id % 3 = 0")).rowcount)
    await house.eraser.wipe()
    assert house.found() == []


async def test_a_database_that_is_too_large_is_not_written_anew(house: House) -> None:
    assert await house.database.rewrite(most_bytes=0) is False


async def test_a_summary_that_another_had_made_of_it_is_emptied(house: House) -> None:
    await house.answered(make_message(f"the {CANARY} is under the lamp", sender="ann", id="1"))
    await house.answered(make_message("the key is under the mat", sender="bob", id="2"))
    asked = make_message("/sum 50", sender="bob", id="3")
    summaries = (
        Reply(f"- ann: the {CANARY} is under the lamp", "en", made_of=("1", "2")),
        Reply("- bob: the mat", "en", made_of=("2",)),
    )
    number = await house.answered(asked, *summaries)
    await house.forget()
    assert [parcel.reply.text[:19] for parcel in await house.outbox.of(number)] == ["(This answer is gon", "- bob: the mat"]
    assert house.found() == []


async def test_what_is_forgotten_while_a_summary_is_made_of_it_is_in_none(house: House) -> None:
    await house.answered(make_message(f"the {CANARY} is under the lamp", sender="ann", id="1"))
    asked = make_message("/sum 50", sender="bob", id="2")
    number = await house.inbox.accept(asked)
    assert number is not None
    await house.inbox.start(number)
    await house.forget()
    assert await house.inbox.finish(number, asked, [Reply(f"- ann: the {CANARY}", "en", made_of=("1",))]) is None
    assert house.found() == []


async def test_a_file_that_another_asked_about_goes_with_the_answer_to_that(house: House) -> None:
    sent = with_file(house, CANARY.encode())
    blob = sent.attachments[0].blob
    await house.answered(sent)
    asked = make_message("/sum", sender="bob", id="2", reply_to=sent)
    number = await house.answered(asked, Reply(f"In short: {CANARY}", "en"))
    await house.eraser.forget_files(sent.address, [blob], sender="ann")
    await house.eraser.wipe()
    assert "is gone" in (await house.outbox.of(number))[0].reply.text
    assert house.found() == []


async def test_a_file_that_somebody_else_sent_as_well_stays(house: House) -> None:
    await house.answered(with_file(house, b"shared", id="1"))
    theirs = with_file(house, b"shared", sender="bob", id="2")
    await house.answered(theirs)
    await house.forget()
    assert house.blobs.path(theirs.attachments[0].blob).read_bytes() == b"shared"


async def test_a_file_that_was_brought_again_and_is_not_yet_named_stays(house: House) -> None:
    message = with_file(house, b"brought again")
    await house.answered(message)
    path = house.blobs.path(message.attachments[0].blob)
    later = (datetime.now(UTC) + timedelta(minutes=1)).timestamp()
    os.utime(path, (later, later))
    await house.forget()
    assert path.exists()


async def test_bringing_a_file_again_makes_it_new(house: House) -> None:
    path = house.blobs.path(house.blobs.keep(b"twice"))
    os.utime(path, (0, 0))
    house.blobs.keep(b"twice")
    assert path.stat().st_mtime > 0


async def test_what_is_being_worked_on_stays_until_it_is_answered(house: House) -> None:
    await house.inbox.accept(make_message("still to be answered"))
    assert await house.forget() == 0
    assert await house.inbox.counts() == {"received": 1}


async def test_a_document_keeps_its_file(house: House) -> None:
    message = with_file(house, b"a document of all")
    await house.answered(message)
    await added(house, "text", "1", sha256=message.attachments[0].blob)
    await house.forget()
    assert house.blobs.path(message.attachments[0].blob).exists()


async def test_words_of_others_are_found_after_a_wipe(house: House) -> None:
    await added(house, "kept", "1")
    await house.eraser.wipe()
    async with house.database.read() as connection:
        rows = await connection.execute(text("SELECT count(*) FROM passage_words WHERE passage_words MATCH 'kept'"))
        assert rows.scalar_one() == 1


async def test_a_sweep_takes_old_files_that_nothing_names_and_no_others(house: House) -> None:
    kept = with_file(house, b"named")
    await house.answered(kept)
    names = [house.blobs.keep(b"never sent"), house.blobs.keep(b"just brought")]
    left = house.blobs.spool()
    day = timedelta(days=1)
    for path in (house.blobs.path(kept.attachments[0].blob), house.blobs.path(names[0]), left):
        os.utime(path, (0, 0))
    assert await house.eraser.sweep(kept_until=datetime.now(UTC) - day) == 2
    assert not left.exists()
    assert [house.blobs.path(name).exists() for name in (kept.attachments[0].blob, *names)] == [True, False, True]


async def test_what_a_killed_bot_had_half_received_goes_at_the_next_start(house: House) -> None:
    program = (
        "import os, sys; from bot.store.blobs import BlobStore; blobs = BlobStore(__import__('pathlib').Path(sys.argv[1])); "
    )
    program += "blobs.spool().write_bytes(bytes(9)); print(flush=True); os.kill(os.getpid(), 9)"
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program, house.blobs.path("0" * 64).parents[1]], check=False)
    being_received = house.blobs.spool()
    await house.eraser.sweep(kept_until=datetime.now(UTC) - timedelta(days=7))
    assert [path for path in house.blobs.path("0" * 64).parents[1].rglob("*") if path.is_file()] == [being_received]


def picture(house: House) -> Picture:
    return Picture(house.blobs.keep(f"{CANARY} drawn".encode()), "a picture")


async def added(house: House, words: str, key: str, *, sha256: str = "0" * 64) -> None:
    passage = NewPassage(words, "", None, 0, len(words), "en", 0.0, ("", "", words), b"", b"", b"")
    scope = Scope.of(make_message().address)
    document = NewDocument(scope, key, "title", "", sha256, "text", 1, (replace(passage),), sender="ann")
    await Passages(house.database).add([document], generation=0)


async def check(house: House) -> str:
    async with house.database.read() as connection:
        return str((await connection.execute(text("PRAGMA integrity_check"))).scalar_one())
