"""Open groups: whose are they to find, and where may they be shown."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from bot.message import Address
from bot.passage import PUBLIC, Scope
from bot.retrieval.access import MOST_GROUPS, Access
from bot.testing import make_message

SPACE = Scope("workspace", "slack/T1")
ALONE, ASKED = Address("slack", "T1", "U1"), Address("slack", "T1", "C1", kind="group")


def group(name: str) -> Scope:
    return Scope("group", f"slack/T1/{name}")


class Slack:
    account, groups = "T1", True

    def __init__(self) -> None:
        self.members: dict[Scope, set[str]] = {SPACE: {"U1"}, group("C3"): {"U1", "UGUEST"}}
        self.open: Collection[str] | None = ["C1", "C2"]
        self.alone = True
        self.asked: list[Scope] = []
        self.late = False

    async def member(self, person: str, scope: Scope) -> bool | None:
        self.asked.append(scope)
        return person in self.members.get(scope, ())

    async def workspace(self, _chat: str) -> Scope | None:
        return SPACE if self.alone else None

    async def open_groups(self, _account: str) -> Collection[str] | None:
        if self.late:
            await asyncio.Event().wait()
        return self.open


class Shared:
    def __init__(self, *more: Scope) -> None:
        self.scopes = [group("C1"), group("C2"), group("C3"), group("C4"), *more]

    async def shared(self, _channel: str, _account: str, *, most: int) -> Sequence[Scope]:
        return self.scopes[:most]


async def read(slack: Slack, sender: str, at: Address, shared: Shared | None = None) -> set[Scope]:
    access = Access(shared or Shared(), {"slack": slack})
    return set(await access.scopes_of(replace(make_message("x"), address=at, sender=sender)))


async def test_a_full_member_finds_what_is_open_and_where_they_are() -> None:
    assert await read(Slack(), "U1", ALONE) == {Scope.of(ALONE), PUBLIC, group("C1"), group("C2"), group("C3")}


@pytest.mark.parametrize("who", ["UGUEST", "UGONE", ""])
async def test_a_guest_and_who_left_find_of_the_open_ones_nothing(who: str) -> None:
    at = replace(ALONE, chat=who or "U9")
    own = {group("C3")} if who == "UGUEST" else set()
    assert await read(Slack(), who, at) == {Scope.of(at), PUBLIC, *own}


async def test_a_group_shows_what_is_open_only_where_all_who_read_it_are_full_members() -> None:
    slack = Slack()
    assert await read(slack, "U1", ASKED) == {group("C1"), PUBLIC, SPACE, group("C2")}
    slack.alone = False
    assert await read(slack, "U1", ASKED) == {group("C1"), PUBLIC}


@pytest.mark.parametrize("late", [False, True])
async def test_what_is_not_known_to_be_open_is_not(monkeypatch: pytest.MonkeyPatch, late: bool) -> None:
    monkeypatch.setattr("bot.retrieval.access.WITHIN_S", 0.01)
    slack = Slack()
    slack.open, slack.late = None, late
    assert await read(slack, "U1", ALONE) == {Scope.of(ALONE), PUBLIC, group("C3")}
    assert await read(slack, "U1", ASKED) == {group("C1"), PUBLIC, SPACE}


async def test_open_groups_are_not_asked_about_one_by_one_however_many_there_are() -> None:
    slack = Slack()
    many = [f"X{number}" for number in range(3 * MOST_GROUPS)]
    slack.open = many
    found = await read(slack, "U1", ALONE, Shared(*map(group, many)))
    assert found >= set(map(group, many))
    assert len(slack.asked) <= MOST_GROUPS + 1
