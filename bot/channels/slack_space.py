"""A Slack workspace as a whole: its full members, its open channels, and who runs it.

Owns for how long Slack's word is believed, and that what is not known is no. Leaves to `slack.py` which workspace is meant.

    space = Space(wire, "T1")
    await space.open_groups()          # {"C1": OpenGroup("general")}
    await space.all_full(["U1", "U2"]) # neither a guest, nor of another organisation
    await space.role("U1", anew=True)  # "owner of the workspace"

A guest sees of a workspace the channels in which they are, no open ones besides. Slack names guests `is_restricted`, people of another
organisation `is_stranger`, or by a team of their own.

Sources: https://docs.slack.dev/reference/objects/user-object, https://docs.slack.dev/reference/methods/conversations.list
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from typing import Final, Literal

from bot.channels.channel import OpenGroup
from bot.channels.slack_wire import Wire
from bot.errors import ChannelError
from bot.recent import Recent

BELIEVED_S: Final = 60.0
PEOPLE_BELIEVED_S: Final = 300.0
UNKNOWN_S: Final = 5.0
"""How long Slack is not asked again that gave no answer: until then nothing is open, and nobody an admin."""
ROLE_WITHIN_S: Final = 3.0
A_PAGE: Final = 1000
MOST: Final = 20_000
AdminsFrom = Literal["nobody", "owners", "admins"]
_OUTSIDE: Final = ("is_ext_shared", "is_org_shared", "is_pending_ext_shared")
_NO_ADMIN: Final = ("deleted", "is_bot", "is_app_user", "is_restricted", "is_ultra_restricted", "is_stranger")


class Space:
    """One workspace."""

    def __init__(self, wire: Wire, team: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Ask over `wire`; `clock` counts seconds."""
        self._wire = wire
        self._team = team
        self._clock = clock
        self._open: tuple[Mapping[str, OpenGroup] | None, float] = (None, 0.0)
        self._full: tuple[frozenset[str], float] = (frozenset(), 0.0)
        self._roles: Recent[str, tuple[tuple[bool, bool], float]] = Recent(most=MOST)
        self._one = asyncio.Lock()

    async def open_groups(self) -> Mapping[str, OpenGroup] | None:
        """Return the public channels by their ids; None where Slack does not tell. Never raises."""
        async with self._one:
            known, until = self._open
            if until > self._clock():
                return known
            found: dict[str, OpenGroup] = {}
            try:
                async for page in self._wire.pages("conversations.list", types="public_channel", limit=A_PAGE):
                    found |= {number: group for number, group in map(_group, _listed(page, "channels")) if number}
            except ChannelError:
                self._open = None, self._clock() + UNKNOWN_S
            else:
                self._open = found, self._clock() + BELIEVED_S
            return self._open[0]

    async def all_full(self, people: Collection[str]) -> bool:
        """Say whether all of `people` are full members now. Raises ChannelError where Slack does not tell."""
        async with self._one:
            full, until = self._full
            if until <= self._clock() or not full.issuperset(people):
                pages = self._wire.pages("users.list", limit=A_PAGE)
                full = frozenset([one async for page in pages for one in self._full_among(page)])
                self._full = full, self._clock() + PEOPLE_BELIEVED_S
        return full.issuperset(people)

    def _full_among(self, page: Mapping[str, object]) -> list[str]:
        return [str(user.get("id")) for user in _listed(page, "members") if is_full(user, self._team)]

    async def role(self, person: str, of: AdminsFrom, *, anew: bool) -> str:
        """Return which role makes `person` an admin now, "" for none. Never raises."""
        (owner, admin), until = self._roles.get(person, ((False, False), 0.0))
        if anew or until <= self._clock():
            owner, admin = await self._asked(person)
        if owner and of != "nobody":
            return "owner of the workspace"
        return "admin of the workspace" if admin and of == "admins" else ""

    async def _asked(self, person: str) -> tuple[bool, bool]:
        try:
            async with asyncio.timeout(ROLE_WITHIN_S):
                user = (await self._wire.call("users.info", user=person)).get("user")
        except (ChannelError, TimeoutError):
            is_it, believed_s = (False, False), UNKNOWN_S
        else:
            is_it, believed_s = _runs(user, person, self._team), BELIEVED_S
        self._roles[person] = is_it, self._clock() + believed_s
        return is_it


def is_full(user: Mapping[str, object], team: str) -> bool:
    """Say whether Slack's `user` is a member of the workspace who may read all its open channels."""
    if any(user.get(sign) for sign in ("deleted", "is_restricted", "is_ultra_restricted", "is_stranger")):
        return False
    return user.get("team_id") in (None, "", team)


def _runs(user: object, person: str, team: str) -> tuple[bool, bool]:
    """Say whether the user is an owner, and whether an admin: a person of this workspace's own, by Slack's plain yes."""
    if not isinstance(user, dict) or user.get("id") != person or user.get("team_id") != team:
        return False, False
    if any(user.get(sign) for sign in _NO_ADMIN):
        return False, False
    return user.get("is_owner") is True, user.get("is_admin") is True


def _group(told: Mapping[str, object]) -> tuple[str, OpenGroup]:
    """Return a channel's id and what it is, "" for one that is not open."""
    number, name = told.get("id"), told.get("name")
    closed = any(told.get(sign) for sign in ("is_private", "is_im", "is_mpim")) or told.get("is_channel") is not True
    group = OpenGroup(
        name if isinstance(name, str) else "",
        outside=any(told.get(sign) for sign in _OUTSIDE),
        archived=bool(told.get("is_archived")),
    )
    return (number if isinstance(number, str) and not closed else ""), group


def _listed(page: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    listed = page.get(name)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
