"""What is done with what Slack tells: read, put into its language, committed, and only then acknowledged.

Owns the order within a conversation (Socket Mode hands over several at once), the sign that a message was seen, and who is told at the
door. Leaves to bolt the signature and the socket, to the intake who may talk to the bot. Slack tells again what was not acknowledged; the
inbox knows it by its `ts`.

    status = await taking.take(body)     # 200: it may be acknowledged
"""

from __future__ import annotations

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from bot.channels.channel import Intake
from bot.channels.slack_home import home
from bot.channels.slack_incoming import CHANNEL, Me, Removed, of_command, of_event, of_press, of_share, of_shortcut
from bot.channels.slack_people import People
from bot.channels.slack_sending import SHARE, Sending
from bot.channels.slack_space import Space
from bot.channels.slack_wire import Wire
from bot.errors import ChannelError, ParingError, RetryLaterError, StoreError
from bot.language import NAMING, of_order
from bot.locale import phrases
from bot.logs import Logger
from bot.message import Address, Message, Press, Reply
from bot.skill import CommandSpec

_ = phrases(__file__)
log = Logger(__name__)

SEEN: Final = "eyes"
"""The reaction while a message is worked on."""
TRIES: Final = 3
MOST_UNDER_WAY: Final = 256
MOST_SEEN: Final = 4096


