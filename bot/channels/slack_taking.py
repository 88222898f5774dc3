"""What is done with what Slack tells: read, put into its language, committed, and only then acknowledged.

Owns what each event means to the intake, and when it is acknowledged. Leaves to bolt the envelope, to `slack_workspace` the signs and the
order within a conversation, to the intake who may talk to the bot. Slack tells again what was not acknowledged; the inbox knows it by its `ts`.

    status = await taking.take(body)     # 200: it may be acknowledged
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from bot.channels.beside import Beside
from bot.channels.channel import Intake
from bot.channels.incoming import telling_words
from bot.channels.slack_home import home, prompts
from bot.channels.slack_incoming import CHANNEL, Removed, of_command, of_event, of_press, of_share, of_shortcut
from bot.channels.slack_sending import SHARE
from bot.channels.slack_workspace import Workspace
from bot.errors import ParingError, StoreError
from bot.locale import phrases
from bot.logs import Logger
from bot.message import Address, Message, Press, Reply
from bot.skill import CommandSpec

_ = phrases(__file__)
log = Logger(__name__)

ACKNOWLEDGE_S: Final = 2.4
"""Slack waits 3 s. What takes longer goes on, and is not acknowledged: told again, it is here already."""
MOST_LATE: Final = 1024
_ANEW: Final = frozenset({"channel_convert_to_private", "channel_convert_to_public", "channel_archive", "channel_unarchive"})
"""Messages of Slack's own after which another may read a channel."""


