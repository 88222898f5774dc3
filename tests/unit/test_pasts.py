"""Pasts that are read in: what is kept, what somebody had forgotten meanwhile, who may order it, and how it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes.past import indexing_of
from sqlalchemy import select

from benchmarks.access_house import House
from bot.channels.channel import OpenGroup, Past
from bot.errors import DeniedError, GoneError, InputError, RetryLaterError
from bot.forgetting import Forgetting
from bot.indexing import Indexing
from bot.locale import Text
from bot.message import Address, Command, Message
from bot.passage import Scope, Scopes
from bot.store.erasing import Eraser
from bot.store.history import History
from bot.store.tables import UnreadRow
from bot.testing import make_request

TEAM, OTHER, ADMIN = Address("alpha", "a", "team", kind="group"), Address("alpha", "a", "other", kind="group"), "alpha:boss"
OLD = datetime(2024, 3, 1, 12, tzinfo=UTC)


class Platform:
    """A workspace with two open groups, whose past is told in pages of two."""

    history_pause_s = 0.0

    def __init__(self) -> None:
        self.said: dict[str, list[Message]] = {"team": [], "other": []}
        self.open: dict[str, OpenGroup] = {"team": OpenGroup("team"), "other": OpenGroup("other")}
        self.wrong: list[Exception] = []
        self.entered: list[str] = []
        self.between: list[object] = []
        """What happens while a page is on its way."""
        self.at_the_door: list[object] = []
        """What happens while a group is entered."""

    async def open_groups(self, _account: str) -> dict[str, OpenGroup] | None:
        return self.open

    async def enter(self, group: Address) -> None:
        self.entered.append(group.chat)
        for happens in self.at_the_door:
            await happens()  # type: ignore[operator]

    async def history(self, group: Address, before: str) -> Past:
        if self.wrong:
            raise self.wrong.pop()
        whole = self.said[group.chat]
        end = int(before or len(whole))
        page = whole[max(0, end - 2) : end]
        for happens in self.between:
            await happens()  # type: ignore[operator]
        return Past(page[::-1], str(end - 2) if end > 2 else "")

    def say(self, text: str, *, who: str = "ann", at: Address = TEAM, when: datetime = OLD) -> Message:
        number = len(self.said[at.chat])
        message = Message(
            at, who, f"{at.chat}{number}", text, "en", when + timedelta(minutes=number), sender_name=who, addressed=False
        )
        self.said[at.chat].append(message)
        return message


class Desk:
    def __init__(self, house: House) -> None:
        self.house, self.platform, self.told = house, Platform(), []  # type: ignore[var-annotated]
        self.begin()

    def begin(self, **more: object) -> None:
        """Begin as a process does."""
        self.indexing: Indexing = indexing_of(
            self.house.database, self.house.chats, self.house.library, channels={"alpha": self.platform}, said=self.told,
            admins=(ADMIN,), **more,
        )  # fmt: skip
        pasts = self.indexing.pasts
        eraser = Eraser(self.house.database, self.house.blobs)
        self.forgetting = Forgetting(History(self.house.database), self.house.library, eraser, leave_out=pasts.leave_out)

    async def order(self, words: str, *, at: Address = TEAM, by: str = ADMIN) -> str:
        said = Message(at, by.partition(":")[2], "o", f"/index {words}", "en", datetime.now(UTC), command=Command("index", words))
        return (await self.indexing.answer(make_request(said))).text

    async def read(self, most: int = 20) -> None:
        """Read all pages that are due."""
        for _page in range(most):
            await self.indexing.reader._spread(self.platform, "alpha", "a")
            due = await self.indexing.reader._due("alpha")
            if due is None:
                return
            await self.indexing.reader.step(self.platform, due)

    async def kept(self, at: Address = TEAM) -> set[str]:
        return {one.key.removeprefix("message:") for one in await self.house.library.held(Scope.of(at))}

    async def found(self, text: str, *at: Address) -> Sequence[str]:
        hits = await self.house.library.search(text, Scopes([Scope.of(one) for one in at]))
        return [hit.passage.text for hit in hits]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    house = await House.open(tmp_path)
    yield Desk(house)
    await house.close()


async def test_a_past_is_read_page_by_page_to_its_end_and_told_where_it_was_ordered(desk: Desk) -> None:
    for number in range(5):
        desk.platform.say(f"the tulip number {number} is under the lamp")
    desk.platform.say("/sum 5")
    assert "what was said here before" in await desk.order("history")
    assert "about to be read" in await desk.order("")
    await desk.read(1)
    assert "back to 2024-03-01" in await desk.order("")
    await desk.read()
    assert await desk.kept() == {f"team{number}" for number in range(5)}
    assert "5 messages kept" in await desk.order("")
    assert (await desk.house.chats.settings(TEAM)).indexing


@pytest.mark.parametrize("words", ["history", "workspace", "workspace off", "remove"])
async def test_only_an_admin_orders_what_is_about_others_words_and_each_order_is_written_down(desk: Desk, words: str) -> None:
    with pytest.raises(DeniedError):
        await desk.order(words, by="alpha:ann")
    await desk.order(words)
    written = [(entry.who, entry.command, entry.outcome) for entry in await desk.indexing.audit.last(9)]
    assert written == [(ADMIN, f"/index {words}", "done"), ("alpha:ann", f"/index {words}", "not an admin")]
    assert await desk.house.library.held(Scope.of(TEAM)) == []


async def test_a_platform_without_a_past_says_so_and_a_direct_chat_is_no_place_for_it(desk: Desk) -> None:
    desk.indexing.channels["telegram"] = object()  # type: ignore[index]
    with pytest.raises(InputError, match="nothing of what was said before"):
        await desk.order("history", at=replace(TEAM, channel="telegram"))
    with pytest.raises(InputError, match="in the group"):
        await desk.order("history", at=Address("alpha", "a", "boss"))
    with pytest.raises(InputError, match="no workspace"):
        await desk.order("workspace", at=replace(TEAM, channel="telegram"))


async def test_what_is_forgotten_or_taken_back_while_a_page_is_on_its_way_is_not_read_in(desk: Desk) -> None:
    desk.platform.say("the tulip is under the lamp", who="ben")
    gone = desk.platform.say("the daisy is under the lamp")
    desk.platform.say("the rose is under the lamp", who="ben")
    kept = desk.platform.say("the lily is under the lamp", who="cleo")
    await desk.order("history")

    async def meanwhile() -> None:
        await desk.forgetting.removed(TEAM, gone.id)
        order = Message(TEAM, "ben", "f", "/forget", "en", datetime.now(UTC), command=Command("forget"))
        await desk.forgetting.answer(make_request(order))

    desk.platform.between.append(meanwhile)
    await desk.read()
    assert await desk.kept() == {kept.id}
    await desk.order("history")
    await desk.read()
    assert await desk.kept() == {kept.id}


async def test_what_was_edited_while_a_page_was_on_its_way_stays_as_it_is_now(desk: Desk) -> None:
    said = desk.platform.say("the tulip is under the lamp")
    await desk.order("history")

    async def edited() -> None:
        await desk.house.library.add_text(
            "the tulip is on the roof", Scope.of(TEAM), title="ann", link="message:x", key=f"message:{said.id}"
        )

    desk.platform.between.append(edited)
    await desk.read()
    assert await desk.found("where is the tulip?", TEAM) == ["the tulip is on the roof"]


@pytest.mark.parametrize("words", ["off", "remove"])
async def test_an_order_that_is_taken_back_while_a_page_is_on_its_way_keeps_nothing_of_it(desk: Desk, words: str) -> None:
    desk.platform.say("the tulip is under the lamp")
    await desk.order("history")

    async def taken_back() -> None:
        await desk.order(words)

    desk.platform.between.append(taken_back)
    await desk.read()
    assert await desk.kept() == set()
    assert not (await desk.house.chats.settings(TEAM)).indexing


async def test_two_that_read_the_same_page_keep_it_once(desk: Desk) -> None:
    for number in range(4):
        desk.platform.say(f"the tulip number {number} is under the lamp")
    await desk.order("history")
    past = await desk.indexing.pasts.of(TEAM)
    assert past is not None
    await desk.indexing.reader.step(desk.platform, past)
    await desk.indexing.reader.step(desk.platform, past)
    again = await desk.indexing.pasts.of(TEAM)
    assert again is not None
    assert (again.kept, again.before) == (2, "2")


async def test_a_workspace_is_entered_and_told_what_comes_later_too_and_left_where_it_is_closed(desk: Desk) -> None:
    desk.platform.open = {
        "team": OpenGroup("team"),
        "joint": OpenGroup("joint", outside=True),
        "old": OpenGroup("old", archived=True),
    }
    desk.platform.say("the tulip is under the lamp")
    desk.platform.say("the daisy is under the lamp", at=OTHER)
    assert "From now on I index" in await desk.order("workspace", at=Address("alpha", "a", "boss"))
    await desk.read()
    assert (desk.platform.entered, [chat for chat, _text in desk.told]) == (["team"], ["team"])
    assert "Read: 1 of 1, 1 messages" in await desk.order("workspace")
    desk.platform.open["other"] = OpenGroup("other")
    desk.indexing.reader._looked.clear()
    await desk.read()
    assert (desk.platform.entered, await desk.kept(OTHER)) == (["team", "other"], {"other0"})
    del desk.platform.open["team"]  # it became private
    desk.indexing.reader._looked.clear()
    await desk.read()
    assert (await desk.kept(), await desk.kept(OTHER)) == (set(), {"other0"})
    assert not (await desk.house.chats.settings(TEAM)).indexing
    desk.platform.open = None  # type: ignore[assignment]  # the platform does not answer: nothing is taken for closed
    desk.indexing.reader._looked.clear()
    await desk.read()
    assert await desk.kept(OTHER) == {"other0"}
    assert "Removed: 1" in await desk.order("workspace off")
    assert await desk.kept(OTHER) == set()


async def test_a_group_that_says_off_is_no_part_of_the_workspaces_order_until_it_says_on(desk: Desk) -> None:
    desk.platform.say("the tulip is under the lamp")
    await desk.order("workspace")
    await desk.read()
    assert "not indexed" in await desk.order("off", by="alpha:ann")
    desk.begin()
    await desk.read()
    assert not (await desk.house.chats.settings(TEAM)).indexing
    await desk.order("on", by="alpha:ann")
    await desk.read()
    past = await desk.indexing.pasts.of(TEAM)
    assert past is not None
    assert (past.state, past.of_workspace) == ("done", True)


async def test_a_workspaces_order_that_is_taken_back_while_its_groups_are_entered_enters_no_more_and_tells_nobody(
    desk: Desk,
) -> None:
    async def taken_back() -> None:
        await desk.order("workspace off")

    desk.platform.at_the_door.append(taken_back)
    await desk.order("workspace")
    await desk.read()
    assert (desk.platform.entered, desk.told, await desk.indexing.pasts.groups("alpha", "a")) == (["team"], [], [])
    assert not any([(await desk.house.chats.settings(at)).indexing for at in (TEAM, OTHER)])


@pytest.mark.parametrize("words", ["off", "workspace off"])
async def test_a_group_that_is_taken_out_as_soon_as_it_is_told_is_not_indexed(desk: Desk, words: str) -> None:
    async def say(group: Address, *_what: object) -> None:
        if group == TEAM:
            await desk.order(words)

    desk.indexing.reader._say = say
    desk.platform.say("the tulip is under the lamp")
    await desk.order("workspace")
    await desk.read()
    past = await desk.indexing.pasts.of(TEAM)
    assert past is None or past.state == "off"
    assert not (await desk.house.chats.settings(TEAM)).indexing
    assert await desk.kept() == set()


async def test_a_group_that_was_not_told_because_the_bot_was_killed_is_told_before_it_is_read(desk: Desk) -> None:
    async def killed(*_what: object) -> None:
        raise ZeroDivisionError

    desk.indexing.reader._say = killed
    desk.platform.say("the tulip is under the lamp")
    await desk.order("workspace")
    with pytest.raises(ZeroDivisionError):
        await desk.read()
    desk.begin()
    await desk.indexing.pasts.catch_up("alpha", "a")
    await desk.read()
    assert ([chat for chat, _text in desk.told], await desk.kept()) == (["team", "other"], {"team0"})


async def test_a_group_that_becomes_shared_with_another_organisation_leaves_the_workspaces_order(desk: Desk) -> None:
    desk.platform.say("the tulip is under the lamp")
    await desk.order("workspace")
    await desk.read()
    desk.platform.open["team"] = OpenGroup("team", outside=True)
    desk.indexing.reader._looked.clear()
    await desk.read()
    assert (await desk.kept(), (await desk.house.chats.settings(TEAM)).indexing) == (set(), False)


async def test_a_group_that_says_on_after_off_is_read_without_waiting_for_the_next_look(desk: Desk) -> None:
    await desk.order("workspace")
    await desk.read()
    await desk.order("off")
    await desk.order("on")
    desk.indexing.reader.news.clear()  # as the loop does before it looks
    await desk.read()
    past = await desk.indexing.pasts.of(TEAM)
    assert past is not None
    assert past.state == "done"


async def test_a_platform_that_asks_to_wait_is_left_alone_and_one_that_refuses_is_told(desk: Desk) -> None:
    clock = [0.0]
    desk.begin(clock=lambda: clock[0])
    desk.platform.say("the tulip is under the lamp")
    await desk.order("history")
    desk.platform.wrong = [RetryLaterError(Text("wait"), retry_after_s=60.0, asked=True)]
    await desk.read(1)
    assert desk.indexing.reader._not_before["alpha", "a"] == 60.0
    desk.platform.wrong = [GoneError(Text("not in it"))]
    await desk.read()
    assert "cannot be read: not in it" in await desk.order("")


async def test_what_was_said_while_the_bot_was_away_is_read_and_no_more_than_that(desk: Desk) -> None:
    for number in range(9):
        desk.platform.say(f"the tulip number {number} is under the lamp")
    await desk.order("history")
    await desk.read()
    desk.platform.say("the daisy is under the lamp")
    pages: list[str] = []

    async def counted() -> None:
        pages.append("page")

    desk.platform.between.append(counted)
    await desk.indexing.pasts.catch_up("alpha", "a")
    await desk.read()
    assert "team9" in await desk.kept()
    assert len(pages) == 2


@pytest.mark.parametrize("turn", ["the first", "what was missed"])
async def test_what_was_said_while_the_bot_was_away_in_the_midst_of_a_past_is_read_too(desk: Desk, turn: str) -> None:
    for number in range(9):
        desk.platform.say(f"the tulip number {number} is under the lamp")
    await desk.order("history")
    if turn == "what was missed":
        await desk.read()
        for number in range(9, 15):
            desk.platform.say(f"the tulip number {number} is under the lamp")
        await desk.indexing.pasts.catch_up("alpha", "a")
    await desk.read(1)
    missed = desk.platform.say("the daisy is under the lamp", when=datetime.now(UTC))
    desk.begin()
    await desk.indexing.pasts.catch_up("alpha", "a")
    await desk.read()
    assert await desk.kept() == {message.id for message in desk.platform.said["team"]}
    assert missed.id in await desk.kept()
    assert f"{len(desk.platform.said['team'])} messages kept" in await desk.order("")


async def test_a_past_goes_on_where_it_was_after_a_stop(desk: Desk) -> None:
    for number in range(9):
        desk.platform.say(f"the tulip number {number} is under the lamp")
    await desk.order("history")
    await desk.read(2)
    desk.begin()
    await desk.indexing.pasts.catch_up("alpha", "a")
    past = await desk.indexing.pasts.of(TEAM)
    assert past is not None
    assert past.before == "5"


async def test_what_is_taken_back_is_noted_once_and_only_where_a_past_can_be_read(desk: Desk) -> None:
    for at in (TEAM, TEAM, OTHER, Address("alpha", "a", "ann")):
        await desk.forgetting.removed(at, "17")
    async with desk.house.database.read() as connection:
        rows = (await connection.execute(select(UnreadRow.chat, UnreadRow.message))).all()
    assert sorted(map(tuple, rows)) == [("other", "17"), ("team", "17")]


async def test_nothing_is_kept_that_is_too_old_or_that_a_stranger_said(desk: Desk) -> None:
    async def admits(_group: Address, person: str) -> bool:
        return person != "eve"

    now = datetime.now(UTC)
    desk.begin(kept_days=30, admits=admits)
    for number in range(6):
        desk.platform.say(f"the tulip number {number} is under the lamp")
    desk.platform.say("the daisy is under the lamp", when=now - timedelta(days=1), who="eve")
    new = desk.platform.say("the rose is under the lamp", when=now - timedelta(days=1))
    await desk.order("history")
    await desk.read(2)
    assert await desk.kept() == {new.id}
    past = await desk.indexing.pasts.of(TEAM)
    assert past is not None
    assert past.state == "done"
