"""Which scopes a reader may read, here and now.

Owns the rule, and for how long a platform's word on who is in a group is believed. Leaves to `bot.passage` the types, to the
channels the asking, and to `bot.store.shelf` that no passage outside of the scopes is ever read.

    access = Access(audiences, channels)
    await access.scopes_of(message)          # Scopes(dm:telegram/7/42, group:telegram/7/-100, public)
    access.changed(group, "42")              # 42 left: the next question asks the platform anew

What is not known is no: a platform that does not answer, answers late or with an error has not said that somebody is a member.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, TypeVar, runtime_checkable

from bot.errors import DeniedError
from bot.locale import phrases
from bot.logs import Logger
from bot.message import Address, Message
from bot.passage import PUBLIC, Scope, Scopes
from bot.recent import Recent

_ = phrases(__file__)
log = Logger(__name__)

BELIEVED_S = 60.0
"""How long a platform's answer is good; a join or leave that it tells of ends that at once."""
UNKNOWN_S = 5.0
"""How long nobody is asked again who did not answer: until then the person is no member."""
WITHIN_S = 2.0
"""How long a question waits for the platform; what comes later serves the next one."""
ASKED_AT_ONCE = 16
MOST_GROUPS = 200
"""Groups of which a person in a direct chat is looked up, those whose passages came last; the others stay closed."""
MOST_KNOWN = 20_000
"""Answers that are remembered: some four megabytes."""
MOST_SHARED = 5000
"""Groups and workspaces of an account that are looked at at all, those whose passages came last."""
_Key = tuple[str, Scope]
T = TypeVar("T")


class Membership(Protocol):
    """What is asked of a channel. Every `bot.channels.channel.Channel` has it."""

    account: str
    groups: bool

    async def member(self, person: str, scope: Scope) -> bool | None:
        """Say whether `person` is in the group or workspace `scope` now; None where that is not known. Never raises."""
        ...

    async def workspace(self, chat: str) -> Scope | None:
        """Return the workspace in which everybody is who reads the group `chat`; None where there is none, or it is not known."""
        ...


@runtime_checkable
class HasAccounts(Protocol):
    """A channel of several accounts: each workspace of a Slack app is one."""

    accounts: Collection[str]


@runtime_checkable
class HasOpenGroups(Protocol):
    """A channel whose accounts are workspaces: what is said in their open groups may be read by every full member."""

    async def open_groups(self, account: str) -> Collection[str] | None:
        """Return the open groups of a workspace; None where they are not known. Never raises."""
        ...


class Person(Protocol):
    """Another account of who asks: see `bot.store.linked.Identity`."""

    @property
    def channel(self) -> str:
        """The channel's name."""
        ...

    @property
    def account(self) -> str:
        """The account of the channel."""
        ...

    @property
    def user(self) -> str:
        """The channel's name of them."""
        ...

    @property
    def direct(self) -> Address:
        """Their own chat with the bot there."""
        ...


Others = Callable[[str, str, str], Awaitable[Sequence[Person]]]
"""Returns the other accounts of somebody, by channel, account and user."""


async def no_others(channel: str, account: str, user: str) -> Sequence[Person]:
    """Know of nobody that they have a second account."""
    del channel, account, user
    return []


class Audiences(Protocol):
    """Where passages are. Implemented by `bot.store.audiences.Audiences`."""

    async def shared(self, channel: str, account: str, *, most: int) -> Sequence[Scope]:
        """Return the groups and workspaces of an account that have passages, the newest first, at most so many."""
        ...