class Taking:
    """Hands what Slack tells to one intake."""

    def __init__(
        self,
        intake: Intake,
        workspaces: Mapping[str, Workspace],
        *,
        commands: Callable[[], Sequence[CommandSpec]] = tuple,
        settled: Callable[[], bool] = lambda: True,
        changed: Callable[[str], None] = lambda _chat: None,
    ) -> None:
        """Take where messages go, the workspaces by their team's id, and which commands there are.

        `settled`: all workspaces are known. Until then what an unknown one tells is to be told again. `changed` is told of a
        channel whose readers may be others from now on.
        """
        self._intake = intake
        self._workspaces = workspaces
        self._specs = commands
        self._settled = settled
        self._changed = changed
        self._late: Beside[int] = Beside(most=MOST_LATE)
        self.events: Mapping[str, Callable[[Mapping[str, object], Workspace], Awaitable[None]]] = {
            "message": self._heard, "app_mention": self._heard,
            "member_joined_channel": self._came_or_left, "member_left_channel": self._came_or_left,
            "channel_shared": self._shared_or_not, "channel_unshared": self._shared_or_not, "channel_id_changed": self._moved,
            "app_uninstalled": self._taken_out, "tokens_revoked": self._taken_out, "app_home_opened": self._opened_home,
            "assistant_thread_started": self._suggest, "assistant_thread_context_changed": self._nothing,
        }  # fmt: skip
        """What is done with each type of event."""

    async def take(self, body: Mapping[str, object]) -> int:
        """Commit what `body` says; return the HTTP status to answer with: 200, or 503 where it is to be told again."""
        here = self._workspaces.get(team_of(body))
        if here is None:
            log.info("what a workspace told whose token is not set, or not known yet, is left out")
            return 200 if self._settled() else 503
        work = self._late.start(lambda: self._taken(body, here))
        if work is None:
            return 503
        done, _late = await asyncio.wait([work], timeout=ACKNOWLEDGE_S)
        if done:
            return work.result()
        log.warning("what Slack told is not kept yet and not acknowledged; Slack tells it again", after_s=ACKNOWLEDGE_S)
        return 503

    async def finish(self, *, within_s: float) -> None:
        """Wait for what is being kept; end what takes longer: it was not acknowledged."""
        await self._late.finish(within_s=within_s)

    async def _taken(self, body: Mapping[str, object], here: Workspace) -> int:
        try:
            await self._commit(body, here)
        except StoreError as error:
            log.warning("what Slack told could not be kept; Slack tells it again", why=str(error))
            return 503
        except ParingError as error:
            log.warning("what Slack told was refused and left out", why=str(error))
        except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
            log.warning("what Slack told is nothing that is known, and is left out", why=type(error).__name__)
        return 200

    async def _commit(self, body: Mapping[str, object], here: Workspace) -> None:
        kind, event = body.get("type"), body.get("event")
        press = of_press(body, here.me) if kind == "block_actions" else None
        if press is not None and (token := of_share(body, SHARE)):
            await self._shared(token, press, here)
        elif press is not None:
            await self._pressed(press, here)
        elif kind == "message_action":
            await self._perhaps(of_shortcut(body, here.me), here)
        elif body.get("command"):
            await self._perhaps(
                of_command(body, here.me, {word for spec in self._specs() for word in (spec.name, *spec.aliases)}), here
            )
        elif kind == "app_rate_limited":
            log.warning("Slack leaves out events of this workspace for a minute: it sent more than 30,000 in an hour")
        elif isinstance(event, dict):
            await self._told(event, here)
        else:
            log.warning("what Slack told is nothing that is known, and is left out", why="no field of it says what it is")

    async def _perhaps(self, message: Message | None, here: Workspace) -> None:
        if message is not None:
            await self._said(message, here)
        else:
            log.warning("what Slack told is nothing that is known, and is left out", why="it names nobody, no place or no order")

    async def _told(self, event: Mapping[str, object], here: Workspace) -> None:
        what = event.get("type")
        if isinstance(what, str) and what in self.events:
            await self.events[what](event, here)

    async def _heard(self, event: Mapping[str, object], here: Workspace) -> None:
        """Take in what was said, changed or taken back."""
        chat = str(event.get("channel"))
        if event.get("subtype") in _ANEW:
            self._others_may_read(chat, here)
        told = of_event(await here.with_files(event), here.me)
        if isinstance(told, Removed):
            here.took_back(chat, told.id)
            async with here.in_order(told.address.chat):
                await self._intake.removed(told.address, told.id)
        elif told is not None and not here.is_gone(chat, told.id):
            if told.address.kind == "direct":
                here.sending.direct_is(told.sender, chat)
            await self._said(told, here, chat=chat)

    async def _shared_or_not(self, event: Mapping[str, object], here: Workspace) -> None:
        if isinstance(chat := event.get("channel"), str):
            self._others_may_read(chat, here)

    async def _taken_out(self, _event: Mapping[str, object], here: Workspace) -> None:
        """Ask whether it is so, for an old event may come late: the line knows then that its token is withdrawn."""
        here.beside("auth.test")

    async def _opened_home(self, event: Mapping[str, object], here: Workspace) -> None:
        if event.get("tab") == "home" and isinstance(user := event.get("user"), str):
            await self._show_home(user, here)

    async def _nothing(self, _event: Mapping[str, object], _here: Workspace) -> None:
        """Pass it over: what somebody looks at beside the assistant's pane is not read."""

    def _others_may_read(self, chat: str, here: Workspace) -> None:
        self._changed(chat)
        self._intake.members_changed(Address(CHANNEL, here.me.team, chat, kind="group"))

    async def _moved(self, event: Mapping[str, object], here: Workspace) -> None:
        """Follow a channel to which Slack gives another id: it was shared with another workspace, or no more."""
        old, new = event.get("old_channel_id"), event.get("new_channel_id")
        if isinstance(old, str) and isinstance(new, str) and old and new and old != new:
            team = here.me.team
            await self._intake.moved(Address(CHANNEL, team, old, kind="group"), Address(CHANNEL, team, new, kind="group"))

    async def _show_home(self, user: str, here: Workspace) -> None:
        alone = Address(CHANNEL, here.me.team, user)
        language = await self._intake.language(alone, "", (await here.people.who(user)).language)
        here.beside("views.publish", user_id=user, view=home(self._specs(), language))

    async def _suggest(self, event: Mapping[str, object], here: Workspace) -> None:
        """Offer in a new conversation of Slack's assistant pane what may be asked."""
        thread = event.get("assistant_thread")
        told = thread if isinstance(thread, dict) else {}
        user, chat, ts = told.get("user_id"), told.get("channel_id"), told.get("thread_ts")
        if isinstance(user, str) and isinstance(chat, str) and isinstance(ts, str):
            here.sending.direct_is(user, chat)
            language = await self._intake.language(
                Address(CHANNEL, here.me.team, user), "", (await here.people.who(user)).language
            )
            here.beside("assistant.threads.setSuggestedPrompts", channel_id=chat, thread_ts=ts, prompts=prompts(language))

    async def _said(self, message: Message, here: Workspace, *, chat: str = "") -> None:
        async with here.in_order(message.address.chat):
            person = await here.people.who(message.sender)
            language = await self._intake.language(message.address, telling_words(message), person.language)
            quoted = replace(message.reply_to, language=language) if message.reply_to else None
            named = replace(message, language=language, reply_to=quoted, sender_name=person.name or message.sender_name)
            here.speaks(message.address, language)
            taken = await self._intake.accept(named)
        if taken.fresh and message.addressed and chat:
            here.seen(chat, message.id)
        elif taken.note:
            here.say(Reply(taken.note, language), message.address)

    async def _pressed(self, press: Press, here: Workspace) -> None:
        language = await self._intake.language(press.address, "", (await here.people.who(press.sender)).language)
        taken = await self._intake.accept(replace(press, language=language))
        if taken.note and press.alone is not None:
            where = press.address if press.address.kind == "direct" else replace(press.alone, thread=f"in:{press.address.chat}")
            here.say(Reply(taken.note, language), where)

    async def _shared(self, token: str, press: Press, here: Workspace) -> None:
        """Show to the channel what one alone saw, as they ask."""
        found = here.sending.shared(token)
        if found is not None:
            here.say(found[0], Address(CHANNEL, here.me.team, found[1], kind="group"))
            return
        language = await self._intake.language(press.address, "", (await here.people.who(press.sender)).language)
        here.say(Reply(_("This button has expired. Please ask again.").to(language), language), press.address)

    async def _came_or_left(self, event: Mapping[str, object], here: Workspace) -> None:
        chat, user = event.get("channel"), event.get("user")
        if not isinstance(chat, str) or not isinstance(user, str):
            return
        group = Address(CHANNEL, here.me.team, chat, kind="group")
        self._changed(chat)
        if user != here.me.user:
            self._intake.members_changed(group, user)
            return
        self._intake.members_changed(group)
        if event.get("type") == "member_joined_channel":
            by = event.get("inviter")
            language = await self._intake.language(group, "", "")
            greeting = _(
                "Hello! I am Paring. Here I answer who mentions me, in a thread; `/paring help` shows what I can do. "
                "I read nothing else, unless somebody writes `@Paring /index on`."
            )
            said = await self._intake.joined(group, by if isinstance(by, str) else "", language)
            if said or by:  # where the bot came by itself, it says why
                here.say(Reply(said or greeting.to(language), language), group)


def team_of(body: Mapping[str, object]) -> str:
    """Return the workspace in which the bot was told: in a channel that is shared with others, it is not the speaker's."""
    listed = body.get("authorizations")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    team = body.get("team")
    inner = team.get("id") if isinstance(team, dict) else team
    found = first.get("team_id") or body.get("team_id") or inner
    return found if isinstance(found, str) else ""
