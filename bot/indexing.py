"""`/index`: whether what is said in a chat is kept for the search, from when on, and in which groups of a workspace.

Owns the orders and what is answered. Leaves the reading to `bot.pasts`, who is an admin to `bot.roles`.

    /index on              what is said here from now on
    /index history         an admin: what was said here before, too
    /index workspace       an admin: so in all open groups of the workspace; "off" takes it back
    /index off             no more; what is kept stays
    /index remove          an admin, or one's own chat: no more, and what is kept of it is removed
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.channels.channel import HasHistory, HasOpenGroups
from bot.errors import DeniedError, InputError
from bot.locale import Language, Marked, Text, phrases
from bot.passage import Scope
from bot.pasts import told
from bot.roles import person_of
from bot.store.pasts import Past
from bot.text.shown import named

if TYPE_CHECKING:
    from bot.message import Message, Reply
    from bot.pasts import PastReader
    from bot.retrieval.library import Shelves
    from bot.roles import Roles
    from bot.skill import Request
    from bot.store.audit import Audit
    from bot.store.chats import Chats
    from bot.store.pasts import Pasts

_ = phrases(__file__)

ON: Final = frozenset({"on", "켜", "켜기", "yes"})
OFF: Final = frozenset({"off", "꺼", "끄기", "no"})
HISTORY: Final = frozenset({"history", "past", "과거", "지난대화"})
WORKSPACE: Final = frozenset({"workspace", "워크스페이스"})
REMOVE: Final = frozenset({"remove", "delete", "삭제", "제거"})
MOST_TOLD: Final = 10


@dataclass(frozen=True, slots=True)
class Indexing:
    """Does what an order says."""

    chats: Chats
    pasts: Pasts
    reader: PastReader
    library: Shelves
    roles: Roles
    audit: Audit
    channels: Mapping[str, object]

    async def answer(self, request: Request) -> Reply:
        """Do it. Raises DeniedError where only an admin may, InputError where the platform cannot."""
        words = request.text.strip().lower().split()
        word, more = (words[0] if words else ""), words[1:]
        if word in WORKSPACE:
            return request.reply(await self._workspace(request, off=bool(more) and more[0] in OFF | REMOVE))
        if word in HISTORY:
            return request.reply(await self._history(request))
        if word in REMOVE:
            return request.reply(await self._remove(request))
        if word in ON:
            await self._turn(request.message, on=True)
        elif word in OFF:
            await self._turn(request.message, on=False)
        return request.reply(await self._standing(request))

    async def _turn(self, message: Message, *, on: bool) -> None:
        """Index from now on, or no more: a group that says so is no part of the workspace's order, until it says otherwise."""
        past = await self.pasts.of(message.address)
        await self.chats.set_indexing(message.address, on=on)
        if past is not None and not on:
            await self.pasts.become(past, "off")
        elif past is not None and past.state == "off":
            await self.pasts.drop(past)
            self.reader.look(past.channel, past.account)

    async def _history(self, request: Request) -> Text:
        at = request.message.address
        if at.kind != "group":
            raise InputError(_("Write that in the group whose past is to be searched: there all see that you do."))
        if not isinstance(self.channels.get(at.channel), HasHistory):
            raise InputError(
                _(
                    "{channel} gives a bot nothing of what was said before. `/index on` makes searchable what is said here from now on.",
                    channel=at.channel.title(),
                )
            )
        number = await self._begun(request, "/index history")
        await self.chats.set_indexing(at, on=True)
        await self.pasts.order(Past(at.channel, at.account, at.chat, person_of(request.message), at, request.language))
        self.reader.news.set()
        await self.audit.end(number, "done")
        return told(of_workspace=False)

    async def _workspace(self, request: Request, *, off: bool) -> Text:
        at = request.message.address
        if not isinstance(self.channels.get(at.channel), HasOpenGroups):
            raise InputError(
                _("There is no workspace here whose groups are open to all. `/index on` makes this chat searchable.")
            )
        number = await self._begun(request, f"/index workspace{' off' if off else ''}")
        order = await self.pasts.workspace(at.channel, at.account)
        if off:
            gone = await self._take_back(at.channel, at.account) if order is not None else 0
            await self.audit.end(number, "done")
            return _("The workspace is indexed no more. Removed: {passages} passages of what was said in its public channels.",
                     passages=gone)  # fmt: skip
        await self.audit.end(number, "done")
        if order is not None:
            return await self._progress(at.channel, at.account)
        await self.pasts.order(Past(at.channel, at.account, "", person_of(request.message), at, request.language))
        self.reader.look(at.channel, at.account)
        return _(
            "From now on I index the public channels of this workspace: I come into each, say so there, and read what was said before and "
            "what is said from now on. Channels shared with other organisations, and private ones, only where `/index history` is said in them. "
            "`/index workspace` shows how far I am; `/index workspace off` ends it and removes all of it."
        )

    async def _take_back(self, channel: str, account: str) -> int:
        """End the order first: what is begun meanwhile is none of it."""
        if (order := await self.pasts.workspace(channel, account)) is not None:
            await self.pasts.drop(order)
        gone = 0
        for past in await self.pasts.groups(channel, account):
            if past.of_workspace:
                gone += await self.reader.take_back(past)
                await self.pasts.drop(past)
        return gone

    async def _remove(self, request: Request) -> Text:
        at = request.message.address
        number = await self._begun(request, "/index remove") if at.kind == "group" else None
        past = await self.pasts.of(at)
        if past is not None:
            gone = await self.reader.take_back(past)
        else:
            await self.chats.set_indexing(at, on=False)
            gone = await self.library.forget_talk(Scope.of(at))
        if number is not None:
            await self.audit.end(number, "done")
        return _("This chat's messages are indexed no more. Removed: {passages} passages that could be searched.", passages=gone)

    async def _begun(self, request: Request, command: str) -> int:
        """Write the order down. Raises DeniedError where who gives it is no admin now."""
        who = person_of(request.message)
        ours = await self.roles.ours(who)
        role = "" if ours else await self.roles.role(who)
        if not (ours or role):
            await self.audit.begin(who, command, "not an admin")
            raise DeniedError(
                _("Only an admin may have that, for it is about what others said; {who} is none. Nothing was changed.", who=who)
            )
        return await self.audit.begin(who, f"{command} (as {role})" if role else command)

    # ------------------------------------------------------------------ how far it is

    async def _standing(self, request: Request) -> str:
        address, language = request.message.address, request.language
        lines = [_on_or_off(on=(await self.chats.settings(address)).indexing).to(language)]
        past = await self.pasts.of(address)
        if past is not None and past.state != "off":
            lines.append(_line(past, language))
        return "\n\n".join(lines)

    async def _progress(self, channel: str, account: str) -> Text:
        groups = await self.pasts.groups(channel, account)
        return _("The public channels of this workspace are indexed. Read: {done} of {all}, {kept} messages kept.{rest}",
                 done=sum(past.state == "done" for past in groups), all=len(groups), kept=sum(past.kept for past in groups),
                 rest=_rest(groups))  # fmt: skip


def _on_or_off(*, on: bool) -> Text:
    if on:
        return _(
            "This chat's messages are indexed from when it was turned on, and found by those who are in it. /index off stops it."
        )
    return _("This chat's messages are not indexed. /index on starts it.")


def _rest(groups: Sequence[Past]) -> Text | Marked:
    others = [past for past in groups if past.state in ("reading", "lost")][:MOST_TOLD]
    if not others:
        return Marked("")
    return _("\n\nStill to be read, or not to be had: {names}.", names=_names(others))


def _names(pasts: Collection[Past]) -> Text | str:
    return ", ".join(f"#{named(past.name or past.chat)}" for past in pasts)


def _line(past: Past, language: Language) -> str:
    if past.state == "lost":
        why = (past.why or {}).get(language, "")
        return _("What was said here before cannot be read: {why}", why=why).to(language)
    if past.state == "done":
        return _("What was said here before is read: {kept} messages kept.", kept=past.kept).to(language)
    if past.reached is None:
        return _("What was said here before is about to be read.").to(language)
    day = f"{past.reached:%Y-%m-%d}"
    return _("What was said here before is being read: {kept} messages kept, back to {day}.", kept=past.kept, day=day).to(
        language
    )