class Workspace:
    """The bot in one workspace: who it is there, its line, and what it says."""

    def __init__(self, me: Me, wire: Wire, sending: Sending) -> None:
        """Take the three."""
        self.me = me
        self.wire = wire
        self.sending = sending
        self._orders: dict[str, asyncio.Lock] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.people = People(wire)
        self.space = Space(wire, me.team)
        self._numbers = itertools.count()

    def in_order(self, chat: str) -> asyncio.Lock:
        """Return what one conversation's messages pass through one after the other, in the order in which they came."""
        if len(self._orders) >= MOST_SEEN:
            self._orders = {name: lock for name, lock in self._orders.items() if lock.locked()}
        return self._orders.setdefault(chat, asyncio.Lock())

    def seen(self, chat: str, ts: str) -> None:
        """Show by a reaction that a message is worked on; nothing waits for it."""
        self._seen[chat, ts] = None
        while len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)
        self.beside("reactions.add", channel=chat, timestamp=ts, name=SEEN)

    def answered(self, chat: str, ts: str) -> None:
        """Take the reaction away again."""
        if (chat, ts) in self._seen:
            del self._seen[chat, ts]
            self.beside("reactions.remove", channel=chat, timestamp=ts, name=SEEN)

    def say(self, said: Reply, to: Address) -> None:
        """Say something beside the outbox; nothing waits for it."""
        if len(self._under_way) < MOST_UNDER_WAY:
            self._hold(self._said(said, to, f"door {next(self._numbers)}"))

    async def finish(self, *, within_s: float) -> None:
        """Wait for what is under way."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within_s)

    def beside(self, method: str, **said: object) -> None:
        """Call a method for which nothing waits."""
        if len(self._under_way) < MOST_UNDER_WAY:
            self._hold(self._called(method, said))

    def _hold(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _called(self, method: str, said: Mapping[str, object]) -> None:
        with suppress(ChannelError):  # a sign that is missing harms nobody
            await self.wire.call(method, wait_for=str(said.get("channel", "")), **said)  # type: ignore[arg-type]

    async def _said(self, said: Reply, to: Address, key: str) -> None:
        for _try in range(TRIES):
            try:
                await self.sending.send(said, to, key, shareable=False)
            except RetryLaterError as error:
                await asyncio.sleep(error.retry_after_s)
            except ChannelError as error:
                log.info("something the bot says on its own was not sent", why=str(error))
                return
            else:
                return


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

        `settled`: all workspaces are known. Until then what an unknown one tells is to be told again. `changed` is told of a channel
        to which somebody came, or which somebody left.
        """
        self._intake = intake
        self._workspaces = workspaces
        self._specs = commands
        self._settled = settled
        self._changed = changed

    async def take(self, body: Mapping[str, object]) -> int:
        """Commit what `body` says; return the HTTP status to answer with: 200, or 503 where it is to be told again."""
        here = self._workspaces.get(team_of(body))
        if here is None:
            log.info("what a workspace told whose token is not set, or not known yet, is left out")
            return 200 if self._settled() else 503
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
        if kind == "block_actions" and (token := of_share(body, SHARE)):
            await self._shared(token, of_press(body, here.me), here)
        elif kind == "block_actions":
            await self._pressed(of_press(body, here.me), here)
        elif kind == "message_action":
            await self._perhaps(of_shortcut(body, here.me), here)
        elif body.get("command"):
            await self._perhaps(
                of_command(body, here.me, {word for spec in self._specs() for word in (spec.name, *spec.aliases)}), here
            )
        elif isinstance(event, dict):
            await self._told(event, here)

    async def _perhaps(self, message: Message | None, here: Workspace) -> None:
        if message is not None:
            await self._said(message, here)

    async def _told(self, event: Mapping[str, object], here: Workspace) -> None:
        what, chat = event.get("type"), event.get("channel")
        if what in {"member_joined_channel", "member_left_channel"}:
            await self._came_or_left(event, here)
            return
        if what == "app_home_opened" and event.get("tab") == "home" and isinstance(event.get("user"), str):
            await self._show_home(str(event["user"]), here)
        if what not in {"message", "app_mention"}:
            return
        told = of_event(event, here.me)
        if isinstance(told, Removed):
            await self._intake.removed(told.address, told.id)
        elif told is not None:
            if told.address.kind == "direct" and isinstance(chat, str):
                here.sending.direct_is(told.sender, chat)
            await self._said(told, here, chat=str(chat))

    async def _show_home(self, user: str, here: Workspace) -> None:
        alone = Address(CHANNEL, here.me.team, user)
        language = await self._intake.language(alone, "", (await here.people.who(user)).language)
        here.beside("views.publish", user_id=user, view=home(self._specs(), language))

    async def _said(self, message: Message, here: Workspace, *, chat: str = "") -> None:
        async with here.in_order(message.address.chat):
            person = await here.people.who(message.sender)
            language = await self._intake.language(message.address, _words(message), person.language)
            quoted = replace(message.reply_to, language=language) if message.reply_to else None
            named = replace(message, language=language, reply_to=quoted, sender_name=person.name or message.sender_name)
            taken = await self._intake.accept(named)
        if taken.fresh and message.addressed and chat:
            here.seen(chat, message.id)
        elif taken.note:
            here.say(Reply(taken.note, language), message.address)

    async def _pressed(self, press: Press | None, here: Workspace) -> None:
        if press is None:
            return
        language = await self._intake.language(press.address, "", (await here.people.who(press.sender)).language)
        taken = await self._intake.accept(replace(press, language=language))
        if taken.note and press.alone is not None:
            where = press.address if press.address.kind == "direct" else replace(press.alone, thread=f"in:{press.address.chat}")
            here.say(Reply(taken.note, language), where)

    async def _shared(self, token: str, press: Press | None, here: Workspace) -> None:
        """Show to the channel what one alone saw, as they ask."""
        if press is None:
            return
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
            here.say(Reply(said or greeting.to(language), language), group)


def team_of(body: Mapping[str, object]) -> str:
    """Return the workspace in which the bot was told: in a channel that is shared with others, it is not the speaker's."""
    listed = body.get("authorizations")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    team = body.get("team")
    inner = team.get("id") if isinstance(team, dict) else team
    found = first.get("team_id") or body.get("team_id") or inner
    return found if isinstance(found, str) else ""


def _words(message: Message) -> str:
    """Return what tells the message's language: of a command what is said after it."""
    if message.command is None or of_order(message.text) or message.command.name in NAMING:
        return message.text
    return message.command.args