class Access:
    """Knows who may read what."""

    def __init__(
        self, audiences: Audiences, channels: Mapping[str, Membership], *, clock: Callable[[], float] = time.monotonic,
        admits: Callable[[Message], Awaitable[bool]] | None = None, others: Others = no_others,
    ) -> None:  # fmt: skip
        """Ask `channels`, by name, about those of `audiences`; `clock` counts seconds.

        `admits` says whether who said a message may still talk to the bot: who may not, reads nothing any more.
        `others` tells of accounts on other channels that are the same person's.
        """
        self._audiences = audiences
        self._channels = channels
        self._clock = clock
        self._admits = admits
        self._others = others
        self._known: Recent[_Key, tuple[bool, float]] = Recent(most=MOST_KNOWN)
        self._asking: dict[_Key, asyncio.Task[bool]] = {}
        self._soons: dict[tuple[str, str, str], asyncio.Future[Any]] = {}
        self._places = asyncio.Semaphore(ASKED_AT_ONCE)
        self.changes = 0
        """Grows whenever somebody is told to have come or left, or accounts to have become one person's, or no more."""

    def changed(self, scope: Scope, person: str = "") -> None:
        """Forget whether `person` (everybody for "") is in `scope`: they came or left. What is being asked is not believed."""
        self.changes += 1
        for key in [key for key in (*self._known, *self._asking) if key[1] == scope and person in ("", key[0])]:
            self._known.pop(key, None)
            self._asking.pop(key, None)

    def linked(self) -> None:
        """Have what is being answered asked for anew: accounts became one person's, or are so no more."""
        self.changes += 1

    async def scopes_of(self, message: Message) -> Scopes:
        """Return what may be used to answer `message`.

        In a group its own passages, the public ones, and, where all who read it are full members of one workspace, those of that and
        of its open groups, never the asker's own chats: every reader of the group sees the answer. In a direct chat its own and
        the public ones, those of the groups and workspaces in which the person is a member now, and, of a full member, those of
        the open groups.

        Raises:
            DeniedError: who asks was let in no more after the message came.
        """
        if self._admits is not None and not await self._admits(message):
            raise DeniedError(_("I may not work for you any more. This was not answered; my admin can let you in again."))
        at, alone = message.address, reader_scopes(message)
        if at.kind != "group":
            return Scopes([*alone, *await self._reads(at.channel, at.account, message.sender), *await self._of_others(message)])
        channel = self._channels.get(at.channel)
        if channel is None or at.account not in _accounts(channel) or not channel.groups:
            return alone
        workspace = await self._soon(("workspace", at.channel, at.chat), partial(channel.workspace, at.chat))
        of_account = _of_account(workspace, at.channel, at.account)
        open_too = await self._open(channel, at.channel, at.account) if of_account else []
        return Scopes([*alone, *of_account, *open_too])

    async def _reads(self, name: str, account: str, person: str) -> list[Scope]:
        """Return the groups and workspaces of an account that `person` may read now."""
        channel = self._channels.get(name)
        if channel is None or account not in _accounts(channel) or not channel.groups:
            return []
        shared = await self._audiences.shared(name, account, most=MOST_SHARED)
        return await self._of_member(channel, person, Scope("workspace", f"{name}/{account}"), shared)

    async def _of_others(self, message: Message) -> list[Scope]:
        """Return what the asker's other accounts may read, each as its own platform and the door say now."""
        at, found = message.address, list[Scope]()
        for other in await self._others(at.channel, at.account, message.sender):
            there = replace(message, address=other.direct, sender=other.user)
            if self._admits is not None and not await self._admits(there):
                continue
            channel = self._channels.get(other.channel)
            if channel is None or other.account not in _accounts(channel):
                continue  # nobody can be asked whether they are still there
            if isinstance(channel, HasOpenGroups):
                workspace = Scope("workspace", f"{other.channel}/{other.account}")
                if not await self._where_member(channel, other.user, [workspace]):
                    continue  # who left a workspace takes nothing of it along
            found += [Scope.of(other.direct), *await self._reads(other.channel, other.account, other.user)]
        return found

    async def _of_member(self, channel: Membership, person: str, workspace: Scope, shared: Sequence[Scope]) -> list[Scope]:
        """Return those of `shared` that `person` may read: of a full member all open groups, and where they are."""
        open_too: set[Scope] = set()
        if isinstance(channel, HasOpenGroups) and await self._where_member(channel, person, [workspace]):
            open_too = set(await self._open(channel, *workspace.path.split("/"), shared=shared))
        others = [scope for scope in shared if scope not in open_too][:MOST_GROUPS]
        return [*open_too, *await self._where_member(channel, person, others)]

    async def _open(self, channel: Membership, name: str, account: str, *, shared: Sequence[Scope] | None = None) -> list[Scope]:
        """Return the open groups of the workspace that have passages; none where that is not known in time."""
        if not isinstance(channel, HasOpenGroups):
            return []
        found = await self._soon(("open", name, account), partial(channel.open_groups, account))
        if not found:
            return []
        known = set(shared if shared is not None else await self._audiences.shared(name, account, most=MOST_SHARED))
        return [scope for chat in found if (scope := Scope("group", f"{name}/{account}/{chat}")) in known]

    async def _soon(self, what: tuple[str, str, str], ask: Callable[[], Awaitable[T | None]]) -> T | None:
        """Return what the platform says in time, else None; what comes later serves the next question."""
        asked = self._soons.get(what)
        if asked is None or asked.done():  # what was told before is not believed again: a channel does that itself
            asked = self._soons[what] = asyncio.ensure_future(_told(ask))
        done, _late = await asyncio.wait([asked], timeout=WITHIN_S)
        if done and self._soons.get(what) is asked:
            del self._soons[what]
        said: T | None = asked.result() if done else None
        return said

    async def _where_member(self, channel: Membership, person: str, shared: Sequence[Scope]) -> list[Scope]:
        """Return those of `shared` in which `person` is a member; what is not known in time is left out, and asked on."""
        tasks = {scope: self._answer(channel, person, scope) for scope in shared} if person else {}
        if waiting := [task for task in tasks.values() if not task.done()]:
            await asyncio.wait(waiting, timeout=WITHIN_S)
        return [scope for scope, task in tasks.items() if task.done() and not task.cancelled() and task.result()]

    def _answer(self, channel: Membership, person: str, scope: Scope) -> asyncio.Future[bool]:
        key = person, scope
        believed, until = self._known.get(key, (False, 0.0))
        if until > self._clock():
            done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            done.set_result(believed)
            return done
        if key not in self._asking:
            self._asking[key] = asyncio.create_task(self._ask(channel, key), name=f"member of {scope.kind}")
        return self._asking[key]

    async def _ask(self, channel: Membership, key: _Key) -> bool:
        """Ask the platform and remember what it says, unless somebody came or left meanwhile: then it is not known."""
        said: bool | None = None
        try:
            async with self._places:
                said = await channel.member(*key)
        except Exception:  # a channel that breaks its contract opens nothing
            log.exception("a channel broke when it was asked for a member")
        if self._asking.get(key) is not asyncio.current_task():
            return False
        del self._asking[key]
        self._known[key] = bool(said), self._clock() + (UNKNOWN_S if said is None else BELIEVED_S)
        return bool(said)


async def _told(ask: Callable[[], Awaitable[T | None]]) -> T | None:
    try:
        return await ask()
    except Exception:  # a channel that breaks its contract opens nothing
        log.exception("a channel broke when it was asked for what is open")
        return None


def reader_scopes(message: Message) -> Scopes:
    """Return what may be read in any case: the chat's own passages and the public ones."""
    return Scopes([Scope.of(message.address), PUBLIC])


def _of_account(workspace: Scope | None, channel: str, account: str) -> list[Scope]:
    """Return the workspace, where it is one of the channel's own account: a channel opens nobody else's."""
    return [workspace] if workspace == Scope("workspace", f"{channel}/{account}") else []


def _accounts(channel: Membership) -> Collection[str]:
    return channel.accounts if isinstance(channel, HasAccounts) else (channel.account,)
