"""Who may read which groups in a direct chat: asked of the platform, believed for a while, and no where it is not known."""

import asyncio
from collections.abc import Sequence

import pytest
from fakes.channel import FakeChannel

from bot.passage import PUBLIC, Scope, Scopes
from bot.retrieval import access as rules
from bot.retrieval.access import BELIEVED_S, MOST_GROUPS, UNKNOWN_S, Access
from bot.store.audiences import Audiences
from bot.store.database import Database
from bot.store.passages import NewDocument, NewPassage, Passages
from bot.testing import make_message

MINE = Scope("dm", "test/bot/ann")
TEAM, BOARD = Scope("group", "test/bot/team"), Scope("group", "test/bot/board")
OFFICE = Scope("workspace", "test/bot")
ASKED = make_message("where is the plan?", chat="ann", sender="ann")
IN_TEAM = make_message("where is the plan?", chat="team", sender="ann", kind="group")


class Shared:
    """Audiences that a test names."""

    def __init__(self, *scopes: Scope) -> None:
        self.scopes = scopes

    async def shared(self, channel: str, account: str, *, most: int) -> Sequence[Scope]:
        return self.scopes[:most]


class World:
    def __init__(self, *scopes: Scope) -> None:
        self.channel, self.now = FakeChannel(), 100.0
        self.access = Access(Shared(*scopes), {"test": self.channel}, clock=lambda: self.now)

    async def read(self) -> set[Scope]:
        return set(await self.access.scopes_of(ASKED))


@pytest.fixture
def world() -> World:
    made = World(TEAM, BOARD)
    made.channel.members = {TEAM: {"ann"}, BOARD: {"ben"}}
    return made


async def test_a_person_alone_reads_the_groups_in_which_they_are(world: World) -> None:
    assert await world.read() == {MINE, TEAM, PUBLIC}


async def test_in_a_group_neither_the_askers_other_groups_nor_their_own_chat_is_read(world: World) -> None:
    world.channel.members[BOARD] = {"ann"}
    assert set(await world.access.scopes_of(IN_TEAM)) == {TEAM, PUBLIC}
    assert world.channel.asked == []


async def test_what_a_platform_does_not_say_is_no(world: World) -> None:
    world.channel.members = {}
    assert await world.read() == {MINE, PUBLIC}


async def test_a_channel_that_breaks_opens_nothing_and_its_error_tells_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_person: str, _scope: Scope) -> bool:
        raise RuntimeError

    monkeypatch.setattr(world.channel, "member", broken)
    assert await world.read() == {MINE, PUBLIC}


async def test_the_channel_of_another_account_or_of_none_opens_nothing(world: World) -> None:
    world.channel.account = "another"
    assert await world.read() == {MINE, PUBLIC}
    assert set(await Access(Shared(TEAM), {}).scopes_of(ASKED)) == {MINE, PUBLIC}


async def test_who_has_no_name_is_a_member_of_nothing(world: World) -> None:
    world.channel.members = {TEAM: {""}}
    nobody = make_message("hi", chat="ann", sender="")
    assert set(await world.access.scopes_of(nobody)) == {MINE, PUBLIC}


async def test_an_answer_is_believed_for_a_while_and_asked_again_after(world: World) -> None:
    await world.read()
    world.channel.members[TEAM].clear()
    world.now += BELIEVED_S - 1
    assert TEAM in await world.read()
    assert len(world.channel.asked) == 2
    world.now += 2
    assert TEAM not in await world.read()


async def test_who_did_not_answer_is_asked_again_soon(world: World) -> None:
    said = world.channel.members.pop(TEAM)
    assert TEAM not in await world.read()
    world.channel.members[TEAM] = said
    world.now += UNKNOWN_S + 1
    assert TEAM in await world.read()


async def test_a_leave_that_is_told_counts_at_once_and_for_that_person_alone(world: World) -> None:
    await world.read()
    world.channel.members[TEAM].clear()
    world.access.changed(BOARD, "ann")
    world.access.changed(TEAM, "ben")
    assert TEAM in await world.read()
    world.access.changed(TEAM, "ann")
    assert TEAM not in await world.read()


async def test_when_the_bot_comes_or_goes_everybody_is_asked_anew(world: World) -> None:
    await world.read()
    world.channel.members[TEAM].clear()
    world.access.changed(TEAM)
    assert TEAM not in await world.read()


async def test_an_answer_that_a_leave_overtook_is_not_believed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(person: str, scope: Scope) -> bool:
        asked.set()
        await go_on.wait()
        return scope == TEAM

    monkeypatch.setattr(world.channel, "member", slowly)
    reading = asyncio.create_task(world.read())
    await asked.wait()
    world.access.changed(TEAM, "ann")
    go_on.set()
    assert TEAM not in await reading


async def test_many_questions_at_once_ask_the_platform_once(world: World) -> None:
    await asyncio.gather(*(world.read() for _question in range(20)))
    assert len(world.channel.asked) == 2


async def test_a_platform_that_does_not_answer_in_time_opens_nothing_yet(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "WITHIN_S", 0.0)
    go_on = asyncio.Event()

    async def late(_person: str, scope: Scope) -> bool:
        await go_on.wait()
        return scope == TEAM

    monkeypatch.setattr(world.channel, "member", late)
    assert await world.read() == {MINE, PUBLIC}
    go_on.set()
    for _turn in range(5):
        await asyncio.sleep(0)
    assert await world.read() == {MINE, TEAM, PUBLIC}


async def test_no_more_groups_are_asked_about_than_a_platform_bears() -> None:
    groups = [Scope("group", f"test/bot/{number}") for number in range(2 * MOST_GROUPS)]
    world = World(*groups)
    await world.read()
    assert len(world.channel.asked) == MOST_GROUPS


async def test_a_workspace_is_read_by_its_members_alone(world: World) -> None:
    world = World(OFFICE)
    world.channel.members = {OFFICE: {"ben"}}
    assert await world.read() == {MINE, PUBLIC}
    world.access.changed(OFFICE)
    world.channel.members = {OFFICE: {"ann"}}
    assert await world.read() == {MINE, OFFICE, PUBLIC}


@pytest.mark.parametrize(("named", "read"), [(OFFICE, True), (Scope("workspace", "test/others"), False), (None, False)])
async def test_a_group_reads_the_workspace_in_which_all_its_readers_are(
    world: World, monkeypatch: pytest.MonkeyPatch, named: Scope | None, read: bool
) -> None:
    async def workspace(_chat: str) -> Scope | None:
        return named

    monkeypatch.setattr(world.channel, "workspace", workspace)
    assert set(await world.access.scopes_of(IN_TEAM)) == {TEAM, PUBLIC} | ({OFFICE} if read else set())


async def test_only_audiences_of_the_account_that_have_passages_are_told_the_newest_first(database: Database) -> None:
    for number, scope in enumerate(
        [TEAM, BOARD, OFFICE, PUBLIC, MINE, Scope("group", "test/bot%/x"), Scope("group", "test/b/t")]
    ):
        passage = NewPassage("text", "", None, 0, 4, "en", 0.0, ("", "", "text"), b"", b"", b"")
        document = NewDocument(scope, "key", "", "", str(number), "text", 1, () if scope == BOARD else (passage,))
        await Passages(database).add([document], generation=0)
    assert await Audiences(database).shared("test", "bot", most=9) == [OFFICE, TEAM]
    assert await Audiences(database).shared("test", "bot", most=1) == [OFFICE]
    assert Scopes(await Audiences(database).shared("test", "b", most=9)) == Scopes([Scope("group", "test/b/t")])
