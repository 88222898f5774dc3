"""What is old goes, to the bytes, with what came of it; what is young, waits, or was added for all stays."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from benchmarks.access_house import House
from bot.ageing import EVERY_S, LOOKED_AT_S, Aged, Ageing, Kept
from bot.message import Address, Attachment, Message, Reply
from bot.passage import PUBLIC, Scope, Scopes
from bot.store.audit import Audit
from bot.store.chats import Chats, Label
from bot.store.erasing import Eraser
from bot.testing import NOON

ALONE = Address("alpha", "a", "ann")
TEAM = Address("alpha", "a", "team", kind="group")
OLD, YOUNG = "zyxcanary", "youngword"
WHEN = (
    "UPDATE inbox SET received_at", "UPDATE outbox SET created_at", "UPDATE documents SET updated_at", "UPDATE audit SET at",
    "UPDATE labels SET said_at",
)  # fmt: skip


def _in_2001(statement: str) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        connection.execute(text(f"{statement} = '2001-01-01 00:00:00.000000'"))

    return work


class Bot:
    def __init__(self, house: House) -> None:
        self.house, self.numbers = house, iter(range(1, 1000))
        self.audit, self.unlearnt = Audit(house.database), 0
        self.ageing = Ageing(house.library, Eraser(house.database, house.blobs, unlearn=self.unlearn), self.audit)

    async def unlearn(self) -> None:
        self.unlearnt += 1

    async def say(self, said: str, *, at: Address = ALONE, **more: object) -> Message:
        message = replace(Message(at, "ann", f"m{next(self.numbers)}", said, "en", NOON, sender_name="ann"), **more)  # type: ignore[arg-type]
        await self.house.hear(message)
        return message

    async def become_old(self) -> None:
        """Have all that is here be of long ago."""
        for statement in WHEN:
            await self.house.database.write(_in_2001(statement))
        for path in (self.house.folder / "blobs").rglob("*"):
            os.utime(path, (1e9, 1e9))

    async def age(self, days: int = 30) -> Aged:
        before = datetime.now(UTC) - timedelta(days=days)
        return await self.ageing.round(before, orders=before)

    async def found(self, word: str, *scopes: Scope) -> list[str]:
        hits = await self.house.library.search(f"what is the {word} under", Scopes(scopes))
        return [hit.passage.text for hit in hits if word in hit.passage.text]

    def bytes_left(self, word: str = OLD) -> list[str]:
        files = (path for path in self.house.folder.rglob("*") if path.is_file())
        return sorted(path.name for path in files if word.encode() in path.read_bytes())


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    house = await House.open(tmp_path)
    house.platforms["alpha"].members = {Scope.of(TEAM): {"ann"}}
    await house.chats.set_indexing(TEAM, on=True)
    yield Bot(house)
    await house.close()


async def test_what_is_old_goes_to_the_bytes_and_what_is_young_stays(bot: Bot) -> None:
    data = f"a file about the {OLD}".encode()
    file = Attachment("document", "old.txt", "text/plain", len(data), blob=bot.house.blobs.keep(data))
    await bot.say(f"what is the {OLD}?", attachments=(file,))
    await bot.say(f"the {OLD} is under the lamp", at=TEAM, addressed=False)
    await bot.become_old()
    await bot.say(f"the {YOUNG} is under the lamp", at=TEAM, addressed=False)

    gone = await bot.age()

    assert gone.messages == 2
    assert gone.passages >= 1
    assert await bot.found(OLD, Scope.of(TEAM)) == []
    assert await bot.found(YOUNG, Scope.of(TEAM)) == [f"the {YOUNG} is under the lamp"]
    assert bot.bytes_left() == []
    assert not [path for path in (bot.house.folder / "blobs").rglob("*") if path.is_file()]


async def test_what_an_admin_added_stays_however_old(bot: Bot, tmp_path: Path) -> None:
    (tmp_path / "plan.txt").write_text(f"the {YOUNG} is under the lamp", encoding="utf-8")
    await bot.house.library.add_files([(tmp_path / "plan.txt", "plan.txt")], PUBLIC)
    await bot.become_old()

    assert (await bot.age()).passages == 0
    assert await bot.found(YOUNG, PUBLIC)


async def test_what_waits_is_never_too_old(bot: Bot) -> None:
    waiting = Message(ALONE, "ann", "w", f"the {YOUNG}", "en", NOON)
    await bot.house.inbox.accept(waiting)
    await bot.become_old()

    assert (await bot.age()).messages == 0
    assert (await bot.house.inbox.counts())["received"] == 1


async def test_a_young_message_quotes_an_old_one_no_more(bot: Bot) -> None:
    old = await bot.say(f"what is the {OLD}?")
    await bot.become_old()
    await bot.say("and now?", reply_to=replace(old, sent_at=datetime(2001, 1, 1, tzinfo=UTC)))

    await bot.age()

    assert bot.bytes_left() == []


async def test_labels_and_lines_of_the_audit_age(bot: Bot) -> None:
    await Chats(bot.house.database).keep_label(Label(f"the {OLD}", "en", "search", "chat"))
    await bot.audit.begin("terminal", f"/swap {OLD}", "done")
    await bot.become_old()
    await bot.audit.begin("terminal", "/young", "done")

    gone = await bot.age()

    assert gone.orders == 1
    assert [entry.command for entry in await bot.audit.last(10)] == ["/young"]
    assert bot.unlearnt == 1
    assert bot.bytes_left() == []


async def test_many_go_in_small_steps_and_all_at_last(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.ageing.AT_ONCE", 3)
    monkeypatch.setattr("bot.ageing.BETWEEN_S", 0)
    for number in range(8):
        message = Message(ALONE, "ann", f"n{number}", f"{OLD} {number}", "en", NOON)
        row = await bot.house.inbox.accept(message)
        assert row is not None
        for parcel in await bot.house.inbox.finish(row, message, [Reply(OLD, "en")]) or ():
            await bot.house.outbox.sent(parcel.id, "1")
    await bot.become_old()

    assert (await bot.age()).messages == 8
    assert bot.bytes_left() == []


async def test_what_a_killed_round_deleted_and_did_not_wipe_is_wiped_by_the_next_life(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bot.say(f"the {OLD} is under the lamp", at=TEAM, addressed=False)
    await bot.become_old()
    with monkeypatch.context() as killed:
        killed.setattr(Eraser, "wipe", _killed)
        with pytest.raises(KeyboardInterrupt):
            await bot.age()
    assert bot.bytes_left()

    bot.ageing = Ageing(bot.house.library, Eraser(bot.house.database, bot.house.blobs, unlearn=bot.unlearn), bot.audit)

    assert await bot.age() == Aged()
    assert bot.bytes_left() == []


async def test_a_file_of_which_a_killed_round_deleted_the_rows_alone_goes_with_the_next_round(bot: Bot) -> None:
    bot.house.blobs.keep(f"a file about the {OLD}".encode())
    await bot.become_old()
    young = bot.house.blobs.keep(f"a file about the {YOUNG}".encode())
    await bot.age()
    assert bot.bytes_left() == []
    assert bot.bytes_left(YOUNG) == [young]


async def _killed(_eraser: Eraser) -> None:
    raise KeyboardInterrupt


class Clocks:
    def __init__(self, *jumps: float) -> None:
        self.ticked, self.jumped, self.jumps, self.slept = 0.0, 0.0, list(jumps), []  # type: ignore[var-annotated]

    def now(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=self.ticked + self.jumped)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ticked += seconds
        self.jumped += self.jumps.pop(0) if self.jumps else 0.0
        if len(self.slept) > 3:
            raise KeyboardInterrupt


async def test_nothing_is_called_old_by_a_clock_that_jumps(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[datetime] = []

    async def round_(_self: Ageing, before: datetime, *, orders: datetime | None) -> Aged:
        rounds.append(before)
        assert orders is None
        return Aged()

    monkeypatch.setattr(Ageing, "round", round_)
    clocks = Clocks(400 * 86400.0, 0.0)
    ageing = Ageing(
        bot.house.library, Eraser(bot.house.database, bot.house.blobs), bot.audit,
        now=clocks.now, ticks=lambda: clocks.ticked, sleep=clocks.sleep,
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        await ageing.run(Kept(days=30))

    assert clocks.slept == [LOOKED_AT_S, LOOKED_AT_S, EVERY_S, LOOKED_AT_S]
    assert rounds == [clocks.now() - timedelta(seconds=EVERY_S + LOOKED_AT_S, days=30)]


async def test_without_an_age_nothing_is_looked_at(bot: Bot) -> None:
    await bot.ageing.run(Kept())
