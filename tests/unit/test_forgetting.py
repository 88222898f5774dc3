"""/forget, with the bot around it: what goes, whose it must be, and that not a byte of it stays."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from forgetful import ALONE, BENS, BOARD, CANARY, FACT, TEAM, Bot

from benchmarks.access_house import House
from bot.app import opened
from bot.config import Settings
from bot.forgetting import Forgetting
from bot.message import Address, Attachment
from bot.passage import PUBLIC, Scope, Scopes
from bot.store.erasing import Eraser
from bot.store.history import History
from bot.store.linked import Identity
from bot.store.tables import OutboxRow
from bot.testing import make_request


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    house = await House.open(tmp_path)
    house.platforms["alpha"].members = {Scope.of(TEAM): {"ann", "ben"}, Scope.of(BOARD): {"ann"}}
    yield Bot(house)
    await house.close()


async def test_a_message_that_is_replied_to_goes_and_others_stay(bot: Bot) -> None:
    said, other = await bot.overhear(FACT), await bot.overhear("the key is under the lamp, too")
    reply = await bot.say("/forget", at=TEAM, reply_to=said)
    assert "that message" in reply.text
    assert await bot.found(TEAM) == [other.text]
    assert bot.bytes_left() == []


async def test_what_somebody_else_said_stays(bot: Bot) -> None:
    said = await bot.overhear(FACT, who="ben")
    assert "Somebody else" in (await bot.say("/forget", at=TEAM, reply_to=said)).text
    assert await bot.found(TEAM) == [FACT]


async def test_an_answer_that_is_replied_to_goes(bot: Bot) -> None:
    await bot.house.library.add_text(FACT, PUBLIC, title="", link="", key="1")
    answer = await bot.say("/search what is under the lamp")
    assert CANARY in answer.text
    shown = bot.message(answer.text, who="", id="s1", by_bot=True)
    assert "that answer" in (await bot.say("/forget", reply_to=replace(shown, id="s1"))).text
    await bot.house.library.forget(PUBLIC)
    await bot.say("/forget")
    assert bot.bytes_left() == []


async def test_an_answer_to_somebody_else_stays(bot: Bot) -> None:
    await bot.house.library.add_text(FACT, PUBLIC, title="", link="", key="1")
    await bot.say("/search what is under the lamp", at=TEAM, who="ben")
    shown = bot.message("…", at=TEAM, who="", id="s1", by_bot=True)
    assert "somebody else" in (await bot.say("/forget", at=TEAM, reply_to=replace(shown, id="s1"))).text
    assert len(await bot.house.outbox.of(1)) == 1


@pytest.mark.parametrize("name", ["lease.txt", "Lease.TXT", "“lease.txt”"])
async def test_a_document_goes_by_its_name_with_its_file_and_the_message_that_brought_it(bot: Bot, name: str) -> None:
    await bot.send("lease.txt", FACT)
    await bot.send("other.txt", "the key is under the lamp, too")
    assert "lease.txt" in (await bot.say(f"/forget {name}")).text
    assert await bot.found(ALONE) == ["the key is under the lamp, too"]
    assert bot.bytes_left() == []


async def test_a_document_goes_by_a_reply_to_its_file(bot: Bot) -> None:
    sent = await bot.send("lease.txt", FACT, words=f"keep the {CANARY}")
    await bot.say("/forget", reply_to=sent)
    assert await bot.found(ALONE) == []
    assert bot.bytes_left() == []


async def test_a_message_with_words_keeps_them_where_its_file_goes(bot: Bot) -> None:
    await bot.send("lease.txt", FACT, words="what is under the lamp?")
    await bot.say("/forget lease.txt")
    (kept,) = [said for said in await History(bot.house.database).last(bot.message()) if said.text]
    assert (kept.text, kept.attachments) == ("what is under the lamp?", ())
    assert bot.bytes_left() == []


async def test_a_wrong_name_forgets_nothing_and_names_ones_own_documents_alone(bot: Bot) -> None:
    await bot.send("lease-2026.txt", FACT)
    await bot.send("lease-of-ben.txt", FACT, at=BENS, who="ben")
    assert "Did you mean lease-2026.txt" in (await bot.say("/forget lease-2025.txt")).text
    assert "ben" not in (await bot.say("/forget lease-of-ben.tx")).text.partition("Did you mean")[2]
    assert len(await bot.found(ALONE)) == 1
    assert len(await bot.found(BENS)) == 1


async def test_in_a_group_the_documents_of_others_stay(bot: Bot) -> None:
    await bot.send("lease.txt", FACT, at=TEAM, who="ben")
    assert "no document" in (await bot.say("/forget lease.txt", at=TEAM)).text
    assert await bot.found(TEAM) == [FACT]


@pytest.mark.parametrize("word", ["everything", "전부"])
async def test_everything_of_mine_goes_in_every_chat_of_the_account(bot: Bot, word: str) -> None:
    await bot.overhear(FACT)
    await bot.overhear(FACT, at=BOARD)
    await bot.overhear("the key is under the lamp", who="ben")
    await bot.send("lease.txt", FACT)
    await bot.say(f"/forget {word}")
    assert await bot.found(TEAM, BOARD, ALONE) == ["the key is under the lamp"]
    assert bot.bytes_left() == []


async def test_answers_to_others_that_quote_it_are_emptied(bot: Bot) -> None:
    said = await bot.overhear(FACT)
    assert CANARY in (await bot.say("/search what is under the lamp", at=BENS, who="ben")).text
    await bot.say("/forget", at=TEAM, reply_to=said)
    async with bot.house.database.read() as connection:
        (kept,) = [row async for row in await connection.stream(OutboxRow.__table__.select().where(OutboxRow.chat == "ben"))]
    assert "This answer is gone" in kept.reply
    assert bot.bytes_left() == []


async def test_what_was_answered_to_a_quote_of_it_is_emptied(bot: Bot) -> None:
    said = await bot.overhear(FACT)
    quoting = bot.message("/search", at=TEAM, who="ben", reply_to=replace(said, text=f"where is the {CANARY}"))
    await bot.house.hear(quoting)
    await bot.say("/forget", at=TEAM)
    assert bot.bytes_left() == []


async def test_neither_vectors_nor_terms_are_left_of_it(bot: Bot) -> None:
    await bot.overhear(FACT)
    async with bot.house.database.read() as connection:
        queries = ("SELECT data FROM vectors", "SELECT terms FROM passages")
        traces = [bytes(row[0]) for query in queries for row in await connection.exec_driver_sql(query)]
    assert all(bot.bytes_left(trace) for trace in traces)
    assert np.frombuffer(traces[0], "<f2").any()
    await bot.say("/forget", at=TEAM)
    assert not any(bot.bytes_left(trace) for trace in traces)


async def test_what_is_forgotten_while_an_answer_is_made_is_not_in_it(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    said = await bot.overhear(FACT)
    search = bot.house.library.search

    async def forgotten_meanwhile(query: str, scopes: Scopes, k: int = 10) -> object:
        hits = await search(query, scopes, k)
        await bot.house.library.forget(Scope.of(TEAM), keys=[f"message:{said.id}"])
        return hits

    monkeypatch.setattr(bot.house.library, "search", forgotten_meanwhile)
    reply = await bot.say("/search what is under the lamp", at=TEAM)
    assert "found nothing" in reply.text


async def test_what_is_edited_while_an_answer_is_made_is_told_as_it_is_now(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    await bot.house.library.add_text(FACT, PUBLIC, title="", link="", key="1")
    search = bot.house.library.search

    async def edited_meanwhile(query: str, scopes: Scopes, k: int = 10) -> object:
        hits = await search(query, scopes, k)
        await bot.house.library.add_text("the key is under the lamp", PUBLIC, title="", link="", key="1")
        return hits

    monkeypatch.setattr(bot.house.library, "search", edited_meanwhile)
    assert "the key" in (await bot.say("/search what is under the lamp")).text


async def test_where_it_is_edited_again_and_again_nothing_of_it_is_told(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    await bot.house.library.add_text(FACT, PUBLIC, title="", link="", key="1")
    search, numbers = bot.house.library.search, iter(range(100))

    async def always_edited(query: str, scopes: Scopes, k: int = 10) -> object:
        hits = await search(query, scopes, k)
        await bot.house.library.add_text(f"{FACT} {next(numbers)}", PUBLIC, title="", link="", key="1")
        return hits

    monkeypatch.setattr(bot.house.library, "search", always_edited)
    reply = await bot.say("/search what is under the lamp")
    assert ("again and again" in reply.text, CANARY in reply.text) == (True, False)


async def test_everything_of_a_person_is_forgotten_in_all_their_accounts_from_their_own_chat_alone(bot: Bot) -> None:
    there = Identity("beta", "b", "bea", Address("beta", "b", "bea"))
    await bot.send("notes.txt", f"the {CANARY} is under the lamp", at=there.direct, who="bea")
    house = bot.house

    async def others(_channel: str, _account: str, user: str) -> list[Identity]:
        return [there] if user == "ann" else []

    forgetting = Forgetting(History(house.database), house.library, Eraser(house.database, house.blobs), others=others)
    for order in (
        bot.message("/forget everything", at=TEAM),
        bot.message("/forget everything", who="ben"),
        bot.message("/forget"),
    ):
        await forgetting.answer(make_request(order))
        assert await bot.found(there.direct)
    await forgetting.answer(make_request(bot.message("/forget everything")))
    assert await bot.found(there.direct) == []
    assert bot.bytes_left() == []


@pytest.mark.parametrize("by_order", [True, False])
async def test_what_is_just_being_kept_of_a_message_that_is_taken_back_goes_with_it(bot: Bot, *, by_order: bool) -> None:
    house = bot.house
    file = Attachment("document", "plan.txt", "text/plain", len(FACT), blob=house.blobs.keep(FACT.encode()))
    said = bot.message(attachments=(file,))
    number = await house.inbox.accept(said)
    assert number is not None
    forgetting = Forgetting(History(house.database), house.library, Eraser(house.database, house.blobs))

    async def at_its_end(waiting: int) -> None:
        await house.worker.handle(await house.inbox.one(waiting))
        assert await bot.found(ALONE) == [FACT]

    forgetting.withdraw = at_its_end
    if by_order:
        await forgetting.answer(make_request(bot.message("/forget", reply_to=said)))
    else:
        await forgetting.removed(ALONE, said.id)
    await forgetting.close()
    assert (await bot.found(ALONE), bot.bytes_left(), await History(house.database).unanswered(ALONE, said.id)) == ([], [], [])


class Wiping(Eraser):
    """Counts how often all is wiped."""

    wiped = 0

    async def wipe(self) -> None:
        self.wiped += 1


async def test_what_was_taken_back_is_wiped_at_the_end_where_that_was_still_to_come(bot: Bot) -> None:
    house = bot.house
    eraser = Wiping(house.database, house.blobs)
    forgetting = Forgetting(History(house.database), house.library, eraser)
    await forgetting.close()
    assert eraser.wiped == 0
    for number in ("m1", "m2"):
        await forgetting.removed(TEAM, number)
    before = asyncio.all_tasks()
    await forgetting.close()
    await forgetting.close()
    assert eraser.wiped == 1
    assert len(before - asyncio.all_tasks()) == 1


async def test_the_bot_wipes_at_its_end_what_was_taken_back_a_moment_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiped: list[Eraser] = []

    async def wipe(eraser: Eraser) -> None:
        wiped.append(eraser)

    monkeypatch.setattr(Eraser, "wipe", wipe)
    async with opened(Settings(home=tmp_path)) as app:
        await app.intake.removed(TEAM, "m1")
        assert wiped == []
    assert wiped == [app.eraser]
