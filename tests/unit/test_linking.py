"""One person on several channels: how two accounts become one, what follows, and everything that must not."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from bot.channels.incoming import parse_command
from bot.dispatch import Dispatcher
from bot.errors import StoreError
from bot.front_door import ALPHABET, hashed
from bot.linking import MOST_GUESSES, MOST_WRONG, Linking
from bot.locale import Language, Text
from bot.message import Address, Message, Reply
from bot.passage import PUBLIC, Scope, Scopes
from bot.retrieval.access import Access
from bot.skill import CommandSpec, Request
from bot.store.database import Database
from bot.store.linked import Linked

SLACK, TELEGRAM = Address("slack", "T1", "U1"), Address("telegram", "7", "42")
MATRIX, IRC = Address("matrix", "srv", "@ann"), Address("irc", "net", "ann")
EVE, GROUP, PAGE = Address("slack", "T1", "UEVE"), Address("slack", "T1", "C1", kind="group"), Address("web", "local", "me")


class Desk:
    def __init__(self, database: Database) -> None:
        self.database, self.linked = database, Linked(database)
        self.now = datetime(2026, 3, 2, 12, tzinfo=UTC)
        self.told: list[tuple[Address, str]] = []
        self.changes = 0
        self.linking = Linking(self.linked, self._tell, self._changed, now=lambda: self.now)
        self._numbers = itertools.count()

    async def _tell(self, address: Address, said: Text, language: Language) -> None:
        self.told.append((address, said.to(language)))

    def _changed(self) -> None:
        self.changes += 1

    def message(self, words: str, at: Address, *, by: str = "") -> Message:
        return Message(
            at, by or at.chat, f"m{next(self._numbers)}", words, "en", self.now, sender_name=f"name of {by or at.chat}",
            command=parse_command(words),
        )  # fmt: skip

    async def say(self, words: str, at: Address, *, by: str = "") -> str:
        said = await self.linking.said(self.message(words, at, by=by))
        assert said is not None
        return said

    async def code(self, at: Address = SLACK) -> str:
        found = re.search(r"/link ([0-9A-Z]{4}-[0-9A-Z]{4})", await self.say("/link", at))
        assert found
        return found[1]

    async def link(self, one: Address, other: Address) -> str:
        await self.say(f"/link {await self.code(one)}", other)
        return await self.say("/link yes", other)

    async def others(self, at: Address) -> list[str]:
        return [one.person for one in await self.linked.others(at.channel, at.account, at.chat)]


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


async def test_a_code_and_a_yes_make_two_accounts_one_and_both_are_told(desk: Desk) -> None:
    asked = await desk.say(f"/link {(await desk.code()).lower()}", TELEGRAM)
    assert "name of U1" in asked
    assert "slack:U1" in asked
    assert await desk.others(TELEGRAM) == []
    assert "slack:U1" in await desk.say("/연결 네", TELEGRAM)
    assert (await desk.others(TELEGRAM), await desk.others(SLACK)) == (["slack:U1"], ["telegram:42"])
    ((address, said),) = desk.told
    assert (address, "telegram:42" in said, "/unlink" in said) == (SLACK, True, True)
    assert await desk.linked.one("telegram", "7", "42") == await desk.linked.one("slack", "T1", "U1")
    assert "slack:U1" in await desk.say("/unlink", TELEGRAM)
    assert desk.told[-1][0] == SLACK
    assert (await desk.others(TELEGRAM), await desk.others(SLACK)) == ([], [])
    assert "no other account" in await desk.say("/unlink", TELEGRAM)


async def test_the_code_stands_nowhere_in_the_database(desk: Desk) -> None:
    code = await desk.code()
    async with desk.database.read() as connection:
        rows = (await connection.execute(text("SELECT * FROM link_codes"))).all()
    assert code not in str(rows)
    assert hashed(code) in str(rows)


async def attack_guessing(desk: Desk) -> None:
    code = await desk.code()
    for number in range(MOST_GUESSES):
        assert "No such code" in await desk.say(f"/link 0000-{number:04}", TELEGRAM)
    assert "Too many" in await desk.say(f"/link {code}", TELEGRAM)


async def attack_guessing_as_many(desk: Desk) -> None:
    code = await desk.code()
    for number in range(MOST_WRONG):
        await desk.say(f"/link 0000-{number:04}", replace(TELEGRAM, chat=str(number)))
    assert "Too many" in await desk.say(f"/link {code}", TELEGRAM)


async def attack_replay(desk: Desk) -> None:
    code = await desk.code()
    await desk.say(f"/link {code}", TELEGRAM)
    await desk.say("/link yes", TELEGRAM)
    await desk.say("/unlink", TELEGRAM)
    desk.told.clear()
    assert "No such code" in await desk.say(f"/link {code}", TELEGRAM)
    assert "no code" in await desk.say("/link yes", TELEGRAM)


async def attack_taking_a_code_that_somebody_typed(desk: Desk) -> None:
    code = await desk.code()
    await desk.say(f"/link {code}", replace(TELEGRAM, chat="43"))
    assert "No such code" in await desk.say(f"/link {code}", TELEGRAM)
    assert "no code" in await desk.say("/link yes", TELEGRAM)


async def attack_too_late(desk: Desk) -> None:
    code = await desk.code()
    desk.now += timedelta(minutes=10)
    assert "No such code" in await desk.say(f"/link {code}", TELEGRAM)
    again = await desk.code()
    await desk.say(f"/link {again}", TELEGRAM)
    desk.now += timedelta(minutes=10)
    assert "no code" in await desk.say("/link yes", TELEGRAM)


async def attack_an_older_code(desk: Desk) -> None:
    first = await desk.code()
    await desk.code()
    assert "No such code" in await desk.say(f"/link {first}", TELEGRAM)


async def attack_in_a_group(desk: Desk) -> None:
    code = await desk.code()
    assert "others read along" in await desk.say("/link", GROUP, by="U1")
    assert "others read along" in await desk.say(f"/link {code}", GROUP, by="U1")
    assert "No such code" in await desk.say(f"/link {code}", TELEGRAM)


async def attack_with_oneself(desk: Desk) -> None:
    assert "No such code" in await desk.say(f"/link {await desk.code()}", SLACK)


async def attack_two_of_one_workspace(desk: Desk) -> None:
    await desk.say(f"/link {await desk.code()}", EVE)
    assert "already" in await desk.say("/link yes", EVE)


async def attack_no_yes(desk: Desk) -> None:
    await desk.say(f"/link {await desk.code(EVE)}", TELEGRAM)
    await desk.say("/unlink", TELEGRAM)
    assert "no code" in await desk.say("/link yes", TELEGRAM)


ATTACKS = [attack for name, attack in sorted(globals().items()) if name.startswith("attack_")]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
async def test_an_attack_links_nobody(desk: Desk, attack) -> None:
    await attack(desk)
    assert [await desk.others(at) for at in (SLACK, TELEGRAM, EVE)] == [[], [], []]
    assert not [said for _address, said in desk.told if "one person" in said]


async def test_somebody_who_is_linked_is_not_linked_with_a_second_one_there(desk: Desk) -> None:
    await desk.link(SLACK, TELEGRAM)
    assert "already" in await desk.link(EVE, TELEGRAM)
    assert (await desk.others(TELEGRAM), await desk.others(EVE)) == (["slack:U1"], [])
    page = await desk.linking.answer(desk.message(f"/link {await desk.code(TELEGRAM)}", PAGE))
    assert page is not None
    await desk.linking.answer(desk.message("/link yes", PAGE))
    assert await desk.others(PAGE) == ["slack:U1", "telegram:42"]
    await desk.say("/unlink", TELEGRAM)
    assert (await desk.others(PAGE), await desk.others(TELEGRAM)) == (["slack:U1"], [])


async def test_a_page_that_several_know_is_linked_with_nobody(desk: Desk) -> None:
    desk.linking = Linking(desk.linked, desk._tell, desk._changed, page=False, now=lambda: desk.now)
    code = await desk.code()
    for words in (f"/link {code}", "/link yes"):
        said = await desk.linking.answer(desk.message(words, PAGE))
        assert said is not None
        assert "linked with nobody" in said.to("en")
    assert await desk.others(PAGE) == []


async def test_a_page_that_became_everybodys_reads_nothing_of_who_was_linked_with_it_and_ends_it(desk: Desk) -> None:
    await desk.linking.answer(desk.message(f"/link {await desk.code(TELEGRAM)}", PAGE))
    await desk.linking.answer(desk.message("/link yes", PAGE))
    await desk.link(SLACK, TELEGRAM)
    desk.linking = Linking(desk.linked, desk._tell, desk._changed, page=False, now=lambda: desk.now)
    desk.linked = Linked(desk.database, apart="web:me")
    assert (await desk.others(PAGE), await desk.others(TELEGRAM)) == ([], ["slack:U1"])
    assert await desk.linked.one("web", "local", "me") == "web:me"
    assert await desk.linked.one("telegram", "7", "42") == await desk.linked.one("slack", "T1", "U1") != "web:me"
    said = await desk.linking.answer(desk.message("/unlink", PAGE))
    assert "linked no more" in said.to("en")
    desk.linked = Linked(desk.database)
    assert (await desk.others(PAGE), await desk.others(TELEGRAM)) == ([], ["slack:U1"])


async def test_of_two_who_type_one_code_at_once_one_has_it_and_two_yeses_are_one(desk: Desk) -> None:
    code = await desk.code()
    people = [replace(TELEGRAM, chat=str(number)) for number in range(8)]
    said = await asyncio.gather(*(desk.say(f"/link {code}", at) for at in people))
    (winner,) = [at for at, answer in zip(people, said, strict=True) if "shown to" in answer]
    said = await asyncio.gather(desk.say("/link yes", winner), desk.say("/link yes", winner))
    assert sorted("one person" in answer for answer in said) == [False, True]
    assert (await desk.others(SLACK), len(desk.told)) == ([f"telegram:{winner.chat}"], 1)


async def test_what_a_platform_tells_twice_is_done_once_and_talk_is_none_of_it(desk: Desk) -> None:
    order = desk.message("/link", SLACK)
    first, second = await asyncio.gather(desk.linking.said(order), desk.linking.said(order))
    assert first == second == await desk.linking.said(order)
    assert "/link " in (first or "")
    assert await desk.linking.said(desk.message("link me", SLACK)) is None
    assert await desk.linking.said(replace(desk.message("/link", GROUP), addressed=False)) is None
    assert await desk.linking.said(desk.message("/link", PAGE)) is None
    for _time in range(MOST_GUESSES):
        last = await desk.say("/link", SLACK)
    assert "Too many codes were shown" in last
    assert "/link" not in last


async def test_what_could_not_be_kept_is_done_when_the_platform_tells_it_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = desk.message("/link", SLACK)

    async def broken(*_args: object, **_options: object) -> None:
        raise StoreError(Text("The disk is full."))

    with monkeypatch.context() as patch:
        patch.setattr(desk.linked, "show", broken)
        with pytest.raises(StoreError):
            await desk.linking.said(order)
    assert "/link " in (await desk.linking.said(order) or "")


async def test_every_account_of_both_is_told_but_ones_own(desk: Desk) -> None:
    await desk.link(SLACK, TELEGRAM)
    await desk.link(MATRIX, IRC)
    desk.told.clear()
    await desk.link(SLACK, MATRIX)
    told = dict(desk.told)
    assert (len(desk.told), set(told)) == (3, {SLACK, TELEGRAM, IRC})
    assert "by your code" in told[SLACK]
    for at, others in {
        TELEGRAM: {"slack:U1", "matrix:@ann", "irc:ann"}, IRC: {"slack:U1", "matrix:@ann", "telegram:42"},
    }.items():  # fmt: skip
        assert all(other in told[at] for other in others)
        assert "/unlink" in told[at]
        assert "your code" not in told[at]


async def test_who_is_one_person_already_is_told_so(desk: Desk) -> None:
    await desk.link(SLACK, TELEGRAM)
    before = len(desk.told)
    assert "one person already" in await desk.link(TELEGRAM, SLACK)
    assert (await desk.others(SLACK), len(desk.told)) == (["telegram:42"], before)
    assert "no code" in await desk.say("/link yes", SLACK)


async def test_what_is_linked_or_parted_is_told_to_who_knows_what_may_be_read(desk: Desk) -> None:
    await desk.say("/unlink", SLACK)
    assert "no code" in await desk.say("/link yes", SLACK)
    assert desk.changes == 0
    await desk.link(SLACK, TELEGRAM)
    assert desk.changes == 1
    await desk.say("/unlink", SLACK)
    assert desk.changes == 2


async def test_an_answer_that_was_made_before_an_unlink_is_made_anew_without_the_other_account(desk: Desk) -> None:
    access = Access(Shared(), {"slack": Platform("T1", {}), "telegram": Platform("7", {})}, others=desk.linked.others)
    desk.linking = Linking(desk.linked, desk._tell, access.linked, now=lambda: desk.now)
    await desk.link(SLACK, TELEGRAM)
    skill = SlowSkill(partial(desk.say, "/unlink", SLACK))
    dispatcher = Dispatcher([skill], _never, text_bytes=1000, keep_label=_never, access=access)
    (reply,) = (await dispatcher.answer(desk.message("/search plan", TELEGRAM))).replies
    assert [Scope.of(SLACK) in scopes for scopes in skill.given] == [True, False]
    assert reply.text == "answer 2"


class SlowSkill:
    """Answers; while it does so the first time, `meanwhile` happens."""

    name, title, summary, slots, takes = "search", Text("Search"), Text("A skill."), (), frozenset[str]()
    commands = (CommandSpec("search", Text("search")),)

    def __init__(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self.meanwhile, self.given = meanwhile, list[Scopes]()

    def claims(self, message: Message) -> bool:
        del message
        return False

    async def answer(self, request: Request) -> Reply:
        self.given.append(request.scopes)
        if len(self.given) == 1:
            await self.meanwhile()
        return request.reply(f"answer {len(self.given)}")


async def _never(*_args: object) -> Any:
    raise AssertionError


@pytest.mark.parametrize("word", ["x" * 5000, "'; DROP TABLE linked", "\0", "yes please", "０" * 8, *ALPHABET[:2]])
async def test_strange_words_are_no_codes(desk: Desk, word: str) -> None:
    assert "No such code" in await desk.say(f"/link {word}", TELEGRAM)


class Platform:
    def __init__(self, account: str, members: dict[Scope, set[str]]) -> None:
        self.account, self.groups, self.members = account, True, members

    async def member(self, person: str, scope: Scope) -> bool | None:
        return person in self.members.get(scope, ())

    async def workspace(self, _chat: str) -> Scope | None:
        return None


class Workspace(Platform):
    async def open_groups(self, _account: str) -> Collection[str] | None:
        return ["C2"]


class Shared:
    async def shared(self, channel: str, account: str, *, most: int) -> Sequence[Scope]:
        del account, most
        return {
            "slack": [Scope("group", "slack/T1/C2"), Scope("group", "slack/T1/C3")],
            "telegram": [Scope("group", "telegram/7/-1")],
        }[channel]


async def test_one_person_reads_the_union_each_platform_asked_and_only_in_their_own_chats(desk: Desk) -> None:
    await desk.link(SLACK, TELEGRAM)
    space, group = Scope("workspace", "slack/T1"), Scope("group", "telegram/7/-1")
    slack = Workspace("T1", {space: {"U1"}, Scope("group", "slack/T1/C3"): {"U1"}})
    platforms = {"slack": slack, "telegram": Platform("7", {group: {"42"}})}
    let_in = {"U1", "42"}

    async def admits(message: Message) -> bool:
        return message.sender in let_in

    async def read(at: Address, by: str = "") -> set[Scope]:
        access = Access(Shared(), platforms, admits=admits, others=desk.linked.others)
        return set(await access.scopes_of(desk.message("x", at, by=by)))

    mine = {Scope.of(SLACK), Scope("group", "slack/T1/C2"), Scope("group", "slack/T1/C3")}
    assert await read(TELEGRAM) == {Scope.of(TELEGRAM), PUBLIC, group, *mine}
    assert await read(SLACK) == {Scope.of(TELEGRAM), PUBLIC, group, *mine}
    assert await read(replace(TELEGRAM, chat="-1", kind="group"), "42") == {group, PUBLIC}
    let_in.remove("U1")  # an admin put the other account out
    assert await read(TELEGRAM) == {Scope.of(TELEGRAM), PUBLIC, group}
    let_in.add("U1")
    slack.members.clear()  # who left the workspace takes nothing along
    assert await read(TELEGRAM) == {Scope.of(TELEGRAM), PUBLIC, group}
    del platforms["slack"]
    assert await read(TELEGRAM) == {Scope.of(TELEGRAM), PUBLIC, group}
    await desk.say("/unlink", SLACK)
    assert await read(TELEGRAM) == {Scope.of(TELEGRAM), PUBLIC, group}
