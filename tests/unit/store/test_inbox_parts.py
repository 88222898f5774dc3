from dataclasses import replace

import pytest

from bot.message import Attachment, Command, Message
from bot.store.database import Database
from bot.store.inbox import Inbox, Waiting
from bot.testing import make_message


def part(number: int, text: str = "", *, command: Command | None = None, addressed: bool = True) -> Message:
    file = Attachment("image", "photo.jpg", "image/jpeg", 9, ref=f"f{number}")
    said = replace(make_message(text, kind="group"), id=str(number), attachments=(file,), part_of="album a")
    return replace(said, command=command, addressed=addressed)


async def accepted(inbox: Inbox, *messages: Message) -> list[int]:
    numbers = [await inbox.accept(message) for message in messages]
    return [number for number in numbers if number is not None]


def told(waiting: Waiting | None) -> tuple[int, str, Command | None, list[str]]:
    assert waiting is not None
    message = waiting.message
    return waiting.id, message.text, message.command, [file.ref for file in message.attachments]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
@pytest.mark.parametrize("captioned", [0, 1])
async def test_parts_become_one_message_in_the_row_of_the_one_with_words(
    database: Database, order: tuple[int, ...], captioned: int
) -> None:
    inbox = Inbox(database)
    parts = [part(9), part(10), part(11)]
    parts[captioned] = part(9 + captioned, "/ocr", command=Command("ocr"))
    numbers = await accepted(inbox, *(parts[place] for place in order))
    assert await inbox.parts(parts[0]) == 3
    head = numbers[order.index(captioned)]
    assert told(await inbox.gather(numbers[0])) == (head, "/ocr", Command("ocr"), ["f9", "f10", "f11"])
    assert await inbox.counts() == {"done": 2, "received": 1}
    taken_along = [number for number in numbers if number != head]
    assert [await inbox.gather(number) for number in taken_along] == [None, None]
    assert [file.name for file in (await inbox.one(head)).message.attachments] == ["photo.jpg", "photo (2).jpg", "photo (3).jpg"]


async def test_a_late_part_is_asked_what_the_others_were(database: Database) -> None:
    inbox = Inbox(database)
    (first,) = await accepted(inbox, part(9, "/ocr", command=Command("ocr")))
    assert await inbox.gather(first) is not None
    await inbox.finish(first, part(9, "/ocr", command=Command("ocr")), [])
    (late,) = await accepted(inbox, part(10))
    assert told(await inbox.gather(late)) == (late, "/ocr", Command("ocr"), ["f10"])


async def test_other_albums_senders_and_wholes_stay_what_they_are(database: Database) -> None:
    inbox = Inbox(database)
    others = [replace(part(10), part_of="album b"), replace(part(11), sender="bob"), replace(part(12), part_of="")]
    (mine, *_others) = await accepted(inbox, part(9, "mine"), *others)
    assert await inbox.parts(part(9)) == 1
    assert told(await inbox.gather(mine)) == (mine, "mine", None, ["f9"])
    assert await inbox.counts() == {"received": 4}


async def test_the_same_part_again_is_known_after_the_others_took_it_along(database: Database) -> None:
    inbox = Inbox(database)
    (first, _second) = await accepted(inbox, part(9, "what is this?"), part(10))
    await inbox.gather(first)
    assert await accepted(inbox, part(10)) == []


async def test_a_part_is_wanted_where_another_was_meant_for_the_bot(database: Database) -> None:
    inbox = Inbox(database)
    await accepted(inbox, part(9, "just talk", addressed=False))
    assert not await inbox.wants(part(10, addressed=False))
    await accepted(inbox, part(11, "what is this?"))
    assert await inbox.wants(part(10, addressed=False))
    assert not await inbox.wants(replace(part(10, addressed=False), part_of="album b"))
