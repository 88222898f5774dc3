"""A Slack workspace as a whole: who is a full member, what is open, who runs it; and what a lying or silent Slack changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.channels.slack_space import BELIEVED_S, AdminsFrom, Space, is_full
from bot.errors import RetryLaterError
from bot.locale import Text

OWNER: dict[str, Any] = {"id": "U1", "team_id": "T1", "is_owner": True, "is_admin": True}


class Line:
    """Answers as it was told to, and counts."""

    def __init__(self, **told: Any) -> None:
        self.told, self.asked = told, 0

    async def call(self, method: str, **_said: object) -> dict[str, Any]:
        self.asked += 1
        answer = self.told[method.replace(".", "_")]
        if answer is None:
            raise RetryLaterError(Text("later"), retry_after_s=1.0)
        return dict(answer)

    async def pages(self, method: str, **said: object) -> AsyncIterator[dict[str, Any]]:
        yield await self.call(method, **said)


def space(clock: list[float] | None = None, **told: Any) -> tuple[Space, Line]:
    line, now = Line(**told), clock or [0.0]
    return Space(line, "T1", clock=lambda: now[0]), line  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "owners", "admins"),
    [
        ({}, "owner of the workspace", "owner of the workspace"),
        ({"is_owner": False}, "", "admin of the workspace"),
        ({"is_owner": False, "is_admin": False}, "", ""),
        ({"is_owner": "true", "is_admin": 1}, "", ""),
        ({"deleted": True}, "", ""),
        ({"is_bot": True}, "", ""),
        ({"is_restricted": True}, "", ""),
        ({"is_ultra_restricted": True}, "", ""),
        ({"is_stranger": True}, "", ""),
        ({"team_id": "T2"}, "", ""),
        ({"team_id": None}, "", ""),
        ({"id": "U2"}, "", ""),
    ],
)
async def test_who_runs_the_workspace_is_an_admin_and_no_guest_or_stranger_is(
    more: dict[str, Any], owners: str, admins: str
) -> None:
    told = {"user": {**OWNER, **more}}
    for of, role in (("nobody", ""), ("owners", owners), ("admins", admins)):
        assert await space(users_info=told)[0].role("U1", of, anew=True) == role  # type: ignore[arg-type]


@pytest.mark.parametrize("told", [None, {}, {"user": "U1"}, {"user": []}])
async def test_a_slack_that_is_down_or_tells_nonsense_makes_nobody_an_admin(told: Any) -> None:
    asked, _line = space(users_info=told)
    of: AdminsFrom = "admins"
    assert await asked.role("U1", of, anew=False) == await asked.role("U1", of, anew=True) == ""


async def test_a_role_is_believed_for_a_minute_where_one_talks_and_not_where_one_orders() -> None:
    clock = [0.0]
    asked, line = space(clock, users_info={"user": OWNER})
    assert await asked.role("U1", "admins", anew=False)
    line.told["users_info"] = {"user": {**OWNER, "is_owner": False, "is_admin": False}}
    assert (await asked.role("U1", "admins", anew=False), line.asked) == ("owner of the workspace", 1)
    assert await asked.role("U1", "admins", anew=True) == ""
    line.told["users_info"] = {"user": OWNER}
    assert await asked.role("U1", "admins", anew=False) == ""
    clock[0] += BELIEVED_S
    assert await asked.role("U1", "admins", anew=False)


async def test_only_public_channels_are_open_and_those_of_others_are_told_apart() -> None:
    channels = [
        {"id": "C1", "name": "general", "is_channel": True},
        {"id": "C2", "name": "x", "is_channel": True, "is_private": True},
        {"id": "C3", "name": "joint", "is_channel": True, "is_ext_shared": True},
        {"id": "C4", "name": "y", "is_channel": False, "is_mpim": True},
        {"id": "C5", "name": "old", "is_channel": True, "is_archived": True},
        {"id": None, "is_channel": True},
        "C9",
    ]
    found = await space(conversations_list={"channels": channels})[0].open_groups()
    assert found is not None
    assert {number: (one.name, one.outside, one.archived) for number, one in found.items()} == {
        "C1": ("general", False, False), "C3": ("joint", True, False), "C5": ("old", False, True),
    }  # fmt: skip
    assert await space(conversations_list=None)[0].open_groups() is None


@pytest.mark.parametrize("sign", ["deleted", "is_restricted", "is_ultra_restricted", "is_stranger"])
async def test_a_guest_is_no_full_member(sign: str) -> None:
    people = [{"id": "U1", "team_id": "T1"}, {"id": "U2", "team_id": "T1", sign: True}, {"id": "U3", "team_id": "T2"}]
    asked, line = space(users_list={"members": people})
    assert await asked.all_full(["U1"])
    assert not await asked.all_full(["U1", "U2"])
    assert not await asked.all_full(["U3"])
    assert not await asked.all_full(["U4"])
    line.told["users_list"]["members"].append({"id": "U4", "team_id": "T1"})
    assert await asked.all_full(["U1", "U4"])
    assert not is_full({"id": "U2", sign: True}, "T1")
