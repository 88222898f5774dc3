"""What /forget, an edit and a platform's deletion leave of copies: in answers to others, in quotes, in other people's chats, in archives."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from forgetful import ALONE, BENS, CANARY, FACT, TEAM, Bot

from benchmarks.access_house import House
from bot.forgetting import Forgetting
from bot.message import Command, Press
from bot.passage import Scope
from bot.store.erasing import Eraser
from bot.store.history import History
from bot.testing import NOON

BROKEN = b"%PDF-1.4 junk"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    house = await House.open(tmp_path)
    house.platforms["alpha"].members = {Scope.of(TEAM): {"ann", "ben"}}
    yield Bot(house)
    await house.close()


@pytest.fixture
async def forgetting(bot: Bot) -> AsyncIterator[Forgetting]:
    forgetting = Forgetting(History(bot.house.database), bot.house.library, Eraser(bot.house.database, bot.house.blobs))
    yield forgetting
    await forgetting.close()


async def pressed(bot: Bot, label: str, text: str, **more: object) -> None:
    """Ask as Ben in the group, and press the button that says `label`; what it opens in private is shown there."""
    reply = await bot.say(text, at=TEAM, who="ben", **more)
    token = next(button.token for button in reply.buttons if label in button.label)
    await bot.house.hear(Press(TEAM, "ben", "p1", token, "en", NOON, alone=BENS))


async def test_asking_again_in_private_about_another_s_file_keeps_no_copy_of_it(bot: Bot) -> None:
    lease = await bot.send("lease.txt", FACT, at=TEAM)
    await pressed(bot, "all that", "what is under the lamp?", reply_to=lease)
    await bot.say("/forget lease.txt", at=TEAM)
    assert await bot.found(TEAM, BENS) == []
    assert bot.bytes_left() == []


async def test_an_archive_of_which_a_file_is_broken_is_forgotten_by_its_name(bot: Bot) -> None:
    await bot.pack("a.zip", x_txt=FACT.encode(), bad_pdf=BROKEN)
    assert len(await bot.found(ALONE)) == 1
    assert "a.zip" in (await bot.say("/forget a.zip")).text
    assert await bot.found(ALONE) == []
    assert bot.bytes_left() == []


async def test_such_an_archive_goes_by_a_reply_and_by_the_platform_s_deletion(bot: Bot, forgetting: Forgetting) -> None:
    sent = await bot.pack("a.zip", x_txt=FACT.encode(), bad_pdf=BROKEN)
    await bot.say("/forget", reply_to=sent)
    assert await bot.found(ALONE) == []

    sent = await bot.pack("b.zip", at=TEAM, x_txt=FACT.encode(), bad_pdf=BROKEN)
    assert len(await bot.found(TEAM)) == 1
    await forgetting.removed(TEAM, sent.id)
    assert await bot.found(TEAM) == []


async def test_such_an_archive_is_read_anew_when_it_comes_again(bot: Bot) -> None:
    sent = await bot.pack("a.zip", x_txt=FACT.encode(), bad_pdf=BROKEN)
    (again,) = await bot.house.hear(bot.message(attachments=sent.attachments))
    assert "bad.pdf" in again.text

    whole = await bot.pack("b.zip", x_txt=b"the key is under the lamp")
    (known,) = await bot.house.hear(bot.message(attachments=whole.attachments))
    assert "x.txt" not in known.text


@pytest.mark.parametrize("indexing", [True, False])
@pytest.mark.parametrize("command", [None, Command("search", "lamp")])
async def test_what_a_message_said_before_it_was_edited_is_found_no_more(
    bot: Bot, command: Command | None, indexing: bool
) -> None:
    await bot.house.chats.set_indexing(ALONE, on=True)
    said = bot.message(f"The {FACT[4:]}.")
    await bot.house.hear(said)
    assert len(await bot.found(ALONE)) == 1
    await bot.house.chats.set_indexing(ALONE, on=indexing)
    await bot.house.hear(replace(said, text="The hat is under the lamp.", command=command, version=2))
    assert not any(CANARY in text for text in await bot.found(ALONE))


async def test_an_answer_that_opened_a_document_is_emptied_with_it(bot: Bot) -> None:
    await bot.send("lease.txt", FACT, at=TEAM)
    assert CANARY in repr(await bot.say("/search open the lease", at=TEAM, who="ben"))
    await bot.say("/forget lease.txt", at=TEAM)
    assert bot.bytes_left() == []


async def test_an_answer_that_quotes_what_was_edited_since_is_emptied_too(bot: Bot) -> None:
    said = await bot.overhear(FACT)
    assert CANARY in (await bot.say("/search what is under the lamp", at=BENS, who="ben")).text
    await bot.house.hear(replace(said, text="the hat is under the lamp", version=2))
    await bot.say("/forget everything")
    assert bot.bytes_left() == []


@pytest.mark.parametrize("label", ["", "all that"])
async def test_a_button_that_was_pressed_below_an_answer_quotes_nothing_any_more(bot: Bot, label: str) -> None:
    said = await bot.overhear(FACT)
    for number in range(7):
        await bot.overhear(f"the key number {number} is under the lamp beside the bed", who="ben")
    await pressed(bot, label, "/search what is under the lamp", reply_to=said)
    await bot.say("/forget", at=TEAM)
    assert bot.bytes_left() == []


async def test_a_reply_to_an_answer_quotes_that_no_more_once_it_is_emptied(bot: Bot) -> None:
    await bot.overhear(FACT)
    answer = await bot.say("/search what is under the lamp", at=TEAM, who="ben")
    shown = bot.message(answer.text, at=TEAM, who="", id="s1", by_bot=True)
    await bot.say("and where is that?", at=TEAM, who="ben", reply_to=shown)
    await bot.say("/forget", at=TEAM)
    assert bot.bytes_left() == []


async def test_a_file_that_two_people_sent_stays_until_both_messages_are_deleted(bot: Bot, forgetting: Forgetting) -> None:
    anns, bens = [await bot.send("lease.txt", FACT, at=TEAM, who=who) for who in ("ann", "ben")]
    await forgetting.removed(TEAM, bens.id)
    assert await bot.found(TEAM) == [FACT]
    await forgetting.removed(TEAM, anns.id)
    assert await bot.found(TEAM) == []


async def test_a_document_s_former_self_goes_with_it(bot: Bot) -> None:
    await bot.send("lease.txt", FACT)
    await bot.send("lease.txt", "the hat is under the lamp")
    await bot.send("other.txt", "the key is under the lamp")
    await bot.say("/forget lease.txt")
    assert await bot.found(ALONE) == ["the key is under the lamp"]
    assert bot.bytes_left() == []
